//! The fleet: lists, sums, what ends, what calls for attention, and how applications are sorted.

use super::operation::{CSV, Operation, file, json, list, op, page};
use crate::api::fleet::Sums;
use crate::domain::{Due, FleetItem, Labels};
use crate::store::fleet::{ChangedConcern, Spell};

/// What the list of the fleet is asked by, as a page and as a file.
const FLEET: &str = "q?:string product?:string group?:string tag?:string concern?:string gravity?:note|warning|problem \
                     use?:production|staging sort?:attention|name|consumption|expiry";

pub(super) const OPERATIONS: &[Operation] = &[
    op(
        "GET /api/v1/applications/{application}/labels",
        "show_labels",
        json::<Labels>(),
        "The labels of an application: its group and tags",
    ),
    op(
        "PUT /api/v1/applications/{application}/labels",
        "set_labels",
        json::<Labels>(),
        "Set the labels of an application",
    )
    .takes("group?:nullable tags?:strings"),
    op(
        "GET /api/v1/applications/{application}/concerns",
        "list_concerns_of_application",
        page::<Spell>(),
        "What was and is wrong with an application",
    ),
    op("GET /api/v1/fleet", "list_fleet", page::<FleetItem>(), "All applications, sorted by what needs attention")
        .asked(FLEET),
    op("GET /api/v1/fleet.csv", "export_fleet_csv", file(CSV), "All applications that the filters let pass")
        .asked(FLEET),
    op(
        "GET /api/v1/fleet.json",
        "export_fleet_json",
        list::<FleetItem>(),
        "All applications that the filters let pass",
    )
    .asked(FLEET),
    op("GET /api/v1/fleet/totals", "show_totals", json::<Sums>(), "What all applications come to")
        .asked("use?:production|staging of?:products|groups|tags|concerns|gravities"),
    op("GET /api/v1/fleet/ends", "list_ends", page::<Due>(), "What ends, and when")
        .asked("from?:date-time until?:date-time product?:string group?:string tag?:string"),
    op(
        "GET /api/v1/fleet/concerns",
        "list_concerns",
        page::<ChangedConcern>(),
        "What was and is wrong with all applications",
    ),
];
