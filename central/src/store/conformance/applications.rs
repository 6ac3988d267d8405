//! Stories about applications, and whose data it is.

use seatline_protocol::SecretKey;

use super::sample::{act, application};
use crate::domain::ApplicationName;
use crate::domain::link_list::LinkFilter;
use crate::store::{Cursor, PageSize, Store, StoreError};

/// `w1`: no two applications have the same name.
pub async fn a_name_belongs_to_one_application_whatever_its_case(store: &dyn Store) {
    let mut first = application(1);
    first.name = "Ärzte Wiki".parse().expect("a name");
    store.add_application(&act(), &first).await.expect("added");
    let mut second = application(2);
    second.name = "ÄRZTE wiki".parse().expect("a name");
    assert!(matches!(store.add_application(&act(), &second).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.application(&second.id).await.expect("read"), None, "nothing was added");
    assert_eq!(
        store.application_named(&" ärzte WIKI ".parse().expect("a name")).await.expect("read"),
        Some(first.clone())
    );
    assert_eq!(store.application(&first.id).await.expect("read"), Some(first));
}

/// Pages by keyset lose no row and repeat none, also where rows are added in between.
pub async fn a_list_in_pages_is_the_whole_list(store: &dyn Store) {
    for n in (0..20).rev() {
        store.add_application(&act(), &application(2 * n)).await.expect("added");
    }
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = store.applications(after.as_ref(), PageSize::new(3)).await.expect("read");
        assert!(page.items.len() <= 3);
        names.extend(page.items.into_iter().map(|row| row.application.name.to_string()));
        if after.is_none() {
            store.add_application(&act(), &application(1)).await.expect("added before the cursor, not shown any more");
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
        store.add_application(&act(), &odd).await.expect("added");
        assert_eq!(store.application_named(&odd.name).await.expect("read"), Some(odd));
    }
}

/// Products have pinned the key: data never comes under another.
pub async fn a_store_belongs_to_the_first_key_that_it_was_opened_with(store: &dyn Store) {
    let (first, second) = (SecretKey::from_seed(&[1; 32]).public().id(), SecretKey::from_seed(&[2; 32]).public().id());
    assert_eq!(store.bound().await.expect("read"), None);
    assert_eq!(store.bind(&first).await.expect("bound"), first);
    assert_eq!(store.bound().await.expect("read").as_ref(), Some(&first));
    assert_eq!(store.bind(&second).await.expect("read"), first);
    assert_eq!(store.bind(&first).await.expect("read"), first);
    store.check().await.expect("it can be used");
}

/// A cursor that no list gave is told as such, and not as an outage: no database holds a NUL in a text, and one says so
/// late.
pub async fn what_no_list_gave_is_no_cursor(store: &dyn Store) {
    for place in ["\0", "0 \0", &format!("0-{}", "\0".repeat(16)), &"x".repeat(2000)] {
        let (cursor, size) = (Cursor::new(place), PageSize::default());
        assert!(matches!(store.applications(Some(&cursor), size).await, Err(StoreError::Cursor)), "{place:?}");
        assert!(matches!(store.accounts(Some(&cursor), size).await, Err(StoreError::Cursor)), "{place:?}");
        assert!(
            matches!(store.links(&LinkFilter::default(), Some(&cursor), size).await, Err(StoreError::Cursor)),
            "{place:?}"
        );
        assert!(matches!(store.changed_concerns(Some(&cursor), size).await, Err(StoreError::Cursor)), "{place:?}");
    }
}
