-- batches --
SELECT position, tick_at FROM stream.batch WHERE shard = %(shard)s AND position BETWEEN %(first)s AND %(last)s ORDER BY position

-- first_since --
-- The first position whose tick lies after an instant.
SELECT min(position) FROM stream.batch WHERE shard = %(shard)s AND tick_at > %(at)s

-- ecg_rows --
SELECT e.position, e.ord, s.client, s.epoch, l.device, l.stream, e.seq, e.session, e.index, e.at, e.rate_hz, e.lead, e.contact,
    e.clipped, e.at_source, e.received_at, e.from_gateway, e.samples
FROM stream.ecg e JOIN stream.lane l USING (lane) JOIN stream.source s USING (source)
WHERE e.shard = %(shard)s AND e.position BETWEEN %(first)s AND %(last)s

-- reading_rows --
SELECT r.position, r.ord, s.client, s.epoch, r.device, l.stream, r.seq, r.kind, r.readings, r.at, r.slot, r.device_time,
    r.connection, r.flags, r.at_source, r.received_at, r.from_gateway
FROM stream.reading r JOIN stream.lane l USING (lane) JOIN stream.source s USING (source)
WHERE r.shard = %(shard)s AND r.position BETWEEN %(first)s AND %(last)s

-- other_rows --
SELECT o.position, o.ord, s.client, s.epoch, o.name, o.received_at, o.body
FROM stream.other o LEFT JOIN stream.source s USING (source)
WHERE o.shard = %(shard)s AND o.position BETWEEN %(first)s AND %(last)s

-- lane_chunks --
SELECT e.position, e.ord, s.client, s.epoch, l.device, l.stream, e.seq, e.session, e.index, e.at, e.rate_hz, e.lead, e.contact,
    e.clipped, e.at_source, e.received_at, e.from_gateway, e.samples
FROM stream.ecg e JOIN stream.lane l USING (lane) JOIN stream.source s USING (source)
WHERE s.client = %(client)s AND s.epoch = %(epoch)s AND l.device = %(device)s AND l.stream = %(stream)s
  AND e.at >= %(from_at)s AND e.at < %(to_at)s AND e.position <= %(up_to)s
ORDER BY e.at, e.seq

-- device_readings --
SELECT r.position, r.ord, s.client, s.epoch, r.device, l.stream, r.seq, r.kind, r.readings, r.at, r.slot, r.device_time,
    r.connection, r.flags, r.at_source, r.received_at, r.from_gateway
FROM stream.reading r JOIN stream.lane l USING (lane) JOIN stream.source s USING (source)
WHERE r.device = %(device)s AND r.at >= %(from_at)s AND r.at < %(to_at)s AND r.position <= %(up_to)s
ORDER BY r.at, l.stream, r.seq

-- findings --
SELECT position, ord, body FROM stream.finding
WHERE shard = %(shard)s AND position BETWEEN %(first)s AND %(last)s ORDER BY position, ord
