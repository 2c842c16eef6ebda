-- add --
SELECT (r).n, (r).hash FROM (
    SELECT api.audit_add(%(who)s, %(role)s, %(what)s, %(subject)s, %(outcome)s, %(reason)s) AS r OFFSET 0) one

-- cut --
SELECT n, why FROM api.audit_cut()

-- newest --
SELECT n, hash FROM api.audit ORDER BY n DESC LIMIT 1

-- one --
SELECT n, hash FROM api.audit WHERE n = %(n)s

-- listed --
SELECT n, at, who, role, what, subject, outcome, reason FROM api.audit
 WHERE (%(subject)s::text IS NULL OR subject = %(subject)s)
   AND (%(who)s::text IS NULL OR who = %(who)s)
   AND (%(but)s::text IS NULL OR role <> %(but)s)
   AND (%(from_at)s::timestamptz IS NULL OR at >= %(from_at)s)
   AND (%(to_at)s::timestamptz IS NULL OR at < %(to_at)s)
   AND (%(before)s::bigint IS NULL OR n < %(before)s)
 ORDER BY n DESC LIMIT %(limit)s
