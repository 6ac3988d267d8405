//! An operation of the API: what it is for, takes and gives.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const EVIDENCE: &str = "application/x-ndjson";

/// What an operation is for, takes and gives.
pub(super) struct Operation {
    /// The method and the path of its route.
    pub(super) route: &'static str,
    /// Its name for generated clients.
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    /// What its body holds.
    pub(super) body: Body,
    /// What may stand behind the `?` of its address.
    pub(super) query: &'static str,
    pub(super) gives: Gives,
}

/// What the body of a request holds.
#[derive(Clone, Copy)]
pub(super) enum Body {
    /// There is none.
    None,
    /// These fields, each with its type; those that may be absent end with `?`.
    Fields(&'static str),
    /// What this type is read from.
    Of(SchemaOf),
}

/// What an operation gives where it is done.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// 200 and JSON.
    Json(SchemaOf),
    /// 200 and a list of it, whole.
    List(SchemaOf),
    /// 200 and a list of it, whole, as the `items` of an object.
    Items(SchemaOf),
    /// 200 and a page of a list of it.
    Page(SchemaOf),
    /// 201 and what was made.
    Made(SchemaOf),
    /// 202 and what is asked for.
    Accepted(SchemaOf),
    /// 204.
    Nothing,
    /// 200 and a file of this type.
    File(&'static str),
}

/// Gives the reference to the schema of a type, and keeps that schema with those that it refers to.
pub(super) type SchemaOf = fn(&mut Schemas) -> Value;

/// The schemas that answers are made of, by name.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    fn keep(&mut self, name: &str, schema: &RefOr<Schema>) {
        let schema = serde_json::to_value(schema).unwrap_or_default();
        // Two types of one name would describe each other's answers; a test asks for the whole description.
        let before = self.0.insert(name.to_owned(), schema.clone());
        assert!(before.is_none_or(|before| before == schema), "two types are called {name}");
    }

    /// Takes the word that nothing else is in it from what is a part of something (`allOf`): there, the other parts are
    /// in it.
    fn open_parts(&mut self) {
        let parts = self.0.values().flat_map(|schema| schema["allOf"].as_array().into_iter().flatten());
        let names = parts.filter_map(|part| part["$ref"].as_str()?.rsplit('/').next());
        let names: Vec<String> = names.map(str::to_owned).collect();
        for name in names {
            let part = self.0.get_mut(&name).and_then(Value::as_object_mut);
            part.map(|part| part.remove("additionalProperties"));
        }
    }

    /// All of them, with others beside them.
    pub(super) fn with(mut self, others: Value) -> Value {
        self.open_parts();
        let mut all: Map<String, Value> = self.0.into_iter().collect();
        all.extend(others.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    }
}

fn schema<T: ToSchema>(schemas: &mut Schemas) -> Value {
    let mut found = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut found);
    for (name, schema) in &found {
        schemas.keep(name, schema);
    }
    json!({ "$ref": format!("#/components/schemas/{}", T::name()) })
}

/// JSON that is described elsewhere.
pub(super) struct Anything;

impl PartialSchema for Anything {
    fn schema() -> RefOr<Schema> {
        let any = utoipa::openapi::schema::AdditionalProperties::FreeForm(true);
        ObjectBuilder::new().additional_properties(Some(any)).into()
    }
}

impl ToSchema for Anything {}

pub(super) const fn json<T: ToSchema>() -> Gives {
    Gives::Json(schema::<T>)
}

pub(super) const fn list<T: ToSchema>() -> Gives {
    Gives::List(schema::<T>)
}

pub(super) const fn items<T: ToSchema>() -> Gives {
    Gives::Items(schema::<T>)
}

pub(super) const fn page<T: ToSchema>() -> Gives {
    Gives::Page(schema::<T>)
}

pub(super) const fn made<T: ToSchema>() -> Gives {
    Gives::Made(schema::<T>)
}

pub(super) const fn accepted<T: ToSchema>() -> Gives {
    Gives::Accepted(schema::<T>)
}

pub(super) const fn nothing() -> Gives {
    Gives::Nothing
}

pub(super) const fn file(kind: &'static str) -> Gives {
    Gives::File(kind)
}

/// An operation without a body or a query.
pub(super) const fn op(route: &'static str, id: &'static str, gives: Gives, summary: &'static str) -> Operation {
    Operation { route, id, summary, body: Body::None, query: "", gives }
}

impl Operation {
    /// With a body of these fields.
    pub(super) const fn takes(mut self, body: &'static str) -> Self {
        self.body = Body::Fields(body);
        self
    }

    /// With a body that this type is read from.
    pub(super) const fn takes_a<T: ToSchema>(mut self) -> Self {
        self.body = Body::Of(schema::<T>);
        self
    }

    /// With what may stand behind the `?` of its address.
    pub(super) const fn asked(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }
}

/// The fields of a list such as `name:string days?:integer`, each with whether it is required and its schema.
pub(super) fn fields(list: &str) -> impl Iterator<Item = (&str, bool, Value)> {
    list.split_whitespace().filter_map(|field| {
        let (name, kind) = field.split_once(':')?;
        let schema = match kind {
            "date-time" => json!({ "type": "string", "format": "date-time" }),
            "strings" => json!({ "type": "array", "items": { "type": "string" } }),
            "nullable" => json!({ "type": ["string", "null"] }),
            "days" => json!({ "type": ["integer", "null"] }),
            "interval" => json!({ "type": ["integer", "string"], "description": "Seconds, or a text such as `90m`" }),
            names if names.contains('|') => json!({ "type": "string", "enum": names.split('|').collect::<Vec<_>>() }),
            kind => json!({ "type": kind }),
        };
        Some((name.trim_end_matches('?'), !name.ends_with('?'), schema))
    })
}
