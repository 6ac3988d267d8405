//! An approval that is interrupted between any two of its writes (`b6`): no report gets two places in the chain, and
//! none is lost.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use seatline_host::held::Which;
use seatline_host::sandbox::Trigger;
use seatline_host::store::{Directory, LockedStore, Log, Slot, Stamp, StateReader, StateStore, StoreError};
use zeroize::Zeroizing;

use crate::given::{Central, Instance};

/// A store on files whose disk fails for good after so many writes; as if the process had ended there.
pub struct Failing {
    pub store: Directory,
    pub writes_left: AtomicUsize,
}

struct FailingLocked<'s> {
    locked: Box<dyn LockedStore + 's>,
    writes_left: &'s AtomicUsize,
}

impl FailingLocked<'_> {
    fn count(&self) -> Result<(), StoreError> {
        let left = self.writes_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| StoreError::Io {
            action: "cannot write",
            what: "the state".to_owned(),
            source: std::io::Error::other("the disk is gone"),
        })
    }
}

impl StateReader for Failing {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.store.read(slot)
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.store.visit(log, take)
    }
}

impl StateStore for Failing {
    fn stamps(&self, slots: &[Slot]) -> Result<Vec<Stamp>, StoreError> {
        self.store.stamps(slots)
    }

    fn begin(&self) -> Result<Box<dyn LockedStore + '_>, StoreError> {
        Ok(Box::new(FailingLocked { locked: self.store.begin()?, writes_left: &self.writes_left }))
    }
}

impl StateReader for FailingLocked<'_> {
    fn read(&self, slot: Slot) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.locked.read(slot)
    }

    fn visit(&self, log: Log, take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        self.locked.visit(log, take)
    }
}

impl LockedStore for FailingLocked<'_> {
    fn store(&self) -> &dyn StateReader {
        self.locked.store()
    }

    fn write(&mut self, slot: Slot, value: &[u8]) -> Result<(), StoreError> {
        self.count()?;
        self.locked.write(slot, value)
    }

    fn clear(&mut self, slot: Slot) -> Result<(), StoreError> {
        self.count()?;
        self.locked.clear(slot)
    }

    fn append(&mut self, log: Log, records: &[Vec<u8>]) -> Result<(), StoreError> {
        self.count()?;
        self.locked.append(log, records)
    }

    fn rewrite(&mut self, log: Log, keep: &mut dyn FnMut(&[u8]) -> bool, more: &[Vec<u8>]) -> Result<(), StoreError> {
        self.count()?;
        self.locked.rewrite(log, keep, more)
    }

    fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.locked.commit()
    }
}

#[test]
fn b6_an_approval_that_is_interrupted_anywhere_gives_no_report_two_places_and_loses_none() {
    let times = ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z", "2026-03-01T12:03:00Z", "2026-03-01T12:04:00Z"];
    let mut interrupted = 0;
    loop {
        let instance = Instance::new();
        let host = &instance.host;
        Central::new().links(host);
        host.hold_reports(true).expect("on");
        let report = |time: &str| {
            instance.set_time(time);
            assert!(host.collect(Trigger::Demand).expect("a run").is_held);
        };
        times[..3].iter().for_each(|time| report(time));

        let store = Directory::open(instance.dir.path().join("state")).expect("the store");
        let failing = instance.again_on(Failing { store, writes_left: interrupted.into() });
        let is_done = failing.approve_reports(&Which::All).is_ok();

        let status = instance.again().status().expect("a status");
        assert_eq!(status.outbox.pending + status.hold.held, 3, "after {interrupted} writes");
        assert_eq!(host.held_reports().expect("what waits").len(), status.hold.held);
        report(times[3]);
        host.approve_reports(&Which::All).expect("the rest is approved");
        let waiting = instance.waiting();
        let made: Vec<String> = waiting.iter().map(|report| report.observed_at.to_string()).collect();
        assert_eq!(made, times, "after {interrupted} writes");
        assert_eq!(waiting.iter().map(|report| report.sequence.get()).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(host.hold_status().expect("the state").held, 0);
        if is_done {
            break;
        }
        interrupted += 1;
    }
    assert_eq!(
        interrupted, 9,
        "the note, three reports with a slot each, what can be repeated, what is held without them"
    );
}
