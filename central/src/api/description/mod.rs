//! The description of the API for machines (OpenAPI 3.1), served at `/api/v1/openapi.json`.
//!
//! It is made of the table of routes, from which come methods, paths, roles and scopes; of the tables here, one for
//! each subject, which say what each operation is for, takes and gives; and of the types of the answers, which describe
//! themselves. Tests hold the tables to each other, the bodies to what the server itself refuses, and real answers to
//! their schemas.

mod accounts;
mod alerts;
mod applications;
mod fleet;
mod links;
mod operation;
mod reports;
mod server;

use std::sync::LazyLock;

use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Response};
use operation::{Body, Gives, Operation, Schemas, fields};
use serde_json::{Map, Value, json};

use crate::domain::Scope;
use crate::server::Route;

/// All operations, by subject.
fn operations() -> impl Iterator<Item = &'static Operation> {
    let all = [
        applications::OPERATIONS,
        fleet::OPERATIONS,
        links::OPERATIONS,
        reports::OPERATIONS,
        alerts::OPERATIONS,
        accounts::OPERATIONS,
        server::OPERATIONS,
    ];
    all.into_iter().flatten()
}

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
    let (mut paths, mut schemas) = (Map::new(), Schemas::default());
    for route in super::routes() {
        let Some(operation) = operation(&route) else { continue };
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = described(&route, operation, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Seatline: the API of the central server",
            "description": "The same facts and actions as the pages; docs/central-api.md tells of them.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.with(json!({
                "Error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                        "code": { "type": "string", "description": "Stable, for programs" },
                        "message": { "type": "string", "description": "One line for people" },
                    },
                },
            })),
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
    operations().find(|operation| operation.route == name)
}

fn described(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let scope = Scope { area: Some(route.need.area), role: route.need.role };
    let mut security = vec![json!({ "session": [] })];
    if !route.need.person {
        security.push(json!({ "token": [scope.to_string()] }));
    }
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let paging = if matches!(operation.gives, Gives::Page(_)) { "limit?:integer after?:string " } else { "" };
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
        "responses": responses(route, operation, schemas),
    });
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(schema) = body(operation.body, schemas) {
        described["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema }}});
    }
    described
}

fn body(body: Body, schemas: &mut Schemas) -> Option<Value> {
    match body {
        Body::None => None,
        Body::Fields(list) => {
            let properties: Map<String, Value> =
                fields(list).map(|(name, _, schema)| (name.to_owned(), schema)).collect();
            let required: Vec<&str> =
                fields(list).filter(|(_, required, _)| *required).map(|(name, ..)| name).collect();
            Some(json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            }))
        }
        Body::Of(of) => {
            let mut schema = of(schemas);
            schema["unevaluatedProperties"] = false.into();
            Some(schema)
        }
    }
}

fn responses(route: &Route, operation: &Operation, schemas: &mut Schemas) -> Value {
    let json_of = |schema: Value| json!({ "application/json": { "schema": schema } });
    let (status, description, content) = match operation.gives {
        Gives::Json(of) => ("200", "Done", json_of(of(schemas))),
        Gives::List(of) => ("200", "The list", json_of(json!({ "type": "array", "items": of(schemas) }))),
        Gives::Items(of) => {
            let properties = json!({ "items": { "type": "array", "items": of(schemas) } });
            let whole = json!({ "type": "object", "required": ["items"], "properties": properties });
            ("200", "The list", json_of(whole))
        }
        Gives::Page(of) => {
            let next = json!({ "type": ["string", "null"], "description": "The `after` of the next page" });
            let properties = json!({ "items": { "type": "array", "items": of(schemas) }, "next": next });
            let page = json!({ "type": "object", "required": ["items", "next"], "properties": properties });
            ("200", "A page of the list", json_of(page))
        }
        Gives::Made(of) => ("201", "Made", json_of(of(schemas))),
        Gives::Accepted(of) => ("202", "Asked for: it is done later", json_of(of(schemas))),
        Gives::Nothing => ("204", "Done", Value::Null),
        Gives::File(kind) => ("200", "The file", json!({ kind: { "schema": { "type": "string" } } })),
    };
    let mut good = json!({ "description": description });
    if !content.is_null() {
        good["content"] = content;
    }
    let mut all = json!({ status: good });
    let mut errors = vec![
        ("401", "Nobody is signed in"),
        ("403", "The role or the scopes do not suffice, or the password was not confirmed of late"),
        ("408", "The request did not come whole in time"),
        ("429", "Too many requests; `Retry-After` says when to try again"),
        ("503", "The server cannot do it now; `Retry-After` says when to try again"),
    ];
    if route.path.contains('{') {
        errors.push(("404", "There is no such thing"));
    }
    let has_body = !matches!(operation.body, Body::None);
    let changes = route.method != Method::GET;
    if changes || !operation.query.is_empty() || matches!(operation.gives, Gives::Page(_)) {
        errors.push(("400", "A value breaks its rule"));
    }
    if has_body {
        errors.extend([("413", "The body is too large"), ("415", "It is no JSON")]);
    }
    if changes {
        errors.push(("409", "Something is in the way"));
    }
    for (status, description) in errors {
        all[status] =
            json!({ "description": description, "content": json_of(json!({ "$ref": "#/components/schemas/Error" })) });
    }
    all
}
