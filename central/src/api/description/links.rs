//! Links and invites.

use super::operation::{Operation, accepted, json, list, made, nothing, op, page};
use crate::actions::links::MadeInvite;
use crate::api::links::{ListedLink, ShownLink};
use crate::domain::{Answer, Application, FormerKey, OpenInvite, RemovedRow};

pub(super) const OPERATIONS: &[Operation] = &[
    op(
        "GET /api/v1/applications/{application}/links",
        "list_links_of_application",
        list::<ShownLink>(),
        "The links of an application, the newest first",
    ),
    op(
        "PUT /api/v1/applications/{application}/link",
        "choose_link",
        json::<Application>(),
        "Choose the link whose reports are shown",
    )
    .takes("link?:nullable"),
    op(
        "GET /api/v1/invites",
        "list_invites",
        page::<OpenInvite>(),
        "The invites that can be used now, the newest first",
    ),
    op("DELETE /api/v1/invites/{invite}", "withdraw_invite", nothing(), "Withdraw an invite that nobody has used"),
    op(
        "POST /api/v1/invites",
        "make_invite",
        made::<MadeInvite>(),
        "Make an invite, to be accepted in a product within 30 minutes",
    )
    .takes("application?:nullable"),
    op(
        "GET /api/v1/links",
        "list_links",
        page::<ListedLink>(),
        "The links: what waits for approval first, of each state the newest first",
    )
    .asked("state?:pending|suspended|approved product?:string server_id?:string"),
    op(
        "GET /api/v1/removed-links",
        "list_removed_links",
        page::<RemovedRow>(),
        "The links that were removed, the latest first",
    ),
    op("GET /api/v1/links/{link}", "show_link", json::<ShownLink>(), "A link"),
    op("DELETE /api/v1/links/{link}", "remove_link", nothing(), "Remove a link with its reports"),
    op(
        "POST /api/v1/links/{link}/sync",
        "synchronise",
        accepted::<ShownLink>(),
        "Let the product count and report now",
    ),
    op("POST /api/v1/links/{link}/rotate", "rotate_key", accepted::<ShownLink>(), "Let the product replace its key"),
    op("GET /api/v1/links/{link}/keys", "list_former_keys", list::<FormerKey>(), "The keys before the present one"),
    op(
        "GET /api/v1/links/{link}/answers",
        "list_answers",
        list::<Answer>(),
        "What administrators have answered to the questions of the chain",
    ),
    op(
        "POST /api/v1/links/{link}/answers",
        "answer_question",
        made::<Answer>(),
        "Answer a question that the chain asks",
    )
    .takes("question:fork|server-id explanation:copy-off|staging|moved|restored why?:string"),
    op("POST /api/v1/links/{link}/approve", "approve_link", json::<ShownLink>(), "Approve a link for an application")
        .takes("application:string"),
    op("POST /api/v1/links/{link}/refuse", "refuse_link", nothing(), "Refuse a link that waits for approval"),
    op(
        "POST /api/v1/links/{link}/suspend",
        "suspend_link",
        json::<ShownLink>(),
        "Suspend a link: its reports are refused",
    ),
    op(
        "PATCH /api/v1/links/{link}/settings",
        "change_settings",
        json::<ShownLink>(),
        "Change what a product is told to do; what is absent stays",
    )
    .takes("interval?:interval dormancy_days?:integer counting?:account|first-sign-in daily_mib?:integer"),
];
