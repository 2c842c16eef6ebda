-- What other folders may ask of the stream, and the one way to tell it something. They call these functions; the
-- tables behind them are the stream's own.

CREATE FUNCTION stream.judged_position(of_shard int) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT judged_position FROM stream.cursor WHERE shard = of_shard
$$;

-- Findings after a place in the log, up to what has been judged for good, in the order of the log.
CREATE FUNCTION stream.findings_after(of_shard int, after_position bigint, after_ord int, up_to bigint, at_most int)
RETURNS TABLE (shard int, "position" bigint, ord int, episode uuid, revision int, subject text, condition text,
               judged_at timestamptz, body bytea)
LANGUAGE sql STABLE AS $$
    SELECT f.shard, f.position, f.ord, f.episode, f.revision, f.subject, f.condition, f.judged_at, f.body
      FROM stream.finding f
     WHERE f.shard = of_shard AND (f.position, f.ord) > (after_position, after_ord) AND f.position <= up_to
     ORDER BY f.position, f.ord
     LIMIT at_most
$$;

-- The level: every episode that is present, and every one that is asked for.
CREATE FUNCTION stream.episodes(also uuid[], up_to bigint)
RETURNS TABLE (episode uuid, shard int, subject text, subject_kind text, condition text, kind text, onset timestamptz,
               ended timestamptz, present bool, late bool, withdrawn text, revision int, evidence jsonb)
LANGUAGE sql STABLE AS $$
    SELECT e.episode, e.shard, e.subject, e.subject_kind, e.condition, e.kind, e.onset,
           e.ended, e.present, e.late, e.withdrawn, e.revision, e.evidence
      FROM stream.episode e
     WHERE (e.present OR e.episode = ANY (also)) AND e.position <= up_to
     ORDER BY e.position, e.episode
$$;

