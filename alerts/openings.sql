-- dispatched --
SELECT notice, person, CASE WHEN channel = 'webhook' THEN address ELSE channel END AS endpoint
  FROM alerts.notice
 WHERE alert = %(alert)s AND role = 'dispatch' AND attempts > 0
 ORDER BY type = 'alert.raised' DESC, made_at DESC, notice LIMIT 1

-- all_dispatched --
SELECT a.alert, a.condition, a.state, a.tier, a.onset, a.raised_at, a.answered_by, a.outcome, a.closed_at, r.kind AS response_kind
  FROM alerts.alert a
  LEFT JOIN LATERAL (
       SELECT r.kind FROM alerts.response r JOIN alerts.notice n USING (notice)
        WHERE n.alert = a.alert ORDER BY r.at DESC, r.kind LIMIT 1) r ON true
 WHERE EXISTS (SELECT FROM alerts.notice n WHERE n.alert = a.alert AND n.role = 'dispatch' AND n.attempts > 0)
 ORDER BY a.state = 'closed', a.raised_at DESC LIMIT %(limit)s
