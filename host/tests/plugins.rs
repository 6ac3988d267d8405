//! Stories of the plugin store: real components in a real directory.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use seatline_host::plugins::{Consent, InstalledPlugin, PluginError, PluginStore, inspect, read_component};
use seatline_host::sandbox::{Capability, Grants, Limits};
use seatline_protocol::Digest;

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("target/plugins/fixtures/{name}.wasm");
    let found = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&path));
    found.unwrap_or_else(|_| panic!("{path} is missing: run `cargo xtask build-plugin --fixtures`"))
}

/// A component like `bytes`, with another digest: a custom section more.
fn variant(bytes: &[u8], mark: u8) -> Vec<u8> {
    [bytes, &[0, 3, 1, b'x', mark]].concat()
}

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn store() -> (tempfile::TempDir, PluginStore) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = open(dir.path());
    (dir, store)
}

fn open(dir: &Path) -> PluginStore {
    PluginStore::open(dir.join("plugins"), Limits::default()).expect("a store")
}

fn all() -> Consent {
    Consent::Granted(Grants::all())
}

fn install(store: &PluginStore, bytes: &[u8]) -> InstalledPlugin {
    store.install(bytes, &all(), now()).expect("an honest plugin is installed")
}

/// The digest of the plugin that runs.
fn current(store: &PluginStore) -> Option<Digest> {
    store.current().expect("the store is sound").map(|current| current.plugin.inspection().digest.clone())
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("plugins")).expect("the directory");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files
}

#[test]
fn an_installed_plugin_is_the_current_one_also_after_a_restart() {
    let (dir, store) = store();
    assert_eq!(current(&store), None);
    let bytes = fixture("honest");
    let installed = install(&store, &bytes);
    assert_eq!((installed.name.as_str(), installed.version.as_str()), ("honest", "1.0.0"));
    assert_eq!((&installed.digest, installed.size), (&Digest::of(&bytes), bytes.len()));
    assert_eq!(installed.asks, Capability::ALL);
    assert_eq!(current(&store), Some(installed.digest.clone()));

    let again = open(dir.path());
    assert_eq!(again.list().expect("a roster").current, Some(installed));
    let current = again.current().expect("the store is sound").expect("a plugin");
    assert_eq!(current.grants, Grants::all());
}

#[test]
fn a_plugin_that_fails_its_test_run_is_not_activated_and_the_old_one_stays() {
    let (dir, store) = store();
    let installed = install(&store, &fixture("honest"));
    for (name, code, line) in [
        (
            "silent",
            "plugin-failed-test-run",
            "the plugin was not installed: on a simulated product, the plugin ended without a report",
        ),
        (
            "trap-midway",
            "plugin-failed-test-run",
            "the plugin was not installed: on a simulated product, the plugin crashed: wasm `unreachable` instruction executed",
        ),
    ] {
        let error = store.install(&fixture(name), &all(), now()).expect_err(name);
        assert_eq!((error.code(), error.to_string().as_str()), (code, line));
        assert_eq!(current(&store), Some(installed.digest.clone()));
    }
    assert_eq!(files(dir.path(), "wasm").len(), 1, "nothing of them was kept");
}

#[test]
fn what_is_not_a_plugin_is_not_installed_and_the_old_one_stays() {
    let (_dir, store) = store();
    let installed = install(&store, &fixture("honest"));
    let error = store.install(b"#!/bin/sh\n", &all(), now()).expect_err("a script");
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("plugin-not-wasm", "the file is not a WebAssembly component")
    );
    assert_eq!(current(&store), Some(installed.digest));
}

#[test]
fn b6_an_update_that_asks_for_more_shows_the_difference_and_waits() {
    let (_dir, store) = store();
    let modest = fixture("modest");
    let asked = inspect(&modest).expect("a plugin").asks;
    assert_eq!(asked, [Capability::ApplicationLink], "it imports no more than it needs");
    let error = store.install(&modest, &Consent::AsBefore, now()).expect_err("nothing was granted yet");
    assert_eq!(error.code(), "plugin-asks-more");
    let installed = install(&store, &modest);
    assert_eq!(installed.grants, asked.iter().copied().collect(), "no more is granted than is asked for");

    let error = store.install(&fixture("honest"), &Consent::AsBefore, now()).expect_err("it asks for more");
    assert_eq!(
        error.to_string(),
        "the plugin asks for more than was granted: product, usage, accounts, licensing, journal; look at what it asks \
         for, and grant it if you agree"
    );
    assert_eq!(current(&store), Some(installed.digest.clone()));

    let update = store.install(&variant(&modest, 1), &Consent::AsBefore, now()).expect("it asks for the same");
    assert_eq!(update.grants, installed.grants);
}

