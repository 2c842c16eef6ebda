-- pulses --
SELECT shard, stored_age_s, unjudged_age_s, chart_age_s FROM stream.pulse() WHERE shard = %(shard)s

-- station_age --
SELECT extract(epoch FROM clock_timestamp() - max(beat_at))::float8 AS age_s FROM alerts.life WHERE child = 'station'

-- starts --
SELECT child, count FROM stream.starts(interval '1 minute')
UNION ALL
SELECT child, count(*) FROM alerts.life WHERE started_at > clock_timestamp() - interval '1 minute' GROUP BY child

-- late_steps --
-- Steps that are due, but for those of the auditor's own alerts, which it takes itself.
SELECT count(*) AS count, min(next_due_at) AS oldest FROM alerts.alert
 WHERE next_due_at <= %(now)s AND NOT condition = ANY (%(own)s)

-- late_notices --
-- Notices that are due and not leased to anybody.
SELECT count(*) AS count, min(due_at) AS oldest FROM alerts.notice
 WHERE status = 'waiting' AND due_at <= %(now)s AND (lease_until IS NULL OR lease_until < clock_timestamp())

-- unfinished_notices --
-- Begun again and again, and no attempt has an end: whoever tries them dies of it.
SELECT count(*) AS count FROM alerts.notice n
 WHERE n.status = 'waiting' AND n.attempts >= 3
   AND NOT EXISTS (SELECT FROM alerts.attempt a WHERE a.notice = n.notice AND a.finished_at IS NOT NULL)

-- forgotten_alerts --
-- Somebody should answer, nobody else speaks for it, and no step will ever come.
SELECT count(*) AS count FROM alerts.alert a
 WHERE a.state IN ('sounding', 'latched') AND a.tier IN ('doctor', 'emergency') AND a.next_due_at IS NULL
   AND NOT EXISTS (SELECT FROM alerts.alert l WHERE l.alert = a.inhibited_by AND l.state <> 'closed')

-- unheard --
SELECT c.position, c.position < stream.judged_position(%(shard)s) AS is_behind FROM alerts.cursor c
 WHERE c.shard = %(shard)s

-- unaccounted --
SELECT stream.unaccounted(coalesce(max(stored_position), 0) - 7200) AS count FROM stream.lag() WHERE shard = %(shard)s

-- own_present --
-- What the auditor has said and not yet taken back.
SELECT a.condition, a.subject, e.episode, e.revision, e.onset
  FROM alerts.alert a JOIN alerts.alert_episode e USING (alert)
 WHERE a.condition = ANY (%(own)s) AND a.state <> 'closed' AND e.present

-- own_due --
SELECT alert, subject FROM alerts.alert WHERE next_due_at <= %(now)s AND condition = ANY (%(own)s) ORDER BY next_due_at
