-- Replacing keys, waiting for news, removing, and answers to questions.

-- The latest wish for a count at once, and when a report came that answers it.
ALTER TABLE links ADD COLUMN demanded_at BIGINT;
ALTER TABLE links ADD COLUMN demand_answered_at BIGINT;
-- The key that the product was asked to replace last.
ALTER TABLE links ADD COLUMN replace_key TEXT;
-- When there was last something new to tell the product.
ALTER TABLE links ADD COLUMN news_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX links_by_news ON links (news_at);

-- Keys that another one took the place of.
CREATE TABLE link_keys (
    key_id TEXT PRIMARY KEY NOT NULL,
    link TEXT NOT NULL,
    public_key TEXT NOT NULL,
    -- The first report that it does not seal any more.
    until_sequence BIGINT NOT NULL,
    replaced_at BIGINT NOT NULL
);
CREATE INDEX link_keys_of_link ON link_keys (link, replaced_at);

-- The keys of removed links, so that their products learn of it.
CREATE TABLE removed_links (
    key_id TEXT PRIMARY KEY NOT NULL,
    link TEXT NOT NULL,
    removed_at BIGINT NOT NULL
);
CREATE INDEX removed_links_by_id ON removed_links (link);
CREATE INDEX removed_links_by_age ON removed_links (removed_at);

-- Removed links of which something is still kept.
CREATE TABLE leftovers (
    link TEXT PRIMARY KEY NOT NULL
);

-- What administrators have answered to the questions of a chain.
CREATE TABLE answers (
    id TEXT PRIMARY KEY NOT NULL,
    link TEXT NOT NULL,
    question TEXT NOT NULL,
    -- What the question was about, as JSON.
    about TEXT NOT NULL,
    explanation TEXT NOT NULL,
    why TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    answered_at BIGINT NOT NULL
);
CREATE INDEX answers_of_link ON answers (link, answered_at);
