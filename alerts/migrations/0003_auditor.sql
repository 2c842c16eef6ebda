-- Who is on call at the practice, which ways to people were tried, and the life signs of our own processes.
CREATE TABLE alerts.schedule (
    name         text NOT NULL,
    version      int NOT NULL,
    body         jsonb NOT NULL,                      -- zone, hours of the week, dates apart (alerts.schedule.Schedule)
    by_whom      text NOT NULL,
    activated_at timestamptz NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE alerts.trial (
    channel text NOT NULL,
    address text NOT NULL,
    target  text NOT NULL,                            -- digest of what the address stood for
    at      timestamptz NOT NULL,
    by_whom text NOT NULL,
    outcome text NOT NULL,                            -- delivered, retry, refused
    detail  text NOT NULL
);
CREATE INDEX ON alerts.trial (channel, address, at DESC);

-- A row for each life of a process: the auditor looks at the newest beat, and counts lives.
CREATE TABLE alerts.life (
    life       uuid PRIMARY KEY,
    child      text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    beat_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON alerts.life (child, beat_at DESC);
