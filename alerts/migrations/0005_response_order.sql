-- The order in which responses came: two may come at one moment of the injected clock.
ALTER TABLE alerts.response ADD COLUMN written_at timestamptz NOT NULL DEFAULT clock_timestamp();
