-- The patient's own word: until when they are asked how they are, and when they said that they are all right.
ALTER TABLE alerts.alert ADD COLUMN asked_until timestamptz, ADD COLUMN well_at timestamptz;
