-- Who signs in, with a role (`g11`). Whoever was there already was an administrator.
CREATE TABLE accounts (
    name TEXT PRIMARY KEY NOT NULL,
    role TEXT NOT NULL,
    -- The hash of the password; absent for who comes by single sign-on, whom the provider knows as below.
    password TEXT,
    issuer TEXT,
    subject TEXT,
    created_at BIGINT NOT NULL,
    last_sign_in_at BIGINT
);
CREATE UNIQUE INDEX accounts_by_subject ON accounts (issuer, subject);
CREATE INDEX accounts_by_role ON accounts (role, name);
INSERT INTO accounts (name, role, password, created_at) SELECT name, 'administrator', password, created_at FROM admins;
DROP TABLE admins;

-- Sessions say where they were begun, and end when they are not used: those of before begin anew.
DROP TABLE sessions;
CREATE TABLE sessions (
    -- SHA-256 of the secret in the cookie.
    token TEXT PRIMARY KEY NOT NULL,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL,
    -- Until when the owner needs not prove again who he is.
    confirmed_until BIGINT
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_of_account ON sessions (account, created_at, id);

-- Tokens are narrowed to scopes; those of before may all that their owners may.
ALTER TABLE api_tokens RENAME COLUMN admin TO account;
ALTER TABLE api_tokens ADD COLUMN scopes TEXT NOT NULL DEFAULT 'administer';
ALTER TABLE api_tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE api_tokens ADD COLUMN last_used_day BIGINT;
CREATE INDEX api_tokens_of_account ON api_tokens (account, created_at, id);

-- Who changed what. It only grows.
CREATE TABLE audit (
    id TEXT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    token TEXT,
    address TEXT,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    object_name TEXT NOT NULL,
    -- What was so before and since, as JSON.
    value_before TEXT,
    value_after TEXT
);
CREATE INDEX audit_by_age ON audit (at, id);
CREATE INDEX audit_by_actor ON audit (actor, at, id);
CREATE INDEX audit_by_object ON audit (object_id, at, id);
