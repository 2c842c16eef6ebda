-- The course of each patient's heart rate as the detector counted it: a row a minute of signal and lead. For people to
-- look at; nothing is judged by it.
CREATE TABLE stream.rate (
    device   text NOT NULL,
    stream   text NOT NULL,
    at       timestamptz NOT NULL,                    -- where the minute begins, in the signal's own time
    patient  text,                                    -- NULL: nobody any more, by a later assignment
    beats    int NOT NULL,                            -- intervals between beats that were counted
    rate_bpm real NOT NULL,                           -- of all of them
    low_bpm  real NOT NULL,                           -- slowest and fastest over five intervals in a row
    high_bpm real NOT NULL,
    PRIMARY KEY (device, stream, at)
);
CREATE INDEX ON stream.rate (patient, at);
CREATE INDEX ON stream.rate USING brin (at) WITH (pages_per_range = 16);

-- The course of one patient's rate from the leads in which most beats were counted.
CREATE FUNCTION stream.rates(of_patient text, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (at timestamptz, beats int, rate_bpm real, low_bpm real, high_bpm real)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (r.at) r.at, r.beats, r.rate_bpm, r.low_bpm, r.high_bpm FROM stream.rate r
     WHERE r.patient = of_patient AND r.at >= from_at AND r.at < to_at
     ORDER BY r.at, r.beats DESC, r.device, r.stream
$$;

-- The newest heart rate that the detector counted of a patient: of the newest minute, or with the condition to which it
-- belongs. Not of conditions in which there is no rate of a beating heart, nor of what was withdrawn.
CREATE OR REPLACE FUNCTION stream.last_rate(of_patient text)
RETURNS TABLE (condition text, rate_bpm float8, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT x.condition, x.rate_bpm, x.at FROM (
        (SELECT e.condition, (e.evidence ->> 'rate_bpm')::float8 AS rate_bpm, coalesce(e.ended, b.tick_at, e.onset) AS at
           FROM stream.episode e LEFT JOIN stream.batch b USING (shard, position)
          WHERE e.subject = of_patient AND e.kind = 'physiological' AND e.withdrawn IS NULL
            AND e.condition NOT IN ('vf', 'asystole', 'pause', 'couplet', 'nsvt')
            AND jsonb_typeof(e.evidence -> 'rate_bpm') = 'number'
          ORDER BY e.position DESC, e.episode LIMIT 1)
        UNION ALL
        (SELECT NULL, r.rate_bpm, r.at + interval '1 minute' FROM stream.rate r
          WHERE r.patient = of_patient ORDER BY r.at DESC, r.beats DESC LIMIT 1)) x
     ORDER BY x.at DESC LIMIT 1
$$;
