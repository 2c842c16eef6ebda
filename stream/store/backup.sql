-- tables --
-- Every table of ours with its columns that hold data, as COPY wants them; referenced tables may come in any order.
SELECT n.nspname || '.' || c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY n.nspname, c.relname, c.oid ORDER BY name

-- references --
-- Which table must be filled before which.
SELECT DISTINCT cn.nspname || '.' || c.relname, fn.nspname || '.' || f.relname
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND cn.nspname = ANY (%(schemas)s)

-- size --
-- For the progress bar only: bytes on disk, which is about what is read.
SELECT COALESCE(sum(pg_table_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (%(schemas)s) AND c.relkind = 'r'

-- migrations --
-- What was applied to this store.
SELECT folder, number, name, checksum FROM public.tierwatch_migration ORDER BY folder, number, name

-- fences --
-- The fence of each shard.
SELECT shard, fence FROM stream.cursor ORDER BY shard

-- facts --
-- What a person wants to know of a backup.
SELECT current_setting('server_version'), (SELECT max(judged_position) FROM stream.cursor), now()

-- patience --
-- Writing a slow disk full may take longer than a server lets a transaction idle.
SELECT set_config('idle_in_transaction_session_timeout', '0', true), set_config('statement_timeout', '0', true)

-- copy_out --
-- A whole table; through a query, as a divided table cannot be copied by itself.
COPY (SELECT {columns} FROM {table}) TO STDOUT

-- copy_in --
-- The same back.
COPY {table} ({columns}) FROM STDIN

-- is_empty --
-- Whether nothing of ours was ever made in this database.
SELECT to_regclass('public.tierwatch_migration') IS NULL
   AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = ANY (%(schemas)s))

-- empty --
-- What migrations put into a new store is in the backup too.
TRUNCATE {tables}

-- with_triggers --
-- Tables with triggers of ours; TimescaleDB's own must go on.
SELECT DISTINCT n.nspname || '.' || c.relname
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%(schemas)s) AND NOT t.tgisinternal AND t.tgname NOT LIKE 'ts\_%%' AND NOT c.relispartition

-- drop_all --
-- What a failed restore made.
DROP SCHEMA IF EXISTS {schemas} CASCADE

-- drop_migrations --
-- And its own memory of it.
DROP TABLE IF EXISTS public.tierwatch_migration

-- disable_triggers --
-- What triggers did, they did when the rows were first written.
ALTER TABLE {table} DISABLE TRIGGER USER

-- enable_triggers --
-- As before.
ALTER TABLE {table} ENABLE TRIGGER USER

-- identities --
-- Columns that number their rows.
SELECT n.nspname || '.' || c.relname, a.attname, pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'p')
  AND pg_get_serial_sequence(format('%%I.%%I', n.nspname, c.relname), a.attname) IS NOT NULL

-- go_on_numbering --
-- After the highest number that was given.
SELECT setval(%(sequence)s::regclass, COALESCE((SELECT max({column}) FROM {table}), 0) + 1, false)

-- raise_fences --
-- Over any fence that a writer of the lost store may hold: it may have been started many times since the backup.
UPDATE stream.cursor SET fence = fence + %(by)s

-- lanes --
-- How far each lane of each outbox is stored: its checkpoint, and what came after it.
WITH came AS (
    SELECT lane, seq, seq AS last, position FROM stream.ecg WHERE position > (SELECT min(checkpoint) FROM stream.lane)
    UNION ALL
    SELECT lane, seq, seq, position FROM stream.reading WHERE position > (SELECT min(checkpoint) FROM stream.lane)
    UNION ALL
    SELECT lane, seq, COALESCE(last, seq), position FROM stream.other
    WHERE lane IS NOT NULL AND seq IS NOT NULL AND name <> 'deferred'
), stored AS (
    SELECT lane, unnest(received) AS seqs FROM stream.lane
    UNION ALL
    SELECT lane, int8range(seq, last, '[]') FROM came JOIN stream.lane USING (lane) WHERE position > checkpoint
)
SELECT s.client, s.epoch, l.device, l.stream, COALESCE(range_agg(r.seqs), '{}')
FROM stream.lane l JOIN stream.source s USING (source) LEFT JOIN stored r USING (lane)
GROUP BY s.client, s.epoch, l.device, l.stream ORDER BY s.client, l.device, l.stream, s.epoch
