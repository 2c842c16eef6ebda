-- The log of record, the archive of readings, what the Ward remembers and what it found.
-- One writer per shard (see the fence); everybody else only reads, or writes to the inbox.
CREATE SCHEMA stream;

CREATE TABLE stream.cursor (
    shard            int PRIMARY KEY,
    fence            bigint NOT NULL DEFAULT 0,       -- whoever holds the highest is the writer
    judged_position  bigint NOT NULL DEFAULT 0,
    suspect_position bigint,                          -- a position at which the process died twice
    suspect_patient  text                             -- whom it was judging then
);
INSERT INTO stream.cursor (shard) VALUES (0);

CREATE TABLE stream.start (                           -- a row each time a child of the supervisor starts
    child      text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    judged_position bigint,
    PRIMARY KEY (child, started_at)
);

CREATE TABLE stream.source (
    source int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client text NOT NULL,
    epoch  text NOT NULL,
    UNIQUE (client, epoch)
);

CREATE TABLE stream.lane (
    lane     int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source   int NOT NULL REFERENCES stream.source,
    device   text NOT NULL,
    stream   text NOT NULL,
    received int8multirange NOT NULL DEFAULT '{}',    -- seqs that came, were quarantined or given up, up to `checkpoint`
    judged_live int8multirange NOT NULL DEFAULT '{}', -- the ledger: these two are disjoint, and together
    judged_past int8multirange NOT NULL DEFAULT '{}', -- they are what is archived
    checkpoint bigint NOT NULL DEFAULT 0,             -- position of these ranges
    UNIQUE (source, device, stream)
);

CREATE TABLE stream.assignment (
    device   text NOT NULL,
    slot     int,                                     -- NULL: every slot without an assignment of its own
    from_at  timestamptz NOT NULL,
    to_at    timestamptz,
    patient  text,                                    -- NULL: nobody
    position bigint NOT NULL,                         -- of the log row that said so; a later one overrides an earlier one
    ord      int NOT NULL,
    PRIMARY KEY (position, ord)
);
CREATE INDEX ON stream.assignment (device);

CREATE TABLE stream.inbox (
    id       uuid PRIMARY KEY,
    name     text NOT NULL,                           -- stream.command.COMMANDS
    body     jsonb NOT NULL,
    by_whom  text NOT NULL DEFAULT 'system',
    asked_at timestamptz NOT NULL DEFAULT now(),
    position bigint                                   -- when intake took it into the log
);
CREATE INDEX ON stream.inbox (asked_at) WHERE position IS NULL;

CREATE TABLE stream.batch (
    shard     int NOT NULL,
    position  bigint NOT NULL,
    tick_at   timestamptz NOT NULL,
    rows      int NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, position)
);

CREATE TABLE stream.ecg (
    lane        int NOT NULL,
    seq         bigint NOT NULL,
    at          timestamptz NOT NULL,
    patient     text,
    session     text NOT NULL,
    index       bigint NOT NULL,
    rate_hz     float8 NOT NULL,
    lead        text NOT NULL,
    contact     bool NOT NULL,
    clipped     int NOT NULL,
    at_source   text NOT NULL,
    shard       int NOT NULL,
    position    bigint NOT NULL,
    ord         int NOT NULL,
    sent_at     timestamptz,
    received_at timestamptz NOT NULL,
    from_gateway bool NOT NULL,                       -- received_at was stamped by the gateway, else by intake
    digest      bytea NOT NULL,
    count       int NOT NULL,
    samples     bytea NOT NULL,                       -- first byte names the codec (stream/ecg_coding.py)
    PRIMARY KEY (lane, seq, at)
) PARTITION BY RANGE (at);
CREATE TABLE stream.ecg_default PARTITION OF stream.ecg DEFAULT;
CREATE INDEX ON stream.ecg USING brin (position) WITH (pages_per_range = 16);
CREATE INDEX ON stream.ecg (patient, at);

