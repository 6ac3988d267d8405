//! What every store must do.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use super::{Log, Slot, StateStore, StoreError, change, records};

/// How long is looked whether a second change really waits for the first. A store that fails this check at all fails it
/// at once.
const A_MOMENT: Duration = Duration::from_millis(200);

/// What every [`StateStore`] must do, as checks that panic with the rule that was broken. For tests of stores: `open`
/// opens the same store at every call, which is empty at first.
pub fn conformance(open: &dyn Fn() -> Box<dyn StateStore>) {
    let store = &*open();
    for slot in Slot::ALL {
        assert!(store.read(slot).expect("read").is_none(), "a new store has an empty slot {}", slot.name());
    }
    for log in Log::ALL {
        assert!(all(store, log).is_empty(), "a new store has an empty log {}", log.name());
    }
    slots(store);
    stamps(store);
    logs(store);
    what_was_promised_is_there_after_opening_anew(open);
    a_change_is_seen_by_others_when_it_is_promised(open);
    changes_take_turns(open);
    appends_from_all_sides_lose_nothing(open);
}

fn all(store: &dyn StateStore, log: Log) -> Vec<Vec<u8>> {
    records(store, log).expect("records")
}

fn changed(store: &dyn StateStore, act: impl FnOnce(&mut dyn super::LockedStore) -> Result<(), StoreError>) {
    change(store, act).expect("a change");
}

fn slots(store: &dyn StateStore) {
    changed(store, |locked| {
        locked.write(Slot::Link, b"one")?;
        locked.write(Slot::Link, b"two")?;
        locked.write(Slot::Identity, b"")?;
        let value = locked.store().read(Slot::Link)?;
        assert_eq!(value.as_deref().map(Vec::as_slice), Some(&b"two"[..]), "a change sees what it wrote last");
        Ok(())
    });
    let value = store.read(Slot::Link).expect("read");
    assert_eq!(value.as_deref().map(Vec::as_slice), Some(&b"two"[..]), "a slot holds what was written last");
    let empty = store.read(Slot::Identity).expect("read");
    assert_eq!(empty.as_deref().map(Vec::len), Some(0), "an empty value is a value");
    changed(store, |locked| {
        locked.clear(Slot::Link)?;
        locked.clear(Slot::Link)?;
        assert!(locked.store().read(Slot::Link)?.is_none(), "a change sees what it cleared");
        Ok(())
    });
    assert!(store.read(Slot::Link).expect("read").is_none(), "a cleared slot is empty");
    let large = vec![0x5c; 2_000_000];
    changed(store, |locked| locked.write(Slot::LastRun, &large));
    assert_eq!(store.read(Slot::LastRun).expect("read").as_deref(), Some(&large), "a slot holds two megabytes");
}

fn stamps(store: &dyn StateStore) {
    let stamp = || store.stamps(&[Slot::Peaks, Slot::Link]).expect("stamps").swap_remove(0);
    let write = |slot, value: &str| changed(store, |locked| locked.write(slot, value.as_bytes()));
    let mut stamps = vec![stamp()];
    assert_eq!(stamp(), stamps[0], "a slot that nobody writes keeps its stamp");
    for round in 0..50 {
        write(Slot::Peaks, &format!("{round:03}"));
        assert!(!stamps.contains(&stamp()), "another content has another stamp");
        stamps.push(stamp());
    }
    write(Slot::Link, "three");
    assert_eq!(stamps.last(), Some(&stamp()), "each slot has a stamp of its own");
    changed(store, |locked| [Slot::Peaks, Slot::Link].into_iter().try_for_each(|slot| locked.clear(slot)));
    assert_eq!(stamp(), stamps[0], "a cleared slot is as it was before");
    write(Slot::Peaks, "000");
    assert!(!stamps.contains(&stamp()), "nor does a stamp come back when the slot is filled again");
    changed(store, |locked| locked.clear(Slot::Peaks));
}

