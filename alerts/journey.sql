-- event --
SELECT * FROM stream.event_trace(%(device)s, %(stream)s, %(seq)s)

-- episodes --
SELECT * FROM stream.episodes_meeting(%(subject)s, %(from_at)s, %(to_at)s)

-- alerts_of --
SELECT a.alert, a.tier, a.condition, a.state FROM alerts.alert a JOIN alerts.alert_episode e USING (alert)
WHERE e.episode = ANY (%(episodes)s) GROUP BY a.alert ORDER BY a.raised_at

-- alert --
SELECT alert, subject, condition, tier, state, onset, raised_at, past FROM alerts.alert
WHERE alert::text LIKE %(start)s || '%%' ORDER BY raised_at LIMIT 2

-- history --
SELECT n, what, before, after, generation, cycle, written_at AS at, by_whom FROM alerts.history WHERE alert = %(alert)s ORDER BY n

-- attempts --
SELECT n.notice, n.type, n.generation, n.cycle, n.rung, n.person, n.channel, n.status, t.n AS attempt, t.started_at,
    t.finished_at, t.outcome, t.detail
FROM alerts.notice n LEFT JOIN alerts.attempt t USING (notice) WHERE n.alert = %(alert)s
ORDER BY coalesce(t.started_at, n.due_at), n.person, t.n
