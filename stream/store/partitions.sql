-- is_partitioned --
-- Whether PostgreSQL itself divides this table into days; with TimescaleDB it is a hypertable instead.
SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(%(table)s)

-- partitions --
-- Names of the parts of a table.
SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
WHERE inhparent = to_regclass(%(table)s) ORDER BY c.relname

-- days_in_default --
-- What came for days without a partition of their own.
SELECT (at AT TIME ZONE 'UTC')::date AS day, count(*) FROM {default} GROUP BY day ORDER BY day

-- create --
-- A day's table, not yet a part of anything.
CREATE TABLE IF NOT EXISTS {partition} (LIKE {table} INCLUDING ALL)

-- copy_some --
-- Copies some rows of a day out of the default partition, which keeps them until `clear_default`; says where it came to.
WITH taken AS (
    SELECT * FROM {default}
    WHERE at >= %(start)s AND at < %(stop)s AND (lane, seq, at) > (%(lane)s, %(seq)s, %(at)s)
    ORDER BY lane, seq, at LIMIT %(most)s
), copied AS (
    INSERT INTO {partition} SELECT * FROM taken ON CONFLICT DO NOTHING
)
SELECT lane, seq, at FROM taken ORDER BY lane DESC, seq DESC, at DESC LIMIT 1

-- wait_briefly --
-- For locks: the writer waits behind us for as long as we wait.
SELECT set_config('lock_timeout', %(timeout)s, true)

-- lock_table --
-- Taken first, as readers and writers do; it stops neither.
LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE

-- lock_default --
-- From here to the commit nobody reads or writes the default partition.
LOCK TABLE ONLY {default} IN ACCESS EXCLUSIVE MODE

-- drop_stale_copies --
-- What changed or went away after it was copied.
DELETE FROM {partition} AS copy WHERE NOT EXISTS (
    SELECT FROM {default} AS kept
    WHERE kept.lane = copy.lane AND kept.seq = copy.seq AND kept.at = copy.at
      AND ROW(kept.*) IS NOT DISTINCT FROM ROW(copy.*)
)

-- copy_rest --
-- What came or changed after it was copied.
INSERT INTO {partition} SELECT * FROM {default} WHERE at >= %(start)s AND at < %(stop)s ON CONFLICT DO NOTHING

-- clear_default --
-- All of that day lies in its own table now.
DELETE FROM {default} WHERE at >= %(start)s AND at < %(stop)s

-- attach --
-- The day is a part of the table from the commit on.
ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({stop})

-- holds_log --
-- Whether a part still holds rows that a restart or a replay of the log may want.
SELECT EXISTS (SELECT FROM {partition} WHERE shard = %(shard)s AND position >= %(keep)s)

-- drop --
-- A day that is over the limit.
DROP TABLE {partition}

-- delete_some_before --
-- Rows over the limit in the default partition, that no restart wants.
DELETE FROM {default} WHERE ctid IN (
    SELECT ctid FROM {default} WHERE at < %(limit)s AND shard = %(shard)s AND position < %(keep)s LIMIT %(most)s
)
