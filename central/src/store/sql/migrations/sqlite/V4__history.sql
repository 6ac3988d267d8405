-- Reports one after the other that say the same are one row: it lasts until the next one begins, and the last one until the
-- latest report. One track for the counts, one for the licenses.
CREATE TABLE history_runs (
    link TEXT NOT NULL,
    track TEXT NOT NULL,
    -- The first report of the run, and when it was observed.
    sequence BIGINT NOT NULL,
    observed_at BIGINT NOT NULL,
    -- When the stored report before it was observed: the end of the run before.
    before_at BIGINT,
    -- What the reports say, as JSON; nothing where they say nothing of it.
    content TEXT,
    -- 0: not part of its spans yet. 1: it is. 2: it was, and follows another report now.
    folded BIGINT NOT NULL,
    PRIMARY KEY (link, track, sequence)
) WITHOUT ROWID;
CREATE INDEX history_runs_to_fold ON history_runs (link, sequence) WHERE folded <> 1;

-- What was counted in a day, a month and ever, folded from the runs that begin in it.
CREATE TABLE history_spans (
    link TEXT NOT NULL,
    span TEXT NOT NULL,
    begins_at BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (link, span, begins_at)
) WITHOUT ROWID;

-- A mark of what is traced of the newest report: the next one with the same mark begins no run.
ALTER TABLE latest ADD COLUMN traced TEXT;
