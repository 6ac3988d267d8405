-- Invites that nobody has used are listed while they can be used, and forgotten long after.
CREATE INDEX invites_open ON invites (expires_at, id) WHERE link IS NULL;
