-- Alerts: who is told of what of the concerns, what was told, and what waits to be delivered. See `domain/alerts`.

-- Set while what has changed of a concern is not yet followed by the channels.
ALTER TABLE concerns ADD COLUMN to_follow BIGINT;
CREATE INDEX concerns_to_follow ON concerns (application, code, subject, began_at) WHERE to_follow IS NOT NULL;
-- What is open, the gravest first and of those the latest; and what is over, the latest first.
CREATE INDEX concerns_open_by_gravity ON concerns (gravity, began_at, application, code, subject) WHERE ended_at IS NULL;
CREATE INDEX concerns_open_of_code ON concerns (code, gravity, began_at, application, subject) WHERE ended_at IS NULL;
CREATE INDEX concerns_over ON concerns (ended_at, application, code, subject, began_at) WHERE ended_at IS NOT NULL;
CREATE INDEX concerns_over_of_code ON concerns (code, ended_at, application, subject, began_at) WHERE ended_at IS NOT NULL;

-- How many concerns are open, by gravity: kept in the commit that changes any.
CREATE TABLE alert_totals (
    gravity BIGINT PRIMARY KEY NOT NULL,
    open BIGINT NOT NULL
);
INSERT INTO alert_totals (gravity, open) SELECT gravity, COUNT(*) FROM concerns WHERE ended_at IS NULL GROUP BY gravity;

-- What holds for all alerts.
CREATE TABLE alert_settings (
    singleton BIGINT PRIMARY KEY NOT NULL CHECK (singleton = 1),
    -- As JSON.
    settings TEXT COLLATE "C" NOT NULL,
    -- The password of the mail server's user, encrypted with a key of the keyring.
    sealed TEXT COLLATE "C",
    -- While the fleet is marked to be reviewed by new settings: the application that was marked last; empty in the beginning.
    marked TEXT COLLATE "C"
);

CREATE TABLE alert_channels (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    -- As JSON.
    config TEXT COLLATE "C" NOT NULL,
    -- The URL and the secret of a webhook, encrypted with a key of the keyring.
    sealed TEXT COLLATE "C",
    -- While what is open is looked through for it: the place that was looked at last; empty in the beginning.
    walked TEXT COLLATE "C",
    -- When its last message was made.
    spoke_at BIGINT,
    -- Set where it is removed, and what is kept of it goes in batches.
    removed_at BIGINT
);

-- What a channel has heard of a matter, and is still to hear.
CREATE TABLE alert_tellings (
    channel TEXT COLLATE "C" NOT NULL,
    application TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    -- The step and the gravity that it was told; null where it knows of nothing.
    told TEXT COLLATE "C",
    told_gravity BIGINT,
    told_at BIGINT,
    swings BIGINT NOT NULL,
    -- The message that it was told by last.
    message TEXT COLLATE "C",
    -- What is due, how far and how grave that is, and from when on.
    news TEXT COLLATE "C",
    step TEXT COLLATE "C",
    gravity BIGINT,
    due_at BIGINT,
    PRIMARY KEY (application, code, subject, channel)
);
CREATE INDEX alert_tellings_due ON alert_tellings (channel, gravity, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_tellings_of_channel ON alert_tellings (channel, application, code, subject);
CREATE INDEX alert_tellings_past ON alert_tellings (told_at) WHERE told IS NULL AND due_at IS NULL;

CREATE TABLE alert_messages (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    -- Set while it is still made.
    open BIGINT,
    -- As JSON.
    content TEXT COLLATE "C" NOT NULL
);
CREATE INDEX alert_messages_open ON alert_messages (made_at) WHERE open IS NOT NULL;
CREATE INDEX alert_messages_by_time ON alert_messages (made_at, id);
CREATE INDEX alert_messages_of_channel ON alert_messages (channel, made_at, id);

-- Each message to each place of its channel.
CREATE TABLE alert_deliveries (
    message TEXT COLLATE "C" NOT NULL,
    place TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    -- When it is tried (again); null where it was taken or given up.
    next_at BIGINT,
    -- Why it was not taken at the last try.
    code TEXT COLLATE "C",
    problem TEXT COLLATE "C",
    failed_at BIGINT,
    taken_at BIGINT,
    given_up_at BIGINT,
    PRIMARY KEY (message, place)
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (made_at) WHERE next_at IS NOT NULL;

-- That somebody knows of a matter.
CREATE TABLE alert_acknowledgements (
    application TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    by_whom TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    until BIGINT,
    step TEXT COLLATE "C" NOT NULL,
    gravity BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    PRIMARY KEY (application, code, subject)
);
