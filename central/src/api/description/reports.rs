//! Reports, and what they add up to: history, chain, evidence, people.

use super::operation::{CSV, EVIDENCE, Operation, TEXT, accepted, file, items, json, list, op, page};
use crate::actions::chain::ChainProof;
use crate::api::counts::NewSchedule;
use crate::api::history_export::Line;
use crate::domain::history::{Difference, History};
use crate::domain::people::{People, PeopleCount, Schedule};
use crate::domain::{RefusedReport, ReportRow};

pub(super) const OPERATIONS: &[Operation] = &[
    op("GET /api/v1/applications/{application}/history", "show_history", json::<History>(), "The use over time")
        .asked("range?:30|90|365|all"),
    op(
        "GET /api/v1/applications/{application}/history.csv",
        "export_history_csv",
        file(CSV),
        "All of the history that is kept, day by day",
    ),
    op(
        "GET /api/v1/applications/{application}/history.json",
        "export_history_json",
        list::<Line>(),
        "All of the history that is kept, day by day",
    ),
    op(
        "GET /api/v1/applications/{application}/chain",
        "show_chain",
        json::<ChainProof>(),
        "How the chain of reports of an application stands",
    ),
    op(
        "GET /api/v1/applications/{application}/evidence",
        "export_evidence",
        file(EVIDENCE),
        "The evidence of an application for a period",
    )
    .asked("from?:string to?:string"),
    op(
        "GET /api/v1/evidence",
        "export_evidence_of_all",
        file(EVIDENCE),
        "The evidence of several applications for a period",
    )
    .asked("from?:string to?:string applications?:string"),
    op("GET /api/v1/people", "show_people", json::<People>(), "People, counted once over a set of applications")
        .asked("application?:strings product?:string group?:string tag?:string use?:production|staging"),
    op(
        "GET /api/v1/people-counts",
        "list_people_counts",
        page::<PeopleCount>(),
        "The counts of people over sets of any size, the newest first: of one set, or of all where none is named",
    )
    .asked("product?:string group?:string tag?:string use?:production|staging"),
    op(
        "POST /api/v1/people-counts",
        "ask_people_count",
        accepted::<PeopleCount>(),
        "Have the people of a set counted; where a count of it waits or is under way, that is given",
    )
    .takes("use?:production|staging product?:nullable group?:nullable tag?:nullable"),
    op("GET /api/v1/people-counts/{count}", "show_people_count", json::<PeopleCount>(), "A count of people"),
    op(
        "GET /api/v1/people-schedules",
        "list_people_schedules",
        items::<Schedule>(),
        "The sets whose people are counted again and again",
    ),
    op(
        "PUT /api/v1/people-schedules",
        "set_people_schedule",
        items::<Schedule>(),
        "Have the people of a set counted now and then every day, week or month, or not any more; gives all that are",
    )
    .takes_a::<NewSchedule>(),
    op(
        "GET /api/v1/links/{link}/reports",
        "list_reports",
        page::<ReportRow>(),
        "The stored reports of a link, the newest first",
    ),
    op(
        "GET /api/v1/links/{link}/reports/{sequence}",
        "show_report",
        file(TEXT),
        "The exact bytes of a report: evidence",
    ),
    op(
        "GET /api/v1/links/{link}/difference",
        "show_difference",
        json::<Difference>(),
        "What changed between two reports",
    )
    .asked("from:integer to:integer"),
    op(
        "GET /api/v1/links/{link}/refused-reports",
        "list_refused_reports",
        list::<RefusedReport>(),
        "The refused reports that are kept",
    ),
    op(
        "GET /api/v1/links/{link}/refused-reports/{digest}",
        "show_refused_report",
        file(TEXT),
        "The exact bytes of a refused report: evidence",
    ),
];
