-- What changes with every report of a link, apart from what seldom does: a small row, which one index leads to beside its key.
-- Older servers, which would go on writing to the columns that were for this, find them no more.
CREATE TABLE chains (
    link TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    -- The greatest stored sequence number, which is that of the newest report, and the number of stored reports: equal in
    -- a whole chain.
    head BIGINT,
    stored BIGINT NOT NULL,
    -- The newest report, and the one that it repeats.
    digest TEXT COLLATE "C",
    observed_at BIGINT,
    received_at BIGINT,
    repeats BIGINT,
    repeats_digest TEXT COLLATE "C",
    -- Its mark in the history, and the digest of what it says.
    traced TEXT COLLATE "C",
    content TEXT COLLATE "C",
    -- How many bytes the link has brought, as of when.
    brought BIGINT NOT NULL DEFAULT 0,
    brought_at BIGINT NOT NULL DEFAULT 0,
    -- When the link is reviewed next; what calls for a review is counted, so that what was read before is not kept.
    review_at BIGINT,
    marks BIGINT NOT NULL DEFAULT 0,
    -- The digest of the content of the newest report, where another one of the same content would change nothing; and when
    -- anything but a missing report would change something.
    settled TEXT COLLATE "C",
    turns_at BIGINT
);
INSERT INTO chains (link, head, stored, digest, observed_at, received_at, repeats, repeats_digest, traced, content, brought,
                    brought_at, review_at, marks, settled, turns_at)
    SELECT links.id, links.head, links.stored, latest.digest, latest.observed_at, latest.received_at, latest.repeats,
           latest.repeats_digest, latest.traced, latest.content, links.brought, links.brought_at, links.review_at,
           links.marks, links.settled, links.turns_at
    FROM links LEFT JOIN latest ON latest.link = links.id;
CREATE INDEX chains_to_review ON chains (review_at);

ALTER TABLE links
    DROP COLUMN head, DROP COLUMN stored, DROP COLUMN brought, DROP COLUMN brought_at, DROP COLUMN review_at,
    DROP COLUMN marks, DROP COLUMN settled, DROP COLUMN turns_at;
ALTER TABLE latest
    DROP COLUMN sequence, DROP COLUMN digest, DROP COLUMN observed_at, DROP COLUMN received_at, DROP COLUMN repeats,
    DROP COLUMN repeats_digest, DROP COLUMN traced, DROP COLUMN content;
