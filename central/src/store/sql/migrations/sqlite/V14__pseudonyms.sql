-- The first key that pseudonyms were made with, by its id: servers over one store have one.
ALTER TABLE identity ADD COLUMN pseudonym_id TEXT;

-- Keys that took the place of the one before. A key is made of the secret beside the server and of the salt here: neither the
-- database nor the key file alone gives it away.
CREATE TABLE pseudonym_keys (
    id TEXT PRIMARY KEY NOT NULL,
    salt BLOB NOT NULL,
    made_at BIGINT NOT NULL,
    made_by TEXT NOT NULL
);

-- The key that a sketch was made with; empty where its report does not say.
ALTER TABLE people ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
CREATE INDEX people_by_key ON people (key_id, link);
