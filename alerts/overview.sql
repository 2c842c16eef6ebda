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

-- closed_since --
SELECT alert, subject, condition, kind, tier, outcome, answered_by, closed_at FROM alerts.alert
 WHERE closed_at > %(since)s AND outcome <> 'faded' ORDER BY closed_at DESC LIMIT %(limit)s

-- told_since --
-- Tips of one patient, about the body and about what they wear, that are open or were raised since.
SELECT alert, condition, kind, state, outcome, raised_at, closed_at, answered_by, answered_at FROM alerts.alert
 WHERE subject = %(patient)s AND subject_kind = 'patient' AND tier = 'tip' AND inhibited_by IS NULL
   AND (state <> 'closed' OR raised_at > %(since)s)
 ORDER BY raised_at DESC LIMIT %(limit)s
