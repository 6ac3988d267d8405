-- What an instance has said of a change of its server ID, sealed by the key of its link.
CREATE TABLE statements (
    link TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- What it says, as JSON.
    content TEXT COLLATE "C" NOT NULL,
    -- The exact bytes that arrived: evidence.
    sealed TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (link, digest)
);
CREATE INDEX statements_by_age ON statements (link, received_at, changed_at);
