-- Links in letters to doctors: each leads to one alert, once. Times here are real ones, as of sessions. A token is kept
-- as its SHA-256. Rows stay: who opened what, and when.
CREATE TABLE alerts.link (
    token    bytea PRIMARY KEY,
    notice   uuid NOT NULL UNIQUE REFERENCES alerts.notice,
    made_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at  timestamptz NOT NULL,
    used_at  timestamptz,
    session  bytea UNIQUE,                            -- hash of the token of the session that it began
    over_at  timestamptz                              -- when that session ends
);
