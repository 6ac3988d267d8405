//! Holds JSON to the schemas of an OpenAPI description, strictly: a field that is not described is an error too. It
//! knows the words that our descriptions use, and fails on any other, so that nothing is passed over.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Words that say nothing about a value.
const SILENT: [&str; 6] = ["description", "example", "examples", "title", "default", "deprecated"];

/// A description.
pub struct Description(pub Value);

impl Description {
    /// The operations, each with its path and method.
    pub fn operations(&self) -> Vec<(String, String, &Value)> {
        let mut all = Vec::new();
        for (path, item) in self.0["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("a path has methods") {
                all.push((path.clone(), method.to_uppercase(), operation));
            }
        }
        all
    }

    /// Why `body` is not what the answer to a request of `path` and `method` with `status` is described as.
    pub fn refuses(&self, path: &str, method: &str, status: u16, content_type: &str, body: &str) -> Option<String> {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        if response.is_null() {
            return Some(format!("{method} {path}: the status {status} is not described: {body}"));
        }
        if response.get("content").is_none() && body.is_empty() {
            return None;
        }
        let media = content_type.split(';').next().unwrap_or_default();
        let described = response["content"].as_object().into_iter().flatten();
        let schema =
            described.into_iter().find(|(kind, _)| kind.split(';').next() == Some(media)).map(|(_, of)| &of["schema"]);
        let schema = schema.unwrap_or(&Value::Null);
        if schema.is_null() {
            return Some(format!("{method} {path}: {status} with `{media}` is not described"));
        }
        if media != "application/json" {
            return (schema["type"] != "string").then(|| format!("{method} {path}: not described as a text"));
        }
        let value = match serde_json::from_str(body) {
            Ok(value) => value,
            Err(error) => return Some(format!("{method} {path}: {error}: {body}")),
        };
        self.check(&value, schema, "answer").err().map(|why| format!("{method} {path}: {why} in {body}"))
    }

    fn check(&self, value: &Value, schema: &Value, at: &str) -> Result<(), String> {
        self.shape(value, schema, at)?;
        if let Value::Object(fields) = value {
            let (mut known, mut is_open) = (BTreeSet::new(), false);
            self.collect(schema, &mut known, &mut is_open);
            if let Some(unknown) = fields.keys().find(|key| !is_open && !known.contains(key.as_str())) {
                return Err(format!("{at}.{unknown} is not described"));
            }
        }
        Ok(())
    }

    /// The names of the fields that a schema describes, and whether there may be others.
    fn collect<'s>(&'s self, schema: &'s Value, known: &mut BTreeSet<&'s str>, is_open: &mut bool) {
        let schema = self.resolved(schema);
        for part in ["allOf", "oneOf", "anyOf"] {
            for schema in schema[part].as_array().into_iter().flatten() {
                self.collect(schema, known, is_open);
            }
        }
        known.extend(schema["properties"].as_object().into_iter().flat_map(Map::keys).map(String::as_str));
        *is_open |= schema.get("additionalProperties").is_some_and(|more| more != &Value::Bool(false));
        // A schema that says nothing lets everything pass.
        let says = schema.as_object().into_iter().flat_map(Map::keys).any(|word| !SILENT.contains(&word.as_str()));
        *is_open |= !says;
    }

    fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let Some(reference) = schema["$ref"].as_str() else { return schema };
        let pointer = reference.strip_prefix('#').expect("a reference into this document");
        self.0.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// Whether `value` is of `schema`, whatever else it holds.
    fn shape(&self, value: &Value, schema: &Value, at: &str) -> Result<(), String> {
        let words = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
        for (word, rule) in words.iter().filter(|(word, _)| !SILENT.contains(&word.as_str())) {
            match word.as_str() {
                "$ref" => self.shape(value, self.resolved(schema), at)?,
                "allOf" => schemas(rule).iter().try_for_each(|schema| self.shape(value, schema, at))?,
                "oneOf" | "anyOf" => {
                    let tried: Vec<_> = schemas(rule).iter().map(|schema| self.shape(value, schema, at)).collect();
                    if tried.iter().all(Result::is_err) {
                        return Err(format!("{at} is none of these: {tried:?}"));
                    }
                }
                "properties" => {
                    for (name, schema) in rule.as_object().expect("properties") {
                        let Some(value) = value.get(name) else { continue };
                        self.check(value, schema, &format!("{at}.{name}"))?;
                    }
                }
                "additionalProperties" if rule.is_object() => {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        self.check(value, rule, &format!("{at}.{name}"))?;
                    }
                }
                // It knows the properties beside it alone, and none of another part of an `allOf`.
                "additionalProperties" if rule == &Value::Bool(false) => {
                    let others = value.as_object().into_iter().flatten().map(|(name, _)| name);
                    if let Some(other) =
                        others.into_iter().find(|name| schema["properties"].get(name.as_str()).is_none())
                    {
                        return Err(format!("{at}.{other} is one property too many"));
                    }
                }
                "items" => {
                    for (i, value) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(value, rule, &format!("{at}[{i}]"))?;
                    }
                }
                word if holds(value, word, rule) => {}
                word => return Err(format!("{at}: {value} is not of `{word}` {rule}")),
            }
        }
        Ok(())
    }
}

fn schemas(rule: &Value) -> &Vec<Value> {
    rule.as_array().expect("schemas")
}

/// Whether `value` holds to a word that says something of it alone.
fn holds(value: &Value, word: &str, rule: &Value) -> bool {
    match word {
        "type" => types(rule).any(|name| is_a(value, name)),
        "enum" => rule.as_array().expect("values").contains(value),
        "minimum" => value.as_f64().is_none_or(|number| Some(number) >= rule.as_f64()),
        "maximum" => value.as_f64().is_none_or(|number| Some(number) <= rule.as_f64()),
        "format" => is_in_format(value, rule.as_str().expect("a format")),
        "uniqueItems" => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            (0..items.len()).all(|i| !items[..i].contains(&items[i]))
        }
        "required" => {
            let mut names = rule.as_array().expect("names").iter().filter_map(Value::as_str);
            !value.is_object() || names.all(|name| value.get(name).is_some())
        }
        "additionalProperties" | "propertyNames" => true,
        word => panic!("nobody here knows `{word}`"),
    }
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let several = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
    rule.as_str().into_iter().chain(several)
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        name => panic!("nobody here knows the type `{name}`"),
    }
}

fn is_in_format(value: &Value, format: &str) -> bool {
    match (value, format) {
        (Value::Null, _) | (Value::Number(_), "int64") => true,
        (Value::Number(number), "int32") => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        (Value::String(text), "date-time") => text.parse::<jiff::Timestamp>().is_ok(),
        (_, format) => panic!("nobody here knows the format `{format}` of {value}"),
    }
}
