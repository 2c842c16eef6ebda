-- told --
-- The newest notice by which an endpoint was told of an alert: only who was told may answer.
SELECT n.notice, n.person, a.subject
  FROM alerts.notice n JOIN alerts.alert a USING (alert)
 WHERE n.alert = %(alert)s AND n.attempts > 0
   AND ((n.channel = 'webhook' AND n.address = %(endpoint)s) OR n.channel = %(endpoint)s)
   AND (%(notice)s::uuid IS NULL OR n.notice = %(notice)s)
 ORDER BY n.type = 'alert.raised' DESC, n.made_at DESC, n.notice LIMIT 1

-- known --
-- What an endpoint has said under this id before.
SELECT r.kind, n.alert FROM alerts.response r JOIN alerts.notice n USING (notice)
 WHERE r.endpoint = %(endpoint)s AND r.external_id = %(external_id)s

-- keep --
INSERT INTO alerts.response (notice, kind, external_id, endpoint, at, body)
VALUES (%(notice)s, %(kind)s, %(external_id)s, %(endpoint)s, %(now)s, %(body)s)
