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
