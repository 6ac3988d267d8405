-- How long the last run of a job took, in milliseconds, and when the next one begins.
ALTER TABLE leases ADD COLUMN took BIGINT;
ALTER TABLE leases ADD COLUMN next_at BIGINT;
