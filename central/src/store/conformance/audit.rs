//! Stories about the audit log (`g11`): nothing is changed by somebody without an entry, and an entry stays.

use seatline_protocol::Sequence;
use serde_json::json;

use super::accounts::{account, add, name, session, token};
use super::sample::{act, act_at, application, at, invite, key, linked, redemption};
use crate::domain::{
    Act, ActorKind, Entry, EntryFilter, KeyChange, LinkSettings, LinkState, Redeemed, Role, SignOn, Subject, TokenId,
};
use crate::store::{Cursor, PageSize, Store, StoreError};

/// All entries, the oldest first.
async fn entries(store: &dyn Store) -> Vec<Entry> {
    let page = store.audit(&EntryFilter::default(), None, PageSize::new(200)).await.expect("read");
    assert_eq!(page.next, None);
    page.items.into_iter().rev().collect()
}

/// An act that stands out: a program's, at a second of its own.
fn by_program(second: i64) -> Act {
    let mut act = act_at(second);
    act.actor.kind = ActorKind::Token;
    act.actor.name = "ada".to_owned();
    act.actor.token = Some(TokenId::from_random([7; 12]));
    act.actor.address = Some("192.0.2.7".parse().expect("an address"));
    act
}

/// Each changing function writes one entry, with who, what, when and from where.
pub async fn g11_every_change_of_an_account_is_in_the_audit_log(store: &dyn Store) {
    let (ada, eve) = (name("ada"), name("eve"));
    add(store, "zoe", Role::Administrator).await;
    store.add_account(&by_program(1), &account("ada", Role::Viewer)).await.expect("added");
    store.set_role(&by_program(2), &ada, Role::Operator).await.expect("asked").expect("set");
    store.set_password(&by_program(3), &ada, "new", None).await.expect("asked").expect("set");
    store.begin_session(&by_program(4), &session("s", "ada", 4), None).await.expect("begun");
    store.end_session(&by_program(5), &ada, &session("s", "ada", 4).id).await.expect("ended");
    store.begin_session(&by_program(6), &session("t", "ada", 6), None).await.expect("begun");
    store.end_sessions(&by_program(7), &ada, None).await.expect("ended");
    store.add_api_token(&by_program(8), &token(1, "ada")).await.expect("added");
    store.revoke_api_token(&by_program(9), &token(1, "ada").id, None).await.expect("revoked");
    store.remove_account(&by_program(10), &ada).await.expect("asked").expect("removed");
    let subject = Subject { issuer: "https://id.example".to_owned(), subject: "1".to_owned() };
    let on = |role| SignOn { subject: subject.clone(), name: eve.clone(), role };
    store.sign_on(&by_program(11), &on(Role::Viewer)).await.expect("asked").expect("made");
    store.sign_on(&by_program(12), &on(Role::Operator)).await.expect("asked").expect("changed");
    store.sign_off(&by_program(13), &subject).await.expect("removed");

    let entries = entries(store).await;
    let actions: Vec<&str> = entries.iter().skip(1).map(|entry| entry.action.as_str()).collect();
    let expected = [
        "account.add",
        "account.role",
        "account.password",
        "session.begin",
        "session.end",
        "session.begin",
        "session.end-all",
        "token.create",
        "token.revoke",
        "account.remove",
        "account.add",
        "account.role",
        "account.remove",
    ];
    assert_eq!(actions, expected);
    for (entry, second) in entries.iter().skip(1).zip(1..) {
        assert_eq!((entry.at, entry.actor_kind, entry.actor.as_str()), (at(second), ActorKind::Token, "ada"));
        assert_eq!(entry.token, Some(TokenId::from_random([7; 12])));
        assert_eq!(entry.address, Some("192.0.2.7".parse().expect("an address")));
    }
    let role = &entries[2];
    assert_eq!((&role.before, &role.after), (&Some(json!({"role": "viewer"})), &Some(json!({"role": "operator"}))));
    let said = serde_json::to_string(&entries).expect("JSON");
    for secret in ["hash of", "\"new\"", &token(1, "ada").token.hex(), &session("s", "ada", 4).token.hex()] {
        assert!(!said.contains(secret), "no secret is in it: {secret}");
    }
}

