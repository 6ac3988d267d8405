//! Stories about channels: their names, their bound, their secrets.

use super::alerts::{channel, kept};
use super::sample::act;
use crate::domain::alerts::channel::MAX_CHANNELS;
use crate::store::{PageSize, Store, StoreError};

/// Of two who change a channel at once, the second is told: neither the secret nor the place of the first is lost.
pub async fn g11_a_channel_is_changed_as_it_was_read(store: &dyn Store) {
    let made = channel(1, serde_json::json!({}));
    store.add_channel(&act(), &made, Some("first")).await.expect("added");
    let read = kept(store, &made.id).await;
    store.rotate_channel(&act(), &read, "second").await.expect("rotated");
    let moved = channel(1, serde_json::json!({"to": {"kind": "mail", "recipients": ["eve@example.org"]}}));
    for late in [
        store.rotate_channel(&act(), &read, "third").await,
        store.change_channel(&act(), &read, &moved.config, Some("fourth")).await,
    ] {
        assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    }
    let read = kept(store, &made.id).await;
    assert_eq!((read.sealed.as_deref(), &read.channel), (Some("second"), &made));
    store.change_channel(&act(), &read, &moved.config, None).await.expect("changed");
    let late = store.rotate_channel(&act(), &read, "fifth").await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "what was read had another place");
    assert_eq!(kept(store, &made.id).await.sealed.as_deref(), Some("second"), "secrets stay where none are given");
}

/// Channels have names of their own, a bound, and secrets that no list shows; all changes are in the audit log.
pub async fn g11_channels_are_kept_with_names_of_their_own(store: &dyn Store) {
    let first = channel(1, serde_json::json!({}));
    store.add_channel(&act(), &first, Some("locked")).await.expect("added");
    let same_name = channel(2, serde_json::json!({"name": "CHANNEL 1"}));
    assert!(matches!(store.add_channel(&act(), &same_name, None).await, Err(StoreError::Conflict(_))));
    store.add_channel(&act(), &channel(2, serde_json::json!({})), None).await.expect("added");
    let renamed = channel(2, serde_json::json!({"name": "channel 1"}));
    let second = kept(store, &renamed.id).await;
    let refused = store.change_channel(&act(), &second, &renamed.config, None).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))));
    store.rotate_channel(&act(), &kept(store, &first.id).await, "other").await.expect("rotated");
    assert_eq!(kept(store, &first.id).await.sealed.as_deref(), Some("other"));
    store.remove_channel(&act(), &first.id).await.expect("removed");
    assert!(matches!(store.remove_channel(&act(), &first.id).await, Err(StoreError::Missing(_))));
    store.change_channel(&act(), &second, &renamed.config, None).await.expect("the name is free");
    for n in 3..=u8::try_from(MAX_CHANNELS).expect("few") + 1 {
        store.add_channel(&act(), &channel(n, serde_json::json!({})), None).await.expect("added");
    }
    let refused = store.add_channel(&act(), &channel(99, serde_json::json!({})), None).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "there is a bound");
    let filter = crate::domain::EntryFilter { kind: Some("channel".to_owned()), ..Default::default() };
    let entries = store.audit(&filter, None, PageSize::new(200)).await.expect("read").items;
    let text = serde_json::to_string(&entries).expect("JSON");
    assert!(!text.contains("locked") && text.contains("channel.rotate") && text.contains("channel.remove"), "{text}");
}
