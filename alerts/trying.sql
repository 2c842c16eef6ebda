-- readings --
SELECT * FROM stream.readings_of(%(patient)s, %(kind)s, %(since)s)

-- episodes --
SELECT * FROM stream.episodes_of(%(patient)s, %(since)s)

-- minutes --
SELECT at, rate_bpm, low_bpm FROM stream.rates(%(patient)s, %(since)s, 'infinity')
