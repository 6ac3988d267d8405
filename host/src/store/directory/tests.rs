use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn directory() -> (tempfile::TempDir, Directory) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Directory::open(dir.path().join("state")).expect("a new store");
    (dir, store)
}

fn changed(
    store: &Directory,
    act: impl FnOnce(&mut dyn LockedStore) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    super::super::change(store, act)
}

fn append(store: &Directory, record: &[u8]) -> Result<(), StoreError> {
    changed(store, |locked| locked.append(Log::Outbox, &[record.to_vec()]))
}

fn records(store: &Directory) -> Vec<String> {
    let records = super::super::records(store, Log::Outbox).expect("records");
    records.into_iter().map(|record| String::from_utf8(record).expect("text")).collect()
}

#[test]
fn a_directory_does_what_every_store_must() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("state");
    super::super::conformance(&|| Box::new(Directory::open(&path).expect("the store")));
}

#[test]
fn secrets_are_readable_by_their_owner_alone() {
    let (_dir, store) = directory();
    changed(&store, |locked| locked.write(Slot::Link, b"secret")).expect("write");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!((mode(&store.files.path("")), mode(&store.files.path("link.json"))), (0o700, 0o600));
}

#[test]
fn a_torn_append_is_cut_off_at_every_length_and_what_was_promised_stays() {
    let (_dir, store) = directory();
    let path = store.files.path("outbox.log");
    append(&store, b"kept").expect("append");
    let kept = fs::read(&path).expect("the log").len();
    append(&store, b"torn").expect("append");
    let whole = fs::read(&path).expect("the log");
    for end in kept..whole.len() {
        fs::write(&path, &whole[..end]).expect("a torn log");
        assert_eq!(records(&store), ["kept"], "cut at byte {end}");
        append(&store, b"next").expect("append");
        assert_eq!(records(&store), ["kept", "next"], "cut at byte {end}");
    }
}

#[test]
fn damage_in_the_middle_is_told_and_not_cut_off() {
    let (_dir, store) = directory();
    for record in [b"first", b"other"] {
        append(&store, record).expect("append");
    }
    let path = store.files.path("outbox.log");
    let mut bytes = fs::read(&path).expect("the log");
    bytes[HEAD] ^= 1;
    fs::write(&path, &bytes).expect("a damaged log");
    assert_eq!(super::super::records(&store, Log::Outbox).expect_err("damage").code(), "store-damaged");
    let more = append(&store, b"more");
    assert_eq!(more.expect_err("nothing is appended to damage").code(), "store-damaged");
    let rewritten = changed(&store, |locked| locked.rewrite(Log::Outbox, &mut |_| false, &[]));
    assert_eq!(rewritten.expect_err("damage is not written over").code(), "store-damaged");
    assert_eq!(fs::read(&path).expect("the log"), bytes, "nothing was changed");
}

#[test]
fn a_head_that_was_changed_in_any_bit_is_told_and_no_record_behind_it_is_lost() {
    let (_dir, store) = directory();
    for record in [b"first", b"other"] {
        append(&store, record).expect("append");
    }
    let path = store.files.path("outbox.log");
    let whole = fs::read(&path).expect("the log");
    for bit in 0..8 * HEAD {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bytes).expect("a damaged log");
        assert_eq!(
            super::super::records(&store, Log::Outbox).expect_err("damage").code(),
            "store-damaged",
            "bit {bit}"
        );
    }
}

#[test]
fn nothing_is_written_that_could_not_be_read() {
    let (_dir, store) = directory();
    let mut locked = store.begin().expect("a change");
    let long = vec![7; MAX_RECORD + 1];
    assert_eq!(locked.append(Log::Outbox, std::slice::from_ref(&long)).expect_err("too long").code(), "store-io");
    assert_eq!(locked.rewrite(Log::Outbox, &mut |_| true, &[long]).expect_err("too long").code(), "store-io");
    locked.append(Log::Outbox, &[vec![7; MAX_RECORD]]).expect("the longest record");
    assert_eq!(super::super::records(locked.store(), Log::Outbox).expect("records").len(), 1);
    let long = vec![7; MAX_SLOT_BYTES + 1];
    assert_eq!(locked.write(Slot::LastRun, &long).expect_err("too long").code(), "store-io");
    fs::write(store.files.path("last-run.json"), &long).expect("somebody writes it");
    let error = store.read(Slot::LastRun).expect_err("it is not read").to_string();
    assert!(error.ends_with("last-run.json: it has more than 16777216 bytes"), "{error}");
}

