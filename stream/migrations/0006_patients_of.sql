-- Whose data a client brings: everybody to whom a device that it carries has been assigned and was not taken from.
CREATE FUNCTION stream.patients_of(of_client text) RETURNS TABLE (patient text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT a.patient
      FROM stream.source s JOIN stream.lane l USING (source) JOIN stream.assignment a USING (device)
     WHERE s.client = of_client AND a.patient IS NOT NULL AND (a.to_at IS NULL OR a.to_at > now())
     ORDER BY a.patient
$$;
