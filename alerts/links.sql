-- add_link --
-- A letter that is written again for a retry has the same link.
INSERT INTO alerts.link (token, notice, ends_at) VALUES (%(token)s, %(notice)s, clock_timestamp() + %(lasts)s)
ON CONFLICT DO NOTHING

-- use_link --
UPDATE alerts.link
   SET used_at = clock_timestamp(), session = %(session)s, over_at = clock_timestamp() + %(lasts)s
 WHERE token = %(token)s AND used_at IS NULL AND clock_timestamp() < ends_at
RETURNING notice

-- linked --
SELECT n.notice, n.alert, n.person, n.role FROM alerts.link l JOIN alerts.notice n USING (notice)
 WHERE l.session = %(session)s AND clock_timestamp() < l.over_at
