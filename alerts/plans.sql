-- current_plan --
SELECT body FROM alerts.plan WHERE patient = %(patient)s ORDER BY version DESC LIMIT 1

-- versions --
SELECT body, by_whom, activated_at FROM alerts.plan WHERE patient = %(patient)s ORDER BY version DESC LIMIT 100

-- lock_plan --
SELECT pg_advisory_xact_lock(hashtextextended('alerts.plan|' || %(patient)s, 0))

-- save_plan --
INSERT INTO alerts.plan (patient, version, body, by_whom, activated_at)
VALUES (%(patient)s, %(version)s, %(body)s, %(by_whom)s, %(now)s)

-- tell_limits --
SELECT stream.tell(%(id)s, 'limits_changed', %(body)s, %(by_whom)s) AS told

-- lock_schedules --
-- Plans of different patients may change at once; no schedule while one of them does.
SELECT pg_advisory_xact_lock_shared(hashtextextended('alerts.schedules', 0))

-- schedules --
SELECT DISTINCT ON (name) name, body FROM alerts.schedule WHERE name = ANY (%(names)s) ORDER BY name, version DESC

-- worn --
SELECT stream.kinds_of(%(patient)s) AS kinds
