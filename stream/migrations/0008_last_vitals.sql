-- The newest reading of each of these kinds, of each of these patients: one look at the index for each, however much
-- is archived.
DROP FUNCTION stream.last_vitals(text);
CREATE FUNCTION stream.last_vitals(of_patients text[], of_kinds text[])
RETURNS TABLE (patient text, kind text, readings float8[], flags text[], device text, at timestamptz,
               received_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT p.patient, k.kind, r.readings, r.flags, r.device, r.at, r.received_at
      FROM unnest(of_patients) p (patient) CROSS JOIN unnest(of_kinds) k (kind)
      CROSS JOIN LATERAL (
           SELECT r.readings, r.flags, r.device, r.at, r.received_at FROM stream.reading r
            WHERE r.patient = p.patient AND r.kind = k.kind AND NOT r.flags && ARRAY['test', 'control_solution']
            ORDER BY r.at DESC LIMIT 1) r
     ORDER BY p.patient, k.kind
$$;
