-- The course of one patient's readings and rates as people look at it: in so many pieces of time, none of which hides
-- its lowest or its highest, and where nothing was measured.

-- Whole readings of one kind, newest first; `before_*` is the last row of the page before.
CREATE FUNCTION stream.readings_of(of_patient text, of_kind text, from_at timestamptz, to_at timestamptz,
                                   before_at timestamptz, before_lane int, before_seq bigint, at_most int)
RETURNS TABLE (lane int, seq bigint, at timestamptz, kind text, readings float8[], flags text[], device text, slot int,
               at_source text, received_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT r.lane, r.seq, r.at, r.kind, r.readings, r.flags, r.device, r.slot, r.at_source, r.received_at
      FROM stream.reading r
     WHERE r.patient = of_patient AND (of_kind IS NULL OR r.kind = of_kind) AND r.at >= from_at AND r.at < to_at
       AND (before_at IS NULL OR (r.at, r.lane, r.seq) < (before_at, before_lane, before_seq))
     ORDER BY r.at DESC, r.lane DESC, r.seq DESC LIMIT at_most
$$;

-- Points of a course: each measurement with its extremes and how many it stands for.
CREATE FUNCTION stream.course(of_patient text, of_kind text, from_at timestamptz, to_at timestamptz)
RETURNS TABLE (at timestamptz, mean float8, low float8, high float8, weight int)
LANGUAGE sql STABLE AS $$
    SELECT r.at + interval '30 seconds', r.rate_bpm::float8, r.low_bpm::float8, r.high_bpm::float8, r.beats
      FROM stream.rates(of_patient, from_at, to_at) r WHERE of_kind = 'rate'
    UNION ALL
    SELECT r.at, r.readings[1], r.readings[1], r.readings[1], 1 FROM stream.reading r
     WHERE r.patient = of_patient AND r.kind = of_kind AND r.at >= from_at AND r.at < to_at AND r.readings[1] IS NOT NULL
       AND NOT r.flags && ARRAY['test', 'control_solution', 'sensor_warm_up', 'sensor_expired', 'signal_lost', 'no_contact']
$$;

-- The course in pieces of `width`.
CREATE FUNCTION stream.course_in_pieces(of_patient text, of_kind text, from_at timestamptz, to_at timestamptz,
                                        width interval)
RETURNS TABLE (at timestamptz, mean float8, low float8, high float8, count bigint)
LANGUAGE sql STABLE AS $$
    SELECT to_timestamp(avg(extract(epoch FROM c.at))), sum(c.mean * c.weight) / sum(c.weight), min(c.low), max(c.high),
           count(*)
      FROM stream.course(of_patient, of_kind, from_at, to_at) c
     GROUP BY date_bin(width, c.at, from_at) ORDER BY 1
$$;

-- Where nothing was measured for longer than `longest`, from the beginning to the end of the time that is asked for.
CREATE FUNCTION stream.course_gaps(of_patient text, of_kind text, from_at timestamptz, to_at timestamptz, longest interval)
RETURNS TABLE (from_at timestamptz, to_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT g.before, g.at FROM (
        SELECT lag(p.at) OVER (ORDER BY p.at) AS before, p.at FROM (
            SELECT c.at FROM stream.course(of_patient, of_kind, from_at, to_at) c
            UNION ALL SELECT from_at UNION ALL SELECT to_at) p) g
     WHERE g.at - g.before > longest ORDER BY g.at
$$;

-- What was found of one patient in a time, newest first; `before_*` is the last row of the page before.
CREATE FUNCTION stream.episodes_of(of_patient text, from_at timestamptz, to_at timestamptz,
                                   before_onset timestamptz, before_episode uuid, at_most int)
RETURNS TABLE (episode uuid, condition text, kind text, onset timestamptz, ended timestamptz, present bool, late bool,
               withdrawn text, revision int, confidence float8, evidence jsonb)
LANGUAGE sql STABLE AS $$
    SELECT e.episode, e.condition, e.kind, e.onset, e.ended, e.present, e.late, e.withdrawn, e.revision, e.confidence,
           e.evidence
      FROM stream.episode e
     WHERE e.subject = of_patient AND e.subject_kind = 'patient'
       AND e.onset < to_at AND (e.present OR coalesce(e.ended, e.onset) >= from_at)
       AND (before_onset IS NULL OR (e.onset, e.episode) < (before_onset, before_episode))
     ORDER BY e.onset DESC, e.episode DESC LIMIT at_most
$$;
