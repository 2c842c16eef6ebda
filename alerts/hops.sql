-- first_hops --
-- Where the log of findings first spoke of an alert, and the way of the data up to there.
SELECT h.*, a.raised_at
  FROM alerts.alert a
  LEFT JOIN LATERAL (SELECT shard, position, ord FROM alerts.alert_episode
                      WHERE alert = a.alert AND position IS NOT NULL ORDER BY position, ord LIMIT 1) e ON true
  LEFT JOIN LATERAL stream.hops(e.shard, e.position, e.ord) h ON true
 WHERE a.alert = %(alert)s

-- alerted_at --
SELECT written_at FROM alerts.history WHERE alert = %(alert)s ORDER BY n LIMIT 1

-- first_delivery --
SELECT n.person, n.channel, min(t.finished_at) AS delivered_at, min(t.started_at) AS tried_at
  FROM alerts.notice n JOIN alerts.attempt t USING (notice)
 WHERE n.alert = %(alert)s AND n.type = 'alert.raised' AND t.outcome = 'delivered'
 GROUP BY n.person, n.channel
 ORDER BY delivered_at

-- news --
-- What happened to alerts after a row of the story, in the order in which it was written.
SELECT * FROM (
    SELECT h.written_at AS at, h.alert, h.what, h.by_whom, h.detail, NULL::uuid AS notice, '' AS person, '' AS channel,
           '' AS outcome, h.n
      FROM alerts.history h WHERE h.written_at > %(since)s AND h.what <> 'present'
    UNION ALL
    SELECT t.finished_at, n.alert, 'attempt', n.person, jsonb_build_object('detail', t.detail, 'type', n.type), n.notice,
           n.person, n.channel, t.outcome, t.n
      FROM alerts.attempt t JOIN alerts.notice n USING (notice)
     WHERE t.finished_at > %(since)s
) s JOIN (SELECT alert, subject, condition, kind, tier, state, onset FROM alerts.alert) a USING (alert)
 ORDER BY at, n LIMIT %(limit)s
