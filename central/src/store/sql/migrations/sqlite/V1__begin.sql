-- Times are milliseconds since 1970-01-01T00:00:00Z. Ids are random text: no serial key exists.

CREATE TABLE identity (
    singleton INTEGER PRIMARY KEY CHECK (singleton = 1),
    key_id TEXT NOT NULL
);

CREATE TABLE applications (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    -- The name in lower case: unique, and the order of the list.
    name_key TEXT NOT NULL UNIQUE,
    product TEXT NOT NULL,
    url TEXT,
    created_at BIGINT NOT NULL,
    -- The link whose reports are shown.
    link TEXT
);

CREATE TABLE links (
    id TEXT PRIMARY KEY NOT NULL,
    application TEXT,
    public_key TEXT NOT NULL,
    key_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    -- The product as it presented itself, as JSON.
    product TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    approved_at BIGINT,
    settings_revision BIGINT NOT NULL,
    settings_changed_at BIGINT NOT NULL,
    sync_interval BIGINT NOT NULL,
    dormancy_days BIGINT NOT NULL,
    counting TEXT NOT NULL,
    -- The greatest stored sequence number and the number of stored reports: equal in a whole chain.
    head BIGINT,
    stored BIGINT NOT NULL,
    forks BIGINT NOT NULL,
    forked_at BIGINT
);
CREATE INDEX links_by_age ON links (created_at, id);
CREATE INDEX links_of_application ON links (application, created_at, id);

-- The missing stretches below the head of a link, kept as reports arrive.
CREATE TABLE gaps (
    link TEXT NOT NULL,
    first_missing BIGINT NOT NULL,
    last_missing BIGINT NOT NULL,
    PRIMARY KEY (link, first_missing)
);

CREATE TABLE invites (
    -- SHA-256 of the secret.
    secret TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL UNIQUE,
    application TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The link that the first key which used it came to.
    link TEXT
);

CREATE TABLE reports (
    link TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    digest TEXT NOT NULL,
    previous TEXT,
    observed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    -- The exact bytes that arrived: evidence.
    sealed TEXT NOT NULL,
    PRIMARY KEY (link, sequence)
);

CREATE TABLE refused_reports (
    link TEXT NOT NULL,
    digest TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    code TEXT NOT NULL,
    observed_at BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (link, digest)
);
CREATE INDEX refused_reports_by_age ON refused_reports (link, last_at);

-- One row per link, changed in the commit of a report, so that no page aggregates.
CREATE TABLE latest (
    link TEXT PRIMARY KEY NOT NULL,
    sequence BIGINT NOT NULL,
    digest TEXT NOT NULL,
    observed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- Why the newest run gave no counts.
    failure TEXT,
    -- The newest report, as JSON.
    report TEXT NOT NULL,
    -- The newest report with counts, where that is another one.
    counted_sequence BIGINT,
    counted_digest TEXT,
    counted_received_at BIGINT,
    counted_report TEXT,
    -- In short, of the newest report with counts.
    verdict TEXT,
    users BIGINT,
    users_max BIGINT
);

CREATE TABLE admins (
    name TEXT PRIMARY KEY NOT NULL,
    password TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    -- SHA-256 of the secret in the cookie.
    token TEXT PRIMARY KEY NOT NULL,
    admin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_tokens (
    -- SHA-256 of the token.
    token TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL UNIQUE,
    admin TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_tokens_by_age ON api_tokens (created_at, id);
