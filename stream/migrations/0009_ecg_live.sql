-- What a live view asks for, of all patients who are watched at once.

-- Stored ECG of these patients that is new since a position, as far as it was measured after `since`: what came late
-- is for the archive, never for a view that says "now".
CREATE FUNCTION stream.ecg_fresh(of_patients text[], of_shard int, after_position bigint, up_to bigint, since timestamptz)
RETURNS TABLE (patient text, device text, stream text, lead text, session text, index bigint, rate_hz float8,
               at timestamptz, count int, samples bytea)
LANGUAGE sql STABLE AS $$
    SELECT e.patient, l.device, l.stream, e.lead, e.session, e.index, e.rate_hz, e.at, e.count, e.samples
      FROM stream.ecg e JOIN stream.lane l USING (lane)
     WHERE e.patient = ANY (of_patients) AND e.at >= since
       AND e.shard = of_shard AND e.position > after_position AND e.position <= up_to
     ORDER BY e.position, e.ord
$$;

-- When the newest stored ECG of each of these patients began.
CREATE FUNCTION stream.ecg_newest(of_patients text[]) RETURNS TABLE (patient text, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p.patient, e.at FROM unnest(of_patients) p (patient) CROSS JOIN LATERAL (
        SELECT e.at FROM stream.ecg e WHERE e.patient = p.patient ORDER BY e.at DESC LIMIT 1) e
$$;

-- What is present now of these patients.
CREATE FUNCTION stream.present(of_patients text[])
RETURNS TABLE (subject text, condition text, kind text, onset timestamptz, evidence jsonb)
LANGUAGE sql STABLE AS $$
    SELECT e.subject, e.condition, e.kind, e.onset, e.evidence FROM stream.episode e
     WHERE e.present AND e.withdrawn IS NULL AND e.subject = ANY (of_patients) ORDER BY e.onset, e.episode
$$;