#[test]
fn a_rollback_brings_the_plugin_before_back_with_its_grants() {
    let (dir, store) = store();
    let error = store.rollback().expect_err("nothing is installed");
    assert_eq!(error.code(), "plugin-nothing-before");
    let first = install(&store, &fixture("honest"));
    let few: Grants = [Capability::ApplicationLink].into_iter().collect();
    let second = store.install(&variant(&fixture("honest"), 2), &Consent::Granted(few), now()).expect("installed");
    assert_eq!(store.list().expect("a roster").previous, Some(first.clone()));

    assert_eq!(store.rollback().expect("there is one before"), first);
    assert_eq!(current(&store), Some(first.digest.clone()));
    let back = store.current().expect("the store is sound").expect("a plugin");
    assert_eq!(back.grants, Grants::all());
    assert_eq!(store.rollback().expect("and forward again"), second);

    install(&store, &variant(&fixture("honest"), 3));
    assert_eq!(files(dir.path(), "wasm").len(), 2, "the oldest is gone");
}

#[test]
fn a_removed_plugin_is_gone_with_its_files() {
    let (dir, store) = store();
    let installed = install(&store, &fixture("honest"));
    assert_eq!(store.remove().expect("removed"), Some(installed));
    assert_eq!(current(&store), None);
    assert!(files(dir.path(), "wasm").is_empty() && files(dir.path(), "compiled").is_empty());
}

#[test]
fn a_component_that_was_changed_on_the_disk_is_refused_by_name() {
    let (dir, store) = store();
    install(&store, &fixture("honest"));
    let [component] = files(dir.path(), "wasm").try_into().expect("one component");
    let path = component.display();

    fs::write(&component, fixture("silent")).expect("somebody changes it");
    for store in [&store, &open(dir.path())] {
        let error = store.current().expect_err("it was changed");
        assert_eq!(error.code(), "plugin-changed");
        assert_eq!(
            error.to_string(),
            format!(
                "plugin honest 1.0.0 was changed on the disk: {path} is not the component that was installed; install \
                 it again or roll back"
            )
        );
    }
    fs::remove_file(&component).expect("somebody removes it");
    assert_eq!(store.current().expect_err("it is missing").code(), "plugin-missing");
    install(&store, &fixture("honest"));
    assert!(current(&store).is_some(), "the way out that the message names");
}

#[test]
fn compiled_code_from_outside_is_never_run() {
    let (dir, store) = store();
    let installed = install(&store, &fixture("honest"));
    let (other_dir, other) = self::store();
    install(&other, &fixture("honest"));
    let [kept] = files(dir.path(), "compiled").try_into().expect("one compiled file");
    let [foreign] = files(other_dir.path(), "compiled").try_into().expect("one compiled file");
    let own = fs::read(&kept).expect("the compiled code");
    let foreign = fs::read(foreign).expect("the compiled code");
    assert_ne!(own[..32], foreign[..32], "each host has its own key");

    // Another host's code, a changed bit, half of it, nothing: each is replaced by what this host compiles itself.
    let mut changed = own.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for planted in [&foreign[..], &changed, &own[..own.len() / 2], b""] {
        fs::write(&kept, planted).expect("somebody plants it");
        assert_eq!(current(&open(dir.path())), Some(installed.digest.clone()));
        assert_eq!(fs::read(&kept).expect("the compiled code"), own, "compiled anew, and kept");
    }
    fs::remove_file(dir.path().join("plugins/key")).expect("the key is lost");
    assert_eq!(current(&open(dir.path())), Some(installed.digest));
}

#[test]
fn the_key_and_the_directory_are_their_owners_alone() {
    let (dir, store) = store();
    install(&store, &fixture("honest"));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("plugins")), 0o700);
    assert_eq!(mode(&dir.path().join("plugins/key")), 0o600);
}

#[test]
fn a_crash_before_the_rename_leaves_the_old_plugin() {
    let (dir, store) = store();
    let installed = install(&store, &fixture("honest"));
    // What a crash may leave: half of a new component, and half of a roster beside the old one.
    let half = &fixture("silent")[..1000];
    fs::write(dir.path().join(format!("plugins/{}.wasm.new", "0".repeat(64))), half).expect("half a component");
    fs::write(dir.path().join("plugins/roster.json.new"), b"{\"current\":").expect("half a roster");
    assert_eq!(current(&open(dir.path())), Some(installed.digest));
    let next = install(&open(dir.path()), &variant(&fixture("honest"), 4));
    assert_eq!(current(&store), Some(next.digest));
    let leftover = dir.path().join(format!("plugins/{}.wasm.new", "0".repeat(64)));
    assert!(!leftover.exists(), "the half component is swept");
}

