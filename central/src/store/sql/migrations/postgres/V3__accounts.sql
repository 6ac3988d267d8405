-- Who signs in, with a role (`g11`). Whoever was there already was an administrator.
CREATE TABLE accounts (
    name TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    -- The hash of the password; absent for who comes by single sign-on, whom the provider knows as below.
    password TEXT COLLATE "C",
    issuer TEXT COLLATE "C",
    subject TEXT COLLATE "C",
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
    token TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    account TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    browser TEXT COLLATE "C" NOT NULL,
    -- Until when the owner needs not prove again who he is.
    confirmed_until BIGINT
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_of_account ON sessions (account, created_at, id);

-- Tokens are narrowed to scopes; those of before may all that their owners may.
ALTER TABLE api_tokens RENAME COLUMN admin TO account;
ALTER TABLE api_tokens ADD COLUMN scopes TEXT COLLATE "C" NOT NULL DEFAULT 'administer';
ALTER TABLE api_tokens ADD COLUMN expires_at BIGINT;
ALTER TABLE api_tokens ADD COLUMN last_used_day BIGINT;
CREATE INDEX api_tokens_of_account ON api_tokens (account, created_at, id);

-- Who changed what. It only grows.
CREATE TABLE audit (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    token TEXT COLLATE "C",
    address TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    object_kind TEXT COLLATE "C" NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    object_name TEXT COLLATE "C" NOT NULL,
    -- What was so before and since, as JSON.
    value_before TEXT COLLATE "C",
    value_after TEXT COLLATE "C"
);
CREATE INDEX audit_by_age ON audit (at, id);
CREATE INDEX audit_by_actor ON audit (actor, at, id);
CREATE INDEX audit_by_object ON audit (object_id, at, id);
