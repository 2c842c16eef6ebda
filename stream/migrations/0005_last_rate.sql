-- The newest heart rate that the detector stated of a patient, with the condition that it belongs to and when that was
-- judged. Not of conditions in which there is no rate of a beating heart, nor of what was withdrawn.
CREATE FUNCTION stream.last_rate(of_patient text)
RETURNS TABLE (condition text, rate_bpm float8, at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT e.condition, (e.evidence ->> 'rate_bpm')::float8, coalesce(e.ended, b.tick_at, e.onset)
      FROM stream.episode e LEFT JOIN stream.batch b USING (shard, position)
     WHERE e.subject = of_patient AND e.kind = 'physiological' AND e.withdrawn IS NULL
       AND e.condition NOT IN ('vf', 'asystole', 'pause', 'couplet', 'nsvt')
       AND jsonb_typeof(e.evidence -> 'rate_bpm') = 'number'
     ORDER BY e.position DESC, e.episode LIMIT 1
$$;
