//! The description of the API for machines (OpenAPI 3.1), served at `/api/v1/openapi.json`.
//!
//! It is made of the table of routes, from which come methods, paths, roles and scopes, and of the table below, which says what
//! each operation is for and takes. A test holds both tables to each other, and the bodies to what the server itself refuses.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use crate::domain::Scope;
use crate::server::Route;

/// What an operation is for, and takes.
struct Operation {
    /// The method and the path of its route.
    route: &'static str,
    /// Its name for generated clients.
    id: &'static str,
    summary: &'static str,
    /// The fields of its body, each with its type; those that may be absent end with `?`.
    body: &'static str,
    /// What may stand behind the `?` of its address.
    query: &'static str,
    gives: Gives,
}

/// What an operation gives where it is done.
#[derive(Clone, Copy)]
enum Gives {
    /// 200 and JSON.
    Json,
    /// 200 and a page of a list.
    Page,
    /// 201 and what was made.
    Made,
    /// 202 and what is asked of the product.
    Accepted,
    /// 204.
    Nothing,
    /// 200 and a file of this type.
    File(&'static str),
}

use Gives::{Accepted, File, Json, Made, Nothing, Page};

const fn op(
    route: &'static str,
    id: &'static str,
    gives: Gives,
    body: &'static str,
    query: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { route, id, summary, body, query, gives }
}

const CSV: &str = "text/csv; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const EVIDENCE: &str = "application/x-ndjson";
const AUDIT: &str = "actor?:string kind?:string object?:string from?:date-time until?:date-time";

/// One line for each route of the API.
const OPERATIONS: &[Operation] = &[
    op(
        "GET /api/v1/applications/{application}/labels",
        "show_labels",
        Json,
        "",
        "",
        "The labels of an application: its group and tags",
    ),
    op(
        "PUT /api/v1/applications/{application}/labels",
        "set_labels",
        Json,
        "group?:nullable tags?:strings",
        "",
        "Set the labels of an application",
    ),
    op(
        "GET /api/v1/applications/{application}/concerns",
        "list_concerns_of_application",
        Json,
        "",
        "",
        "What was and is wrong with an application",
    ),
    op("GET /api/v1/fleet", "list_fleet", Json, "", "", "All applications, sorted by what needs attention"),
    op("GET /api/v1/fleet.csv", "export_fleet_csv", File(CSV), "", "", "All applications that the filters let pass"),
    op("GET /api/v1/fleet.json", "export_fleet_json", Json, "", "", "All applications that the filters let pass"),
    op("GET /api/v1/fleet/totals", "show_totals", Json, "", "", "What all applications come to"),
    op("GET /api/v1/fleet/ends", "list_ends", Json, "", "", "What ends, and when"),
    op("GET /api/v1/fleet/concerns", "list_concerns", Json, "", "", "What was and is wrong with all applications"),
    op("GET /api/v1/retention", "show_retention", Json, "", "", "How long what was reported is kept"),
    op(
        "PATCH /api/v1/retention",
        "set_retention",
        Json,
        "reports_days?:days history_days?:days",
        "",
        "Set how long what was reported is kept; null is for ever, and what is absent stays",
    ),
    op(
        "GET /api/v1/retention/preview",
        "preview_retention",
        Json,
        "",
        "reports_days?:integer history_days?:integer",
        "What would go if that were set; what is absent would be kept for ever",
    ),
    op(
        "GET /api/v1/alerts",
        "list_alerts",
        Page,
        "",
        "state?:string code?:string gravity?:string",
        "What is open, the gravest first; or what is over, what ended last first",
    ),
    op(
        "GET /api/v1/alerts/figures",
        "show_alert_figures",
        Json,
        "",
        "",
        "How many alerts are open, and what waits to be told",
    ),
    op(
        "POST /api/v1/alerts/acknowledge",
        "acknowledge_alert",
        Json,
        "application:string code:string subject?:string why?:string until?:nullable",
        "",
        "Say that you know of an alert: nothing more is told of it until it changes, or until a time",
    ),
    op(
        "POST /api/v1/alerts/withdraw",
        "withdraw_acknowledgement",
        Nothing,
        "application:string code:string subject?:string",
        "",
        "Take an acknowledgement back",
    ),
    op("GET /api/v1/channels", "list_channels", Json, "", "", "Where alerts go, without any secret"),
    op(
        "POST /api/v1/channels",
        "add_channel",
        Made,
        "name:string to:object scope?:object quiet?:object-or-null per_hour?:integer enabled?:boolean secret?:nullable",
        "",
        "Add a channel; the answer holds the secret of a webhook, this once",
    ),
    op("GET /api/v1/channels/{channel}", "show_channel", Json, "", "", "A channel"),
    op(
        "PUT /api/v1/channels/{channel}",
        "change_channel",
        Json,
        "name:string to:object scope?:object quiet?:object-or-null per_hour?:integer enabled?:boolean secret?:nullable",
        "",
        "Change a channel; its secret stays",
    ),
    op("DELETE /api/v1/channels/{channel}", "remove_channel", Nothing, "", "", "Remove a channel"),
    op(
        "POST /api/v1/channels/{channel}/test",
        "test_channel",
        Json,
        "",
        "",
        "Send a test to every place of a channel, and say what came of it",
    ),
    op(
        "POST /api/v1/channels/{channel}/secret",
        "rotate_channel",
        Json,
        "",
        "",
        "Make another secret for a webhook; the answer holds it, this once",
    ),
    op(
        "GET /api/v1/messages",
        "list_messages",
        Page,
        "",
        "channel?:string",
        "What was told, and what became of it, the newest first",
    ),
    op("GET /api/v1/alert-settings", "show_alert_settings", Json, "", "", "What holds for all alerts"),
    op(
        "PUT /api/v1/alert-settings",
        "set_alert_settings",
        Json,
        "reminders?:object pace?:object mail?:object-or-null local_webhooks?:boolean password?:nullable",
        "",
        "Set what holds for all alerts",
    ),
    op("GET /api/v1/jobs", "list_jobs", Json, "", "", "What the server does by itself, and how it went"),
    op("GET /api/v1/server", "show_server", Json, "", "", "What the server is, and who asks"),
    op("GET /api/v1/openapi.json", "show_description", Json, "", "", "This description"),
    op("GET /api/v1/applications", "list_applications", Page, "", "", "The applications, by name"),
    op(
        "POST /api/v1/applications",
        "add_application",
        Made,
        "name:string product:string url?:string",
        "",
        "Add an application",
    ),
    op("GET /api/v1/applications/{application}", "show_application", Json, "", "", "An application"),
    op(
        "PATCH /api/v1/applications/{application}",
        "change_application",
        Json,
        "name?:string product?:string url?:string",
        "",
        "Change an application; what is absent stays",
    ),
    op(
        "DELETE /api/v1/applications/{application}",
        "remove_application",
        Json,
        "",
        "",
        "Remove an application with its links and reports, and say what went with it",
    ),
    op("GET /api/v1/applications/{application}/licenses", "show_licenses", Json, "", "", "What the Licenses tab shows"),
    op(
        "GET /api/v1/applications/{application}/history",
        "show_history",
        Json,
        "",
        "range?:string",
        "The use over time",
    ),
    op(
        "GET /api/v1/applications/{application}/history.csv",
        "export_history_csv",
        File(CSV),
        "",
        "",
        "All of the history that is kept, day by day",
    ),
    op(
        "GET /api/v1/applications/{application}/history.json",
        "export_history_json",
        Json,
        "",
        "",
        "All of the history that is kept, day by day",
    ),
    op(
        "GET /api/v1/applications/{application}/chain",
        "show_chain",
        Json,
        "",
        "",
        "How the chain of reports of an application stands",
    ),
    op(
        "GET /api/v1/applications/{application}/evidence",
        "export_evidence",
        File(EVIDENCE),
        "",
        "from?:string to?:string applications?:string",
        "The evidence of an application for a period",
    ),
    op(
        "GET /api/v1/evidence",
        "export_evidence_of_all",
        File(EVIDENCE),
        "",
        "from?:string to?:string applications?:string",
        "The evidence of several applications for a period",
    ),
    op(
        "GET /api/v1/people",
        "show_people",
        Json,
        "",
        "application?:string",
        "People, counted once over a set of applications",
    ),
    op(
        "GET /api/v1/applications/{application}/links",
        "list_links_of_application",
        Json,
        "",
        "",
        "The links of an application, the newest first",
    ),
    op(
        "PUT /api/v1/applications/{application}/link",
        "choose_link",
        Json,
        "link?:nullable",
        "",
        "Choose the link whose reports are shown",
    ),
    op(
        "POST /api/v1/invites",
        "make_invite",
        Made,
        "application?:nullable",
        "",
        "Make an invite, to be accepted in a product within 30 minutes",
    ),
    op(
        "GET /api/v1/links",
        "list_links",
        Page,
        "",
        "state?:string product?:string server_id?:string",
        "The links: what waits for approval first, of each state the newest first",
    ),
    op(
        "GET /api/v1/removed-links",
        "list_removed_links",
        Page,
        "",
        "",
        "The links that were removed, the latest first",
    ),
    op("GET /api/v1/links/{link}", "show_link", Json, "", "", "A link"),
    op("DELETE /api/v1/links/{link}", "remove_link", Nothing, "", "", "Remove a link with its reports"),
    op("POST /api/v1/links/{link}/sync", "synchronise", Accepted, "", "", "Let the product count and report now"),
    op("POST /api/v1/links/{link}/rotate", "rotate_key", Accepted, "", "", "Let the product replace its key"),
    op("GET /api/v1/links/{link}/keys", "list_former_keys", Json, "", "", "The keys before the present one"),
    op(
        "GET /api/v1/links/{link}/answers",
        "list_answers",
        Json,
        "",
        "",
        "What administrators have answered to the questions of the chain",
    ),
    op(
        "POST /api/v1/links/{link}/answers",
        "answer_question",
        Made,
        "question:string explanation:string why?:string",
        "",
        "Answer a question that the chain asks",
    ),
    op(
        "POST /api/v1/links/{link}/approve",
        "approve_link",
        Json,
        "application:string",
        "",
        "Approve a link for an application",
    ),
    op("POST /api/v1/links/{link}/refuse", "refuse_link", Nothing, "", "", "Refuse a link that waits for approval"),
    op("POST /api/v1/links/{link}/suspend", "suspend_link", Json, "", "", "Suspend a link: its reports are refused"),
    op(
        "PATCH /api/v1/links/{link}/settings",
        "change_settings",
        Json,
        "interval?:integer dormancy_days?:integer counting?:string",
        "",
        "Change what a product is told to do; what is absent stays",
    ),
    op(
        "GET /api/v1/links/{link}/reports",
        "list_reports",
        Page,
        "",
        "",
        "The stored reports of a link, the newest first",
    ),
    op(
        "GET /api/v1/links/{link}/reports/{sequence}",
        "show_report",
        File(TEXT),
        "",
        "",
        "The exact bytes of a report: evidence",
    ),
    op(
        "GET /api/v1/links/{link}/difference",
        "show_difference",
        Json,
        "",
        "from:integer to:integer",
        "What changed between two reports",
    ),
    op(
        "GET /api/v1/links/{link}/refused-reports",
        "list_refused_reports",
        Json,
        "",
        "",
        "The refused reports that are kept",
    ),
    op(
        "GET /api/v1/links/{link}/refused-reports/{digest}",
        "show_refused_report",
        File(TEXT),
        "",
        "",
        "The exact bytes of a refused report: evidence",
    ),
    op("GET /api/v1/account", "show_account", Json, "", "", "Who asks"),
    op(
        "POST /api/v1/account/confirm",
        "confirm_password",
        Json,
        "password:string",
        "",
        "Confirm the password, before accounts are changed from this session",
    ),
    op(
        "PUT /api/v1/account/password",
        "change_password",
        Nothing,
        "old:string new:string",
        "",
        "Change one's own password, and end all other sessions",
    ),
    op("GET /api/v1/account/sessions", "list_own_sessions", Json, "", "", "Where one is signed in"),
    op("DELETE /api/v1/account/sessions", "end_other_sessions", Nothing, "", "", "End all other sessions"),
    op("DELETE /api/v1/account/sessions/{session}", "end_session", Nothing, "", "", "End a session"),
    op("GET /api/v1/account/tokens", "list_own_tokens", Page, "", "", "One's API tokens, the newest first"),
    op(
        "POST /api/v1/account/tokens",
        "create_token",
        Made,
        "label:string scopes:strings days?:integer",
        "",
        "Make an API token, which is shown this once",
    ),
    op(
        "DELETE /api/v1/account/tokens/{token}",
        "revoke_own_token",
        Nothing,
        "",
        "",
        "Revoke an API token of one's own",
    ),
    op("GET /api/v1/users", "list_users", Page, "", "", "The users, by name"),
    op("POST /api/v1/users", "add_user", Made, "name:string role:string password:string", "", "Add a user"),
    op("GET /api/v1/users/{user}", "show_user", Json, "", "", "A user"),
    op(
        "PATCH /api/v1/users/{user}",
        "change_role",
        Json,
        "role:string",
        "",
        "Give a user another role; it holds at once",
    ),
    op("DELETE /api/v1/users/{user}", "remove_user", Nothing, "", "", "Remove a user with his sessions and API tokens"),
    op(
        "PUT /api/v1/users/{user}/password",
        "set_password",
        Nothing,
        "password:string",
        "",
        "Set a user's password, and end his sessions",
    ),
    op("GET /api/v1/users/{user}/sessions", "list_sessions", Json, "", "", "Where a user is signed in"),
    op("DELETE /api/v1/users/{user}/sessions", "end_sessions", Nothing, "", "", "End all sessions of a user"),
    op("GET /api/v1/tokens", "list_tokens", Page, "", "", "The API tokens of all users, the newest first"),
    op("DELETE /api/v1/tokens/{token}", "revoke_token", Nothing, "", "", "Revoke an API token"),
    op("GET /api/v1/audit", "list_audit", Page, "", AUDIT, "The audit log, the newest entry first"),
    op("GET /api/v1/audit.json", "export_audit_json", Json, "", AUDIT, "The whole audit log that the filters let pass"),
    op(
        "GET /api/v1/audit.csv",
        "export_audit_csv",
        File(CSV),
        "",
        AUDIT,
        "The whole audit log that the filters let pass",
    ),
];

/// The description as JSON.
pub fn description() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| document().to_string());
    &JSON
}

