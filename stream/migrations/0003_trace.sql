-- One event from the skin to the verdict, for `tierwatch trace`.
CREATE FUNCTION stream.event_trace(of_device text, of_stream text, of_seq bigint)
RETURNS TABLE (client text, epoch text, what text, patient text, at timestamptz, ends_at timestamptz, received_at timestamptz,
               from_gateway bool, sent_at timestamptz, shard int, "position" bigint, stored_at timestamptz, judged text)
LANGUAGE sql STABLE AS $$
    WITH lanes AS (
        SELECT l.lane, s.client, s.epoch, l.judged_live, l.judged_past
          FROM stream.lane l JOIN stream.source s USING (source)
         WHERE l.device = of_device AND l.stream = of_stream
    ), events AS (
        SELECT e.lane, 'ecg' AS what, e.patient, e.at, e.at + make_interval(secs => e.count / e.rate_hz) AS ends_at,
               e.received_at, e.from_gateway, e.sent_at, e.shard, e.position
          FROM stream.ecg e JOIN lanes USING (lane) WHERE e.seq = of_seq
        UNION ALL
        SELECT r.lane, r.kind, r.patient, r.at, r.at, r.received_at, r.from_gateway, r.sent_at, r.shard, r.position
          FROM stream.reading r JOIN lanes USING (lane) WHERE r.seq = of_seq
        UNION ALL
        SELECT o.lane, o.name, o.patient, NULL, NULL, o.received_at, o.from_gateway, o.sent_at, o.shard, o.position
          FROM stream.other o JOIN lanes USING (lane)
         WHERE of_seq BETWEEN o.seq AND coalesce(o.last, o.seq) AND o.name <> 'deferred'
    )
    SELECT l.client, l.epoch, e.what, e.patient, e.at, e.ends_at, e.received_at, e.from_gateway, e.sent_at, e.shard, e.position,
           b.stored_at,
           CASE WHEN l.judged_live @> of_seq THEN 'live' WHEN l.judged_past @> of_seq THEN 'past' ELSE 'not yet' END
      FROM events e JOIN lanes l USING (lane)
      LEFT JOIN stream.batch b ON b.shard = e.shard AND b.position = e.position
     ORDER BY e.position
$$;

-- Episodes of a patient that meet a stretch of time, with the position that first said so.
CREATE FUNCTION stream.episodes_meeting(of_subject text, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (episode uuid, condition text, onset timestamptz, ended timestamptz, present bool, "position" bigint,
               judged_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT e.episode, e.condition, e.onset, e.ended, e.present, f.position, f.judged_at
      FROM stream.episode e
      LEFT JOIN LATERAL (SELECT position, judged_at FROM stream.finding x WHERE x.episode = e.episode
                          ORDER BY position, ord LIMIT 1) f ON true
     WHERE e.subject = of_subject AND e.onset <= to_at AND (e.ended IS NULL OR e.ended >= from_at)
     ORDER BY e.onset, e.condition
$$;
