//! Holds what a body is described as to what the server takes: it is asked with what no body holds, and says what one
//! may hold.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// What stands between backticks in a message of serde.
fn quoted(message: &str) -> BTreeSet<String> {
    message.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What a schema stands for: what it refers to, or what it is where it is not null.
fn meant<'d>(description: &'d Value, schema: &'d Value) -> &'d Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return description.pointer(reference.trim_start_matches('#')).expect("it leads somewhere");
    }
    let parts = schema["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    match parts {
        [other, null] if null["type"] == "null" => meant(description, other),
        _ => schema,
    }
}

/// Asks what an object may hold, by one that holds something else, and the same of the objects in it. `within` puts it
/// where it belongs.
pub fn takes_what_is_described(
    description: &Value,
    schema: &Value,
    ask: &dyn Fn(Value) -> String,
    within: &dyn Fn(Value) -> Value,
    at: &str,
) {
    let schema = meant(description, schema);
    // Of several kinds of a thing each is asked for, by its name.
    for variant in schema["oneOf"].as_array().into_iter().flatten() {
        let Some(kind) = variant["properties"]["kind"]["enum"][0].as_str() else { continue };
        let with_kind = |mut body: Value| {
            body["kind"] = kind.into();
            within(body)
        };
        holds_what_is_described(variant, ask, &with_kind, &["kind"], &format!("{at}: {kind}"));
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    holds_what_is_described(schema, ask, within, &[], at);
    for (name, property) in properties {
        let inner = |body: Value| within(json!({ name: body }));
        takes_what_is_described(description, property, ask, &inner, &format!("{at}: {name}"));
        let in_list = |body: Value| within(json!({ name: [body] }));
        takes_what_is_described(description, &property["items"], ask, &in_list, &format!("{at}: {name}"));
    }
}

fn holds_what_is_described(
    schema: &Value,
    ask: &dyn Fn(Value) -> String,
    within: &dyn Fn(Value) -> Value,
    given: &[&str],
    at: &str,
) {
    let properties = schema["properties"].as_object().expect("properties").keys();
    let described: BTreeSet<String> = properties.filter(|name| !given.contains(&name.as_str())).cloned().collect();
    let message = ask(within(json!({ "no-such-field": 1 })));
    let mut taken = quoted(&message);
    assert!(taken.remove("no-such-field"), "{at}: {message}");
    assert_eq!(taken, described, "{at}");
    let required = schema["required"].as_array().into_iter().flatten();
    if required.filter_map(Value::as_str).any(|name| !given.contains(&name)) {
        let missing = ask(within(json!({})));
        assert!(missing.contains("missing field"), "{at}: {missing}");
    }
}
