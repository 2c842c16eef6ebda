-- try_lock --
-- One maintenance at a time; never waits, and ends with the connection.
SELECT pg_try_advisory_lock(hashtext('tierwatch maintain'))

-- shards --
-- For each shard: the newest tick, and the oldest position that a restart would read from (charts, events held back).
SELECT c.shard, newest.tick_at,
       least(c.judged_position, (SELECT min(least(h.position, h.low_water)) FROM stream.chart h WHERE h.shard = c.shard))
FROM stream.cursor c LEFT JOIN LATERAL (
    SELECT b.tick_at FROM stream.batch b WHERE b.shard = c.shard ORDER BY b.position DESC LIMIT 1
) AS newest ON true

-- keep_from --
-- First position whose tick lies at most %(log)s before that of `needed`: the log is whole from there on.
SELECT min(position) FROM stream.batch WHERE shard = %(shard)s AND tick_at >= (
    SELECT tick_at FROM stream.batch WHERE shard = %(shard)s AND position <= %(needed)s ORDER BY position DESC LIMIT 1
) - %(log)s

-- delete_batches --
-- Ticks over the limit.
DELETE FROM stream.batch WHERE (shard, position) IN (
    SELECT shard, position FROM stream.batch
    WHERE shard = %(shard)s AND position < %(keep)s AND tick_at < %(limit)s ORDER BY position LIMIT %(most)s
)

-- delete_other --
-- What only says how the equipment was. What people said or decided stays, and so do ranges given up or quarantined.
DELETE FROM stream.other WHERE (shard, position, ord) IN (
    SELECT shard, position, ord FROM stream.other
    WHERE shard = %(shard)s AND position < %(keep)s AND received_at < %(limit)s AND name IN ('status', 'deferred', 'noticed', 'repeated', 'greeted')
    LIMIT %(most)s
)

-- delete_inbox --
-- Commands long since in the log.
DELETE FROM stream.inbox WHERE id IN (
    SELECT id FROM stream.inbox WHERE position < %(keep)s AND asked_at < %(limit)s LIMIT %(most)s
)

-- delete_starts --
-- Starts of processes.
DELETE FROM stream.start WHERE started_at < %(limit)s

-- delete_rates --
-- Minutes over the limit.
DELETE FROM stream.rate WHERE (device, stream, at) IN (
    SELECT device, stream, at FROM stream.rate WHERE at < %(limit)s LIMIT %(most)s
)

-- delete_quarantine --
-- What nobody asked for in all that time.
DELETE FROM stream.quarantine WHERE id IN (
    SELECT id FROM stream.quarantine WHERE last_at < %(limit)s LIMIT %(most)s
)

-- delete_unread --
-- Of what a newer sender said, the newest %(kept)s of each kind are enough to learn it from.
DELETE FROM stream.unread WHERE sha256 IN (
    SELECT sha256 FROM (
        SELECT sha256, row_number() OVER (PARTITION BY client, type, version ORDER BY position DESC, sha256) AS n
        FROM stream.unread
    ) AS counted WHERE n > %(kept)s LIMIT %(most)s
)

-- hyper_holds_log --
-- Whether chunks over the limit still hold rows that a restart or a replay of the log may want.
SELECT EXISTS (
    SELECT FROM stream.ecg WHERE at < %(limit)s AND shard = %(shard)s AND position >= %(keep)s
)

-- drop_chunks --
-- TimescaleDB: whole days over the limit.
SELECT count(*) FROM drop_chunks('stream.ecg', older_than => %(limit)s::timestamptz)

-- compress_chunks --
-- TimescaleDB: days that hardly change any more.
SELECT count(compress_chunk(chunk, if_not_compressed => true)) FROM show_chunks(%(table)s::regclass, older_than => %(limit)s::timestamptz) AS chunk

-- tables --
-- Everything of ours, for ANALYZE: autovacuum never looks at a partitioned table as a whole.
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1, 2

-- analyze --
-- A table that is locked is left for the next time.
ANALYZE (SKIP_LOCKED) {table}
