-- What was closed of late is looked for at each request of whoever was told of it (alerts/panels.sql).
CREATE INDEX closed ON alerts.alert (closed_at) WHERE closed_at IS NOT NULL;
