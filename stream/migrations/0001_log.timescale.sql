-- With TimescaleDB the two large tables are hypertables of a day a chunk instead of natively partitioned tables: one
-- table cannot be both. Rows that a plain store holds already are moved along (that takes as long as copying them).
-- No policies are made: TimescaleDB's own scheduler is not relied upon, `tierwatch store maintain` compresses and drops.
ALTER TABLE stream.ecg RENAME TO ecg_partitioned;
CREATE TABLE stream.ecg (LIKE stream.ecg_partitioned INCLUDING ALL);
SELECT create_hypertable('stream.ecg', by_range('at', INTERVAL '1 day'), create_default_indexes => false);
INSERT INTO stream.ecg SELECT * FROM stream.ecg_partitioned;
DROP TABLE stream.ecg_partitioned;
ALTER TABLE stream.ecg SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'lane', timescaledb.compress_orderby = 'seq, at'
);

ALTER TABLE stream.reading RENAME TO reading_partitioned;
CREATE TABLE stream.reading (LIKE stream.reading_partitioned INCLUDING ALL);
SELECT create_hypertable('stream.reading', by_range('at', INTERVAL '1 day'), create_default_indexes => false);
INSERT INTO stream.reading SELECT * FROM stream.reading_partitioned;
DROP TABLE stream.reading_partitioned;
ALTER TABLE stream.reading SET (
    timescaledb.compress, timescaledb.compress_segmentby = 'lane', timescaledb.compress_orderby = 'seq, at'
);