fn logs(store: &dyn StateStore) {
    let large: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
    changed(store, |locked| {
        locked.append(Log::Outbox, &[b"a".to_vec(), Vec::new()])?;
        locked.append(Log::Outbox, &[])?;
        locked.append(Log::Outbox, std::slice::from_ref(&large))?;
        let seen = records(locked.store(), Log::Outbox)?;
        assert_eq!(seen, [b"a".to_vec(), Vec::new(), large.clone()], "a change sees what it appended");
        Ok(())
    });
    assert_eq!(all(store, Log::Outbox), [b"a".to_vec(), Vec::new(), large], "a log keeps its records, in order");
    assert!(all(store, Log::Receipts).is_empty(), "logs are apart");

    let mut seen = 0;
    store
        .visit(Log::Outbox, &mut |_| {
            seen += 1;
            if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .expect("a visit");
    assert_eq!(seen, 2, "a visit that is broken off ends");

    changed(store, |locked| {
        locked.rewrite(Log::Outbox, &mut |record| record.len() < 2, &[b"b".to_vec()])?;
        locked.append(Log::Outbox, &[b"c".to_vec()])
    });
    let kept = [b"a".to_vec(), Vec::new(), b"b".to_vec(), b"c".to_vec()];
    assert_eq!(all(store, Log::Outbox), kept, "a log keeps what was picked, in order, and grows on");
    changed(store, |locked| locked.rewrite(Log::Outbox, &mut |_| false, &[]));
    assert!(all(store, Log::Outbox).is_empty(), "a log of which nothing was picked is empty");
    changed(store, |locked| locked.append(Log::Outbox, &[b"d".to_vec()]));
    assert_eq!(all(store, Log::Outbox), [b"d".to_vec()], "an emptied log begins anew");

    let many: Vec<Vec<u8>> = (0..1500).map(|n: u32| n.to_be_bytes().to_vec()).collect();
    changed(store, |locked| locked.append(Log::Retired, &many));
    assert_eq!(all(store, Log::Retired), many, "a log of many records keeps their order");
    changed(store, |locked| locked.rewrite(Log::Retired, &mut |_| false, &many[..3]));
    assert_eq!(all(store, Log::Retired), many[..3], "a log can be replaced");
}

fn what_was_promised_is_there_after_opening_anew(open: &dyn Fn() -> Box<dyn StateStore>) {
    changed(&*open(), |locked| {
        locked.write(Slot::Licenses, b"licenses")?;
        locked.append(Log::Receipts, &[b"receipt".to_vec()])
    });
    let anew = open();
    let value = anew.read(Slot::Licenses).expect("read");
    assert_eq!(value.as_deref().map(Vec::as_slice), Some(&b"licenses"[..]), "a promised value is there");
    assert_eq!(all(&*anew, Log::Receipts), [b"receipt".to_vec()], "a promised record is there");
}

fn a_change_is_seen_by_others_when_it_is_promised(open: &dyn Fn() -> Box<dyn StateStore>) {
    let (one, other) = (open(), open());
    changed(&*one, |locked| locked.write(Slot::LastExchange, b"new"));
    let value = other.read(Slot::LastExchange).expect("read");
    assert_eq!(value.as_deref().map(Vec::as_slice), Some(&b"new"[..]), "a promised change is seen at once");
    changed(&*other, |locked| locked.clear(Slot::LastExchange));
    assert!(one.read(Slot::LastExchange).expect("read").is_none(), "from both sides");
}

fn changes_take_turns(open: &dyn Fn() -> Box<dyn StateStore>) {
    let (one, other) = (open(), open());
    // In one process, on one opened store and on two, as two processes have.
    for second in [&*one, &*other] {
        let mut first = one.begin().expect("a change");
        let (told, hears) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                change(second, |locked| locked.append(Log::Receipts, &[b"second".to_vec()]))
                    .expect("the second change");
                told.send(()).expect("the first waits for it");
            });
            assert!(hears.recv_timeout(A_MOMENT).is_err(), "a change waits for the one before it");
            first.append(Log::Receipts, &[b"first".to_vec()]).expect("append");
            first.commit().expect("commit");
            hears.recv().expect("the second change follows");
        });
        let order = all(&*one, Log::Receipts);
        assert!(order.ends_with(&[b"first".to_vec(), b"second".to_vec()]), "changes keep their order");
        drop(one.begin().expect("a change that does nothing"));
        drop(other.begin().expect("a dropped change holds nobody up"));
    }
}

fn appends_from_all_sides_lose_nothing(open: &dyn Fn() -> Box<dyn StateStore>) {
    const SIDES: usize = 4;
    const EACH: usize = 25;
    let stores: Vec<_> = (0..SIDES).map(|_| open()).collect();
    changed(&*stores[0], |locked| locked.rewrite(Log::Outbox, &mut |_| false, &[]));
    std::thread::scope(|scope| {
        for (side, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..EACH {
                    // Each record names how many were there before, as the links of a chain do.
                    change(&**store, |locked| {
                        let before = records(locked.store(), Log::Outbox)?.len();
                        locked.append(Log::Outbox, &[format!("{before} {side} {n}").into_bytes()])
                    })
                    .expect("a change");
                }
            });
        }
    });
    let records = all(&*stores[0], Log::Outbox);
    assert_eq!(records.len(), SIDES * EACH, "no append is lost");
    for (place, record) in records.iter().enumerate() {
        let begin = format!("{place} ");
        assert!(record.starts_with(begin.as_bytes()), "a change stands on the one before it");
    }
}
