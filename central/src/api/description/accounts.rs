//! Accounts, sessions, tokens and the audit log.

use super::operation::{CSV, Operation, file, json, list, made, nothing, op, page};
use crate::api::account::{Confirmed, MadeToken};
use crate::domain::{Account, ApiToken, Entry, Session};

const AUDIT: &str = "actor?:string \
    kind?:account|token|application|link|invite|alert|channel|alert-settings|people-count|people-schedule|pseudonym-key|retention \
    object?:string from?:date-time until?:date-time";

pub(super) const OPERATIONS: &[Operation] = &[
    op("GET /api/v1/account", "show_account", json::<Account>(), "Who asks"),
    op(
        "POST /api/v1/account/confirm",
        "confirm_password",
        json::<Confirmed>(),
        "Confirm the password, before accounts are changed from this session",
    )
    .takes("password:string"),
    op(
        "PUT /api/v1/account/password",
        "change_password",
        nothing(),
        "Change one's own password, and end all other sessions",
    )
    .takes("old:string new:string"),
    op("GET /api/v1/account/sessions", "list_own_sessions", list::<Session>(), "Where one is signed in"),
    op("DELETE /api/v1/account/sessions", "end_other_sessions", nothing(), "End all other sessions"),
    op("DELETE /api/v1/account/sessions/{session}", "end_session", nothing(), "End a session"),
    op("GET /api/v1/account/tokens", "list_own_tokens", page::<ApiToken>(), "One's API tokens, the newest first"),
    op(
        "POST /api/v1/account/tokens",
        "create_token",
        made::<MadeToken>(),
        "Make an API token, which is shown this once",
    )
    .takes("label:string scopes:strings days?:integer"),
    op("DELETE /api/v1/account/tokens/{token}", "revoke_own_token", nothing(), "Revoke an API token of one's own"),
    op("GET /api/v1/users", "list_users", page::<Account>(), "The users, by name"),
    op("POST /api/v1/users", "add_user", made::<Account>(), "Add a user")
        .takes("name:string role:viewer|operator|administrator password:string"),
    op("GET /api/v1/users/{user}", "show_user", json::<Account>(), "A user"),
    op("PATCH /api/v1/users/{user}", "change_role", json::<Account>(), "Give a user another role; it holds at once")
        .takes("role:viewer|operator|administrator"),
    op("DELETE /api/v1/users/{user}", "remove_user", nothing(), "Remove a user with his sessions and API tokens"),
    op("PUT /api/v1/users/{user}/password", "set_password", nothing(), "Set a user's password, and end his sessions")
        .takes("password:string"),
    op("GET /api/v1/users/{user}/sessions", "list_sessions", list::<Session>(), "Where a user is signed in"),
    op("DELETE /api/v1/users/{user}/sessions", "end_sessions", nothing(), "End all sessions of a user"),
    op("GET /api/v1/tokens", "list_tokens", page::<ApiToken>(), "The API tokens of all users, the newest first"),
    op("DELETE /api/v1/tokens/{token}", "revoke_token", nothing(), "Revoke an API token"),
    op("GET /api/v1/audit", "list_audit", page::<Entry>(), "The audit log, the newest entry first").asked(AUDIT),
    op("GET /api/v1/audit.json", "export_audit_json", list::<Entry>(), "The whole audit log that the filters let pass")
        .asked(AUDIT),
    op("GET /api/v1/audit.csv", "export_audit_csv", file(CSV), "The whole audit log that the filters let pass")
        .asked(AUDIT),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::KINDS;

    #[test]
    fn all_kinds_of_entries_can_be_asked_for() {
        assert!(AUDIT.contains(&format!(" kind?:{} ", KINDS.join("|"))), "{AUDIT}");
    }
}
