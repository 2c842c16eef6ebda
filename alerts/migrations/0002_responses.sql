-- Who said it, and what for: a response is known by the endpoint that signed it and the id under which it did.
ALTER TABLE alerts.response ADD COLUMN endpoint text NOT NULL DEFAULT '';
ALTER TABLE alerts.response ALTER COLUMN endpoint DROP DEFAULT;
CREATE UNIQUE INDEX one_response ON alerts.response (endpoint, external_id);

-- Attempts of earlier rounds: a notice that somebody sends again has its whole schedule before it.
ALTER TABLE alerts.notice ADD COLUMN attempts_before int NOT NULL DEFAULT 0;

-- Who looks at a console just now: kept up by each live session, by the database's clock.
CREATE TABLE alerts.listener (
    person text NOT NULL,
    session text NOT NULL,
    until  timestamptz NOT NULL,
    PRIMARY KEY (person, session)
);
