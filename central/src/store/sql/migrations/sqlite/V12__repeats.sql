-- Reports that repeat an earlier one. Of these `sealed` holds the first letter of why they were made: the exact bytes follow
-- from the row, from the report that they repeat, and from the signature. Digests are stored in short (base64url of 32
-- bytes) from now on.
ALTER TABLE reports ADD COLUMN repeats BIGINT;
ALTER TABLE reports ADD COLUMN signature BLOB;

-- What stored reports repeat, to the byte: kept for as long as they are, also where it is no part of its chain any more.
CREATE TABLE repeated (
    link TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    digest TEXT NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (link, sequence)
);

-- The report that the newest one repeats, and when the newest with counts was observed, where it is another one.
ALTER TABLE latest ADD COLUMN repeats BIGINT;
ALTER TABLE latest ADD COLUMN repeats_digest TEXT;
ALTER TABLE latest ADD COLUMN counted_observed_at BIGINT;