#[test]
fn a_damaged_roster_is_told_by_name() {
    let (dir, store) = store();
    fs::write(dir.path().join("plugins/roster.json"), b"{").expect("somebody damages it");
    let error = store.current().expect_err("it is damaged");
    assert!(matches!(&error, PluginError::Damaged { path, .. } if path.ends_with("roster.json")), "{error}");
}

#[test]
fn stores_of_the_same_directory_take_turns() {
    let (dir, _store) = store();
    let bytes = fixture("honest");
    let digests: Vec<_> = std::thread::scope(|scope| {
        let installs: Vec<_> = (0..4)
            .map(|mark| {
                let (dir, bytes) = (dir.path(), variant(&bytes, mark));
                scope.spawn(move || {
                    let store = open(dir); // as another process has it
                    let installed = install(&store, &bytes);
                    assert!(current(&store).is_some(), "a reader never sees half of an installation");
                    installed.digest
                })
            })
            .collect();
        installs.into_iter().map(|install| install.join().expect("no panic")).collect()
    });
    let roster = open(dir.path()).list().expect("a roster");
    let (current, previous) = (roster.current.expect("one"), roster.previous.expect("two"));
    assert!(digests.contains(&current.digest) && digests.contains(&previous.digest));
    assert_ne!(current.digest, previous.digest);
    assert_eq!(files(dir.path(), "wasm").len(), 2);
}

#[test]
fn a_file_of_200_mib_is_refused_without_being_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("huge.wasm");
    let file = fs::File::create(&path).expect("a file");
    file.set_len(200 << 20).expect("a sparse file");
    let error = read_component(&path).expect_err("it is too large");
    assert_eq!(error.code(), "plugin-too-large");
    assert_eq!(error.to_string(), "the file is too large: 209715200 bytes, and a plugin has at most 16777216");
    assert_eq!(read_component(&dir.path().join("none.wasm")).expect_err("no such file").code(), "plugin-store-io");
}

#[test]
fn b6_an_update_that_was_offered_waits_until_somebody_approves_what_it_asks_for() {
    let (dir, store) = store();
    let modest = install(&store, &fixture("modest"));
    let honest = fixture("honest");
    let roster = store.offer(&honest, now()).expect("offered");
    let waiting = roster.waiting.clone().expect("it waits");
    assert_eq!((waiting.name.as_str(), waiting.grants.iter().count()), ("honest", 0));
    use Capability::{Accounts, Journal, Licensing, Product, Usage};
    assert_eq!(roster.asked_anew(), [Product, Usage, Accounts, Licensing, Journal], "the difference");
    assert_eq!(current(&store), Some(modest.digest.clone()), "nothing that runs is changed");

    // What waits is as it was offered, also after a restart, and another one takes its place.
    let again = open(dir.path());
    let other = again.offer(&variant(&honest, 1), now()).expect("another").waiting.expect("it waits");
    assert_eq!(again.approve(&waiting.digest, now()).expect_err("nobody waits so").code(), "plugin-not-waiting");
    assert_eq!(again.decline(&waiting.digest).expect_err("nobody waits so").code(), "plugin-not-waiting");
    let installed = again.approve(&other.digest, now()).expect("approved");
    assert_eq!((installed.digest.clone(), installed.grants), (other.digest.clone(), Grants::all()));
    let roster = store.list().expect("the roster");
    assert_eq!((roster.waiting, roster.previous.map(|previous| previous.digest)), (None, Some(modest.digest)));
    assert_eq!(store.approve(&other.digest, now()).expect_err("once").code(), "plugin-not-waiting");

    let third = store.offer(&variant(&honest, 2), now()).expect("offered").waiting.expect("it waits");
    assert_eq!(files(dir.path(), "wasm").len(), 3);
    store.decline(&third.digest).expect("declined");
    assert_eq!(files(dir.path(), "wasm").len(), 2, "its component is gone");
}

#[test]
fn b6_what_is_no_plugin_or_fails_its_test_run_does_not_wait() {
    let (_dir, store) = store();
    let waiting = store.offer(&fixture("honest"), now()).expect("offered").waiting;
    for (bytes, code) in [(b"#!/bin/sh".to_vec(), "plugin-not-wasm"), (fixture("silent"), "plugin-failed-test-run")] {
        assert_eq!(store.offer(&bytes, now()).expect_err(code).code(), code);
    }
    assert_eq!(store.list().expect("the roster").waiting, waiting, "what waited goes on waiting");
    let digest = waiting.expect("it waits").digest;
    assert!(store.remove().expect("nothing is current").is_none());
    assert!(store.approve(&digest, now()).is_ok(), "the first plugin can be offered too");
}
