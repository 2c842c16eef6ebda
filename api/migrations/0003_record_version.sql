-- Which state of a record somebody read: two who write at once are told so. Counted, for a clock may stand still.
ALTER TABLE api.person ADD COLUMN version bigint NOT NULL DEFAULT 1;
