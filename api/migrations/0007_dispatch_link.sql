-- One-time links to the packet of an emergency. Of the link and of the browser that opened it the hash only. Times here
-- are real ones, as those of sessions.
CREATE TABLE api.dispatch_link (
    token     bytea PRIMARY KEY,
    alert     uuid NOT NULL,
    made_by   text NOT NULL,                          -- notice:ID, or who asked for a new one
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    browser   bytea,                                  -- who opened it first; NULL: nobody has
    opened_at timestamptz,
    ends_at   timestamptz NOT NULL                    -- moved on while the alert is open and the page is looked at
);
CREATE INDEX ON api.dispatch_link (browser, alert);
