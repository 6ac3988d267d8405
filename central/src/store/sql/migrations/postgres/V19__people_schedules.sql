-- Sets whose people are counted again and again.
CREATE TABLE people_schedules (
    -- What is counted, as JSON: one set is one text.
    scope TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    -- How often: `day`, `week` or `month`.
    every TEXT COLLATE "C" NOT NULL,
    set_by TEXT COLLATE "C" NOT NULL,
    set_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL
);
