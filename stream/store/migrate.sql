-- create_migration_table --
-- What was applied to this store, and what the file was then.
CREATE TABLE IF NOT EXISTS public.tierwatch_migration (
    folder     text NOT NULL,
    number     int NOT NULL,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (folder, number, name)
)

-- has_migration_table --
-- Whether anything was ever applied here.
SELECT to_regclass('public.tierwatch_migration') IS NOT NULL

-- applied --
-- In the order of application.
SELECT folder, number, name, checksum FROM public.tierwatch_migration ORDER BY applied_at, number, name

-- record --
-- One migration is done.
INSERT INTO public.tierwatch_migration (folder, number, name, checksum)
VALUES (%(folder)s, %(number)s, %(name)s, %(checksum)s)

-- try_lock --
-- One migration at a time; never waits.
SELECT pg_try_advisory_lock(%(lock)s)

-- unlock --
-- The next one may go on.
SELECT pg_advisory_unlock(%(lock)s)

-- can_timescale --
-- Whether TimescaleDB is here: made in this database, or its files are installed and the server loads them at its start
-- (without that, CREATE EXTENSION would end the connection).
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
    OR (EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
        AND 'timescaledb' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ',')))

-- create_timescale --
-- A statement of its own, before the tables that need it.
CREATE EXTENSION IF NOT EXISTS timescaledb
