-- What a link may bring within a day, what it has brought and when that was, and the bounds that its product has met last, as JSON.
ALTER TABLE links ADD COLUMN daily_mib BIGINT NOT NULL DEFAULT 256;
ALTER TABLE links ADD COLUMN brought BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN brought_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE links ADD COLUMN met TEXT;
