//! The ids as a description of an API shows them (feature `schema`). The types with fields derive theirs.

use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::ids::{Digest, Dimension, LicenseId, LinkId, MAX_COUNT, ProductId, Sequence, ServerId};
use crate::keys::{KeyId, PublicKey};
use crate::pseudonym::PseudonymKeyId;

/// Describes types that are text which holds to a rule: each with what it is, and an example.
#[macro_export]
macro_rules! described_texts {
    ($($name:ident: $description:literal, $example:literal;)+) => {$(
        impl ::utoipa::PartialSchema for $name {
            fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                let text = ::utoipa::openapi::schema::ObjectBuilder::new();
                let text = text.schema_type(::utoipa::openapi::schema::Type::String).description(Some($description));
                text.examples([$example]).into()
            }
        }

        impl ::utoipa::ToSchema for $name {}
    )+};
}

described_texts! {
    Dimension: "A named quantity that a license can limit: 1 to 64 characters of a-z 0-9 - _ . that start with a letter.",
        "users";
    ProductId: "A product or add-on: 1 to 64 characters of a-z 0-9 - _ . that start with a letter.", "acme-wiki";
    LicenseId: "A license, named by its vendor: 1 to 64 characters of A-Z a-z 0-9 - _ .", "NR10-X7WZ-JB68-8HEF";
    ServerId: "The identity of an instance of a product: five groups of four characters.", "6C49-PHGB-64KX-JV40-FE8P";
    LinkId: "An application link, named by the central server: six groups of four characters.",
        "7G2M-9QXM-64KX-JV40-FE8P-B7K2";
    KeyId: "The id of a key, as PASERK.", "k4.pid.9ShR3xc8-qVJ_di0tc9nx0IDIqbatdeM2mqLFBJsKRHs";
    PublicKey: "A public key, as PASERK.", "k4.public.2ojhnkSA1sFqHhBRhYqUhEyFy9Yp6WF1Qh7hK7xS0nQ";
    PseudonymKeyId: "What names a pseudonym key: 32 hexadecimal digits.", "b9cf86a0f1d94c1d3aef0f3d2a3b4ce0";
    Digest: "SHA-256 over exact bytes.", "sha256:b9cf86a0f1d94c1d3aef0f3d2a3b4ce02a7b4c2a9ce4e9dfbf6f2a4f7a3b1c5d";
}

impl PartialSchema for Sequence {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some("The place of a report in the chain of its link."))
            .minimum(Some(1))
            .maximum(Some(MAX_COUNT))
            .into()
    }
}

impl ToSchema for Sequence {}
