-- quarantined --
SELECT * FROM stream.quarantined(%(client)s, %(reason)s, %(before_at)s, %(limit)s)

-- quarantined_body --
SELECT stream.quarantined_body(%(id)s) AS body

-- ledger --
SELECT * FROM stream.ledger()

-- lag --
SELECT * FROM stream.lag()

-- quarantine_count --
SELECT * FROM stream.quarantine_count()

-- benched --
SELECT * FROM stream.benched()

-- known_patients --
SELECT * FROM stream.known_patients()

-- last_data --
SELECT * FROM stream.last_data(%(patients)s, %(kinds)s)

-- lock_device --
SELECT stream.lock_device(%(device)s)

-- assignments --
SELECT * FROM stream.assignments(%(device)s, %(from_at)s, %(to_at)s)

-- tell --
SELECT stream.tell(%(id)s, %(name)s, %(body)s, %(by_whom)s) AS told

-- taken --
SELECT stream.taken(%(id)s) AS position

-- stored_age --
-- By the database's clock: stored_at is a real time, whatever speed the injected clock runs at.
SELECT extract(epoch FROM clock_timestamp() - max(stored_at))::float8 AS age_s FROM stream.lag()

-- devices --
SELECT * FROM stream.devices(%(patient)s, %(heard_since)s)

-- statuses --
SELECT * FROM stream.statuses(%(devices)s, 50)

-- unowned --
SELECT * FROM stream.unowned(%(devices)s)

-- said_of --
-- All that was ever said of whose devices are, in the order in which it was said.
SELECT d.device, a.slot, a.patient, a.from_at, a.to_at, a.waiting
  FROM unnest(%(devices)s::text[]) d (device)
 CROSS JOIN LATERAL stream.assignments(d.device, '-infinity', NULL)
       WITH ORDINALITY a (slot, patient, from_at, to_at, waiting, n)
 ORDER BY d.device, a.n

-- ecg_fresh --
SELECT * FROM stream.ecg_fresh(%(patients)s, %(shard)s, %(after)s, %(last)s, %(since)s)

-- ecg_newest --
SELECT * FROM stream.ecg_newest(%(patients)s)

-- present --
SELECT * FROM stream.present(%(patients)s)

-- rate_now --
-- The newest heart rate of each, whoever counted it.
SELECT DISTINCT ON (patient) patient, rate_bpm, at FROM (
    SELECT patient, readings[1] AS rate_bpm, at FROM stream.last_vitals(%(patients)s, ARRAY[%(kind)s]::text[])
    UNION ALL
    SELECT p.patient, r.rate_bpm, r.at FROM unnest(%(patients)s::text[]) p (patient), stream.last_rate(p.patient) r) x
 WHERE rate_bpm IS NOT NULL ORDER BY patient, at DESC

-- readings_of --
SELECT * FROM stream.readings_of(%(patient)s, %(kind)s, %(from_at)s, %(to_at)s, %(before_at)s, %(lane)s, %(seq)s, %(limit)s)

-- course --
SELECT * FROM stream.course(%(patient)s, %(kind)s, %(from_at)s, %(to_at)s) ORDER BY at

-- course_in_pieces --
SELECT * FROM stream.course_in_pieces(%(patient)s, %(kind)s, %(from_at)s, %(to_at)s, %(width)s)

-- course_gaps --
SELECT * FROM stream.course_gaps(%(patient)s, %(kind)s, %(from_at)s, %(to_at)s, %(longest)s)

-- episodes_of --
SELECT * FROM stream.episodes_of(%(patient)s, %(from_at)s, %(to_at)s, %(before_at)s, %(episode)s, %(limit)s)
