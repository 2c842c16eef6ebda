-- add_account --
INSERT INTO api.account (login, kind, patient, person, name, language, password)
VALUES (%(login)s, %(kind)s, %(patient)s, %(person)s, %(name)s, %(language)s, %(password)s)
ON CONFLICT (login) DO NOTHING RETURNING login

-- accounts --
SELECT login, kind, patient, person, name, language FROM api.account ORDER BY login

-- console_names --
SELECT person, login FROM api.account WHERE kind = ANY (%(kinds)s)

-- set_password --
UPDATE api.account SET password = %(password)s, failures = 0, tried_at = NULL WHERE login = %(login)s RETURNING login

-- remove_account --
DELETE FROM api.account WHERE login = %(login)s RETURNING login

-- take_try --
-- A try is counted before the password is looked at, so that tries side by side do not get more of them. No row: there
-- is no such account, or it waits.
UPDATE api.account
   SET failures = CASE WHEN tried_at > clock_timestamp() - %(wait)s THEN failures + 1 ELSE 1 END,
       tried_at = clock_timestamp()
 WHERE login = %(login)s AND (failures < %(most)s OR tried_at IS NULL OR tried_at <= clock_timestamp() - %(wait)s)
RETURNING login, kind, patient, person, name, language, password

-- forgive --
UPDATE api.account SET failures = 0, tried_at = NULL WHERE login = %(login)s

-- open --
INSERT INTO api.break_glass (login, patient, until_at) VALUES (%(login)s, %(patient)s, clock_timestamp() + %(lasts)s)
ON CONFLICT (login, patient) DO UPDATE SET until_at = EXCLUDED.until_at RETURNING until_at

-- opened --
SELECT patient FROM api.break_glass WHERE login = %(login)s AND until_at > clock_timestamp()

-- begin_session --
WITH over AS (
    DELETE FROM api.session WHERE ends_at <= clock_timestamp() OR seen_at + idle <= clock_timestamp()
)
INSERT INTO api.session (token, login, idle, ends_at)
VALUES (%(token)s, %(login)s, %(idle)s, clock_timestamp() + %(longest)s)

-- session --
SELECT a.login, a.kind, a.patient, a.person, a.name, a.language, s.seen_at < clock_timestamp() - interval '1 minute' AS unseen
  FROM api.session s JOIN api.account a USING (login)
 WHERE s.token = %(token)s AND clock_timestamp() < s.ends_at AND clock_timestamp() < s.seen_at + s.idle

-- touch_session --
UPDATE api.session SET seen_at = clock_timestamp() WHERE token = %(token)s

-- end_session --
DELETE FROM api.session WHERE token = %(token)s

-- end_sessions --
DELETE FROM api.session WHERE login = %(login)s
