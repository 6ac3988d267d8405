//! A repeat has one form: what it says and its signature make its exact bytes again, and no other text is one.

use jiff::Timestamp;
use pasetors::version4::PublicToken;
use proptest::prelude::*;
use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::seal::{Document as _, Unopened, open, open_entry, read_again, seal, seal_entry};
use seatline_protocol::{Digest, Entry, LinkId, Repeat, Report, SecretKey, Sequence};

use crate::other_implementation::{footer_json, theirs};

fn key() -> SecretKey {
    SecretKey::from_seed(&[5; 32])
}

fn digest(n: u8) -> Digest {
    Digest::of(&[n])
}

fn repeat() -> Repeat {
    Repeat {
        repeats: Repeated { sequence: Sequence::FIRST, digest: digest(1) },
        link: LinkId::from_random([3; 24]),
        sequence: Sequence::try_from(3).expect("a number"),
        previous: digest(2),
        observed_at: Timestamp::from_millisecond(1_800_000_000_123).expect("a time"),
        trigger: "interval".to_owned(),
    }
}

fn report() -> Report {
    let json = serde_json::json!({
        "link": "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "sequence": 1, "observed_at": "2026-01-01T00:00:00Z", "trigger": "start",
        "reporter": {"host": "0.1.0"},
        "product": {"id": "acme-wiki", "name": "Acme Wiki", "version": "7.1", "server_id": "AAAA-AAAA-AAAA-AAAA-AAAA", "nodes": []},
        "outcome": {"failed": {"code": "no-plugin", "message": "There is none."}},
    });
    serde_json::from_value(json).expect("a report")
}

/// A payload that somebody has signed as a repeat.
fn signed(payload: &str, footer: &str, purpose: &str) -> String {
    let signed =
        PublicToken::sign(&theirs(&key()), payload.as_bytes(), Some(footer.as_bytes()), Some(purpose.as_bytes()));
    signed.expect("they sign it")
}

fn code(sealed: &str) -> Result<Entry, &'static str> {
    open_entry(sealed, &[key().public()]).map_err(|error| error.code())
}

#[test]
fn b1_a_link_of_a_chain_is_a_report_or_a_repeat_and_each_opens_as_what_it_is() {
    for entry in [Entry::Repeat(repeat()), Entry::from(report())] {
        let sealed = seal_entry(&entry, &key()).expect("sealed");
        assert_eq!(code(&sealed), Ok(entry.clone()));
        let payload = serde_json::to_string(&entry).expect("JSON");
        assert_eq!(serde_json::from_str::<Entry>(&payload).expect("read again"), entry);
    }
    let sealed = seal(&repeat(), &key()).expect("sealed");
    assert!(sealed.len() <= 640, "{} bytes", sealed.len());
    assert_eq!(open::<Report>(&sealed, &[key().public()]).map_err(|error| error.code()), Err("wrong-purpose"));
    let sealed = seal(&report(), &key()).expect("sealed");
    assert_eq!(open::<Repeat>(&sealed, &[key().public()]).map_err(|error| error.code()), Err("wrong-purpose"));
    assert_eq!(read_again::<Report>(&sealed).expect("what was opened before"), report());
}

#[test]
fn b1_a_repeat_holds_to_its_rules() {
    let check = |change: &dyn Fn(&mut Repeat)| {
        let mut repeat = repeat();
        change(&mut repeat);
        repeat.check()
    };
    let number = |n: u64| Sequence::try_from(n).expect("a number");
    assert_eq!(check(&|_| {}), Ok(()));
    assert_eq!(check(&|repeat| (repeat.sequence, repeat.previous) = (number(2), digest(1))), Ok(()));
    assert!(check(&|repeat| repeat.sequence = number(2)).is_err(), "the report before it has another digest");
    assert!(check(&|repeat| repeat.sequence = number(1)).is_err(), "no chain begins with a repeat");
    assert!(check(&|repeat| repeat.repeats.sequence = number(3)).is_err(), "it does not repeat itself");
    assert!(check(&|repeat| repeat.repeats.sequence = number(MAX_COUNT)).is_err());
    assert!(check(&|repeat| repeat.trigger = "whim".to_owned()).is_err());
    let odd = Timestamp::from_nanosecond(1_800_000_000_000_000_001).expect("a time");
    assert!(check(&|repeat| repeat.observed_at = odd).is_err(), "what is not kept could not be made again");
}

