-- Who looked at what, and who asked for what. Rows are only ever added: each carries the hash of the one before, so that
-- a row that was changed, taken out or put in between shows. Times are real ones.
CREATE TABLE api.audit (
    n        bigint PRIMARY KEY,
    at       timestamptz NOT NULL,
    who      text NOT NULL,                           -- a person's id within care teams, or a token's name
    role     text NOT NULL,                           -- the kind of account, or machine, or link
    what     text NOT NULL,                           -- method and template of the route: no ids, no addresses
    subject  text,                                    -- the patient, the equipment or the account that it is about
    outcome  text NOT NULL,                           -- begun, refused
    reason   text NOT NULL,
    hash     bytea NOT NULL                           -- SHA-256 of the hash before and the text of this row
);
CREATE INDEX ON api.audit (subject, n);
CREATE INDEX ON api.audit (who, n);

CREATE FUNCTION api.audit_text(r api.audit) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_array(r.n, (extract(epoch FROM r.at) * 1000000)::bigint, r.who, r.role, r.what, r.subject, r.outcome,
                             r.reason)::text
$$;

CREATE FUNCTION api.audit_add(by_whom text, as_role text, did text, about text, ended text, because text)
RETURNS api.audit LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    last api.audit;
    made api.audit;
BEGIN
    -- One at a time, until the transaction ends: a row is chained to the newest that is committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('api.audit', 0));
    SELECT * INTO last FROM api.audit ORDER BY n DESC LIMIT 1;
    made := ROW(coalesce(last.n, 0) + 1, clock_timestamp(), by_whom, as_role, did, about, ended, because, NULL);
    made.hash := sha256(coalesce(last.hash, ''::bytea) || convert_to(api.audit_text(made), 'UTF8'));
    INSERT INTO api.audit SELECT made.*;
    RETURN made;
END
$$;

CREATE FUNCTION api.audit_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' AND NOT EXISTS (SELECT FROM api.audit) THEN
        RETURN NULL;                                  -- a restore empties a store that has been made just now
    END IF;
    RAISE EXCEPTION 'api.audit is only added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER fixed BEFORE UPDATE OR DELETE OR TRUNCATE ON api.audit
    FOR EACH STATEMENT EXECUTE FUNCTION api.audit_fixed();

-- Who opened the record of a patient who is not theirs, why, and until when. Times are real ones.
CREATE TABLE api.break_glass (
    login    text NOT NULL REFERENCES api.account ON DELETE CASCADE,
    patient  text NOT NULL,
    until_at timestamptz NOT NULL,
    PRIMARY KEY (login, patient)
);

-- The first row that does not follow from the one before; no row: the chain is whole.
CREATE FUNCTION api.audit_cut() RETURNS TABLE (n bigint, why text) LANGUAGE sql STABLE AS $$
    SELECT a.n, CASE WHEN a.n <> a.should_n THEN 'rows are missing before it' ELSE 'it is not as it was written' END
      FROM (SELECT r.n, r.hash, coalesce(lag(r.n) OVER w, 0) + 1 AS should_n,
                   sha256(coalesce(lag(r.hash) OVER w, ''::bytea) || convert_to(api.audit_text(r), 'UTF8')) AS should_hash
              FROM api.audit r WINDOW w AS (ORDER BY r.n)) a
     WHERE a.n <> a.should_n OR a.hash <> a.should_hash
     ORDER BY a.n LIMIT 1
$$;
