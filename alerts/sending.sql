-- claim_notices --
-- Notices that are due, leased to this worker; others skip them. The attempt is written before it is made.
WITH due AS (
    SELECT notice FROM alerts.notice
     WHERE status = 'waiting' AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until < clock_timestamp())
       AND (tier = 'emergency' OR NOT %(urgent_only)s)
       AND (%(conditions)s::text[] IS NULL
            OR alert IN (SELECT alert FROM alerts.alert WHERE condition = ANY (%(conditions)s::text[])))
     ORDER BY tier = 'emergency' DESC, due_at, notice
     LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE alerts.notice n
       SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s), attempts = n.attempts + 1,
           begun_at = coalesce(n.begun_at, %(now)s)
      FROM due WHERE n.notice = due.notice
    RETURNING n.*
), started AS (
    INSERT INTO alerts.attempt (notice, n, at) SELECT notice, attempts, %(now)s FROM leased
)
SELECT * FROM leased ORDER BY tier = 'emergency' DESC, first_due_at, notice

-- alert_of --
SELECT * FROM alerts.alert WHERE alert = %(alert)s

-- episodes_of --
SELECT episode, revision, present, late, withdrawn, onset, ended AS end, evidence
  FROM alerts.alert_episode WHERE alert = %(alert)s

-- why_updated --
-- What the Nth update of an alert was for.
SELECT detail ->> 'why' AS why FROM alerts.history
 WHERE alert = %(alert)s AND what = 'update' ORDER BY n OFFSET %(before)s LIMIT 1

-- freeze_body --
-- The first body stays: every attempt sends the same bytes.
UPDATE alerts.notice SET body = coalesce(body, %(body)s), has_record = coalesce(has_record, %(has_record)s)
 WHERE notice = %(notice)s RETURNING body

-- finish_attempt --
UPDATE alerts.attempt SET finished_at = clock_timestamp(), outcome = %(outcome)s, detail = %(detail)s
 WHERE notice = %(notice)s AND n = %(n)s

-- mark_delivered --
UPDATE alerts.notice SET status = 'delivered', lease_until = NULL WHERE notice = %(notice)s

-- mark_failed --
-- Only the newest attempt decides what is next, and only while the notice still has a point.
UPDATE alerts.notice SET status = %(status)s, due_at = coalesce(%(due_at)s, due_at), lease_until = NULL
 WHERE notice = %(notice)s AND attempts = %(n)s AND status = 'waiting'

-- without_record --
-- Open alerts that went out without the record, and whom to give it.
SELECT n.alert, a.subject, n.person, n.channel, n.address, n.role
  FROM alerts.notice n JOIN alerts.alert a USING (alert)
 WHERE n.has_record = false AND n.status = 'delivered' AND a.state <> 'closed'
 ORDER BY n.alert, n.person, n.channel

-- mark_followed --
UPDATE alerts.notice SET has_record = NULL WHERE alert = %(alert)s AND has_record = false AND status = 'delivered'