#[test]
fn b1_a_repeat_that_is_written_otherwise_is_none() {
    let payload = serde_json::to_string(&repeat()).expect("JSON");
    let footer = footer_json(&key(), None);
    assert_eq!(code(&signed(&payload, &footer, Repeat::PURPOSE)), Ok(Entry::Repeat(repeat())), "written as it is");
    let introduced = footer_json(&key(), Some(&key()));
    let time = "2027-01-15T08:00:00.123Z";
    assert!(payload.contains(time), "{payload}");
    for (what, payload, footer) in [
        ("with a space", payload.replace(":{", ": {"), footer.clone()),
        ("with a space at its end", format!("{payload} "), footer.clone()),
        ("with a space before it", format!(" {payload}"), footer.clone()),
        ("with a field more", payload.replace("\"link\"", "\"more\":1,\"link\""), footer.clone()),
        ("with a field twice", payload.replace("\"trigger\"", "\"trigger\":\"demand\",\"trigger\""), footer.clone()),
        ("with another form of its time", payload.replace(time, "2027-01-15T08:00:00.1230Z"), footer.clone()),
        ("with another form of a number", payload.replace("\"sequence\":3", "\"sequence\":3.0"), footer.clone()),
        ("with an escaped letter", payload.replace("interval", "\\u0069nterval"), footer.clone()),
        ("with a key in its footer", payload.clone(), introduced),
        ("with a space in its footer", payload.clone(), footer.replace(':', ": ")),
    ] {
        let opened = code(&signed(&payload, &footer, Repeat::PURPOSE));
        assert!(matches!(opened, Err("invalid-content" | "wrong-purpose")), "{what}: {opened:?}");
    }
    // Nor does a report become one by what it begins with.
    let report = serde_json::to_string(&report()).expect("JSON").replacen('{', r#"{"repeats":1,"#, 1);
    assert_eq!(code(&signed(&report, &footer, Report::PURPOSE)), Err("wrong-purpose"));
}

fn repeats() -> impl Strategy<Value = Repeat> {
    let triggers = prop::sample::select(vec!["start", "interval", "demand"]);
    let numbers = (1..MAX_COUNT - 1, 2..1_000u64);
    (numbers, -60_000_000_000_000i64..200_000_000_000_000, triggers, any::<[u8; 3]>()).prop_map(
        |((repeated, after), at, trigger, [one, two, link])| Repeat {
            repeats: Repeated { sequence: Sequence::try_from(repeated).expect("in range"), digest: digest(one) },
            link: LinkId::from_random([link; 24]),
            sequence: Sequence::try_from((repeated + after).min(MAX_COUNT)).expect("in range"),
            previous: if repeated + 1 == (repeated + after).min(MAX_COUNT) { digest(one) } else { digest(two) },
            observed_at: Timestamp::from_millisecond(at).expect("a time"),
            trigger: trigger.to_owned(),
        },
    )
}

proptest! {
    #[test]
    fn b12_what_a_repeat_says_and_its_signature_make_its_exact_bytes(repeat in repeats()) {
        let sealed = seal(&repeat, &key()).expect("sealed");
        let unopened = Unopened::<Report>::read(&sealed).expect("read");
        prop_assert_eq!(unopened.open_entry(&key().public()).expect("opened"), Entry::Repeat(repeat.clone()));
        let made = repeat.sealed_by(&key().public().id(), unopened.signature()).expect("made again");
        prop_assert_eq!(made, sealed);
    }

    #[test]
    fn b1_no_character_of_a_repeat_can_be_another(repeat in repeats(), at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.-]") {
        let sealed = seal(&repeat, &key()).expect("sealed");
        let at = at.index(sealed.len());
        let mut changed = sealed.clone();
        changed.replace_range(at..=at, &other);
        prop_assume!(changed != sealed);
        prop_assert!(open_entry(&changed, &[key().public()]).is_err());
    }
}
