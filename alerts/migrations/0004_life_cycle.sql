-- The life cycle whole: the patient's own word, snoozes, planned pauses, and the end of monitoring.
ALTER TABLE alerts.alert
    ADD COLUMN asked_until timestamptz,               -- until when the patient is asked how they are
    ADD COLUMN well_at timestamptz,                   -- when they said that they are all right
    ADD COLUMN snoozed_until timestamptz,
    ADD COLUMN paused_until timestamptz;

CREATE TABLE alerts.pause (
    pause     uuid PRIMARY KEY,
    patient   text NOT NULL,
    kind      text NOT NULL,
    from_at   timestamptz NOT NULL,
    until_at  timestamptz NOT NULL,
    by_whom   text NOT NULL,
    role      text NOT NULL,
    made_at   timestamptz NOT NULL,
    lifted_at timestamptz,                            -- ended before its time
    lifted_by text
);
CREATE INDEX ON alerts.pause (patient, until_at DESC);

-- Whether a patient is monitored: the newest row says so; none: they are.
CREATE TABLE alerts.monitoring (
    n       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    patient text NOT NULL,
    what    text NOT NULL,                            -- ended, begun
    why     text NOT NULL,                            -- discharge, withdrawal, death; empty where it was begun again
    at      timestamptz NOT NULL,
    by_whom text NOT NULL
);
CREATE INDEX ON alerts.monitoring (patient, n DESC);
