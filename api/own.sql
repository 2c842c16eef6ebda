-- own --
SELECT glucose_unit FROM api.own WHERE patient = %(patient)s

-- choose_unit --
INSERT INTO api.own (patient, glucose_unit) VALUES (%(patient)s, %(glucose_unit)s)
ON CONFLICT (patient) DO UPDATE SET glucose_unit = EXCLUDED.glucose_unit

-- take_test --
-- One test at a time, and not again for a while; no row: too soon. Counted before it is sent.
INSERT INTO api.own AS o (patient, tested_at) VALUES (%(patient)s, %(now)s)
ON CONFLICT (patient) DO UPDATE SET tested_at = EXCLUDED.tested_at
 WHERE o.tested_at IS NULL OR o.tested_at <= %(now)s - %(wait)s
RETURNING tested_at

-- family --
-- The family accounts of a patient, and what each may see; NULL: the default.
SELECT a.login, a.name, s.shown FROM api.account a LEFT JOIN api.share s USING (login)
 WHERE a.kind = 'family' AND a.patient = %(patient)s ORDER BY a.login

-- shown_to --
SELECT shown FROM api.share WHERE login = %(login)s

-- share --
-- Only with an account of this patient's own family.
INSERT INTO api.share (login, shown, changed_at)
SELECT login, %(shown)s, %(now)s FROM api.account
 WHERE login = %(login)s AND kind = 'family' AND patient = %(patient)s
ON CONFLICT (login) DO UPDATE SET shown = EXCLUDED.shown, changed_at = EXCLUDED.changed_at
RETURNING login
