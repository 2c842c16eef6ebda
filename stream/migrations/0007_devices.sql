-- Devices as people see them: what each sends, when it was last heard, what of it is still to come, and whose it was.

-- How many events of a lane its gateway has numbered and we do not have, nor know to be given up: holes, and what was
-- announced for later. Looks at the holes only, so that it may be asked at each look at a page.
CREATE FUNCTION stream.missing(of_lane int) RETURNS bigint LANGUAGE sql STABLE AS $$
    WITH newest AS (
        SELECT greatest((SELECT max(e.seq) FROM stream.ecg e WHERE e.lane = of_lane),
                        (SELECT max(r.seq) FROM stream.reading r WHERE r.lane = of_lane),
                        (SELECT max(o.seq) FROM stream.other o WHERE o.lane = of_lane AND o.name = 'status'),
                        (SELECT max(coalesce(o.last, o.seq)) FROM stream.other o
                          WHERE o.lane = of_lane AND o.name IN ('deferred', 'abandoned', 'quarantined', 'repeated'))) AS seq
    ), hole AS (
        SELECT h FROM newest, stream.lane l, unnest(int8multirange(int8range(1, newest.seq, '[]')) - l.received) h
         WHERE l.lane = of_lane AND newest.seq >= 1
    ), came AS (
        SELECT int8range(e.seq, e.seq, '[]') AS seqs FROM hole, stream.ecg e
         WHERE e.lane = of_lane AND e.seq >= lower(h) AND e.seq < upper(h)
        UNION ALL
        SELECT int8range(r.seq, r.seq, '[]') FROM hole, stream.reading r
         WHERE r.lane = of_lane AND r.seq >= lower(h) AND r.seq < upper(h)
        UNION ALL
        SELECT int8range(o.seq, o.seq, '[]') FROM hole, stream.other o
         WHERE o.lane = of_lane AND o.name = 'status' AND o.seq >= lower(h) AND o.seq < upper(h)
        UNION ALL
        SELECT int8range(o.seq, coalesce(o.last, o.seq), '[]') FROM stream.other o
         WHERE o.lane = of_lane AND o.name IN ('abandoned', 'quarantined', 'repeated') AND o.seq IS NOT NULL
    )
    SELECT coalesce(sum(upper(m) - lower(m)), 0)
      FROM unnest((SELECT coalesce(range_agg(h), '{}') FROM hole) - (SELECT coalesce(range_agg(seqs), '{}') FROM came)) m
$$;

-- A row a lane of every device that was ever said to be this patient's (NULL: of every device there is). A device that
-- has sent nothing has one row without a lane. `client_heard`: its gateway spoke since `heard_since`.
CREATE FUNCTION stream.devices(of_patient text, heard_since timestamptz)
RETURNS TABLE (device text, client text, lane_stream text, at timestamptz, received_at timestamptz, missing bigint,
               client_heard bool)
LANGUAGE sql STABLE AS $$
    WITH said AS (
        SELECT a.device, a.patient FROM stream.assignment a
        UNION
        SELECT i.body ->> 'device', i.body ->> 'patient' FROM stream.inbox i
         WHERE i.position IS NULL AND i.name = 'assignment_changed'
    ), ours AS (
        SELECT DISTINCT s.device FROM said s WHERE of_patient IS NULL OR s.patient = of_patient
        UNION SELECT l.device FROM stream.lane l WHERE of_patient IS NULL
    ), heard AS MATERIALIZED (
        SELECT DISTINCT s.client FROM stream.other o JOIN stream.source s USING (source)
         WHERE o.received_at >= heard_since
    )
    SELECT o.device, s.client, l.stream, newest.at, newest.received_at,
           CASE WHEN l.lane IS NULL THEN 0 ELSE stream.missing(l.lane) END,
           coalesce(newest.received_at >= heard_since, false) OR s.client IN (SELECT client FROM heard)
      FROM ours o LEFT JOIN stream.lane l USING (device) LEFT JOIN stream.source s USING (source)
      LEFT JOIN LATERAL (
          SELECT max(n.at) AS at, max(n.received_at) AS received_at
            FROM ((SELECT e.at, e.received_at FROM stream.ecg e WHERE e.lane = l.lane ORDER BY e.seq DESC LIMIT 1)
                  UNION ALL
                  (SELECT r.at, r.received_at FROM stream.reading r WHERE r.lane = l.lane ORDER BY r.seq DESC LIMIT 1)
                  UNION ALL
                  (SELECT NULL, x.received_at FROM stream.other x
                    WHERE x.lane = l.lane AND x.name = 'status' ORDER BY x.seq DESC LIMIT 1)) n
      ) newest ON true
     ORDER BY o.device, l.stream, s.client
$$;

-- The newest words of devices about themselves, newest first; the body is as in the log.
CREATE FUNCTION stream.statuses(of_devices text[], at_most int)
RETURNS TABLE (device text, received_at timestamptz, body bytea)
LANGUAGE sql STABLE AS $$
    SELECT l.device, o.received_at, o.body
      FROM stream.lane l CROSS JOIN LATERAL (
          SELECT x.received_at, x.body FROM stream.other x
           WHERE x.lane = l.lane AND x.name = 'status' ORDER BY x.seq DESC LIMIT at_most) o
     WHERE l.device = ANY (of_devices)
     ORDER BY l.device, o.received_at DESC
$$;

-- What of devices is archived under nobody, and waits for an assignment. NULL: of every device.
CREATE FUNCTION stream.unowned(of_devices text[])
RETURNS TABLE (device text, slot int, kind text, count bigint, first_at timestamptz, last_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT r.device, r.slot, r.kind, count(*), min(r.at), max(r.at)
      FROM stream.reading r WHERE r.patient IS NULL AND (of_devices IS NULL OR r.device = ANY (of_devices))
     GROUP BY 1, 2, 3
    UNION ALL
    SELECT l.device, NULL, 'ecg', count(*), min(e.at), max(e.at)
      FROM stream.ecg e JOIN stream.lane l USING (lane)
     WHERE e.patient IS NULL AND (of_devices IS NULL OR l.device = ANY (of_devices))
     GROUP BY 1
     ORDER BY 1, 2, 3
$$;

-- One patient's readings of one kind since an instant, in the order of time: to judge them by other limits.
CREATE FUNCTION stream.readings_of(of_patient text, of_kind text, since timestamptz)
RETURNS TABLE (device text, stream text, seq bigint, slot int, readings float8[], flags text[], device_time text,
               connection text, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT r.device, l.stream, r.seq, r.slot, r.readings, r.flags, r.device_time, r.connection, r.at
      FROM stream.reading r JOIN stream.lane l USING (lane)
     WHERE r.patient = of_patient AND r.kind = of_kind AND r.at >= since
     ORDER BY r.at, l.stream, r.seq
$$;

-- What was found of one patient since an instant and was not taken back, by its newest statement.
CREATE FUNCTION stream.episodes_of(of_patient text, since timestamptz)
RETURNS TABLE (episode uuid, condition text, kind text, onset timestamptz, ended timestamptz, present bool, late bool,
               evidence jsonb)
LANGUAGE sql STABLE AS $$
    SELECT e.episode, e.condition, e.kind, e.onset, e.ended, e.present, e.late, e.evidence
      FROM stream.episode e
     WHERE e.subject = of_patient AND e.withdrawn IS NULL AND (e.onset >= since OR e.ended >= since OR e.present)
     ORDER BY e.onset, e.episode
$$;
