-- open_alerts --
-- All open alerts with what is shown beside them: the newest evidence, who has been reached, what came back last.
SELECT a.*, e.evidence, e.onset AS episode_onset, e.ended AS episode_end, e.present,
       coalesce(n.told, '{}') AS told, coalesce(n.persons, '{}') AS persons, r.kind AS response_kind, r.at AS response_at
  FROM alerts.alert a
  LEFT JOIN LATERAL (
       SELECT evidence, onset, ended, present FROM alerts.alert_episode e
        WHERE e.alert = a.alert AND NOT e.withdrawn ORDER BY present DESC, onset DESC, episode LIMIT 1) e ON true
  LEFT JOIN LATERAL (
       SELECT array_agg(DISTINCT role ORDER BY role) FILTER (WHERE n.status = 'delivered') AS told,
              array_agg(DISTINCT person) AS persons FROM alerts.notice n WHERE n.alert = a.alert) n ON true
  LEFT JOIN LATERAL (
       SELECT r.kind, r.at FROM alerts.response r JOIN alerts.notice n USING (notice)
        WHERE n.alert = a.alert ORDER BY r.at DESC, r.kind LIMIT 1) r ON true
 WHERE a.state <> 'closed'

-- told_since --
-- Tips of one patient, about the body and about what they wear, that are open or were raised since.
SELECT alert, condition, kind, state, outcome, raised_at, closed_at, answered_by, answered_at FROM alerts.alert
 WHERE subject = %(patient)s AND subject_kind = 'patient' AND tier = 'tip' AND inhibited_by IS NULL
   AND (state <> 'closed' OR raised_at > %(since)s)
 ORDER BY raised_at DESC LIMIT %(limit)s

-- closed --
-- What was closed since an instant, newest first, as it was when it was open, with what was said of its end.
SELECT a.*, e.evidence, e.onset AS episode_onset, e.ended AS episode_end, e.present, h.detail ->> 'note' AS note,
       '{}'::text[] AS told, ARRAY (SELECT DISTINCT n.person FROM alerts.notice n WHERE n.alert = a.alert) AS persons
  FROM alerts.alert a
  LEFT JOIN LATERAL (
       SELECT evidence, onset, ended, present FROM alerts.alert_episode e
        WHERE e.alert = a.alert AND NOT e.withdrawn ORDER BY present DESC, onset DESC, episode LIMIT 1) e ON true
  LEFT JOIN LATERAL (
       SELECT detail FROM alerts.history h WHERE h.alert = a.alert AND h.what = 'closed' ORDER BY n DESC LIMIT 1) h ON true
 WHERE a.state = 'closed' AND a.closed_at > %(since)s
   AND (%(before_at)s::timestamptz IS NULL OR (a.closed_at, a.alert) < (%(before_at)s, %(before)s))
 ORDER BY a.closed_at DESC, a.alert DESC LIMIT %(limit)s

-- escalated_tips --
-- Which of these alerts were tips that nobody answered.
SELECT DISTINCT alert FROM alerts.history
 WHERE alert = ANY (%(alerts)s) AND what = 'worsened' AND detail ->> 'was' = 'tip'
