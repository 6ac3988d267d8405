-- What a job could not read, and has left aside to go on with everything else.
CREATE TABLE set_aside (
    job TEXT NOT NULL,
    -- What kind of thing it is, and its id, as it stands where it was found.
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    since BIGINT NOT NULL,
    -- When it is tried again, if it is.
    again_at BIGINT,
    -- When this is forgotten, unless it is noted again.
    lapses_at BIGINT NOT NULL,
    PRIMARY KEY (job, subject)
) WITHOUT ROWID;

-- A run that cannot be read is set aside (3): it is in the way of no other.
DROP INDEX history_runs_to_fold;
CREATE INDEX history_runs_to_fold ON history_runs (link, sequence) WHERE folded <> 1 AND folded <> 3;
