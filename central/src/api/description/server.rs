//! The server itself.

use super::operation::{Anything, Operation, json, list, op};
use crate::api::server::Server;
use crate::domain::pseudonyms::KeyUses;
use crate::domain::{Retention, WouldForget};
use crate::store::leases::JobState;

pub(super) const OPERATIONS: &[Operation] = &[
    op("GET /api/v1/retention", "show_retention", json::<Retention>(), "How long what was reported is kept"),
    op(
        "PATCH /api/v1/retention",
        "set_retention",
        json::<Retention>(),
        "Set how long what was reported is kept; null is for ever, and what is absent stays",
    )
    .takes("reports_days?:days history_days?:days"),
    op(
        "GET /api/v1/retention/preview",
        "preview_retention",
        json::<WouldForget>(),
        "What would go if that were set; what is absent would be kept for ever",
    )
    .asked("reports_days?:integer history_days?:integer"),
    op(
        "GET /api/v1/pseudonym-keys",
        "show_pseudonym_keys",
        json::<KeyUses>(),
        "The keys that pseudonyms are made with, and who has still to turn to the one in force",
    ),
    op(
        "POST /api/v1/pseudonym-keys",
        "replace_pseudonym_key",
        json::<KeyUses>(),
        "Make another pseudonym key in the place of the one in force, which is named",
    )
    .takes("replaces:string"),
    op("GET /api/v1/jobs", "list_jobs", list::<JobState>(), "What the server does by itself, and how it went"),
    op("GET /api/v1/server", "show_server", json::<Server>(), "What the server is, and who asks"),
    op("GET /api/v1/openapi.json", "show_description", json::<Anything>(), "This description"),
];
