-- beat --
INSERT INTO alerts.life (life, child) VALUES (%(life)s, %(child)s)
ON CONFLICT (life) DO UPDATE SET beat_at = clock_timestamp()

-- forget_old --
DELETE FROM alerts.life WHERE beat_at < clock_timestamp() - interval '2 days'
