-- lock_cursor --
-- One station at a time takes findings in; another goes on with the rest of its work.
SELECT position, ord FROM alerts.cursor WHERE shard = %(shard)s FOR UPDATE SKIP LOCKED

-- cursor --
SELECT position, ord FROM alerts.cursor WHERE shard = %(shard)s

-- judged_position --
SELECT stream.judged_position(%(shard)s) AS judged

-- findings --
SELECT * FROM stream.findings_after(%(shard)s, %(position)s, %(ord)s, %(up_to)s, %(at_most)s)

-- save_cursor --
UPDATE alerts.cursor SET position = %(position)s, ord = %(ord)s WHERE shard = %(shard)s

-- levels --
SELECT * FROM stream.episodes(%(also)s, %(up_to)s)

-- followed_episodes --
-- What open alerts believe to be present.
SELECT e.episode FROM alerts.alert_episode e JOIN alerts.alert a USING (alert)
 WHERE e.present AND a.state <> 'closed'

-- known_revisions --
SELECT episode, revision FROM alerts.alert_episode WHERE episode = ANY (%(episodes)s)

-- save_unreadable --
INSERT INTO alerts.unreadable (shard, position, ord, episode, why, at)
VALUES (%(shard)s, %(position)s, %(ord)s, %(episode)s, %(why)s, %(now)s)
ON CONFLICT DO NOTHING

-- still_failing --
-- Open alerts about one address, and what of them is present.
SELECT e.episode, e.revision, e.onset, a.condition
  FROM alerts.alert a JOIN alerts.alert_episode e USING (alert)
 WHERE a.subject = %(subject)s AND a.condition IN ('delivery_failing', 'console_not_listening')
   AND a.state <> 'closed' AND e.present
