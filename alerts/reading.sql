-- list_alerts --
-- What a viewer may see is `alerts.panels.Sight.shows`, in SQL.
SELECT alert, subject, subject_kind, condition, kind, state, tier, reason, past, onset, raised_at, generation, cycle,
       acknowledged_until, asked_until, well_at, snoozed_until, paused_until, answered_by, answered_at, inhibited_by, outcome, closed_at, next_due_at, plan_version, ladder
  FROM alerts.alert a
 WHERE (%(is_open)s::bool IS NULL OR (state <> 'closed') = %(is_open)s)
   AND (%(tier)s::text IS NULL OR tier = %(tier)s)
   AND (%(kind)s::text IS NULL OR kind = %(kind)s)
   AND (%(subject)s::text IS NULL OR subject = %(subject)s)
   AND CASE WHEN NOT %(is_clinical)s THEN a.kind = 'technical'
            ELSE (a.subject_kind = 'patient' AND a.subject <> ALL (%(others)s)
                  AND (%(only)s::text[] IS NULL OR a.subject = ANY (%(only)s)))
              OR (%(only)s::text[] IS NULL
                  AND ((%(names)s::text[] IS NULL AND a.subject_kind <> 'patient')
                       OR EXISTS (SELECT FROM alerts.notice n WHERE n.alert = a.alert AND n.person = ANY (%(names)s))))
            END
   AND (%(before_at)s::timestamptz IS NULL OR (raised_at, alert) < (%(before_at)s, %(before)s))
 ORDER BY raised_at DESC, alert DESC LIMIT %(limit)s

-- alerts_of --
-- One patient's alerts, newest first, each with its newest evidence and who closed it with which note.
SELECT a.alert, a.condition, a.kind, a.state, a.tier, a.past, a.onset, a.raised_at, a.answered_by, a.answered_at, a.inhibited_by,
       a.outcome, a.closed_at, e.evidence, h.by_whom AS closed_by, h.detail ->> 'note' AS note
  FROM alerts.alert a
  LEFT JOIN LATERAL (
       SELECT evidence FROM alerts.alert_episode e
        WHERE e.alert = a.alert AND NOT e.withdrawn ORDER BY present DESC, onset DESC, episode LIMIT 1) e ON true
  LEFT JOIN LATERAL (
       SELECT by_whom, detail FROM alerts.history h
        WHERE h.alert = a.alert AND h.after = 'closed' ORDER BY n LIMIT 1) h ON true
 WHERE a.subject = %(patient)s AND a.subject_kind = 'patient'
   AND (%(before_at)s::timestamptz IS NULL OR (a.raised_at, a.alert) < (%(before_at)s, %(before)s))
 ORDER BY a.raised_at DESC, a.alert DESC LIMIT %(limit)s

-- count_of --
SELECT count(*) AS total FROM alerts.alert WHERE subject = %(patient)s AND subject_kind = 'patient'

-- about --
-- Whose alert it is, and who was told of it.
SELECT a.subject, a.subject_kind, a.kind, a.tier, a.state,
       ARRAY (SELECT DISTINCT n.person FROM alerts.notice n WHERE n.alert = a.alert) AS persons
  FROM alerts.alert a WHERE a.alert = %(alert)s

-- alert_of --
SELECT alert FROM alerts.notice WHERE notice = %(notice)s

-- one_alert --
SELECT alert, subject, subject_kind, condition, kind, state, tier, reason, past, onset, raised_at, generation, cycle,
       rung, acknowledged_until, asked_until, well_at, snoozed_until, paused_until, answered_by, answered_at, inhibited_by, outcome, closed_at, next_due_at, plan_version,
       ladder, ladders
  FROM alerts.alert WHERE alert = %(alert)s

-- episodes --
SELECT episode, revision, present, late, withdrawn, onset, ended, evidence, shard, position, ord
  FROM alerts.alert_episode WHERE alert = %(alert)s ORDER BY onset, episode

-- history --
SELECT n, cause, what, before, after, generation, cycle, at, by_whom, detail, written_at
  FROM alerts.history WHERE alert = %(alert)s ORDER BY n

-- list_deliveries --
SELECT notice, alert, type, event, generation, cycle, rung, person, channel, address, role, tier, first_due_at, due_at,
       status, attempts, has_record, made_at
  FROM alerts.notice
 WHERE (%(alert)s::uuid IS NULL OR alert = %(alert)s)
   AND (%(status)s::text IS NULL OR status = %(status)s)
   AND (%(person)s::text IS NULL OR person = %(person)s)
   AND (%(is_everything)s OR alert IN (SELECT alert FROM alerts.alert a WHERE true
   AND CASE WHEN NOT %(is_clinical)s THEN a.kind = 'technical'
            ELSE (a.subject_kind = 'patient' AND a.subject <> ALL (%(others)s)
                  AND (%(only)s::text[] IS NULL OR a.subject = ANY (%(only)s)))
              OR (%(only)s::text[] IS NULL
                  AND ((%(names)s::text[] IS NULL AND a.subject_kind <> 'patient')
                       OR EXISTS (SELECT FROM alerts.notice n WHERE n.alert = a.alert AND n.person = ANY (%(names)s))))
            END))
   AND (%(before_at)s::timestamptz IS NULL OR (made_at, notice) < (%(before_at)s, %(before)s))
 ORDER BY made_at DESC, notice DESC LIMIT %(limit)s

-- attempts --
SELECT notice, n, at, started_at, finished_at, outcome, detail
  FROM alerts.attempt WHERE notice = ANY (%(notices)s) ORDER BY notice, n

-- sealed_body --
SELECT body FROM alerts.notice WHERE notice = %(notice)s

-- responses --
SELECT r.notice, r.kind, r.endpoint, n.person, r.external_id, r.at, r.body
  FROM alerts.response r JOIN alerts.notice n USING (notice) WHERE n.alert = %(alert)s ORDER BY r.written_at, r.external_id

-- counts --
SELECT 'open' AS what, tier, state AS state, count(*) AS count FROM alerts.alert WHERE state <> 'closed' GROUP BY tier, state
UNION ALL
SELECT 'notice', tier, status, count(*) FROM alerts.notice WHERE status <> 'delivered' GROUP BY tier, status

-- behind --
-- How far the station is behind: findings not heard, the oldest step and the oldest notice that are overdue.
SELECT (SELECT position FROM alerts.cursor WHERE shard = 0) AS heard_position,
       (SELECT min(next_due_at) FROM alerts.alert WHERE next_due_at < %(now)s) AS oldest_step,
       (SELECT min(due_at) FROM alerts.notice WHERE status = 'waiting' AND attempts = 0 AND due_at < %(now)s) AS oldest_notice
