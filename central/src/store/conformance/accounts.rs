//! Stories about accounts, sessions and tokens (`g10`, `g11`).

use jiff::Timestamp;

use super::sample::{act, act_at, at};
use crate::domain::{
    Account, AccountName, AccountRefusal, ApiToken, NewSession, Proof, Role, Scopes, SessionId, SignOn, Subject,
    TokenHash, TokenId,
};
use crate::store::{Cursor, PageSize, Store, StoreError};

pub(super) fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

/// An account with a password.
pub(super) fn account(text: &str, role: Role) -> Account {
    let proof = Proof::Password { hash: format!("hash of {text}") };
    Account { name: name(text), role, proof, created_at: at(0), last_sign_in_at: None }
}

pub(super) async fn add(store: &dyn Store, text: &str, role: Role) {
    store.add_account(&act(), &account(text, role)).await.expect("added");
}

pub(super) fn session(secret: &str, whose: &str, begin: i64) -> NewSession {
    let hash = TokenHash::of(secret.as_bytes());
    NewSession {
        id: hash.hex()[..24].parse().expect("an id"),
        token: hash,
        account: name(whose),
        created_at: at(begin),
        expires_at: at(begin + 100),
        address: "192.0.2.7".parse().expect("an address"),
        browser: "Mozilla/5.0 (X11)".to_owned(),
    }
}

pub(super) fn token(n: u8, whose: &str) -> ApiToken {
    ApiToken {
        id: TokenId::from_random([n; 12]),
        token: TokenHash::of(&[n]),
        account: name(whose),
        label: format!("token {n}"),
        scopes: "links:operate read".parse().expect("scopes"),
        created_at: at(n.into()),
        expires_at: None,
        last_used_day: None,
    }
}

async fn runs(store: &dyn Store, session: &NewSession, now: i64) -> bool {
    store.session(&session.token, at(now), at(now - 50)).await.expect("read").is_some()
}

