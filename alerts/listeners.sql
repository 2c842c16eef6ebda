-- refresh --
-- A live session says that it is there; by the database's clock. True where nobody of this person was before.
WITH before AS (
    SELECT count(*) AS live FROM alerts.listener WHERE person = %(person)s AND until > clock_timestamp()
), gone AS (
    DELETE FROM alerts.listener WHERE until < clock_timestamp() - interval '1 hour'
), here AS (
    INSERT INTO alerts.listener (person, session, until)
    VALUES (%(person)s, %(session)s, clock_timestamp() + make_interval(secs => %(for_s)s))
    ON CONFLICT (person, session) DO UPDATE SET until = EXCLUDED.until
)
SELECT live = 0 AS is_first FROM before

-- shown_now --
-- What waited for a console of this person need not wait for its next attempt.
UPDATE alerts.notice SET due_at = least(due_at, %(now)s)
 WHERE status = 'waiting' AND channel = 'console' AND coalesce(nullif(address, ''), person) = %(person)s

-- wake --
SELECT pg_notify('alerts', %(person)s)

-- leave --
DELETE FROM alerts.listener WHERE person = %(person)s AND session = %(session)s

-- listening --
SELECT EXISTS (SELECT FROM alerts.listener WHERE person = %(person)s AND until > clock_timestamp())
