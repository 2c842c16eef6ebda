-- episode_of --
SELECT e.revision, e.onset, e.present FROM alerts.alert_episode e WHERE e.episode = %(episode)s

-- address_of --
SELECT channel, address FROM alerts.notice WHERE notice = %(notice)s

-- letter --
-- A notice that may have been given up.
SELECT n.notice, n.alert, n.status, n.channel, n.person, n.type, a.subject
  FROM alerts.notice n JOIN alerts.alert a USING (alert) WHERE n.notice = %(notice)s

-- send_again --
-- The same notice under the same id, its whole schedule before it.
UPDATE alerts.notice SET status = 'waiting', due_at = %(now)s, begun_at = NULL, lease_until = NULL,
       attempts_before = attempts
 WHERE notice = %(notice)s