#[test]
fn a_log_has_its_longest_length_and_a_longer_one_is_not_read() {
    let (_dir, store) = directory();
    let most = MAX_LOG_BYTES / (MAX_RECORD + HEAD);
    let one = [vec![7; MAX_RECORD]];
    let mut locked = store.begin().expect("a change");
    for _ in 0..most {
        locked.append(Log::Outbox, &one).expect("there is room");
    }
    assert_eq!(locked.append(Log::Outbox, &one).expect_err("too long").code(), "store-io");
    assert_eq!(locked.rewrite(Log::Outbox, &mut |_| true, &one).expect_err("too long").code(), "store-io");
    let mut records = 0;
    let visited = locked.store().visit(Log::Outbox, &mut |_| {
        records += 1;
        ControlFlow::Continue(())
    });
    visited.expect("the log");
    assert_eq!(records, most, "what was refused is not there, and the rest is");
    let log = fs::File::options().append(true).open(store.files.path("outbox.log")).expect("the log");
    log.set_len(MAX_LOG_BYTES as u64 + 1).expect("somebody makes it longer");
    let error = store.visit(Log::Outbox, &mut |_| ControlFlow::Break(())).expect_err("it is not read").to_string();
    assert!(error.ends_with("outbox.log: it has more than 167772160 bytes"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_says_which_and_why() {
    let (dir, _store) = directory();
    fs::write(dir.path().join("file"), b"").expect("a file");
    let error = Directory::open(dir.path().join("file/state")).expect_err("a file is no directory");
    assert_eq!(error.code(), "store-io");
    assert!(error.to_string().contains("cannot make ") && error.to_string().contains("file/state"), "{error}");
    let denied = StoreError::Io {
        action: "cannot open",
        what: "/state/lock".to_owned(),
        source: std::io::ErrorKind::PermissionDenied.into(),
    };
    assert_eq!(
        denied.to_string(),
        "cannot open /state/lock: permission denied; run as the user that owns it, or give that user the right to \
         write there"
    );
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let (_dir, store) = directory();
    fs::write(store.files.path("version"), "2").expect("another version");
    assert_eq!(Directory::open(store.files.path("")).expect_err("newer").code(), "store-newer");
}

#[test]
fn a_state_that_was_moved_is_not_used_where_it_was_and_one_that_could_not_be_is() {
    let (_dir, store) = directory();
    let path = store.files.path("");
    let write = |value: &[u8]| changed(&store, |locked| locked.write(Slot::Identity, value));
    write(b"id").expect("write");
    assert!(Directory::lives_in(&path).expect("a look"));
    let refused = store.move_away(|_| Err(StoreError::Newer { what: "there".to_owned() })).expect_err("it was refused");
    assert_eq!(refused.code(), "store-newer");
    write(b"id2").expect("it goes on");

    let moved: Result<(), StoreError> = store.move_away(|state| {
        let id = state.read(Slot::Identity)?.expect("the last value");
        Ok(format!("another place with {}", String::from_utf8_lossy(&id)))
    });
    moved.expect("moved");
    let refusals = [
        Directory::open(&path).expect_err("moved"),
        store.read(Slot::Identity).expect_err("moved"),
        store.stamps(&[Slot::Identity]).expect_err("moved"),
        super::super::records(&store, Log::Outbox).expect_err("moved"),
        write(b"id3").expect_err("moved"),
    ];
    for refused in refusals {
        let text = refused.to_string();
        assert!(refused.code() == "store-moved" && text.contains("was moved to another place with id2: "), "{text}");
    }
    assert!(!Directory::lives_in(&path).expect("a look"));
}
