-- Who signs in, and who is signed in. Times here are real ones, whatever speed the injected clock runs at: a session
-- belongs to a person at a desk. A password is kept as its argon2id hash, a session's token as its SHA-256.
CREATE TABLE api.account (
    login     text PRIMARY KEY,
    kind      text NOT NULL,                          -- clinician, patient, operator
    patient   text,                                   -- a patient's account: whose alerts it sees, and no other's
    person    text NOT NULL,                          -- id within care teams: what histories say, never a name
    name      bytea NOT NULL,                         -- sealed
    language  text NOT NULL,
    password  text NOT NULL,
    failures  int NOT NULL DEFAULT 0,                 -- wrong tries in a row
    tried_at  timestamptz,
    added_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((kind = 'patient') = (patient IS NOT NULL))
);

CREATE TABLE api.session (
    token    bytea PRIMARY KEY,
    login    text NOT NULL REFERENCES api.account ON DELETE CASCADE,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    idle     interval NOT NULL,                       -- unseen for so long, it is over
    ends_at  timestamptz NOT NULL                     -- and then in any case
);
CREATE INDEX ON api.session (login);
