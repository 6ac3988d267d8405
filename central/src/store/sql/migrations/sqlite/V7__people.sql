-- The latest sketch of people of a link: what puts people of several applications together without their names.
CREATE TABLE people (
    link TEXT PRIMARY KEY NOT NULL,
    observed_at BIGINT NOT NULL,
    -- The accounts that were counted with it.
    counted BIGINT NOT NULL,
    -- Its bytes, as the product sent them: they are read where they are used.
    sketch BLOB NOT NULL
);
