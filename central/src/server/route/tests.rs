//! What people can do on the pages, programs can do over the API (issue 4).

use std::collections::BTreeSet;

use super::*;
use crate::{api, pages};

/// What each form of the pages does, and the route of the API that does the same: both demand the same of who asks.
const SAME: [(&str, &str); 44] = [
    ("/applications", "POST /applications"),
    ("/applications/{id}/labels", "PUT /applications/{application}/labels"),
    ("/applications/{id}/link", "PUT /applications/{application}/link"),
    ("/applications/{id}/link", "PATCH /links/{link}/settings"),
    ("/applications/{id}/invites", "POST /invites"),
    ("/applications/{id}/links/{link}/approve", "POST /links/{link}/approve"),
    ("/applications/{id}/links/{link}/suspend", "POST /links/{link}/suspend"),
    ("/applications/{id}/links/{link}/sync", "POST /links/{link}/sync"),
    ("/applications/{id}/links/{link}/rotate", "POST /links/{link}/rotate"),
    ("/applications/{id}/links/{link}/answer", "POST /links/{link}/answers"),
    ("/applications/{id}/links/{link}/remove", "DELETE /links/{link}"),
    ("/applications/{id}/wizard", "POST /invites"),
    ("/applications/{id}/change", "PATCH /applications/{application}"),
    ("/applications/{id}/remove", "DELETE /applications/{application}"),
    ("/links/invites", "POST /invites"),
    ("/links/invites/{invite}/withdraw", "DELETE /invites/{invite}"),
    ("/links/wizard", "POST /invites"),
    ("/links/{link}/approve", "POST /links/{link}/approve"),
    ("/links/{link}/refuse", "POST /links/{link}/refuse"),
    ("/alerts/acknowledge", "POST /alerts/acknowledge"),
    ("/alerts/acknowledge-several", "POST /alerts/acknowledge-several"),
    ("/alerts/withdraw", "POST /alerts/withdraw"),
    ("/alerts/channels", "POST /channels"),
    ("/alerts/channels/{channel}", "PUT /channels/{channel}"),
    ("/alerts/channels/{channel}/test", "POST /channels/{channel}/test"),
    ("/alerts/channels/{channel}/secret", "POST /channels/{channel}/secret"),
    ("/alerts/channels/{channel}/remove", "DELETE /channels/{channel}"),
    ("/people/counts", "POST /people-counts"),
    ("/people/schedule", "PUT /people-schedules"),
    ("/confirm", "POST /account/confirm"),
    ("/account/password", "PUT /account/password"),
    ("/account/sessions/end-others", "DELETE /account/sessions"),
    ("/account/sessions/{session}/end", "DELETE /account/sessions/{session}"),
    ("/account/tokens", "POST /account/tokens"),
    ("/account/tokens/{token}/revoke", "DELETE /account/tokens/{token}"),
    ("/administration/users", "POST /users"),
    ("/administration/users/{name}/role", "PATCH /users/{user}"),
    ("/administration/users/{name}/password", "PUT /users/{user}/password"),
    ("/administration/users/{name}/end-sessions", "DELETE /users/{user}/sessions"),
    ("/administration/users/{name}/remove", "DELETE /users/{user}"),
    ("/administration/tokens/{token}/revoke", "DELETE /tokens/{token}"),
    ("/administration/alerts", "PUT /alert-settings"),
    ("/administration/retention", "PATCH /retention"),
    ("/administration/pseudonyms", "POST /pseudonym-keys"),
];
/// The form that takes nothing but a session back to before its password was confirmed: a program has none.
const OF_A_SESSION: &str = "/confirm/end";

#[test]
fn what_can_be_done_on_the_pages_can_be_done_over_the_api_by_the_same_people() {
    let pages: Vec<Route> = pages::routes().into_iter().filter(|route| route.method == Method::POST).collect();
    let api = api::routes();
    for (form, same) in SAME {
        let page = pages.iter().find(|route| route.path == form).unwrap_or_else(|| panic!("no form sends to {form}"));
        let (method, path) = same.split_once(' ').expect("a method and a path");
        let route = api.iter().find(|route| {
            route.method == method && route.path.strip_prefix("/api/v1").is_some_and(|rest| rest == path)
        });
        let route = route.unwrap_or_else(|| panic!("the API has no {same}, as {form} has"));
        assert_eq!(page.need, route.need, "{form} and {same}");
    }
    let forms: BTreeSet<&str> = pages.iter().map(|route| route.path).filter(|path| *path != OF_A_SESSION).collect();
    let listed: BTreeSet<&str> = SAME.iter().map(|(form, _)| *form).collect();
    let unlisted: Vec<&&str> = forms.difference(&listed).collect();
    assert!(unlisted.is_empty(), "the API does not do what these forms do: {unlisted:?}");
}
