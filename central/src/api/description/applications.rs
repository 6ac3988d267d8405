//! Applications.

use super::operation::{Operation, json, made, op, page};
use crate::domain::{Application, ApplicationRow, Licenses, WouldGo};

pub(super) const OPERATIONS: &[Operation] = &[
    op("GET /api/v1/applications", "list_applications", page::<ApplicationRow>(), "The applications, by name"),
    op("POST /api/v1/applications", "add_application", made::<Application>(), "Add an application")
        .takes("name:string product:string url?:string"),
    op("GET /api/v1/applications/{application}", "show_application", json::<Application>(), "An application"),
    op(
        "PATCH /api/v1/applications/{application}",
        "change_application",
        json::<Application>(),
        "Change an application; what is absent stays",
    )
    .takes("name?:string product?:string url?:string"),
    op(
        "DELETE /api/v1/applications/{application}",
        "remove_application",
        json::<WouldGo>(),
        "Remove an application with its links and reports, and say what went with it",
    ),
    op(
        "GET /api/v1/applications/{application}/licenses",
        "show_licenses",
        json::<Licenses>(),
        "What the Licenses tab shows",
    ),
];