/// As above, of what operators change.
pub async fn g11_every_change_of_an_application_or_link_is_in_the_audit_log(store: &dyn Store) {
    let first = application(1);
    store.add_application(&by_program(1), &first).await.expect("added");
    store.add_invite(&by_program(2), &invite(1, None)).await.expect("made");
    let redeemed = store.redeem(&redemption(1, &key(1), 1, at(3))).await.expect("redeemed");
    let Redeemed::Link(link) = redeemed else { panic!("a link: {redeemed:?}") };
    store.approve_link(&by_program(4), &link.id, &first.id).await.expect("approved");
    store.set_link_state(&by_program(5), &link.id, LinkState::Suspended).await.expect("suspended");
    let settings = LinkSettings { revision: 2, interval: 60, changed_at: at(6), ..link.settings.clone() };
    store.set_link_settings(&by_program(6), &link.id, &settings).await.expect("set");
    store.choose_link(&by_program(7), &first.id, None).await.expect("chosen");
    store.approve_link(&by_program(8), &link.id, &first.id).await.expect("approved again");
    let (old, new) = (key(1).public(), key(2).public());
    let change = KeyChange { link: link.id.clone(), old, new: new.clone(), from: Sequence::FIRST };
    for second in [9, 10] {
        store.redeem(&redemption(1, &key(1), 1, at(second))).await.expect("answered");
        store.change_key(&change, at(second)).await.expect("answered");
    }
    let entries = entries(store).await;
    let told: Vec<(&str, &str)> =
        entries.iter().map(|entry| (entry.action.as_str(), entry.object.kind.as_str())).collect();
    let expected = [
        ("application.add", "application"),
        ("invite.make", "invite"),
        ("link.join", "link"),
        ("link.approve", "link"),
        ("link.suspend", "link"),
        ("link.settings", "link"),
        ("application.choose-link", "application"),
        ("link.approve", "link"),
        ("link.key", "link"),
    ];
    assert_eq!(told, expected, "and what a product says again is one entry");
    let id = link.id.to_string();
    for (place, second) in [(2, 3), (8, 9)] {
        let Entry { actor, actor_kind, at: when, .. } = &entries[place];
        assert_eq!((actor, *actor_kind, *when), (&id, ActorKind::Product, at(second)));
    }
    assert_eq!(entries[8].after, Some(json!({ "key": new })));
    assert_eq!(entries[4].before, Some(json!({"state": "approved"})));
    assert_eq!(entries[4].after, Some(json!({"state": "suspended"})));
    let interval =
        |value: &Option<serde_json::Value>| value.as_ref().map(|value| value["settings"]["interval"].clone());
    assert_eq!((interval(&entries[5].before), interval(&entries[5].after)), (Some(json!(3600)), Some(json!(60))));
    let said = serde_json::to_string(&entries).expect("JSON");
    assert!(!said.contains(&invite(1, None).secret.hex()), "no secret is in it");
}

/// Who reads the log sees what was changed, and nothing else.
pub async fn g11_what_changes_nothing_or_fails_is_not_in_the_audit_log(store: &dyn Store) {
    add(store, "ada", Role::Administrator).await;
    let link = linked(store, 1).await;
    let before = entries(store).await;
    let ada = name("ada");
    store.set_role(&act(), &ada, Role::Administrator).await.expect("asked").expect("it is one");
    store.set_role(&act(), &ada, Role::Viewer).await.expect("asked").expect_err("the last one");
    store.add_account(&act(), &account("ada", Role::Viewer)).await.expect_err("taken");
    store.remove_account(&act(), &ada).await.expect("asked").expect_err("the last one");
    store.end_sessions(&act(), &ada, None).await.expect("there is none");
    store.revoke_api_token(&act(), &token(1, "ada").id, None).await.expect_err("there is none");
    store.add_application(&act(), &application(1)).await.expect_err("taken");
    store.choose_link(&act(), &application(1).id, Some(&link.id)).await.expect("it is chosen");
    let late = LinkSettings { revision: 9, ..link.settings.clone() };
    store.set_link_settings(&act(), &link.id, &late).await.expect_err("not the next revision");
    assert_eq!(entries(store).await, before);
}

/// Pages lose and repeat nothing, and filters let pass what they name.
pub async fn g11_the_audit_log_is_read_in_pages_and_by_filters(store: &dyn Store) {
    for n in 0..10 {
        let mut one = act_at(i64::from(n) / 2);
        one.actor.name = if n % 3 == 0 { "ada".to_owned() } else { "bob".to_owned() };
        store.add_application(&one, &application(n)).await.expect("added");
    }
    add(store, "vic", Role::Viewer).await;
    let read = async |filter: EntryFilter| {
        let (mut names, mut after) = (Vec::new(), None::<Cursor>);
        loop {
            let page = store.audit(&filter, after.as_ref(), PageSize::new(3)).await.expect("read");
            names.extend(page.items.into_iter().map(|entry| entry.object.name));
            after = page.next;
            if after.is_none() {
                return names;
            }
        }
    };
    let all = read(EntryFilter::default()).await;
    assert_eq!(all.len(), 11);
    let named = |n: u8| format!("Application {n:03}");
    let of = |filter: EntryFilter| read(filter);
    let ada = EntryFilter { actor: Some("ada".to_owned()), ..EntryFilter::default() };
    assert_eq!(of(ada.clone()).await, [9, 6, 3, 0].map(named));
    assert_eq!(of(EntryFilter { kind: Some("account".to_owned()), ..EntryFilter::default() }).await, ["vic"]);
    let object = Some(application(4).id.to_string());
    assert_eq!(of(EntryFilter { object: object.clone(), ..EntryFilter::default() }).await, [named(4)]);
    assert_eq!(of(EntryFilter { object, ..ada.clone() }).await, [] as [String; 0]);
    let between = EntryFilter { from: Some(at(1)), until: Some(at(3)), ..ada };
    assert_eq!(of(between).await, [named(3)], "from the first moment on, and before the last");
    for odd in ["", "odd", "1-2", "x-000000000000000000000000"] {
        let odd = store.audit(&EntryFilter::default(), Some(&Cursor::new(odd)), PageSize::default()).await;
        assert!(matches!(odd, Err(StoreError::Cursor)));
    }
}
