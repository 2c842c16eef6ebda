-- hold_fence --
-- The writer's own number: another one took over if it has grown.
SELECT fence FROM stream.cursor WHERE shard = %(shard)s FOR UPDATE

-- raise_fence --
UPDATE stream.cursor SET fence = fence + 1 WHERE shard = %(shard)s RETURNING fence, judged_position, suspect_position, suspect_patient

-- last_batch --
SELECT position, tick_at FROM stream.batch WHERE shard = %(shard)s ORDER BY position DESC LIMIT 1

-- note_start --
INSERT INTO stream.start (child, judged_position) VALUES ('intake', %(judged)s)

-- deaths_here --
-- How often intake has started at this very position without getting any further.
SELECT count(*) FROM stream.start
WHERE child = 'intake' AND judged_position = %(judged)s AND started_at > now() - interval '1 day'

-- suspect --
UPDATE stream.cursor SET suspect_position = %(position)s, suspect_patient = %(patient)s WHERE shard = %(shard)s

-- next_bench_ord --
-- How many findings were made at starts before this position was judged.
SELECT count(*) FROM stream.finding WHERE shard = %(shard)s AND position = %(position)s AND ord >= 1000000

-- waiting_commands --
SELECT id, name, body FROM stream.inbox WHERE position IS NULL ORDER BY asked_at, id LIMIT 500 FOR UPDATE SKIP LOCKED

-- take_commands --
UPDATE stream.inbox SET position = %(position)s WHERE id = ANY (%(ids)s)

-- add_assignment --
INSERT INTO stream.assignment (device, slot, from_at, to_at, patient, position, ord)
VALUES (%(device)s, %(slot)s, %(from_at)s, %(to_at)s, %(patient)s, %(position)s, %(ord)s)

-- reattribute_ecg --
UPDATE stream.ecg SET patient = %(patient)s
WHERE lane IN (SELECT lane FROM stream.lane WHERE device = %(device)s)
  AND at >= %(from_at)s AND (%(to_at)s::timestamptz IS NULL OR at < %(to_at)s) AND %(slot)s::int IS NULL

-- reattribute_readings --
UPDATE stream.reading SET patient = %(patient)s
WHERE device = %(device)s AND (%(slot)s::int IS NULL OR slot = %(slot)s)
  AND at >= %(from_at)s AND (%(to_at)s::timestamptz IS NULL OR at < %(to_at)s)

-- reattribute_rates --
UPDATE stream.rate SET patient = %(patient)s
WHERE device = %(device)s AND at >= %(from_at)s AND (%(to_at)s::timestamptz IS NULL OR at < %(to_at)s) AND %(slot)s::int IS NULL

-- assignments_before --
SELECT device, slot, from_at, to_at, patient FROM stream.assignment WHERE position < %(position)s ORDER BY position, ord

-- add_source --
INSERT INTO stream.source (client, epoch) VALUES (%(client)s, %(epoch)s)
ON CONFLICT (client, epoch) DO UPDATE SET client = excluded.client RETURNING source

-- add_lane --
INSERT INTO stream.lane (source, device, stream) VALUES (%(source)s, %(device)s, %(stream)s)
ON CONFLICT (source, device, stream) DO UPDATE SET device = excluded.device RETURNING lane

-- all_lanes --
SELECT l.lane, s.client, s.epoch, l.device, l.stream, l.received, l.checkpoint
FROM stream.lane l JOIN stream.source s USING (source)

-- received_since --
-- What came after a lane's checkpoint, as ranges.
SELECT lane, range_agg(int8range(seq, coalesce(last, seq), '[]')) FROM (
    SELECT lane, seq, NULL::bigint AS last, position FROM stream.ecg WHERE position >= %(oldest)s
    UNION ALL SELECT lane, seq, NULL, position FROM stream.reading WHERE position >= %(oldest)s
    UNION ALL SELECT lane, seq, last, position FROM stream.other
        WHERE position >= %(oldest)s AND lane IS NOT NULL AND seq IS NOT NULL AND name <> 'deferred'
) came JOIN stream.lane l USING (lane) WHERE came.position > l.checkpoint GROUP BY lane

-- digests --
-- What is stored under these numbers, to tell a repetition from a conflict.
SELECT lane, seq, digest FROM (
    SELECT lane, seq, digest FROM stream.ecg WHERE (lane, seq) IN (SELECT unnest(%(lanes)s::int[]), unnest(%(seqs)s::bigint[]))
    UNION ALL
    SELECT lane, seq, digest FROM stream.reading WHERE (lane, seq) IN (SELECT unnest(%(lanes)s::int[]), unnest(%(seqs)s::bigint[]))
    UNION ALL
    SELECT lane, seq, digest FROM stream.other
    WHERE (lane, seq) IN (SELECT unnest(%(lanes)s::int[]), unnest(%(seqs)s::bigint[])) AND digest IS NOT NULL
) stored

-- new_contents --
-- Of these contents, those that nobody has sent before.
INSERT INTO stream.content (sha256, lane, seq, position)
SELECT *, %(position)s FROM unnest(%(hashes)s::bytea[], %(lanes)s::int[], %(seqs)s::bigint[])
ON CONFLICT (sha256) DO NOTHING RETURNING sha256

