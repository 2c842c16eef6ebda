-- lock_subject --
-- Whoever changes alerts of this subject holds this until the transaction ends: no two orders of row locks.
SELECT pg_advisory_xact_lock(hashtextextended('alerts.subject|' || %(subject)s, 0))

-- try_lock_subject --
SELECT pg_try_advisory_xact_lock(hashtextextended('alerts.subject|' || %(subject)s, 0))

-- alerts_of --
-- Open alerts of a subject, the one that is asked for, the one that holds an episode, and closed ones whose condition
-- was true at %(since)s or later; locked in one order.
SELECT * FROM alerts.alert
 WHERE (subject = %(subject)s AND state <> 'closed')
    OR alert = %(alert)s
    OR alert = (SELECT alert FROM alerts.alert_episode WHERE episode = %(episode)s)
    OR (subject = %(subject)s AND state = 'closed' AND alert IN
        (SELECT alert FROM alerts.alert_episode WHERE coalesce(ended, 'infinity') >= %(since)s::timestamptz))
    OR (subject = %(subject)s AND snoozed_until >= %(since)s::timestamptz)
 ORDER BY alert
   FOR UPDATE

-- episodes_of --
SELECT alert, episode, revision, present, late, withdrawn, onset, ended AS end, evidence
  FROM alerts.alert_episode WHERE alert = ANY (%(alerts)s)

-- told_of --
SELECT DISTINCT alert, person, channel, address, role
  FROM alerts.notice
 WHERE alert = ANY (%(alerts)s) AND type = 'alert.raised' AND attempts > 0
 ORDER BY alert, person, channel

-- undelivered_of --
-- Whose last notice of the running generation still waits.
SELECT l.alert, l.person, l.channel
  FROM (SELECT DISTINCT ON (n.alert, n.person, n.channel) n.alert, n.person, n.channel, n.status
          FROM alerts.notice n JOIN alerts.alert a USING (alert)
         WHERE n.alert = ANY (%(alerts)s) AND n.type = 'alert.raised' AND n.generation = a.generation
         ORDER BY n.alert, n.person, n.channel, n.cycle DESC, n.rung DESC) l
 WHERE l.status = 'waiting'

-- pauses_of --
-- Planned pauses of a patient, the latest hundred; of a gateway that serves one patient only, those of that patient: what
-- serves several is never muted by one of them.
SELECT pause, patient, kind, from_at, until_at, by_whom, role, lifted_at FROM alerts.pause
 WHERE patient = CASE WHEN (SELECT count(*) FROM stream.patients_of(%(subject)s)) = 1
                      THEN (SELECT patient FROM stream.patients_of(%(subject)s)) ELSE %(subject)s END
 ORDER BY until_at DESC LIMIT 100

-- watched_of --
SELECT at, what FROM alerts.monitoring WHERE patient = %(subject)s ORDER BY n DESC LIMIT 1

-- save_alert --
INSERT INTO alerts.alert (alert, subject, subject_kind, condition, kind, state, tier, reason, past, onset, raised_at,
    ladder, ladders, plan_version, cycle_from, unanswered_from, generation, cycle, rung, hurried, acknowledged_until,
    asked_until, well_at, snoozed_until, paused_until, answered_by, answered_at, inhibited_by, outcome, closed_at, next_due_at, updates, entries)
VALUES (%(alert)s, %(subject)s, %(subject_kind)s, %(condition)s, %(kind)s, %(state)s, %(tier)s, %(reason)s, %(past)s,
    %(onset)s, %(raised_at)s, %(ladder)s, %(ladders)s, %(plan_version)s, %(cycle_from)s, %(unanswered_from)s,
    %(generation)s, %(cycle)s, %(rung)s, %(hurried)s, %(acknowledged_until)s, %(asked_until)s, %(well_at)s, %(snoozed_until)s,
    %(paused_until)s, %(answered_by)s, %(answered_at)s,
    %(inhibited_by)s, %(outcome)s, %(closed_at)s, %(next_due_at)s, %(updates)s, %(entries)s)
ON CONFLICT (alert) DO UPDATE SET
    state = EXCLUDED.state, tier = EXCLUDED.tier, reason = EXCLUDED.reason, past = EXCLUDED.past,
    onset = EXCLUDED.onset, ladder = EXCLUDED.ladder, cycle_from = EXCLUDED.cycle_from,
    unanswered_from = EXCLUDED.unanswered_from, generation = EXCLUDED.generation, cycle = EXCLUDED.cycle,
    rung = EXCLUDED.rung, hurried = EXCLUDED.hurried, acknowledged_until = EXCLUDED.acknowledged_until,
    asked_until = EXCLUDED.asked_until, well_at = EXCLUDED.well_at,
    snoozed_until = EXCLUDED.snoozed_until, paused_until = EXCLUDED.paused_until,
    answered_by = EXCLUDED.answered_by, answered_at = EXCLUDED.answered_at, inhibited_by = EXCLUDED.inhibited_by,
    outcome = EXCLUDED.outcome, closed_at = EXCLUDED.closed_at, next_due_at = EXCLUDED.next_due_at,
    updates = EXCLUDED.updates, entries = EXCLUDED.entries

-- save_entry --
INSERT INTO alerts.history (alert, n, cause, what, before, after, generation, cycle, at, by_whom, detail)
VALUES (%(alert)s, %(n)s, %(cause)s, %(what)s, %(before)s, %(after)s, %(generation)s, %(cycle)s, %(at)s, %(by_whom)s,
    %(detail)s)

-- save_episode --
-- An episode of a closed alert may join the open one; where the log first said so stays.
INSERT INTO alerts.alert_episode (episode, alert, revision, present, late, withdrawn, onset, ended, evidence, shard,
    position, ord)
VALUES (%(episode)s, %(alert)s, %(revision)s, %(present)s, %(late)s, %(withdrawn)s, %(onset)s, %(end)s, %(evidence)s,
    %(shard)s, %(position)s, %(ord)s)
ON CONFLICT (episode) DO UPDATE SET
    alert = EXCLUDED.alert, revision = EXCLUDED.revision, present = EXCLUDED.present, late = EXCLUDED.late,
    withdrawn = EXCLUDED.withdrawn, onset = EXCLUDED.onset, ended = EXCLUDED.ended, evidence = EXCLUDED.evidence

-- save_notice --
INSERT INTO alerts.notice (notice, alert, type, event, generation, cycle, rung, person, channel, address, role, tier,
    first_due_at, due_at)
VALUES (%(notice)s, %(alert)s, %(type)s, %(event)s, %(generation)s, %(cycle)s, %(rung)s, %(person)s, %(channel)s,
    %(address)s, %(role)s, %(tier)s, %(due_at)s, %(due_at)s)
ON CONFLICT (notice) DO NOTHING

-- make_moot --
UPDATE alerts.notice SET status = 'moot'
 WHERE alert = %(alert)s AND status = 'waiting' AND type = ANY (%(types)s)

-- wake --
SELECT pg_notify('alerts', %(alert)s)

-- has_cause --
SELECT EXISTS (SELECT FROM alerts.history WHERE alert = %(alert)s AND cause = %(cause)s)

-- subject_of --
SELECT subject FROM alerts.alert WHERE alert = %(alert)s

-- due_alerts --
SELECT alert, subject FROM alerts.alert WHERE next_due_at <= %(now)s
 ORDER BY tier = 'emergency' DESC, next_due_at LIMIT %(limit)s
