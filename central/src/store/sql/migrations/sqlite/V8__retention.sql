-- How long what was reported is kept; what is null is kept for ever.
CREATE TABLE retention (
    singleton BIGINT PRIMARY KEY NOT NULL CHECK (singleton = 1),
    reports_days BIGINT,
    history_days BIGINT
);
