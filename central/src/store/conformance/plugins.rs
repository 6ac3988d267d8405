//! Stories about what is told of plugins: another version, and what one is newly granted.

use std::collections::BTreeSet;

use seatline_protocol::Digest;
use seatline_protocol::report::PluginFacts;

use super::alerts::{channel, news, review, tell};
use super::sample::{act_at, application, at, counts, key, linked, report};
use crate::domain::alerts::telling::News;
use crate::domain::{Incoming, Labels};
use crate::store::alerts::AlertFilter;
use crate::store::{PageSize, Store};

/// A report by a plugin of a version, which is granted something.
fn by_plugin(sequence: u64, previous: Option<&Digest>, version: &str, granted: Option<BTreeSet<String>>) -> Incoming {
    let mut incoming = report(1, sequence, previous, counts(5));
    incoming.entry.full_mut().expect("a report").reporter.plugin = Some(PluginFacts {
        name: "license-visibility".to_owned(),
        version: version.to_owned(),
        digest: Digest::of(version.as_bytes()),
        granted,
    });
    incoming.sealed = seatline_protocol::seal::seal_entry(&incoming.entry, &key(1)).expect("sealed");
    incoming.digest = Digest::of(incoming.sealed.as_bytes());
    incoming
}

/// Another version of a plugin is told once, and is never over.
pub async fn a_new_plugin_version_is_told_once(store: &dyn Store) {
    linked(store, 1).await;
    let first = by_plugin(1, None, "0.1.0", None);
    let link = first.entry.link().clone();
    let second = by_plugin(2, Some(&first.digest), "0.2.0", None);
    store.admit(&link, vec![first], at(60)).await.expect("admitted");
    review(store, 61).await;
    store.add_channel(&act_at(70), &channel(1, serde_json::json!({})), None).await.expect("added");
    assert!(tell(store, 119).await.is_empty(), "the first plugin is nothing new");
    store.admit(&link, vec![second], at(120)).await.expect("admitted");
    review(store, 121).await;
    let told = tell(store, 130).await;
    assert_eq!((told.len(), news(&told[0])), (1, vec![(News::Happened, 1)]));
    assert_eq!(told[0].content.listed[0].title, "Plugin changed: license-visibility 0.2.0");
    store.set_labels(&act_at(140), &application(1).id, &Labels::default()).await.expect("set");
    assert_eq!(tell(store, 4000).await.len(), 1, "once, and never over");
    let past = store.past_alerts(&AlertFilter::default(), None, PageSize::default()).await.expect("read").items;
    assert!(past.iter().any(|alert| alert.spell.concern.code == "plugin-changed"));
}

/// What a plugin is newly granted is told once, by name.
pub async fn what_a_plugin_is_newly_granted_is_told_once(store: &dyn Store) {
    linked(store, 1).await;
    let granted = |sequence: u64, previous: Option<&Digest>, names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        by_plugin(sequence, previous, "0.1.0", Some(names))
    };
    let first = granted(1, None, &["journal", "usage"]);
    let link = first.entry.link().clone();
    let second = granted(2, Some(&first.digest), &["accounts", "journal", "licensing", "usage"]);
    let third = granted(3, Some(&second.digest), &["accounts", "journal", "licensing", "usage"]);
    store.admit(&link, vec![first], at(60)).await.expect("admitted");
    review(store, 61).await;
    store.add_channel(&act_at(70), &channel(1, serde_json::json!({})), None).await.expect("added");
    assert!(tell(store, 119).await.is_empty(), "what the first report says is nothing new");
    store.admit(&link, vec![second], at(120)).await.expect("admitted");
    review(store, 121).await;
    let told = tell(store, 130).await;
    assert_eq!((told.len(), news(&told[0])), (1, vec![(News::Happened, 1)]));
    assert_eq!(told[0].content.listed[0].title, "Plugin granted: accounts, licensing");
    store.admit(&link, vec![third], at(140)).await.expect("admitted");
    review(store, 141).await;
    assert_eq!(tell(store, 4000).await.len(), 1, "once, and never over");
}

/// However long the words of a plugin are, the list of what has happened goes on behind them.
pub async fn the_longest_words_of_a_plugin_are_in_no_lists_way(store: &dyn Store) {
    linked(store, 1).await;
    // 64 characters each, of four bytes.
    let long = ["\u{1D538}", "\u{1D539}", "\u{1D53B}"].map(|letter| letter.repeat(64));
    let first = by_plugin(1, None, "0.1.0", Some(BTreeSet::new()));
    let link = first.entry.link().clone();
    let second = by_plugin(2, Some(&first.digest), "0.2.0", Some(BTreeSet::new()));
    let third = by_plugin(3, Some(&second.digest), "0.2.0", Some(long.into()));
    for (step, report) in (1..).zip([first, second, third]) {
        store.admit(&link, vec![report], at(60 * step)).await.expect("admitted");
        review(store, 60 * step).await;
    }
    let filter = AlertFilter::default();
    let (mut codes, mut after) = (Vec::new(), None);
    loop {
        let page = store.past_alerts(&filter, after.as_ref(), PageSize::new(1)).await.expect("a page");
        codes.extend(page.items.into_iter().map(|alert| alert.spell.concern.code));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(codes[..2], ["plugin-granted", "plugin-changed"]);
}