CREATE TABLE stream.reading (
    lane        int NOT NULL,
    seq         bigint NOT NULL,
    at          timestamptz NOT NULL,
    patient     text,
    device      text NOT NULL,
    slot        int,
    kind        text NOT NULL,
    readings    float8[] NOT NULL,                    -- Reading.values, by position
    flags       text[] NOT NULL,
    device_time text,
    connection  text,
    at_source   text NOT NULL,
    content     bytea NOT NULL,                       -- sha256, see stream.content
    shard       int NOT NULL,
    position    bigint NOT NULL,
    ord         int NOT NULL,
    sent_at     timestamptz,
    received_at timestamptz NOT NULL,
    from_gateway bool NOT NULL,
    digest      bytea NOT NULL,
    PRIMARY KEY (lane, seq, at)
) PARTITION BY RANGE (at);
CREATE TABLE stream.reading_default PARTITION OF stream.reading DEFAULT;
CREATE INDEX ON stream.reading USING brin (position) WITH (pages_per_range = 16);
CREATE INDEX ON stream.reading (patient, kind, at);

-- The content hash of every reading: a meter that sends its memory again, by whatever way, adds nothing.
CREATE TABLE stream.content (
    sha256   bytea PRIMARY KEY,
    lane     int NOT NULL,
    seq      bigint NOT NULL,
    position bigint NOT NULL
);

-- The rest of the log: status, abandoned, deferred, quarantined, noticed, commands; body is an envelope.
CREATE TABLE stream.other (
    shard       int NOT NULL,
    position    bigint NOT NULL,
    ord         int NOT NULL,
    name        text NOT NULL,
    lane        int,
    seq         bigint,                               -- of a status
    last        bigint,                               -- of a range that was given up or quarantined (seq is its first)
    source      int,
    patient     text,
    sent_at     timestamptz,
    received_at timestamptz NOT NULL,
    from_gateway bool NOT NULL DEFAULT false,
    digest      bytea,
    body        bytea NOT NULL,
    PRIMARY KEY (shard, position, ord)
);
CREATE UNIQUE INDEX ON stream.other (lane, seq) WHERE name = 'status';
CREATE INDEX ON stream.other (lane, name) WHERE lane IS NOT NULL;
CREATE INDEX ON stream.other (received_at);

CREATE TABLE stream.quarantine (
    id          uuid PRIMARY KEY,                     -- uuid5(client, sha256)
    client      text NOT NULL,
    device      text,
    stream      text,
    reason      text NOT NULL,
    at_fault    text NOT NULL,
    sha256      bytea NOT NULL,
    count       int NOT NULL DEFAULT 1,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    body        bytea                                 -- NULL where the daily share was used up
);
CREATE INDEX ON stream.quarantine (client, last_at);

-- What a newer sender said that this version does not know: kept whole, counted, named.
CREATE TABLE stream.unread (
    sha256   bytea PRIMARY KEY,
    client   text NOT NULL,
    type     text NOT NULL,
    version  int NOT NULL,
    keys     text[] NOT NULL,
    position bigint NOT NULL,
    raw      bytea NOT NULL
);

CREATE TABLE stream.chart (
    kind     text NOT NULL,                           -- patient, lane, ecg, clients
    owner    text NOT NULL,
    shard    int NOT NULL,
    version  int NOT NULL,
    position bigint NOT NULL,
    low_water bigint NOT NULL,                        -- first position whose events may still be held
    state    bytea NOT NULL,
    PRIMARY KEY (shard, kind, owner)
);

CREATE TABLE stream.finding (
    shard     int NOT NULL,
    position  bigint NOT NULL,
    ord       int NOT NULL,
    episode   uuid NOT NULL,
    revision  int NOT NULL,
    subject   text NOT NULL,
    condition text NOT NULL,
    judged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    body      bytea NOT NULL,                         -- MessagePack of stream.finding.Finding
    PRIMARY KEY (shard, position, ord)
);
CREATE INDEX ON stream.finding (episode);

-- The level: the newest statement about each episode.
CREATE TABLE stream.episode (
    episode      uuid PRIMARY KEY,
    shard        int NOT NULL,
    subject      text NOT NULL,
    subject_kind text NOT NULL,
    condition    text NOT NULL,
    kind         text NOT NULL,
    opened       text NOT NULL,
    onset        timestamptz NOT NULL,
    ended        timestamptz,
    present      bool NOT NULL,
    late         bool NOT NULL,
    withdrawn    text,
    revision     int NOT NULL,
    position     bigint NOT NULL,
    confidence   float8 NOT NULL,
    evidence     jsonb NOT NULL
);
CREATE INDEX ON stream.episode (subject, condition);
CREATE INDEX ON stream.episode (present) WHERE present;

CREATE TABLE stream.bench (
    patient  text PRIMARY KEY,
    position bigint NOT NULL,
    why      text NOT NULL
);
