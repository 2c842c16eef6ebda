-- What was measured in the strip of each alert, and its beats. Begun before it is measured: a strip that its measurer
-- dies of is given up after a few tries. A later version measures again; what it can no longer see it leaves as it was.
CREATE TABLE alerts.measurement (
    alert    uuid PRIMARY KEY REFERENCES alerts.alert (alert),
    version  text NOT NULL,                           -- of what measures
    begun    int NOT NULL,                            -- how often this version has begun
    is_done  boolean NOT NULL,
    at       timestamptz,                             -- when it was measured; null: not yet
    measures jsonb                                    -- null: not yet
);
