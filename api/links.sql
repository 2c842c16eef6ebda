-- issue --
INSERT INTO api.dispatch_link (token, alert, made_by, ends_at)
VALUES (%(token)s, %(alert)s, %(made_by)s, clock_timestamp() + %(unopened)s)
ON CONFLICT (token) DO NOTHING

-- link --
SELECT alert, made_by, browser, opened_at, ends_at, clock_timestamp() >= ends_at AS is_over
  FROM api.dispatch_link WHERE token = %(token)s FOR UPDATE

-- bind --
UPDATE api.dispatch_link
   SET browser = %(browser)s, opened_at = clock_timestamp(), ends_at = clock_timestamp() + %(opened)s
 WHERE token = %(token)s

-- held --
-- What a browser may look at: the link of this alert that ends last.
SELECT token, ends_at, clock_timestamp() >= ends_at AS is_over, clock_timestamp() AS now
  FROM api.dispatch_link WHERE browser = %(browser)s AND alert = %(alert)s ORDER BY ends_at DESC LIMIT 1

-- prolong --
UPDATE api.dispatch_link SET ends_at = greatest(ends_at, clock_timestamp() + %(least)s) WHERE token = %(token)s
RETURNING ends_at
