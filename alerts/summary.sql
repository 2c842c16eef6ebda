-- week --
-- Alerts that were raised in a time, with when somebody first took them and how they ended. What is open is asked at
-- the end of it, or now.
SELECT a.alert, a.subject, a.subject_kind, a.condition, a.kind, a.tier, a.raised_at, a.outcome, a.closed_at,
       taken.at AS taken_at, over.detail ->> 'note' AS note,
       coalesce((SELECT array_agg(DISTINCT n.person) FROM alerts.notice n WHERE n.alert = a.alert), '{}') AS persons
  FROM alerts.alert a
  LEFT JOIN LATERAL (SELECT min(h.at) AS at FROM alerts.history h
                      WHERE h.alert = a.alert AND h.after IN ('taken', 'settled')) taken ON true
  LEFT JOIN LATERAL (SELECT h.detail FROM alerts.history h
                      WHERE h.alert = a.alert AND h.after = 'closed' ORDER BY h.n LIMIT 1) over ON true
 WHERE a.raised_at >= %(since)s AND a.raised_at < %(until)s AND a.inhibited_by IS NULL
 ORDER BY a.raised_at, a.alert
