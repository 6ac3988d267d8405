//! What becomes of the letters of one errand, at a real mail server.

#[path = "../../../delivery/tests/support/mail_server.rs"]
#[allow(dead_code, reason = "each file of stories uses its own part of it")]
mod mail_server;

use mail_server::MailServer as Running;
use seatline_delivery::Trust;
use seatline_delivery::smtp::Security;
use serde_json::json;

use super::*;

fn errand(port: u16, recipients: &[&str], places: &[&str]) -> Errand {
    let channel = json!({
        "id": "0123456789abcdef01234567", "created_at": "2026-11-22T08:00:00Z", "name": "Operations",
        "to": { "kind": "mail", "recipients": recipients },
    });
    let channel: Channel = serde_json::from_value(channel).expect("a channel");
    let parcel = |(n, place): (u8, &&str)| Parcel {
        message: MessageId::from_random([n; 12]),
        channel: channel.id.clone(),
        made_at: Timestamp::UNIX_EPOCH,
        place: (*place).to_owned(),
        failures: 0,
        content: Content::default(),
    };
    let server = MailServer {
        host: "localhost".to_owned(),
        port,
        security: Security::Plain,
        credentials: None,
        trust: Trust::System,
        time_limit: TIME_LIMIT,
    };
    Errand {
        name: "Example Central".to_owned(),
        url: "https://central.example".to_owned(),
        means: Ok(Means::Mail { server, sender: "central@example.org".parse().expect("an address") }),
        parcels: (0..).zip(places).map(parcel).collect(),
        channel,
    }
}

#[test]
fn a_letter_to_an_address_that_the_channel_has_left_fails_alone_and_the_others_are_sent() {
    let mut server = Running::plain();
    let errand = errand(
        server.port,
        &["ada@example.org", "bob@example.org"],
        &["ada@example.org", "eve@example.org", "bob@example.org"],
    );
    let (done, mut came) = mpsc::unbounded_channel();
    errand.run(&done);
    drop(done);
    let mut told = Vec::new();
    while let Ok((_, place, result)) = came.try_recv() {
        let failed = result.expect("it was tried").err();
        told.push((place, failed.map(|failed| (failed.code, failed.is_final))));
    }
    told.sort();
    let left = ("eve@example.org".to_owned(), Some(("place-removed".to_owned(), true)));
    assert_eq!(told, [("ada@example.org".to_owned(), None), ("bob@example.org".to_owned(), None), left]);
    assert_eq!(
        [server.mail()["to"][0].clone(), server.mail()["to"][0].clone()],
        ["ada@example.org", "bob@example.org"],
        "and nobody else gets one"
    );
}
