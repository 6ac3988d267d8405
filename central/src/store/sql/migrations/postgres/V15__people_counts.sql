-- Counts of people over sets that are too large to be counted while somebody waits: the wish, how far it is, and what it came to.
CREATE TABLE people_counts (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    -- What is counted, as JSON: one set is one text.
    scope TEXT COLLATE "C" NOT NULL,
    asked_by TEXT COLLATE "C" NOT NULL,
    asked_at BIGINT NOT NULL,
    begun_at BIGINT,
    -- How often it was begun: who has begun it last counts, and nobody else notes anything.
    tries BIGINT NOT NULL,
    looked_at BIGINT NOT NULL,
    to_look_at BIGINT NOT NULL,
    ended_at BIGINT,
    failure TEXT COLLATE "C",
    -- As JSON.
    counted TEXT COLLATE "C"
);
-- Of one set, one count is open.
CREATE UNIQUE INDEX people_counts_open ON people_counts (scope) WHERE ended_at IS NULL;
CREATE INDEX people_counts_waiting ON people_counts (asked_at, id) WHERE ended_at IS NULL;
CREATE INDEX people_counts_of_set ON people_counts (scope, asked_at, id);
CREATE INDEX people_counts_by_time ON people_counts (asked_at, id);
