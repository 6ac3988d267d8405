-- How long what was reported is kept; what is null is kept for ever.
CREATE TABLE retention (
    singleton BIGINT PRIMARY KEY NOT NULL CHECK (singleton = 1),
    reports_days BIGINT,
    history_days BIGINT
);

-- Reports in parts by the month in which they were received, so that a month can go at once; the parts are made as time goes
-- on. That a link has one report in each place is seen to under the lock of the link.
ALTER TABLE reports RENAME TO reports_before;
ALTER TABLE reports_before RENAME CONSTRAINT reports_pkey TO reports_before_pkey;
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
    PRIMARY KEY (link, sequence, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE reports_other PARTITION OF reports DEFAULT;
INSERT INTO reports (link, sequence, digest, previous, observed_at, received_at, verdict, sealed)
    SELECT link, sequence, digest, previous, observed_at, received_at, verdict, sealed FROM reports_before;
DROP TABLE reports_before;