/// A name belongs to one account, and its role is read back.
pub async fn g11_an_account_has_a_name_of_its_own_and_a_role(store: &dyn Store) {
    assert!(!store.has_administrator().await.expect("read"));
    for (text, role) in [("vic", Role::Viewer), ("otto", Role::Operator)] {
        add(store, text, role).await;
        assert_eq!(store.account(&name(text)).await.expect("read"), Some(account(text, role)));
    }
    assert!(!store.has_administrator().await.expect("read"), "nobody is one");
    add(store, "ada", Role::Administrator).await;
    assert!(store.has_administrator().await.expect("read"));
    let other = Account { proof: Proof::Password { hash: "another".to_owned() }, ..account("ada", Role::Viewer) };
    assert!(matches!(store.add_account(&act(), &other).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.account(&name("ada")).await.expect("read"), Some(account("ada", Role::Administrator)));
    let first = store.accounts(None, PageSize::new(2)).await.expect("read");
    let second = store.accounts(first.next.as_ref(), PageSize::new(2)).await.expect("read");
    let names: Vec<String> = first.items.iter().chain(&second.items).map(|account| account.name.to_string()).collect();
    assert_eq!((names, second.next), (vec!["ada".to_owned(), "otto".to_owned(), "vic".to_owned()], None));
}

/// Nobody would be left to look after the server.
pub async fn g11_the_last_administrator_stays(store: &dyn Store) {
    add(store, "ada", Role::Administrator).await;
    add(store, "vic", Role::Viewer).await;
    let (ada, vic) = (name("ada"), name("vic"));
    let last = Err(AccountRefusal::LastAdministrator);
    assert_eq!(store.set_role(&act(), &ada, Role::Operator).await.expect("asked").map(drop), last);
    assert_eq!(store.remove_account(&act(), &ada).await.expect("asked"), last);
    assert_eq!(store.account(&ada).await.expect("read").map(|account| account.role), Some(Role::Administrator));
    let raised = store.set_role(&act(), &vic, Role::Administrator).await.expect("asked").expect("set");
    assert_eq!(raised.role, Role::Administrator);
    store.set_role(&act(), &ada, Role::Viewer).await.expect("asked").expect("there is another one now");
    store.remove_account(&act(), &ada).await.expect("asked").expect("removed");
    assert_eq!(store.account(&ada).await.expect("read"), None);
    let nobody = store.set_role(&act(), &ada, Role::Viewer).await;
    assert!(matches!(nobody, Err(StoreError::Missing(_))));
    assert!(matches!(store.remove_account(&act(), &ada).await, Err(StoreError::Missing(_))));
}

/// Also when both ask at the same moment.
pub async fn g11_of_two_administrators_who_remove_each_other_one_stays(store: &dyn Store) {
    store.bind(&seatline_protocol::SecretKey::from_seed(&[1; 32]).public().id()).await.expect("bound");
    for n in 0..8 {
        let pair = [format!("ada{n}"), format!("bob{n}")];
        for one in &pair {
            add(store, one, Role::Administrator).await;
        }
        if n > 0 {
            // Whoever stayed before makes room, so that these two are the only ones.
            for before in store.accounts(None, PageSize::default()).await.expect("read").items {
                if !pair.contains(&before.name.to_string()) {
                    store.remove_account(&act(), &before.name).await.expect("asked").expect("there are others");
                }
            }
        }
        let (first, second) = (act(), act());
        let (ada, bob) = (name(&pair[0]), name(&pair[1]));
        let both = tokio::join!(store.remove_account(&first, &bob), store.set_role(&second, &ada, Role::Viewer));
        let refused = [both.0.expect("asked").is_err(), both.1.expect("asked").is_err()];
        assert_eq!(refused.iter().filter(|refused| **refused).count(), 1, "{refused:?}");
        assert!(store.has_administrator().await.expect("read"));
    }
}

/// Neither a session nor a token outlives its account.
pub async fn g11_a_removed_account_leaves_no_way_in(store: &dyn Store) {
    add(store, "ada", Role::Administrator).await;
    add(store, "vic", Role::Viewer).await;
    let (begun, kept) = (session("hers", "vic", 0), token(1, "vic"));
    store.begin_session(&act(), &begun, None).await.expect("begun");
    store.add_api_token(&act(), &kept).await.expect("added");
    store.remove_account(&act(), &name("vic")).await.expect("asked").expect("removed");
    assert!(!runs(store, &begun, 1).await);
    assert_eq!(store.api_token(&kept.token, at(1)).await.expect("read"), None);
    add(store, "vic", Role::Viewer).await;
    assert!(!runs(store, &begun, 1).await, "and the next one of this name is somebody else");
    assert_eq!(store.api_tokens(Some(&name("vic")), None, PageSize::default()).await.expect("read").items, []);
}

/// What the provider says of somebody holds; a local account is never taken over by its name.
pub async fn g10_an_account_of_single_sign_on_follows_its_provider(store: &dyn Store) {
    add(store, "ada", Role::Administrator).await;
    let subject = Subject { issuer: "https://id.example".to_owned(), subject: "0017".to_owned() };
    let on = |text: &str, role| SignOn { subject: subject.clone(), name: name(text), role };
    let taken = store.sign_on(&act(), &on("ada", Role::Administrator)).await.expect("asked");
    assert_eq!(taken.map(drop), Err(AccountRefusal::NameTaken), "the local account is somebody else");
    let made = store.sign_on(&act_at(5), &on("sso-ada", Role::Operator)).await.expect("asked").expect("made");
    assert_eq!((made.role, made.password(), made.created_at), (Role::Operator, None, at(5)));
    assert_eq!(store.account(&made.name).await.expect("read"), Some(made.clone()));
    let renamed =
        store.sign_on(&act(), &on("somebody-else", Role::Administrator)).await.expect("asked").expect("known");
    assert_eq!((renamed.name, renamed.role), (made.name.clone(), Role::Administrator), "who he is does not change");
    let refusal = Err(AccountRefusal::SingleSignOn);
    assert_eq!(store.set_role(&act(), &made.name, Role::Viewer).await.expect("asked").map(drop), refusal);
    assert_eq!(store.set_password(&act(), &made.name, "x", None).await.expect("asked"), refusal);
    let begun = session("his", "sso-ada", 0);
    store.begin_session(&act(), &begun, None).await.expect("begun");
    store.sign_off(&act(), &subject).await.expect("removed");
    store.sign_off(&act(), &subject).await.expect("there is nobody any more");
    assert!(!runs(store, &begun, 1).await);
    assert_eq!(store.account(&made.name).await.expect("read"), None);
    assert!(store.account(&name("ada")).await.expect("read").is_some());
}

/// Whoever knew the old password, or has a session that it began, is out.
pub async fn a_new_password_takes_the_place_of_the_old_one_and_ends_the_other_sessions(store: &dyn Store) {
    let ada = name("ada");
    assert!(matches!(store.set_password(&act(), &ada, "new", None).await, Err(StoreError::Missing(_))));
    add(store, "ada", Role::Administrator).await;
    add(store, "bob", Role::Viewer).await;
    let (hers, also_hers, his) = (session("a", "ada", 0), session("b", "ada", 0), session("c", "bob", 0));
    for begun in [&hers, &also_hers, &his] {
        store.begin_session(&act(), begun, None).await.expect("begun");
    }
    store.set_password(&act(), &ada, "new", Some(&hers.id)).await.expect("asked").expect("set");
    assert_eq!(store.account(&ada).await.expect("read").expect("there").password(), Some("new"));
    assert!(runs(store, &hers, 1).await, "the one in which it was changed goes on");
    assert!(!runs(store, &also_hers, 1).await);
    assert!(runs(store, &his, 1).await, "others go on");
    store.set_password(&act(), &ada, "newer", None).await.expect("asked").expect("set");
    assert!(!runs(store, &hers, 1).await);
}

/// A session is there until it is ended, was not used for too long, or its time is over.
pub async fn a_session_ends_when_it_is_ended_or_unused_or_its_time_is_over(store: &dyn Store) {
    let nobody = store.begin_session(&act(), &session("x", "ada", 0), None).await;
    assert!(matches!(nobody, Err(StoreError::Missing(_))));
    add(store, "ada", Role::Operator).await;
    let (first, second) = (session("first", "ada", 0), session("second", "ada", 60));
    store.begin_session(&act(), &first, None).await.expect("begun");
    let since = |second: i64| at(second - 50);
    let found = store.session(&first.token, at(49), since(49)).await.expect("read").expect("it runs");
    assert_eq!(
        (found.role, found.address, found.browser.as_str()),
        (Role::Operator, first.address, "Mozilla/5.0 (X11)")
    );
    assert!(!runs(store, &first, 50).await, "nobody used it for 50 seconds");
    store.use_session(&first.id, at(49)).await.expect("noted");
    assert!(runs(store, &first, 98).await);
    assert!(!runs(store, &first, 100).await, "its time is over, used or not");
    assert!(store.session(&TokenHash::of(b"guessed"), at(0), Timestamp::MIN).await.expect("read").is_none());

    store.confirm_session(&first.id, Some(at(70))).await.expect("noted");
    let found = store.session(&first.token, at(60), since(60)).await.expect("read").expect("it runs");
    assert_eq!((found.confirmed_until, found.last_used_at), (Some(at(70)), at(49)));
    store.begin_session(&act_at(60), &second, Some(&first.token)).await.expect("begun");
    assert!(!runs(store, &first, 61).await, "the new one takes its place");
    let other = SessionId::from_random([9; 12]);
    let (ada, eve) = (name("ada"), name("eve"));
    store.end_session(&act(), &eve, &second.id).await.expect("nothing of hers");
    store.end_session(&act(), &ada, &other).await.expect("it has ended already");
    assert!(runs(store, &second, 61).await);
    store.end_session(&act(), &ada, &second.id).await.expect("ended");
    assert!(!runs(store, &second, 61).await);

    let more: Vec<NewSession> = (0..3).map(|n| session(&format!("more{n}"), "ada", 60 + n)).collect();
    for begun in &more {
        store.begin_session(&act_at(60), begun, None).await.expect("begun");
    }
    let ids = store.sessions_of(&ada, at(63), since(63)).await.expect("read");
    let ids: Vec<SessionId> = ids.into_iter().map(|session| session.id).collect();
    assert_eq!(ids, [more[2].id.clone(), more[1].id.clone(), more[0].id.clone()], "the newest first");
    assert_eq!(store.end_sessions(&act(), &ada, Some(&more[1].id)).await.expect("ended"), 2);
    assert!(runs(store, &more[1], 63).await && !runs(store, &more[0], 63).await);
    assert_eq!(store.end_sessions(&act(), &ada, None).await.expect("ended"), 1);
}

/// A token is found by its hash until it is revoked or its time is over, and its owner's role is the one of now.
pub async fn an_api_token_serves_until_it_is_revoked_or_over(store: &dyn Store) {
    let (mut kept, nobody) = (token(1, "ada"), token(2, "nobody"));
    kept.expires_at = Some(at(100));
    assert!(matches!(store.add_api_token(&act(), &nobody).await, Err(StoreError::Missing(_))), "nobody's token");
    add(store, "ada", Role::Operator).await;
    store.add_api_token(&act(), &kept).await.expect("added");
    let found = store.api_token(&kept.token, at(99)).await.expect("read").expect("it serves");
    assert_eq!((&found.token, found.role), (&kept, Role::Operator));
    store.set_role(&act(), &name("ada"), Role::Viewer).await.expect("asked").expect("set");
    assert_eq!(store.api_token(&kept.token, at(99)).await.expect("read").map(|found| found.role), Some(Role::Viewer));
    assert_eq!(store.api_token(&kept.token, at(100)).await.expect("read"), None, "its time is over");
    store.use_api_token(&kept.id, at(0)).await.expect("noted");
    let listed = store.api_tokens(None, None, PageSize::default()).await.expect("read").items;
    assert_eq!(listed, [ApiToken { last_used_day: Some(at(0)), ..kept.clone() }], "also one that is over");
    let bob = name("bob");
    assert!(matches!(store.revoke_api_token(&act(), &kept.id, Some(&bob)).await, Err(StoreError::Missing(_))));
    store.revoke_api_token(&act(), &kept.id, Some(&kept.account)).await.expect("revoked");
    assert_eq!(store.api_token(&kept.token, at(1)).await.expect("read"), None);
    assert!(matches!(store.revoke_api_token(&act(), &kept.id, None).await, Err(StoreError::Missing(_))));
}

/// Keyset pages, of one owner or of all.
pub async fn tokens_are_listed_by_owner_in_pages(store: &dyn Store) {
    for whose in ["ada", "bob"] {
        add(store, whose, Role::Administrator).await;
    }
    for n in 1..=7 {
        store.add_api_token(&act(), &token(n, if n % 2 == 0 { "ada" } else { "bob" })).await.expect("added");
    }
    for (of, expected) in [(None, "7654321"), (Some(name("ada")), "642"), (Some(name("bob")), "7531")] {
        let (mut labels, mut after) = (String::new(), None::<Cursor>);
        loop {
            let page = store.api_tokens(of.as_ref(), after.as_ref(), PageSize::new(2)).await.expect("read");
            labels.extend(page.items.iter().map(|token| token.label.replace("token ", "")));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(labels, expected, "{of:?}");
    }
    let odd = store.api_tokens(None, Some(&Cursor::new("odd")), PageSize::default()).await;
    assert!(matches!(odd, Err(StoreError::Cursor)));
    let scopes: Scopes = "read links:operate".parse().expect("scopes");
    let page = store.api_tokens(None, None, PageSize::new(1)).await.expect("read");
    assert_eq!(page.items[0].scopes, scopes);
}
