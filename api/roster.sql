-- person --
SELECT * FROM api.person WHERE patient = %(patient)s

-- lock_person --
SELECT pg_advisory_xact_lock(hashtextextended('api.person|' || %(patient)s, 0))

-- version --
SELECT version FROM api.person WHERE patient = %(patient)s

-- people --
SELECT patient, added_at, changed_at FROM api.person WHERE patient > %(after)s AND patient <> ALL (%(others)s)
 ORDER BY patient LIMIT %(limit)s

-- save_person --
INSERT INTO api.person (patient, name, birth_date, sex, language, address, door_code, phones, problems, medication,
    allergies, blood_group, implants, directives, contacts, added_at, changed_at)
VALUES (%(patient)s, %(name)s, %(birth_date)s, %(sex)s, %(language)s, %(address)s, %(door_code)s, %(phones)s,
    %(problems)s, %(medication)s, %(allergies)s, %(blood_group)s, %(implants)s, %(directives)s, %(contacts)s,
    %(now)s, %(now)s)
ON CONFLICT (patient) DO UPDATE SET
    name = EXCLUDED.name, birth_date = EXCLUDED.birth_date, sex = EXCLUDED.sex, language = EXCLUDED.language,
    address = EXCLUDED.address, door_code = EXCLUDED.door_code, phones = EXCLUDED.phones,
    problems = EXCLUDED.problems, medication = EXCLUDED.medication, allergies = EXCLUDED.allergies,
    blood_group = EXCLUDED.blood_group, implants = EXCLUDED.implants, directives = EXCLUDED.directives,
    contacts = EXCLUDED.contacts, changed_at = EXCLUDED.changed_at, version = person.version + 1

-- last_vitals --
SELECT * FROM stream.last_vitals(%(patients)s, %(kinds)s)

-- last_rate --
SELECT * FROM stream.last_rate(%(patient)s)
