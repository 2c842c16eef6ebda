-- The only place that knows a name. What is not known is NULL here and "unknown" to whoever asks.
-- Columns of text that names somebody are bytea: sealed (AES-256-GCM, bound to table, column and row), so that the
-- coming encryption per column of everything else needs no other shape.
CREATE SCHEMA api;

CREATE TABLE api.person (
    patient     text PRIMARY KEY,
    name        bytea,
    birth_date  bytea,
    sex         text,
    language    text,
    address     bytea,
    door_code   bytea,
    phones      bytea,                                -- JSON lists from here on; an empty list means: none
    problems    bytea,
    medication  bytea,
    allergies   bytea,
    blood_group text,
    implants    bytea,
    directives  bytea,
    contacts    bytea,
    added_at    timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL
);
