-- who --
SELECT patient, name, birth_date, sex, changed_at FROM api.person WHERE patient = ANY (%(patients)s)

-- names --
SELECT login, person, name FROM api.account WHERE kind NOT IN ('patient', 'family')
