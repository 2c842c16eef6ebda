-- due --
-- Alerts whose strip is complete and not measured by this version, oldest first; of older ones no ECG is kept.
SELECT a.alert, coalesce(m.version = %(version)s AND m.begun >= %(most)s, false) AS is_given_up
  FROM alerts.alert a LEFT JOIN alerts.measurement m USING (alert)
 WHERE a.subject_kind = 'patient' AND a.raised_at <= %(complete)s AND a.raised_at > %(kept)s
   AND (m.alert IS NULL OR m.version <> %(version)s OR NOT m.is_done)
 ORDER BY a.raised_at, a.alert
 LIMIT %(limit)s

-- begin --
INSERT INTO alerts.measurement (alert, version, begun, is_done) VALUES (%(alert)s, %(version)s, 1, false)
ON CONFLICT (alert) DO UPDATE SET version = EXCLUDED.version, is_done = false,
  begun = CASE WHEN measurement.version = EXCLUDED.version THEN measurement.begun + 1 ELSE 1 END

-- conclude --
-- What was measured while there was ECG stays when a later version finds none.
UPDATE alerts.measurement
   SET is_done = true, at = CASE WHEN %(keeps)s AND measures IS NOT NULL THEN at ELSE %(at)s END,
       measures = CASE WHEN %(keeps)s AND measures IS NOT NULL THEN measures ELSE %(measures)s END
 WHERE alert = %(alert)s

-- measures_of --
SELECT version, at, measures FROM alerts.measurement WHERE alert = %(alert)s AND measures IS NOT NULL

-- beats_between --
-- Beats of the strips of one patient's alerts, in one lead; of strips that overlap the same beat comes twice.
SELECT b.at, b.class
  FROM alerts.measurement m JOIN alerts.alert a USING (alert)
 CROSS JOIN LATERAL jsonb_to_recordset(m.measures -> 'beats') AS one (at_s float8, class text)
 CROSS JOIN LATERAL (SELECT (m.measures ->> 'from_at')::timestamptz + make_interval(secs => one.at_s) AS at, one.class) b
 WHERE a.subject = %(patient)s AND a.subject_kind = 'patient' AND m.measures ->> 'lead' = %(lead)s
   AND a.onset BETWEEN %(from_at)s - interval '1 minute' AND %(to_at)s + interval '1 minute'
   AND b.at >= %(from_at)s AND b.at < %(to_at)s
 ORDER BY b.at, b.class
