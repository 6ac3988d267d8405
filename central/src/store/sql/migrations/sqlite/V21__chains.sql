-- What changes with every report of a link, apart from what seldom does: a small row, which one index leads to beside its key.
-- Older servers, which would go on writing to the columns that were for this, find them no more.
CREATE TABLE chains (
    link TEXT PRIMARY KEY NOT NULL,
    -- The greatest stored sequence number, which is that of the newest report, and the number of stored reports: equal in
    -- a whole chain.
    head BIGINT,
    stored BIGINT NOT NULL,
    -- The newest report, and the one that it repeats.
    digest TEXT,
    observed_at BIGINT,
    received_at BIGINT,
    repeats BIGINT,
    repeats_digest TEXT,
    -- Its mark in the history, and the digest of what it says.
    traced TEXT,
    content TEXT,
    -- How many bytes the link has brought, as of when.
    brought BIGINT NOT NULL DEFAULT 0,
    brought_at BIGINT NOT NULL DEFAULT 0,
    -- When the link is reviewed next; what calls for a review is counted, so that what was read before is not kept.
    review_at BIGINT,
    marks BIGINT NOT NULL DEFAULT 0,
    -- The digest of the content of the newest report, where another one of the same content would change nothing; and when
    -- anything but a missing report would change something.
    settled TEXT,
    turns_at BIGINT
);
INSERT INTO chains (link, head, stored, digest, observed_at, received_at, repeats, repeats_digest, traced, content, brought,
                    brought_at, review_at, marks, settled, turns_at)
    SELECT links.id, links.head, links.stored, latest.digest, latest.observed_at, latest.received_at, latest.repeats,
           latest.repeats_digest, latest.traced, latest.content, links.brought, links.brought_at, links.review_at,
           links.marks, links.settled, links.turns_at
    FROM links LEFT JOIN latest ON latest.link = links.id;
CREATE INDEX chains_to_review ON chains (review_at);

-- Each of SQLite's DROP COLUMN would write its whole table anew.
CREATE TABLE links_new (
    id TEXT PRIMARY KEY NOT NULL,
    application TEXT,
    public_key TEXT NOT NULL,
    key_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    -- The product as it presented itself, as JSON, and its ids.
    product TEXT NOT NULL,
    product_id TEXT NOT NULL DEFAULT '',
    server_id TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    approved_at BIGINT,
    settings_revision BIGINT NOT NULL,
    settings_changed_at BIGINT NOT NULL,
    sync_interval BIGINT NOT NULL,
    dormancy_days BIGINT NOT NULL,
    counting TEXT NOT NULL,
    -- What a link may bring within a day.
    daily_mib BIGINT NOT NULL DEFAULT 256,
    demanded_at BIGINT,
    demand_answered_at BIGINT,
    replace_key TEXT,
    news_at BIGINT NOT NULL DEFAULT 0,
    forks BIGINT NOT NULL,
    forked_at BIGINT,
    met TEXT
);
INSERT INTO links_new (id, application, public_key, key_id, state, product, product_id, server_id, created_at, approved_at,
                           settings_revision, settings_changed_at, sync_interval, dormancy_days, counting, daily_mib,
                           demanded_at, demand_answered_at, replace_key, news_at, forks, forked_at, met)
    SELECT id, application, public_key, key_id, state, product, product_id, server_id, created_at, approved_at,
           settings_revision, settings_changed_at, sync_interval, dormancy_days, counting, daily_mib,
           demanded_at, demand_answered_at, replace_key, news_at, forks, forked_at, met
    FROM links;
DROP TABLE links;
ALTER TABLE links_new RENAME TO links;
CREATE INDEX links_by_age ON links (created_at, id);
CREATE INDEX links_of_application ON links (application, created_at, id);
CREATE INDEX links_by_news ON links (news_at);
CREATE INDEX links_by_state ON links (state, created_at, id);
CREATE INDEX links_of_product ON links (product_id, state, created_at, id);
CREATE INDEX links_of_server ON links (server_id, state, created_at, id);

CREATE TABLE latest_new (
    link TEXT PRIMARY KEY NOT NULL,
    -- Why the newest run gave no counts.
    failure TEXT,
    -- The newest report, as JSON, or the one that it repeats.
    report TEXT NOT NULL,
    -- The newest report with counts, where that is another one.
    counted_sequence BIGINT,
    counted_digest TEXT,
    counted_observed_at BIGINT,
    counted_received_at BIGINT,
    counted_report TEXT,
    -- In short, of the newest report with counts.
    verdict TEXT,
    users BIGINT,
    users_max BIGINT
);
INSERT INTO latest_new (link, failure, report, counted_sequence, counted_digest, counted_observed_at, counted_received_at,
                            counted_report, verdict, users, users_max)
    SELECT link, failure, report, counted_sequence, counted_digest, counted_observed_at, counted_received_at,
           counted_report, verdict, users, users_max
    FROM latest;
DROP TABLE latest;
ALTER TABLE latest_new RENAME TO latest;
