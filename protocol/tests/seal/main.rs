//! Sealing and opening: every way in which a document can be wrong, and agreement with another implementation.

mod opening;
mod other_implementation;
mod pasting;
mod repeats;

use seatline_protocol::{License, SecretKey, seal};

/// A license of ordinary size.
fn license() -> License {
    serde_json::from_str(
        r#"{"id": "L-1", "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
            "limits": [{"dimension": "users", "max": 500}], "features": ["sso"],
            "issued": "2026-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z"}"#,
    )
    .expect("a license")
}

fn vendor() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

fn sealed() -> String {
    seal::seal(&license(), &vendor()).expect("a sealed license")
}
