//! The description of the API is true: every route is described, every description is a route, and what a body may hold is what the
//! server takes.

mod support;

use std::collections::BTreeSet;

use seatline_central::api::{description, routes};
use serde_json::{Value, json};
use support::Central;

fn described() -> Value {
    serde_json::from_str(description()).expect("JSON")
}

/// The operations, each with its method and path.
fn operations(description: &Value) -> Vec<(String, String, &Value)> {
    let paths = description["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        item.as_object().expect("an item").keys().map(|method| (method.to_uppercase(), path.clone())).collect()
    };
    let named: Vec<(String, String)> = paths.iter().flat_map(of_path).collect();
    named
        .into_iter()
        .map(|(method, path)| {
            let operation = &description["paths"][&path][method.to_lowercase()];
            (method, path, operation)
        })
        .collect()
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let description = described();
    let operations = operations(&description);
    let described: BTreeSet<String> = operations.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let of_api = routes().into_iter().filter(|route| route.path.starts_with("/api/"));
    let there: BTreeSet<String> = of_api.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, there);
    let ids: BTreeSet<&str> =
        operations.iter().filter_map(|(.., operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations.len(), "each operation has a name of its own");
    for (method, path, operation) in &operations {
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 3), "{method} {path}");
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().expect("parameters");
            assert!(parameters.iter().any(|parameter| parameter["name"] == name), "{method} {path}: {name}");
        }
    }
}

/// What stands between backticks in a message of serde.
fn quoted(message: &str) -> BTreeSet<String> {
    message.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn a_body_is_described_as_the_server_takes_it() {
    let central = Central::started();
    assert_eq!(central.api("/api/v1/openapi.json"), described(), "it is served");
    let description = described();
    for (method, path, operation) in operations(&description) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let id = "0123456789abcdef01234567";
        let link = "00000000-0000-0000-0000-000000000000";
        let address = path
            .replace("{application}", id)
            .replace("{link}", link)
            .replace("{user}", "nobody")
            .replace("{channel}", id);
        let person = operation["security"].as_array().is_some_and(|security| security.len() == 1);
        if schema.is_null() || person {
            // What is for people alone is not taken from this program; its handlers share these types.
            continue;
        }
        let ask = |body: Value| {
            let mut answer = central.request(&method, &address, Some(&body));
            let error: Value = answer.body_mut().read_json().expect("JSON");
            error["message"].as_str().unwrap_or_default().to_owned()
        };
        let properties = schema["properties"].as_object().expect("properties");
        let described: BTreeSet<String> = properties.keys().cloned().collect();
        let mut taken = quoted(&ask(json!({ "no-such-field": 1 })));
        assert!(taken.remove("no-such-field"), "{method} {path}: {taken:?}");
        assert_eq!(taken, described, "{method} {path}");
        let required = schema["required"].as_array().expect("a list").len();
        if required > 0 {
            let missing = ask(json!({}));
            assert!(missing.contains("missing field"), "{method} {path}: {missing}");
        }
    }
}
