-- What findings mean to people: plans, alerts with their history, notices with every attempt, and what came back.
-- The notice row is the queue: there is no second truth beside it.
CREATE SCHEMA alerts;

CREATE TABLE alerts.plan (
    patient      text NOT NULL,
    version      int NOT NULL,
    body         jsonb NOT NULL,                      -- limits, tiers, ladders in roles, care team (alerts.plan.Plan)
    by_whom      text NOT NULL,
    activated_at timestamptz NOT NULL,
    PRIMARY KEY (patient, version)
);

CREATE TABLE alerts.alert (
    alert        uuid PRIMARY KEY,                    -- uuid5(subject, condition, first episode)
    subject      text NOT NULL,
    subject_kind text NOT NULL,
    condition    text NOT NULL,
    kind         text NOT NULL,
    state        text NOT NULL,
    tier         text NOT NULL,
    reason       text NOT NULL,
    past         bool NOT NULL,
    onset        timestamptz NOT NULL,
    raised_at    timestamptz NOT NULL,
    ladder       text NOT NULL,
    ladders      jsonb NOT NULL,                      -- frozen when it was raised
    plan_version int NOT NULL,
    cycle_from   timestamptz NOT NULL,
    unanswered_from timestamptz NOT NULL,
    generation   int NOT NULL,
    cycle        int NOT NULL,
    rung         int NOT NULL,
    hurried      int NOT NULL,
    acknowledged_until timestamptz,
    answered_by  text,
    answered_at  timestamptz,
    inhibited_by uuid REFERENCES alerts.alert,
    outcome      text,
    closed_at    timestamptz,
    next_due_at  timestamptz,
    updates      int NOT NULL,
    entries      int NOT NULL
);
-- One alert for a subject and condition while it is open.
CREATE UNIQUE INDEX one_open ON alerts.alert (subject, condition) WHERE state <> 'closed';
CREATE INDEX due ON alerts.alert (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX newest ON alerts.alert (raised_at DESC, alert);

CREATE TABLE alerts.alert_episode (
    episode   uuid PRIMARY KEY,                       -- an episode belongs to one alert, for ever
    alert     uuid NOT NULL REFERENCES alerts.alert,
    revision  int NOT NULL,
    present   bool NOT NULL,
    late      bool NOT NULL,
    withdrawn bool NOT NULL,
    onset     timestamptz NOT NULL,
    ended     timestamptz,
    evidence  jsonb NOT NULL,
    shard     int,                                    -- where the log of findings first said so; NULL: taken from the
    position  bigint,                                 -- level, or seen by the station itself
    ord       int
);
CREATE INDEX ON alerts.alert_episode (alert);

CREATE TABLE alerts.history (
    alert      uuid NOT NULL REFERENCES alerts.alert,
    n          int NOT NULL,
    cause      text NOT NULL,
    what       text NOT NULL,
    before     text NOT NULL,
    after      text NOT NULL,
    generation int NOT NULL,
    cycle      int NOT NULL,
    at         timestamptz NOT NULL,                  -- the injected clock
    by_whom    text NOT NULL,
    detail     jsonb NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (alert, n),
    UNIQUE (alert, cause)                             -- the same cause changes an alert exactly once
);

CREATE TABLE alerts.cursor (
    shard    int PRIMARY KEY,
    position bigint NOT NULL DEFAULT 0,
    ord      int NOT NULL DEFAULT -1
);
INSERT INTO alerts.cursor (shard) VALUES (0);

-- Findings whose row could not be made into an alert; the level of their episode was taken instead.
CREATE TABLE alerts.unreadable (
    shard    int NOT NULL,
    position bigint NOT NULL,
    ord      int NOT NULL,
    episode  uuid NOT NULL,
    why      text NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (shard, position, ord)
);

CREATE TABLE alerts.notice (
    notice     uuid PRIMARY KEY,                      -- uuid5(alert, event, generation, cycle, rung, person, channel)
    alert      uuid NOT NULL REFERENCES alerts.alert,
    type       text NOT NULL,
    event      text NOT NULL,
    generation int NOT NULL,
    cycle      int NOT NULL,
    rung       int NOT NULL,
    person     text NOT NULL,
    channel    text NOT NULL,
    address    text NOT NULL,
    role       text NOT NULL,
    tier       text NOT NULL,
    first_due_at timestamptz NOT NULL,
    due_at     timestamptz NOT NULL,                  -- of the next attempt, by the injected clock
    begun_at   timestamptz,                           -- of the first attempt: retries are counted from there
    lease_until timestamptz,                          -- by the database's clock
    status     text NOT NULL DEFAULT 'waiting',       -- waiting, delivered, refused, dead, moot
    attempts   int NOT NULL DEFAULT 0,
    body       bytea,                                 -- frozen at the first attempt, encrypted at rest
    has_record bool,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX queue ON alerts.notice (due_at) WHERE status = 'waiting';
CREATE INDEX ON alerts.notice (alert);

CREATE TABLE alerts.attempt (
    notice      uuid NOT NULL REFERENCES alerts.notice,
    n           int NOT NULL,
    at          timestamptz NOT NULL,                 -- the injected clock
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,                          -- NULL: its outcome is not known (running, or the process died)
    outcome     text,                                 -- delivered, retry, refused
    detail      text NOT NULL DEFAULT '',
    PRIMARY KEY (notice, n)
);

CREATE TABLE alerts.response (
    notice      uuid NOT NULL REFERENCES alerts.notice,
    kind        text NOT NULL,
    external_id text NOT NULL,
    at          timestamptz NOT NULL,
    body        jsonb NOT NULL,
    PRIMARY KEY (notice, kind, external_id)
);
