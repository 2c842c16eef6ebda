-- schema --
-- One file per gateway; `epoch` in meta is made with it. A lane is one stream of one device, numbered from 1.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE lane (
    lane INTEGER PRIMARY KEY,
    device TEXT NOT NULL,
    stream TEXT NOT NULL,
    next_seq INTEGER NOT NULL,
    UNIQUE (device, stream)
);
CREATE TABLE entry (
    entry INTEGER PRIMARY KEY,                 -- order of commit: the ring gives up the lowest
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    waveform INTEGER NOT NULL,                 -- 1: may be given up when the ring is full
    dated INTEGER NOT NULL,                    -- 0: the gateway did not know the time yet
    heard_s REAL NOT NULL,                     -- received_at, seconds since 1970, for the age of a backlog
    heard_ns INTEGER NOT NULL,                 -- monotonic clock when it was heard, of that boot
    boot TEXT NOT NULL,
    device_time TEXT,                          -- the device's own clock, untouched
    crc INTEGER NOT NULL,
    body BLOB NOT NULL,                        -- the event as it is sent
    UNIQUE (lane, seq)
);
CREATE INDEX entry_undated ON entry (entry) WHERE dated = 0;
CREATE INDEX entry_waveform ON entry (entry) WHERE waveform = 1;
CREATE TABLE gap (                             -- given up, and not yet known to the server
    lane INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (lane, first)
) WITHOUT ROWID;
CREATE TABLE dead (                            -- refused by the server for good: kept for a person to look at
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (lane, seq)
) WITHOUT ROWID;
CREATE TABLE chain (                           -- each day's readings of a device, each link over the one before
    device TEXT NOT NULL,
    day TEXT NOT NULL,
    n INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,                      -- sha256 of the reading as it is sent
    link BLOB NOT NULL,                        -- sha256 of the link before and this digest
    PRIMARY KEY (device, day, n)
) WITHOUT ROWID;

-- get_meta --
-- One value.
SELECT value FROM meta WHERE name = :name;

-- set_meta --
-- Made with the file.
INSERT INTO meta (name, value) VALUES (:name, :value);

-- lanes --
-- Every lane with the number that its next event gets.
SELECT lane, device, stream, next_seq FROM lane ORDER BY lane;

-- new_lane --
-- The first event of a stream.
INSERT INTO lane (device, stream, next_seq) VALUES (:device, :stream, 1);

-- advance_lane --
-- After a commit of events.
UPDATE lane SET next_seq = :next_seq WHERE lane = :lane;

-- insert_entry --
-- One event.
INSERT INTO entry (lane, seq, waveform, dated, heard_s, heard_ns, boot, device_time, crc, body)
VALUES (:lane, :seq, :waveform, :dated, :heard_s, :heard_ns, :boot, :device_time, :crc, :body);

-- held --
-- What of a lane can be sent, in order, without the bodies.
SELECT seq, heard_s FROM entry WHERE lane = :lane AND dated = 1 ORDER BY seq;

-- bodies --
-- Events of a lane to be sent.
SELECT seq, crc, CAST(body AS BLOB) FROM entry WHERE lane = :lane AND dated = 1 AND seq BETWEEN :first AND :last ORDER BY seq;

-- undated --
-- Events that were heard before the time was known.
SELECT entry, lane, seq, waveform, heard_ns, boot, crc, CAST(body AS BLOB) FROM entry WHERE dated = 0 ORDER BY entry LIMIT :limit;

-- date_entry --
-- The time is known: the body is final from here on.
UPDATE entry SET dated = 1, heard_s = :heard_s, crc = :crc, body = :body WHERE entry = :entry;

-- total_bytes --
-- What the ring holds.
SELECT coalesce(sum(length(body)), 0), count(*) FROM entry;

-- oldest_waveform --
-- What the ring gives up first.
SELECT entry, lane, seq, length(body) FROM entry WHERE waveform = 1 ORDER BY entry LIMIT :limit;

-- delete_entry --
-- One event, given up.
DELETE FROM entry WHERE entry = :entry;

-- size_of_range --
-- Bytes and number of a range of a lane.
SELECT coalesce(sum(length(body)), 0), count(*) FROM entry WHERE lane = :lane AND seq BETWEEN :first AND :last;

-- present --
-- Which numbers of a range are still here.
SELECT seq FROM entry WHERE lane = :lane AND seq BETWEEN :first AND :last ORDER BY seq;

-- delete_range --
-- Events that are safe on the server.
DELETE FROM entry WHERE lane = :lane AND seq BETWEEN :first AND :last;

-- gaps --
-- What was given up and the server has not confirmed.
SELECT lane, first, last, reason FROM gap ORDER BY lane, first;

-- gap_before --
-- A gap of the same reason that ends right before.
SELECT first FROM gap WHERE lane = :lane AND last = :before AND reason = :reason;

-- put_gap --
-- A range given up; one that grew replaces its smaller self.
INSERT INTO gap (lane, first, last, reason) VALUES (:lane, :first, :last, :reason)
ON CONFLICT (lane, first) DO UPDATE SET last = max(last, excluded.last), reason = excluded.reason;

-- close_gaps --
-- The server knows of them.
DELETE FROM gap WHERE lane = :lane AND first >= :first AND last <= :last;

-- bury --
-- Refused events become dead letters.
INSERT OR IGNORE INTO dead (lane, seq, reason, body)
SELECT lane, seq, :reason, body FROM entry WHERE lane = :lane AND seq BETWEEN :first AND :last;

-- dead_letters --
-- For a person to look at.
SELECT l.device, l.stream, d.seq, d.reason, d.body FROM dead AS d JOIN lane AS l USING (lane) ORDER BY d.lane, d.seq;

-- last_link --
-- The end of a device's chain.
SELECT day, n, link FROM chain WHERE device = :device ORDER BY day DESC, n DESC LIMIT 1;

-- add_link --
-- One more reading.
INSERT INTO chain (device, day, n, lane, seq, digest, link)
VALUES (:device, :day, :n, :lane, :seq, :digest, :link);

-- chain_of --
-- A device's chain, with the bodies that are still here.
SELECT c.day, c.n, c.lane, c.seq, c.digest, c.link, CAST(e.body AS BLOB)
FROM chain AS c LEFT JOIN entry AS e ON e.lane = c.lane AND e.seq = c.seq AND e.dated = 1
WHERE c.device = :device ORDER BY c.day, c.n;

-- forget_chain --
-- Days that are past the time for which they are kept; the oldest kept day then begins the chain.
DELETE FROM chain WHERE day < :day;

-- counts --
-- For `gateway status`: by lane, what is held, since when.
SELECT l.device, l.stream, l.next_seq - 1, count(e.entry), coalesce(sum(length(e.body)), 0), min(e.heard_s),
       coalesce(sum(e.dated = 0), 0)
FROM lane AS l LEFT JOIN entry AS e USING (lane) GROUP BY l.lane ORDER BY l.lane;
