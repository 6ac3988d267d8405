-- Times are milliseconds since 1970-01-01T00:00:00Z. Ids are random text: no serial key exists.
-- Texts are compared byte by byte, as everywhere: columns of two collations could not be joined.

CREATE TABLE identity (
    singleton BIGINT PRIMARY KEY CHECK (singleton = 1),
    key_id TEXT COLLATE "C" NOT NULL
);

CREATE TABLE applications (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    -- The name in lower case: unique, and the order of the list.
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    product TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    -- The link whose reports are shown.
    link TEXT COLLATE "C"
);

CREATE TABLE links (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    application TEXT COLLATE "C",
    public_key TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL UNIQUE,
    state TEXT COLLATE "C" NOT NULL,
    -- The product as it presented itself, as JSON.
    product TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    approved_at BIGINT,
    settings_revision BIGINT NOT NULL,
    settings_changed_at BIGINT NOT NULL,
    sync_interval BIGINT NOT NULL,
    dormancy_days BIGINT NOT NULL,
    counting TEXT COLLATE "C" NOT NULL,
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
    link TEXT COLLATE "C" NOT NULL,
    first_missing BIGINT NOT NULL,
    last_missing BIGINT NOT NULL,
    PRIMARY KEY (link, first_missing)
);

CREATE TABLE invites (
    -- SHA-256 of the secret.
    secret TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    application TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The link that the first key which used it came to.
    link TEXT COLLATE "C"
);

CREATE TABLE reports (
    link TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    previous TEXT COLLATE "C",
    observed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    verdict TEXT COLLATE "C" NOT NULL,
    -- The exact bytes that arrived: evidence.
    sealed TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (link, sequence)
);

CREATE TABLE refused_reports (
    link TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    observed_at BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    times BIGINT NOT NULL,
    sealed TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (link, digest)
);
CREATE INDEX refused_reports_by_age ON refused_reports (link, last_at);

-- One row per link, changed in the commit of a report, so that no page aggregates.
CREATE TABLE latest (
    link TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    sequence BIGINT NOT NULL,
    digest TEXT COLLATE "C" NOT NULL,
    observed_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    -- Why the newest run gave no counts.
    failure TEXT COLLATE "C",
    -- The newest report, as JSON.
    report TEXT COLLATE "C" NOT NULL,
    -- The newest report with counts, where that is another one.
    counted_sequence BIGINT,
    counted_digest TEXT COLLATE "C",
    counted_received_at BIGINT,
    counted_report TEXT COLLATE "C",
    -- In short, of the newest report with counts.
    verdict TEXT COLLATE "C",
    users BIGINT,
    users_max BIGINT
);

CREATE TABLE admins (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    password TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    -- SHA-256 of the secret in the cookie.
    token TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    admin TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE api_tokens (
    -- SHA-256 of the token.
    token TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    admin TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_tokens_by_age ON api_tokens (created_at, id);