/// `GET /api/v1/openapi.json`
pub(super) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], description()).into_response()
}

fn document() -> Value {
    let mut paths = Map::new();
    for route in super::routes() {
        let Some(operation) = operation(&route) else { continue };
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = described(&route, operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Seatline: the API of the central server",
            "description": "The same facts and actions as the pages. The fields of answers stand in docs/central-api.md.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                        "code": { "type": "string", "description": "Stable, for programs" },
                        "message": { "type": "string", "description": "One line for people" },
                    },
                },
                "Page": {
                    "type": "object",
                    "required": ["items", "next"],
                    "properties": {
                        "items": { "type": "array", "items": {} },
                        "next": { "type": ["string", "null"], "description": "The `after` of the next page" },
                    },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "An API token: `slt_…`" },
                "session": { "type": "apiKey", "in": "cookie", "name": "seatline-central", "description":
                    "The session of a person; called `__Host-seatline-central` over HTTPS" },
            },
        },
    })
}

fn operation(route: &Route) -> Option<&'static Operation> {
    let name = format!("{} {}", route.method, route.path);
    OPERATIONS.iter().find(|operation| operation.route == name)
}

fn described(route: &Route, operation: &Operation) -> Value {
    let scope = Scope { area: Some(route.need.area), role: route.need.role };
    let mut security = vec![json!({ "session": [] })];
    if !route.need.person {
        security.push(json!({ "token": [scope.to_string()] }));
    }
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let paging = if matches!(operation.gives, Page) { "limit?:integer after?:string " } else { "" };
    let asked = format!("{paging}{}", operation.query);
    parameters.extend(fields(&asked).map(
        |(name, required, schema)| json!({ "name": name, "in": "query", "required": required, "schema": schema }),
    ));
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [route.need.area.name()],
        "security": security,
        "x-least-role": route.need.role,
        "responses": responses(route, operation),
    });
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if !operation.body.is_empty() {
        let properties: Map<String, Value> =
            fields(operation.body).map(|(name, _, schema)| (name.to_owned(), schema)).collect();
        let required: Vec<&str> =
            fields(operation.body).filter(|(_, required, _)| *required).map(|(name, ..)| name).collect();
        described["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": {
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        }}}});
    }
    described
}