-- copy_ecg --
COPY ecg_arriving (lane, seq, at, patient, session, index, rate_hz, lead, contact, clipped, at_source, shard, position, ord,
    sent_at, received_at, from_gateway, digest, count, samples) FROM STDIN (FORMAT BINARY)

-- store_ecg --
INSERT INTO stream.ecg SELECT * FROM ecg_arriving ON CONFLICT DO NOTHING

-- copy_readings --
COPY stream.reading (lane, seq, at, patient, device, slot, kind, readings, flags, device_time, connection, at_source, content,
    shard, position, ord, sent_at, received_at, from_gateway, digest) FROM STDIN

-- copy_other --
COPY stream.other (shard, position, ord, name, lane, seq, last, source, patient, sent_at, received_at, from_gateway, digest, body)
    FROM STDIN

-- arriving --
CREATE TEMP TABLE IF NOT EXISTS ecg_arriving (LIKE stream.ecg) ON COMMIT DELETE ROWS

-- quarantine --
INSERT INTO stream.quarantine (id, client, device, stream, reason, at_fault, sha256, first_at, last_at, body)
VALUES (%(id)s, %(client)s, %(device)s, %(stream)s, %(reason)s, %(at_fault)s, %(sha256)s, %(at)s, %(at)s, %(body)s)
ON CONFLICT (id) DO UPDATE SET count = stream.quarantine.count + 1, last_at = excluded.last_at

-- quarantined_today --
SELECT client, count(*) FROM stream.quarantine WHERE body IS NOT NULL AND first_at >= %(since)s GROUP BY client

-- keep_unread --
INSERT INTO stream.unread (sha256, client, type, version, keys, position, raw)
VALUES (%(sha256)s, %(client)s, %(type)s, %(version)s, %(keys)s, %(position)s, %(raw)s) ON CONFLICT DO NOTHING

-- add_batch --
INSERT INTO stream.batch (shard, position, tick_at, rows) VALUES (%(shard)s, %(position)s, %(tick)s, %(rows)s)

-- add_finding --
INSERT INTO stream.finding (shard, position, ord, episode, revision, subject, condition, body)
VALUES (%(shard)s, %(position)s, %(ord)s, %(episode)s, %(revision)s, %(subject)s, %(condition)s, %(body)s)
ON CONFLICT DO NOTHING

-- put_episode --
INSERT INTO stream.episode (episode, shard, subject, subject_kind, condition, kind, opened, onset, ended, present, late, withdrawn,
    revision, position, confidence, evidence)
VALUES (%(episode)s, %(shard)s, %(subject)s, %(subject_kind)s, %(condition)s, %(kind)s, %(opened)s, %(onset)s, %(ended)s,
    %(present)s, %(late)s, %(withdrawn)s, %(revision)s, %(position)s, %(confidence)s, %(evidence)s)
ON CONFLICT (episode) DO UPDATE SET onset = excluded.onset, ended = excluded.ended, present = excluded.present,
    late = excluded.late, withdrawn = excluded.withdrawn, revision = excluded.revision, position = excluded.position,
    confidence = excluded.confidence, evidence = excluded.evidence
WHERE excluded.revision > stream.episode.revision

-- put_rate --
-- A minute that was counted twice, whole and in part, stays whole.
INSERT INTO stream.rate AS r (device, stream, at, patient, beats, rate_bpm, low_bpm, high_bpm)
VALUES (%(device)s, %(stream)s, %(at)s, %(patient)s, %(beats)s, %(rate_bpm)s, %(low_bpm)s, %(high_bpm)s)
ON CONFLICT (device, stream, at) DO UPDATE SET patient = excluded.patient, beats = excluded.beats,
    rate_bpm = excluded.rate_bpm, low_bpm = excluded.low_bpm, high_bpm = excluded.high_bpm
WHERE excluded.beats > r.beats

-- judged --
UPDATE stream.cursor SET judged_position = %(position)s WHERE shard = %(shard)s

-- put_chart --
INSERT INTO stream.chart (kind, owner, shard, version, position, low_water, state)
VALUES (%(kind)s, %(owner)s, %(shard)s, %(version)s, %(position)s, %(low_water)s, %(state)s)
ON CONFLICT (shard, kind, owner) DO UPDATE SET version = excluded.version, position = excluded.position,
    low_water = excluded.low_water, state = excluded.state

-- drop_charts --
DELETE FROM stream.chart WHERE shard = %(shard)s AND kind = 'household' AND owner = ANY (%(owners)s)

-- charts --
SELECT kind, owner, version, position, low_water, state FROM stream.chart WHERE shard = %(shard)s

-- checkpoint_lane --
UPDATE stream.lane SET received = %(received)s, judged_live = %(judged_live)s, judged_past = %(judged_past)s, checkpoint = %(position)s
WHERE lane = %(lane)s

-- put_bench --
INSERT INTO stream.bench (patient, position, why) VALUES (%(patient)s, %(position)s, %(why)s)
ON CONFLICT (patient) DO UPDATE SET position = excluded.position, why = excluded.why

-- lift_bench --
DELETE FROM stream.bench WHERE patient = ANY (%(patients)s)
