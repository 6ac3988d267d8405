//! Stories about applications, administrators, sessions and tokens.

use seatline_protocol::SecretKey;

use super::sample::{application, at};
use crate::domain::{Admin, AdminName, ApiToken, ApplicationName, NewSession, TokenHash, TokenId};
use crate::store::{Cursor, PageSize, Store, StoreError};

/// `w1`: no two applications have the same name.
pub async fn a_name_belongs_to_one_application_whatever_its_case(store: &dyn Store) {
    let mut first = application(1);
    first.name = "Ärzte Wiki".parse().expect("a name");
    store.add_application(&first).await.expect("added");
    let mut second = application(2);
    second.name = "ÄRZTE wiki".parse().expect("a name");
    assert!(matches!(store.add_application(&second).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.application(&second.id).await.expect("read"), None, "nothing was added");
    assert_eq!(store.application_named(" ärzte WIKI ").await.expect("read"), Some(first.clone()));
    assert_eq!(store.application(&first.id).await.expect("read"), Some(first));
}

/// Pages by keyset lose no row and repeat none, also where rows are added in between.
pub async fn a_list_in_pages_is_the_whole_list(store: &dyn Store) {
    for n in (0..20).rev() {
        store.add_application(&application(2 * n)).await.expect("added");
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = store.applications(after.as_ref(), PageSize::new(3)).await.expect("read");
        assert!(page.items.len() <= 3);
        names.extend(page.items.into_iter().map(|row| row.application.name.to_string()));
        if after.is_none() {
            store.add_application(&application(1)).await.expect("added before the cursor, not shown any more");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..20).map(|n| format!("Application {:03}", 2 * n)).collect();
    assert_eq!(names, expected);
    let long = Cursor::new("x".repeat(10_000));
    assert!(matches!(store.applications(Some(&long), PageSize::default()).await, Err(StoreError::Cursor)));
}

/// Nothing that people type is anything but text.
pub async fn text_from_people_stays_what_it_is(store: &dyn Store) {
    for (n, name) in ["'; DROP TABLE applications; --", "100 % _ \\ \"q\"", "İstanbul ﬀ 名前 🦀"].iter().enumerate()
    {
        let mut odd = application(u8::try_from(n).expect("few"));
        odd.name = name.parse::<ApplicationName>().expect("a name");
        store.add_application(&odd).await.expect("added");
        assert_eq!(store.application_named(name).await.expect("read"), Some(odd));
    }
}

fn ada() -> AdminName {
    "ada".parse().expect("a name")
}

async fn add_ada(store: &dyn Store) {
    let admin = Admin { name: ada(), password: "$argon2id$…".to_owned(), created_at: at(0) };
    store.add_admin(&admin).await.expect("added");
    assert_eq!(store.admin(&ada()).await.expect("read"), Some(admin));
}

/// A name belongs to one administrator.
pub async fn an_administrator_has_a_name_of_his_own(store: &dyn Store) {
    assert!(!store.has_admin().await.expect("read"));
    add_ada(store).await;
    assert!(store.has_admin().await.expect("read"));
    let other = Admin { name: ada(), password: "another".to_owned(), created_at: at(1) };
    assert!(matches!(store.add_admin(&other).await, Err(StoreError::Conflict(_))));
    let kept = store.admin(&ada()).await.expect("read").expect("there");
    assert_eq!(kept.password, "$argon2id$…", "the first one stays");
}

/// Whoever knew the old password, or has a session that it began, is out.
pub async fn a_new_password_takes_the_place_of_the_old_one_and_ends_the_sessions(store: &dyn Store) {
    let nobody = store.set_password(&ada(), "new").await;
    assert!(matches!(nobody, Err(StoreError::Missing(_))));
    add_ada(store).await;
    let session = |secret: &[u8], admin: &str| NewSession {
        token: TokenHash::of(secret),
        admin: admin.parse().expect("a name"),
        created_at: at(0),
        expires_at: at(100),
    };
    let (hers, his) = (session(b"hers", "ada"), session(b"his", "bob"));
    store.begin_session(&hers).await.expect("begun");
    store.begin_session(&his).await.expect("begun");
    store.set_password(&ada(), "new").await.expect("set");
    assert_eq!(store.admin(&ada()).await.expect("read").expect("there").password, "new");
    assert!(store.session(&hers.token, at(1)).await.expect("read").is_none());
    assert!(store.session(&his.token, at(1)).await.expect("read").is_some(), "others go on");
}

/// A session is there until it is ended, or its time is over.
pub async fn a_session_ends_when_it_is_ended_or_its_time_is_over(store: &dyn Store) {
    let session = |secret: &[u8], begin: i64| NewSession {
        token: TokenHash::of(secret),
        admin: ada(),
        created_at: at(begin),
        expires_at: at(begin + 100),
    };
    let (first, second) = (session(b"first", 0), session(b"second", 50));
    store.begin_session(&first).await.expect("begun");
    store.begin_session(&second).await.expect("begun");
    assert!(store.session(&first.token, at(99)).await.expect("read").is_some());
    assert!(store.session(&first.token, at(100)).await.expect("read").is_none(), "its time is over");
    assert!(store.session(&TokenHash::of(b"guessed"), at(0)).await.expect("read").is_none());
    store.end_session(&second.token).await.expect("ended");
    store.end_session(&second.token).await.expect("ending it again changes nothing");
    assert!(store.session(&second.token, at(60)).await.expect("read").is_none());
}

/// A token is found by its hash until it is revoked.
pub async fn an_api_token_serves_until_it_is_revoked(store: &dyn Store) {
    let token = ApiToken {
        id: TokenId::from_random([1; 12]),
        token: TokenHash::of(b"slt_secret"),
        admin: ada(),
        label: "a label".to_owned(),
        created_at: at(0),
    };
    assert!(matches!(store.add_api_token(&token).await, Err(StoreError::Missing(_))), "nobody's token");
    add_ada(store).await;
    store.add_api_token(&token).await.expect("added");
    assert_eq!(store.api_token(&token.token).await.expect("read"), Some(token.clone()));
    assert_eq!(store.api_tokens().await.expect("read"), std::slice::from_ref(&token));
    store.revoke_api_token(&token.id).await.expect("revoked");
    assert_eq!(store.api_token(&token.token).await.expect("read"), None);
    assert!(matches!(store.revoke_api_token(&token.id).await, Err(StoreError::Missing(_))));
}

/// Products have pinned the key: data never comes under another.
pub async fn a_store_belongs_to_the_first_key_that_it_was_opened_with(store: &dyn Store) {
    let (first, second) = (SecretKey::from_seed(&[1; 32]).public().id(), SecretKey::from_seed(&[2; 32]).public().id());
    assert_eq!(store.bind(&first).await.expect("bound"), first);
    assert_eq!(store.bind(&second).await.expect("read"), first);
    assert_eq!(store.bind(&first).await.expect("read"), first);
    store.check().await.expect("it can be used");
}
