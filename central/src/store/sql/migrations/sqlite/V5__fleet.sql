-- The review: what is due, and what it has come to. See `domain/fleet`, from which all rows of fleet_… tables follow; whoever
-- changes what follows empties them in a migration, and marks every application.
ALTER TABLE applications ADD COLUMN group_name TEXT;
-- When the application is reviewed next; 0 for at once. One without a link waits for somebody to do something.
ALTER TABLE applications ADD COLUMN review_at BIGINT DEFAULT 0;
-- Counts what calls for a review: what was read before another mark is not kept.
ALTER TABLE applications ADD COLUMN marks BIGINT NOT NULL DEFAULT 0;
CREATE INDEX applications_to_review ON applications (review_at);

ALTER TABLE links ADD COLUMN review_at BIGINT;
ALTER TABLE links ADD COLUMN marks BIGINT NOT NULL DEFAULT 0;
-- The digest of the content of the newest report, where another one of the same content would change nothing; and when
-- anything but a missing report would change something.
ALTER TABLE links ADD COLUMN settled TEXT;
ALTER TABLE links ADD COLUMN turns_at BIGINT;
CREATE INDEX links_to_review ON links (review_at);

ALTER TABLE latest ADD COLUMN content TEXT;

CREATE TABLE application_tags (
    application TEXT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (application, tag)
);

-- One row per application, as it was reviewed last.
CREATE TABLE fleet (
    application TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    product TEXT NOT NULL,
    group_name TEXT,
    -- As JSON.
    tags TEXT NOT NULL,
    link TEXT,
    -- As JSON.
    assessment TEXT NOT NULL,
    reviewed_at BIGINT NOT NULL
);

-- Each list that an application stands in, in each order. Less urgent, less used and later ending is greater.
CREATE TABLE fleet_facets (
    facet TEXT NOT NULL,
    application TEXT NOT NULL,
    name_key TEXT NOT NULL,
    urgency BIGINT NOT NULL,
    slack BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    PRIMARY KEY (facet, application)
);
CREATE INDEX fleet_by_urgency ON fleet_facets (facet, urgency, name_key);
CREATE INDEX fleet_by_name ON fleet_facets (facet, name_key);
CREATE INDEX fleet_by_slack ON fleet_facets (facet, slack, name_key);
CREATE INDEX fleet_by_end ON fleet_facets (facet, ends_at, name_key);

-- Each word that an application is found by.
CREATE TABLE fleet_words (
    word TEXT NOT NULL,
    name_key TEXT NOT NULL,
    application TEXT NOT NULL,
    PRIMARY KEY (word, name_key)
);

-- Each end of a license, or of its maintenance, in each list.
CREATE TABLE fleet_ends (
    facet TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    application TEXT NOT NULL,
    license TEXT NOT NULL,
    ends TEXT NOT NULL,
    PRIMARY KEY (facet, ends_at, application, license, ends)
);

-- Sums over each list, production and staging apart; without a dimension, of the applications themselves.
CREATE TABLE fleet_totals (
    used_for TEXT NOT NULL,
    facet TEXT NOT NULL,
    dimension TEXT NOT NULL,
    applications BIGINT NOT NULL,
    used BIGINT NOT NULL,
    used_of_limit BIGINT NOT NULL,
    max BIGINT NOT NULL,
    limited BIGINT NOT NULL,
    PRIMARY KEY (used_for, facet, dimension)
);

-- How many licenses end in a month that nothing follows.
CREATE TABLE fleet_months (
    used_for TEXT NOT NULL,
    facet TEXT NOT NULL,
    month TEXT NOT NULL,
    ends BIGINT NOT NULL,
    PRIMARY KEY (used_for, facet, month)
);

-- Every concern from its begin to its end. Alerts are made of what changes here, see `store::Fleet::changed_concerns`.
CREATE TABLE concerns (
    application TEXT NOT NULL,
    code TEXT NOT NULL,
    -- A dimension, a license; empty where there can be one concern of this code alone.
    subject TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    -- Null while it lasts.
    ended_at BIGINT,
    -- How far it has come, and how grave that is: from 1 (a note) to 3 (a problem).
    step TEXT NOT NULL,
    gravity BIGINT NOT NULL,
    -- Since when it is so by what the documents say, which can be before it was found.
    since BIGINT,
    message TEXT NOT NULL,
    staging BIGINT NOT NULL,
    -- When it began, came to this step, or ended.
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (application, code, subject, began_at)
);
CREATE INDEX concerns_open ON concerns (application, ended_at);
CREATE INDEX concerns_by_change ON concerns (changed_at, application, code, subject, began_at);

-- Whose turn it is with a job, of several replicas, and how it went.
CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    until BIGINT NOT NULL,
    ran_at BIGINT,
    failed_at BIGINT,
    failure TEXT
);