-- The newest reading of each kind of one patient.
CREATE FUNCTION stream.last_vitals(of_patient text)
RETURNS TABLE (kind text, readings float8[], flags text[], device text, at timestamptz, received_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (r.kind) r.kind, r.readings, r.flags, r.device, r.at, r.received_at
      FROM stream.reading r
     WHERE r.patient = of_patient AND NOT r.flags && ARRAY['test', 'control_solution']
     ORDER BY r.kind, r.at DESC
$$;

-- The stored ECG of one patient that meets an interval, in the order of time.
CREATE FUNCTION stream.ecg_strip(of_patient text, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (device text, stream text, lead text, session text, index bigint, rate_hz float8, at timestamptz,
               count int, samples bytea)
LANGUAGE sql STABLE AS $$
    SELECT l.device, l.stream, e.lead, e.session, e.index, e.rate_hz, e.at, e.count, e.samples
      FROM stream.ecg e JOIN stream.lane l USING (lane)
     WHERE e.patient = of_patient AND e.at >= from_at - interval '1 minute' AND e.at < to_at
       AND e.at + make_interval(secs => e.count / e.rate_hz) > from_at
     ORDER BY l.device, l.stream, e.at
$$;

-- Every patient that any row speaks of.
CREATE FUNCTION stream.known_patients() RETURNS TABLE (patient text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT a.patient FROM stream.assignment a WHERE a.patient IS NOT NULL
$$;

CREATE FUNCTION stream.benched() RETURNS TABLE (patient text, "position" bigint, why text) LANGUAGE sql STABLE AS $$
    SELECT b.patient, b.position, b.why FROM stream.bench b ORDER BY b.patient
$$;

-- What lies in quarantine, newest first.
CREATE FUNCTION stream.quarantined(of_client text, of_reason text, before_at timestamptz, at_most int)
RETURNS TABLE (id uuid, client text, device text, stream text, reason text, at_fault text, sha256 bytea, count int,
               first_at timestamptz, last_at timestamptz, size int)
LANGUAGE sql STABLE AS $$
    SELECT q.id, q.client, q.device, q.stream, q.reason, q.at_fault, q.sha256, q.count, q.first_at, q.last_at,
           octet_length(q.body)
      FROM stream.quarantine q
     WHERE (of_client IS NULL OR q.client = of_client) AND (of_reason IS NULL OR q.reason = of_reason)
       AND (before_at IS NULL OR q.last_at < before_at)
     ORDER BY q.last_at DESC, q.id
     LIMIT at_most
$$;

CREATE FUNCTION stream.quarantined_body(of_id uuid) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT body FROM stream.quarantine WHERE id = of_id
$$;

-- Assignments of one device that meet an interval, in the order in which they were said; the inbox counts, for what
-- waits there will be in the log.
CREATE FUNCTION stream.assignments(of_device text, of_from timestamptz, of_to timestamptz)
RETURNS TABLE (slot int, patient text, from_at timestamptz, to_at timestamptz, waiting bool)
LANGUAGE sql STABLE AS $$
    SELECT a.slot, a.patient, a.from_at, a.to_at, a.waiting
      FROM (SELECT slot, patient, from_at, to_at, false AS waiting, position, ord, NULL::timestamptz AS asked_at
              FROM stream.assignment WHERE device = of_device
            UNION ALL
            SELECT (body ->> 'slot')::int, body ->> 'patient', (body ->> 'from_at')::timestamptz,
                   (body ->> 'to_at')::timestamptz, true, NULL, NULL, asked_at
              FROM stream.inbox
             WHERE position IS NULL AND name = 'assignment_changed' AND body ->> 'device' = of_device) a
     WHERE a.from_at < coalesce(of_to, 'infinity') AND coalesce(a.to_at, 'infinity') > of_from
     ORDER BY a.position NULLS LAST, a.ord, a.asked_at
$$;

-- Who else speaks of this device is kept waiting until the transaction ends.
CREATE FUNCTION stream.lock_device(of_device text) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('stream.device|' || of_device, 0))
$$;

-- A command for the log. The same id again changes nothing.
CREATE FUNCTION stream.tell(of_id uuid, of_name text, of_body jsonb, of_whom text) RETURNS bool LANGUAGE sql AS $$
    WITH told AS (
        INSERT INTO stream.inbox (id, name, body, by_whom) VALUES (of_id, of_name, of_body, of_whom)
        ON CONFLICT (id) DO NOTHING RETURNING 1
    ), woken AS (SELECT pg_notify('stream_inbox', '') FROM told)
    SELECT EXISTS (SELECT FROM told) AND (SELECT count(*) FROM woken) >= 0
$$;

CREATE FUNCTION stream.taken(of_id uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT position FROM stream.inbox WHERE id = of_id
$$;

-- The books of every lane: what came (up to its checkpoint), what is archived, what was judged, and what is neither.
CREATE FUNCTION stream.ledger()
RETURNS TABLE (lane int, client text, epoch text, device text, stream text, checkpoint bigint, received int8multirange,
               archived int8multirange, excused int8multirange, judged_live int8multirange, judged_past int8multirange,
               unjudged int8multirange, unaccounted int8multirange)
LANGUAGE sql STABLE AS $$
    WITH stored AS (
        SELECT lane, range_agg(int8range(seq, seq, '[]')) AS seqs, max(position) AS newest
          FROM (SELECT lane, seq, position FROM stream.ecg
                UNION ALL SELECT lane, seq, position FROM stream.reading
                UNION ALL SELECT lane, seq, position FROM stream.other WHERE name = 'status' AND lane IS NOT NULL) a
         GROUP BY lane
    ), excused AS (
        SELECT lane, range_agg(int8range(seq, coalesce(last, seq), '[]')) AS seqs
          FROM stream.other
         WHERE lane IS NOT NULL AND seq IS NOT NULL AND name IN ('abandoned', 'quarantined', 'repeated')
         GROUP BY lane
    ), books AS (
        SELECT l.*, s.client, s.epoch, coalesce(a.seqs, '{}') AS archived, coalesce(x.seqs, '{}') AS excused
          FROM stream.lane l JOIN stream.source s USING (source)
          LEFT JOIN stored a USING (lane) LEFT JOIN excused x USING (lane)
    )
    SELECT b.lane, b.client, b.epoch, b.device, b.stream, b.checkpoint, b.received, b.archived, b.excused,
           b.judged_live, b.judged_past,
           b.archived - b.judged_live - b.judged_past,
           b.received - b.archived - b.excused
      FROM books b ORDER BY b.client, b.device, b.stream, b.epoch
$$;

-- How far behind judging is: positions, and the age of the newest tick.
CREATE FUNCTION stream.lag()
RETURNS TABLE (shard int, stored_position bigint, judged_position bigint, tick_at timestamptz, stored_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT c.shard, coalesce(b.position, 0), c.judged_position, b.tick_at, b.stored_at
      FROM stream.cursor c
      LEFT JOIN LATERAL (SELECT position, tick_at, stored_at FROM stream.batch
                          WHERE shard = c.shard ORDER BY position DESC LIMIT 1) b ON true
$$;

CREATE FUNCTION stream.quarantine_count() RETURNS TABLE (reason text, count bigint) LANGUAGE sql STABLE AS $$
    SELECT reason, sum(count) FROM stream.quarantine GROUP BY reason
$$;

-- From the skin to the verdict: the sample or reading that a finding rests on, and when each hop had it.
CREATE FUNCTION stream.hops(of_shard int, of_position bigint, of_ord int)
RETURNS TABLE (subject text, condition text, episode uuid, device text, lane_stream text, at timestamptz,
               heard_at timestamptz, sent_at timestamptz, received_at timestamptz, stored_position bigint,
               stored_at timestamptz, judged_position bigint, judged_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    f record;
    e record;
    proof record;
BEGIN
    SELECT * INTO f FROM stream.finding x
     WHERE x.shard = of_shard AND x.position = of_position AND x.ord = of_ord;
    IF NOT FOUND THEN RETURN; END IF;
    SELECT * INTO e FROM stream.episode x WHERE x.episode = f.episode;
    SELECT g.at, g.sent_at, g.received_at, g.position, l.device, l.stream INTO proof
      FROM stream.lane l JOIN stream.ecg g USING (lane)
     WHERE l.device = e.evidence ->> 'device' AND l.stream = e.evidence ->> 'stream'
       AND g.position <= of_position AND g.position > of_position - 120
       AND g.session = coalesce(e.evidence ->> 'session', g.session)
     ORDER BY g.position DESC, g.index DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT g.at, g.sent_at, g.received_at, g.position, g.device, l.stream INTO proof
          FROM stream.reading g JOIN stream.lane l USING (lane)
         WHERE g.patient = f.subject AND g.position <= of_position
         ORDER BY g.position DESC, g.ord DESC LIMIT 1;
    END IF;
    RETURN QUERY
    SELECT f.subject, f.condition, f.episode, coalesce(proof.device, e.evidence ->> 'device'),
           coalesce(proof.stream, e.evidence ->> 'stream'), proof.at, proof.received_at, proof.sent_at,
           proof.received_at, coalesce(proof.position, of_position), b.stored_at, of_position, f.judged_at
      FROM (SELECT 1) one
      LEFT JOIN stream.batch b ON b.shard = of_shard AND b.position = coalesce(proof.position, of_position);
END
$$;
