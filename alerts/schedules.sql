-- lock_all --
-- A schedule holds for many plans: none of them may change while it does.
SELECT pg_advisory_xact_lock(hashtextextended('alerts.schedules', 0))

-- save_schedule --
INSERT INTO alerts.schedule (name, version, body, by_whom, activated_at)
VALUES (%(name)s, %(version)s, %(body)s, %(by_whom)s, %(now)s)

-- patients_with_plans --
SELECT DISTINCT patient FROM alerts.plan ORDER BY patient