/// The fields of a list such as `name:string days?:integer`, each with whether it is required and its schema.
fn fields(list: &str) -> impl Iterator<Item = (&str, bool, Value)> {
    list.split_whitespace().filter_map(|field| {
        let (name, kind) = field.split_once(':')?;
        let schema = match kind {
            "date-time" => json!({ "type": "string", "format": "date-time" }),
            "strings" => json!({ "type": "array", "items": { "type": "string" } }),
            "nullable" => json!({ "type": ["string", "null"] }),
            "object-or-null" => json!({ "type": ["object", "null"] }),
            "days" => json!({ "type": ["integer", "null"] }),
            kind => json!({ "type": kind }),
        };
        Some((name.trim_end_matches('?'), !name.ends_with('?'), schema))
    })
}

fn responses(route: &Route, operation: &Operation) -> Value {
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, good) = match operation.gives {
        Json => ("200", json!({ "description": "Done", "content": json_of(json!({})) })),
        Page => {
            let page = json_of(json!({ "$ref": "#/components/schemas/Page" }));
            ("200", json!({ "description": "A page of the list", "content": page }))
        }
        Made => ("201", json!({ "description": "Made", "content": json_of(json!({})) })),
        Accepted => ("202", json!({ "description": "Asked of the product", "content": json_of(json!({})) })),
        Nothing => ("204", json!({ "description": "Done" })),
        File(kind) => {
            ("200", json!({ "description": "The file", "content": { kind: { "schema": { "type": "string" } } } }))
        }
    };
    let mut all = json!({ status: good });
    let mut errors = vec![
        ("401", "Nobody is signed in"),
        ("403", "The role or the scopes do not suffice, or the password was not confirmed of late"),
        ("408", "The request took too long"),
        ("429", "Too many requests; `Retry-After` says when to try again"),
        ("503", "Nothing was changed; `Retry-After` says when to try again"),
    ];
    if route.path.contains('{') {
        errors.push(("404", "There is no such thing"));
    }
    if !operation.body.is_empty() || !operation.query.is_empty() || matches!(operation.gives, Page) {
        errors.push(("400", "A value breaks its rule"));
    }
    if !operation.body.is_empty() {
        errors.extend([("409", "Something is in the way"), ("413", "The body is too large"), ("415", "It is no JSON")]);
    }
    for (status, description) in errors {
        all[status] =
            json!({ "description": description, "content": json_of(json!({ "$ref": "#/components/schemas/Error" })) });
    }
    all
}
