-- Links by state, product and server ID, and what is remembered of removed ones.
ALTER TABLE links ADD COLUMN product_id TEXT NOT NULL DEFAULT '';
ALTER TABLE links ADD COLUMN server_id TEXT NOT NULL DEFAULT '';
UPDATE links SET product_id = json_extract(product, '$.id'), server_id = json_extract(product, '$.server_id');
CREATE INDEX links_by_state ON links (state, created_at, id);
CREATE INDEX links_of_product ON links (product_id, state, created_at, id);
CREATE INDEX links_of_server ON links (server_id, state, created_at, id);

-- The product as it had presented itself, as JSON, and the name of its application: nothing where a link was removed before.
ALTER TABLE removed_links ADD COLUMN product TEXT;
ALTER TABLE removed_links ADD COLUMN application_name TEXT;
DROP INDEX removed_links_by_age;
CREATE INDEX removed_links_by_age ON removed_links (removed_at, link);
