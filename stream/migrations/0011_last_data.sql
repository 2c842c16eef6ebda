-- When the newest data of each of these patients was measured, of any of these kinds or ECG; NULL: there was never any.
-- One look at an index for each, however much is archived.
CREATE FUNCTION stream.last_data(of_patients text[], of_kinds text[])
RETURNS TABLE (patient text, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p.patient, greatest(
           (SELECT e.at FROM stream.ecg e WHERE e.patient = p.patient ORDER BY e.at DESC LIMIT 1),
           (SELECT max(r.at) FROM unnest(of_kinds) k (kind) CROSS JOIN LATERAL (
                   SELECT n.at FROM stream.reading n WHERE n.patient = p.patient AND n.kind = k.kind
                    ORDER BY n.at DESC LIMIT 1) r))
      FROM unnest(of_patients) p (patient)
$$;
