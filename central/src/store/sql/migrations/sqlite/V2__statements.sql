-- What an instance has said of a change of its server ID, sealed by the key of its link.
CREATE TABLE statements (
    link TEXT NOT NULL,
    digest TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- What it says, as JSON.
    content TEXT NOT NULL,
    -- The exact bytes that arrived: evidence.
    sealed TEXT NOT NULL,
    PRIMARY KEY (link, digest)
);
CREATE INDEX statements_by_age ON statements (link, received_at, changed_at);
