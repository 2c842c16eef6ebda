-- What an auditor asks of a writer: is it alive, does judging keep up, are charts saved. Ages by the database's own clock.
CREATE FUNCTION stream.pulse()
RETURNS TABLE (shard int, stored_position bigint, judged_position bigint, stored_age_s float8, unjudged_age_s float8,
               chart_age_s float8)
LANGUAGE sql STABLE AS $$
    SELECT c.shard, coalesce(b.position, 0), c.judged_position,
           extract(epoch FROM clock_timestamp() - b.stored_at)::float8,
           extract(epoch FROM clock_timestamp() - u.stored_at)::float8,
           extract(epoch FROM b.stored_at - k.stored_at)::float8
      FROM stream.cursor c
      LEFT JOIN LATERAL (SELECT position, stored_at FROM stream.batch
                          WHERE shard = c.shard ORDER BY position DESC LIMIT 1) b ON true
      LEFT JOIN LATERAL (SELECT stored_at FROM stream.batch
                          WHERE shard = c.shard AND position > c.judged_position ORDER BY position LIMIT 1) u ON true
      -- The chart saved last: without any chart there is none to be stale.
      LEFT JOIN LATERAL (SELECT x.stored_at FROM stream.batch x
                          WHERE x.shard = c.shard AND x.position >= (SELECT max(position) FROM stream.chart y WHERE y.shard = c.shard)
                          ORDER BY x.position LIMIT 1) k ON true
$$;

-- How often each child of the supervisor has started lately.
CREATE FUNCTION stream.starts(within interval) RETURNS TABLE (child text, count bigint) LANGUAGE sql STABLE AS $$
    SELECT s.child, count(*) FROM stream.start s WHERE s.started_at > clock_timestamp() - within GROUP BY s.child
$$;

-- Kinds of data that a patient's devices send: readings by their kind, and `ecg`.
CREATE FUNCTION stream.kinds_of(of_patient text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT kind), '{}')
      FROM (SELECT r.kind FROM stream.reading r WHERE r.patient = of_patient
            UNION ALL
            SELECT 'ecg' FROM stream.lane l JOIN stream.assignment a USING (device)
             WHERE a.patient = of_patient AND coalesce(a.to_at, 'infinity') > now() AND l.stream LIKE 'ecg/%') k
$$;

-- How many events that came since a position are neither archived, quarantined nor given up. Looks at what is new only:
-- it may be asked again and again, and waveform that upkeep has let go is not missed.
CREATE FUNCTION stream.unaccounted(since bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH lately AS (
        SELECT lane, min(seq) AS first
          FROM (SELECT lane, seq FROM stream.ecg WHERE position >= since
                UNION ALL SELECT lane, seq FROM stream.reading WHERE position >= since
                UNION ALL SELECT lane, seq FROM stream.other
                           WHERE name = 'status' AND lane IS NOT NULL AND position >= since) a
         GROUP BY lane
    ), asked AS (
        SELECT l.lane, l.received,
               coalesce(r.first,
                        -- Nothing of it is archived lately, and yet something came: behind the last that is.
                        greatest((SELECT max(seq) FROM stream.ecg e WHERE e.lane = l.lane),
                                 (SELECT max(seq) FROM stream.reading e WHERE e.lane = l.lane),
                                 (SELECT max(seq) FROM stream.other e WHERE e.lane = l.lane AND e.name = 'status')) + 1,
                        0) AS first
          FROM stream.lane l LEFT JOIN lately r USING (lane)
         WHERE r.lane IS NOT NULL OR l.checkpoint >= since
    ), books AS (
        SELECT a.received * int8multirange(int8range(a.first, NULL)) AS received,
               (SELECT coalesce(range_agg(int8range(seq, seq, '[]')), '{}')
                  FROM (SELECT seq FROM stream.ecg e WHERE e.lane = a.lane AND e.seq >= a.first
                        UNION ALL SELECT seq FROM stream.reading e WHERE e.lane = a.lane AND e.seq >= a.first
                        UNION ALL SELECT seq FROM stream.other e
                                   WHERE e.lane = a.lane AND e.name = 'status' AND e.seq >= a.first) k) AS archived,
               (SELECT coalesce(range_agg(int8range(seq, coalesce(last, seq), '[]')), '{}')
                  FROM stream.other e
                 WHERE e.lane = a.lane AND seq IS NOT NULL AND name IN ('abandoned', 'quarantined', 'repeated')) AS excused
          FROM asked a
    )
    SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint FROM books, unnest(received - archived - excused) r
$$;
