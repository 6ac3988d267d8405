//! The description of the API for machines (OpenAPI): made of the handlers and of what they take and give.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

use super::{banners, features, licenses, limits, server_id, state};

/// The routes that change something, and ask for the role `admin`.
const OF_ADMINS: [&str; 3] = ["set_license", "synchronise", "confirm_server_id"];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Seatline: the local API",
        description = "What a product in any language asks of its licenses, beside `seatline run`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "http://127.0.0.1:8096", description = "Where nothing else is said in [http] of seatline.toml")),
    security(("token" = [])),
    components(schemas(Error)),
    paths(
        state::standing,
        features::list,
        features::show,
        limits::list,
        limits::check,
        banners::list,
        banners::fragment,
        licenses::list,
        licenses::set,
        licenses::preview,
        licenses::request,
        server_id::show,
        server_id::confirm,
        state::sync_state,
        state::sync,
        state::status,
        state::product,
    ),
    modifiers(&Common),
)]
struct Description;

/// Every error.
#[derive(Serialize, ToSchema)]
struct Error {
    /// Stable, for programs.
    code: String,
    /// One line for people.
    message: String,
}

/// What all operations have in common: the token, and the errors.
struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("`seatline token create`"));
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(token.build()));
        for item in api.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                describe_errors(operation);
            }
        }
    }
}

fn describe_errors(operation: &mut Operation) {
    let is_of_admins = operation.operation_id.as_deref().is_some_and(|id| OF_ADMINS.contains(&id));
    let takes = operation.request_body.is_some() || operation.parameters.is_some();
    let takes_key = matches!(&operation.request_body, Some(RefOr::T(body)) if body.content.contains_key("text/plain"));
    let mut errors = vec![
        ("401", "No token, or one that is not known"),
        ("408", "The request did not come whole in time"),
        ("421", "The agent is not called by this name"),
        ("429", "Too many wrong tokens; `Retry-After` says when to try again"),
        ("503", "The state cannot be read or written, or the product does not say what it is"),
    ];
    if is_of_admins {
        errors.push(("403", "The token may only ask"));
    }
    if takes {
        errors.push(("400", "A value breaks its rule"));
    }
    if operation.request_body.is_some() {
        errors.extend([("413", "The body is too large"), ("415", "The body is of another type")]);
    }
    if operation.operation_id.as_deref() == Some("confirm_server_id") {
        errors.push(("409", "There is no change that waits for a word"));
    }
    if takes_key {
        errors.push(("422", "The license key is refused, with its reason"));
    }
    for (status, description) in errors {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
        let response = ResponseBuilder::new().description(description).content("application/json", content);
        operation.responses.responses.insert(status.to_owned(), response.build().into());
    }
}

/// The description as JSON.
pub fn description() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        let mut api = Description::openapi();
        env!("CARGO_PKG_VERSION").clone_into(&mut api.info.version);
        api.to_json().expect("a description is JSON")
    });
    &JSON
}

/// `GET /v1/openapi.json`
pub(super) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], description()).into_response()
}
