-- readings --
SELECT * FROM stream.readings_of(%(patient)s, %(kind)s, %(since)s)

-- episodes --
SELECT * FROM stream.episodes_of(%(patient)s, %(since)s)
