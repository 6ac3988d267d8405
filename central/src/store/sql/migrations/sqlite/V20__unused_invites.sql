-- The invites of an application that nobody has used go with it.
CREATE INDEX invites_unused ON invites (application) WHERE link IS NULL;
