-- Six kinds of accounts instead of three. A family's account names its patient too.
ALTER TABLE api.account DROP CONSTRAINT account_check;
UPDATE api.account SET kind = CASE kind WHEN 'clinician' THEN 'doctor' WHEN 'operator' THEN 'admin' ELSE kind END;
ALTER TABLE api.account ADD CHECK (kind IN ('patient', 'family', 'doctor', 'nurse', 'dispatcher', 'admin'));
ALTER TABLE api.account ADD CHECK ((kind IN ('patient', 'family')) = (patient IS NOT NULL));
