//! Delivering: all mails in one session, and beside it each webhook by itself, so that none holds up another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use seatline_delivery::mail::Letter;
use seatline_delivery::smtp::{self, Mail};
use seatline_delivery::webhook::{Call, Caller, TIME_LIMIT};
use seatline_delivery::{GIVE_UP_AFTER, retry_after};
use seatline_host::exchange::Problem;
use seatline_host::host::HostError;
use seatline_host::notices::{Delivered, Outcome};
use seatline_protocol::Digest;
use seatline_protocol::notices::{Change, Facts, Notice, Step, Subject, Topic};
use serde::Serialize;

use super::channels::{Channels, MAIL, MailChannel, WEBHOOK, WebhookChannel, problem};
use super::letter::{self, Origin};
use super::{Notices, body};

/// The most deliveries of one pass; the rest follow in the next.
const MAX_PER_PASS: usize = 200;
/// How many tries there are at the least before a delivery is given up, however long ago it began.
const MIN_TRIES: u32 = 8;

/// A delivery that is to be made.
#[derive(Clone)]
struct Parcel {
    id: String,
    notice: Notice,
    /// The name of the channel.
    channel: String,
    failures: u32,
}

/// Why a delivery failed, and what to do about it.
#[derive(Clone)]
struct Failed {
    problem: Problem,
    is_final: bool,
    /// How long the other side wants to be left alone.
    asked: Option<Duration>,
}

/// What a test of one channel came to (`s7`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// The channel: `mail:` and an address, or `webhook:` and an id.
    pub channel: String,
    /// Where that is: the address, or the URL.
    pub place: String,
    /// What is wrong; none where it was taken.
    pub problem: Option<Problem>,
}

impl Notices<'_> {
    /// Delivers what is due, and notes what came of each as soon as it is known. Gives of how many something came. It ends
    /// early where `is_stopped` says so, within the time of one delivery.
    ///
    /// # Errors
    /// When the state cannot be read, or the product does not say what it is.
    pub fn deliver(&self, is_stopped: &(dyn Fn() -> bool + Sync)) -> Result<usize, HostError> {
        let (book, now) = (self.book()?, self.host().now()?);
        let due = book.due(now);
        if due.is_empty() {
            return Ok(0);
        }
        let parcels = due.iter().take(MAX_PER_PASS).map(|due| Parcel {
            id: due.id.to_owned(),
            notice: due.notice.clone(),
            channel: due.channel.to_owned(),
            failures: due.failures,
        });
        let parcels: Vec<Parcel> = parcels.collect();
        let (channels, origin) = (self.channels()?, self.origin()?);
        let tried = AtomicUsize::new(0);
        let done = |parcel: &Parcel, result: Result<(), Failed>| {
            tried.fetch_add(1, Ordering::Relaxed);
            self.note(parcel, result);
        };
        hand_out(&parcels, &channels, &origin, is_stopped, &done);
        Ok(tried.into_inner())
    }

    /// Sends a test to everybody who would be told, and gives what came of it (`s7`). Nothing of it is kept.
    ///
    /// # Errors
    /// When the state cannot be read, or the product does not say what it is.
    pub fn test(&self) -> Result<Vec<Tested>, HostError> {
        let (channels, origin, at) = (self.channels()?, self.origin()?, self.host().now()?);
        let notice = test_notice(&origin, at);
        let id = format!("test-{}", at.as_millisecond());
        let parcel = |channel| Parcel { id: id.clone(), notice: notice.clone(), channel, failures: 0 };
        let parcels: Vec<Parcel> = channels.names().into_iter().map(parcel).collect();
        let results = Mutex::new(BTreeMap::new());
        let done = |parcel: &Parcel, result: Result<(), Failed>| {
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            results.insert(parcel.channel.clone(), result.err().map(|failed| failed.problem));
        };
        hand_out(&parcels, &channels, &origin, &|| false, &done);
        let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        let place = |channel: &str| match channels.webhook(channel) {
            Some(webhook) => webhook.facts.url.clone(),
            None => channel.strip_prefix(MAIL).unwrap_or(channel).to_owned(),
        };
        Ok(parcels
            .iter()
            .map(|Parcel { channel, .. }| Tested {
                channel: channel.clone(),
                place: place(channel),
                problem: results.get(channel).cloned().flatten(),
            })
            .collect())
    }

    /// Looks whether the mail server takes us, without a mail, and keeps what is wrong (`s7`).
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn probe(&self) -> Result<Option<Problem>, HostError> {
        let Some(MailChannel { server, .. }) = self.channels()?.mail else { return Ok(None) };
        let probed =
            server.and_then(|server| smtp::probe(&server).map_err(|error| problem(error.code(), &error.to_string())));
        let problem = probed.err();
        self.host().note_probe(problem.clone())?;
        Ok(problem)
    }

    fn origin(&self) -> Result<Origin, HostError> {
        Ok(Origin {
            product: self.host().product()?,
            server_id: self.host().server_id().clone(),
            pages: self.instance.config.http.public_url.clone(),
        })
    }

    fn note(&self, parcel: &Parcel, result: Result<(), Failed>) {
        let outcome = match result {
            Ok(()) => {
                tracing::info!(channel = parcel.channel, code = parcel.notice.code, "a notice was delivered");
                Outcome::Taken
            }
            Err(failed) => {
                let Problem { code, message } = &failed.problem;
                tracing::warn!(channel = parcel.channel, code, "a notice was not delivered: {message}");
                outcome(parcel, failed, self.host().now().unwrap_or(parcel.notice.at), random())
            }
        };
        let delivered = Delivered { id: parcel.id.clone(), channel: parcel.channel.clone(), outcome };
        if let Err(error) = self.host().note_deliveries(&[delivered]) {
            tracing::error!(code = error.code(), "what came of a delivery is not kept: {error}");
        }
    }
}

impl Channels {
    fn webhook(&self, channel: &str) -> Option<&WebhookChannel> {
        let id = channel.strip_prefix(WEBHOOK)?;
        self.webhooks.iter().find(|webhook| webhook.facts.id == id)
    }
}

/// When a delivery that failed at `now` is tried again, if it is.
fn outcome(parcel: &Parcel, failed: Failed, now: Timestamp, random: u16) -> Outcome {
    let Failed { problem, is_final, asked } = failed;
    let failures = parcel.failures.saturating_add(1);
    let wait = retry_after(failures, random).max(asked.unwrap_or_default());
    let again = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let ends = parcel.notice.at.checked_add(GIVE_UP_AFTER).unwrap_or(Timestamp::MAX);
    match is_final || again > ends && failures >= MIN_TRIES {
        true => Outcome::GivenUp(problem),
        false => Outcome::Failed(problem, again),
    }
}

fn random() -> u16 {
    let mut random = [0; 2];
    // Without randomness the retries lose their jitter, and nothing else.
    let _ = getrandom::fill(&mut random);
    u16::from_le_bytes(random)
}

/// Delivers the parcels: the mails in one thread, each webhook in one of its own. What belongs to no channel is left.
fn hand_out(
    parcels: &[Parcel],
    channels: &Channels,
    origin: &Origin,
    is_stopped: &(dyn Fn() -> bool + Sync),
    done: &(dyn Fn(&Parcel, Result<(), Failed>) + Sync),
) {
    std::thread::scope(|scope| {
        let mails: Vec<&Parcel> = parcels.iter().filter(|parcel| parcel.channel.starts_with(MAIL)).collect();
        if let (Some(channel), false) = (&channels.mail, mails.is_empty()) {
            scope.spawn(move || post_mails(&mails, channel, origin, is_stopped, done));
        }
        for webhook in &channels.webhooks {
            let name = format!("{WEBHOOK}{}", webhook.facts.id);
            let calls: Vec<&Parcel> = parcels.iter().filter(|parcel| parcel.channel == name).collect();
            if !calls.is_empty() {
                scope.spawn(move || call(&calls, webhook, origin, is_stopped, done));
            }
        }
    });
}

/// The same at each try: whoever gets a mail twice, because the agent was killed before it could note that it was taken,
/// is shown it once by most mail servers and readers.
fn message_id(parcel: &Parcel) -> String {
    let channel = Digest::of(parcel.channel.as_bytes());
    format!("{}.{}", parcel.id, &channel.hex()[..16])
}

fn post_mails(
    parcels: &[&Parcel],
    channel: &MailChannel,
    origin: &Origin,
    is_stopped: &(dyn Fn() -> bool + Sync),
    done: &(dyn Fn(&Parcel, Result<(), Failed>) + Sync),
) {
    let failed = |code: &str, message: &str| Failed { problem: problem(code, message), is_final: false, asked: None };
    let server = match &channel.server {
        Ok(server) => server,
        Err(wrong) => return parcels.iter().for_each(|parcel| done(parcel, Err(failed(&wrong.code, &wrong.message)))),
    };
    let mut letters: Vec<(&Parcel, Mail)> = Vec::new();
    for parcel in parcels {
        let address = parcel.channel.strip_prefix(MAIL).unwrap_or_default();
        let Some(to) = channel.recipients.iter().find(|recipient| recipient.as_str() == address) else { continue };
        let letter = Letter {
            from: (&channel.sender, "Seatline"),
            to,
            subject: &letter::subject(&parcel.notice, origin),
            text: &letter::text(&parcel.notice, origin),
            id: &message_id(parcel),
            date: parcel.notice.at.into(),
        };
        match letter.to_bytes() {
            Ok(bytes) => letters.push((parcel, Mail { to: to.clone(), bytes })),
            Err(reason) => done(parcel, Err(failed("mail-text", &reason))),
        }
    }
    let (parcels, mails): (Vec<&Parcel>, Vec<Mail>) = letters.into_iter().unzip();
    smtp::deliver(server, &channel.sender, &mails, |at, result| {
        let result = result.map_err(|error| Failed {
            problem: problem(error.code(), &error.to_string()),
            is_final: error.is_final(),
            asked: None,
        });
        done(parcels[at], result);
        !is_stopped()
    });
}

fn call(
    parcels: &[&Parcel],
    webhook: &WebhookChannel,
    origin: &Origin,
    is_stopped: &(dyn Fn() -> bool + Sync),
    done: &(dyn Fn(&Parcel, Result<(), Failed>) + Sync),
) {
    let caller = webhook.means.as_ref().map(|(secret, trust)| (secret, Caller::new(trust, TIME_LIMIT)));
    let mut lost: Option<Failed> = None;
    for parcel in parcels {
        if is_stopped() {
            return;
        }
        let result = match (&caller, &lost) {
            (Err(wrong), _) => Err(Failed { problem: (*wrong).clone(), is_final: false, asked: None }),
            (_, Some(lost)) => Err(lost.clone()),
            (Ok((secret, caller)), None) => {
                let body = body::bytes(&parcel.id, &parcel.notice, origin);
                let call = Call { url: &webhook.url, secret, id: &parcel.id, body: &body };
                // The receiver holds the time against its own clock, so it is the system's and not the one with a floor.
                caller.call(call, Timestamp::now()).map_err(|error| Failed {
                    problem: problem(error.code(), &error.to_string()),
                    is_final: error.is_final(),
                    asked: error.retry_after(),
                })
            }
        };
        // A receiver that cannot be reached is not asked for each of the others.
        lost = result.as_ref().err().filter(|failed| failed.problem.code != "webhook-status").cloned();
        done(parcel, result);
    }
}

fn test_notice(origin: &Origin, at: Timestamp) -> Notice {
    Notice {
        subject: Subject {
            topic: Topic::Test,
            of: origin.product.id.to_string(),
            license: None,
            boundary: String::new(),
        },
        step: Step::Holds,
        change: Change::Began,
        code: "test".to_owned(),
        at,
        title: "A test of the notifications".to_owned(),
        message: "Notices of licenses and limits arrive here. There is nothing to do.".to_owned(),
        facts: Facts::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(failures: u32) -> Parcel {
        let server_id = "B7K2-9QXM-0000-0000-0000".parse().expect("a server ID");
        let product = serde_json::from_value(serde_json::json!({
            "id": "acme-wiki", "name": "Acme Wiki", "version": "4.2.0", "server_id": server_id, "nodes": [],
        }));
        let origin = Origin { product: product.expect("a product"), server_id, pages: None };
        let notice = test_notice(&origin, Timestamp::UNIX_EPOCH);
        Parcel { id: "x".to_owned(), notice, channel: "mail:ada@example.org".to_owned(), failures }
    }

    fn failed(is_final: bool, asked: Option<Duration>) -> Failed {
        Failed { problem: problem("mail-slow", "slow"), is_final, asked }
    }

    #[test]
    fn a_delivery_is_tried_for_three_days_and_eight_times_at_the_least() {
        let mut now = Timestamp::UNIX_EPOCH;
        let mut tries = 0;
        while let Outcome::Failed(_, again) = outcome(&parcel(tries), failed(false, None), now, 0) {
            assert!(again > now && again <= now + Duration::from_secs(6 * 3600));
            (now, tries) = (again, tries + 1);
        }
        assert!(now > Timestamp::UNIX_EPOCH + GIVE_UP_AFTER / 2 && tries > MIN_TRIES, "{tries} tries until {now}");
        // After a long absence there are still tries.
        let late = Timestamp::UNIX_EPOCH + GIVE_UP_AFTER * 10;
        assert!(matches!(outcome(&parcel(0), failed(false, None), late, 0), Outcome::Failed(..)));
        assert!(matches!(outcome(&parcel(MIN_TRIES), failed(false, None), late, 0), Outcome::GivenUp(_)));
    }

    #[test]
    fn what_is_final_is_given_up_at_once_and_who_wants_to_be_left_alone_is() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(matches!(outcome(&parcel(0), failed(true, None), now, 0), Outcome::GivenUp(_)));
        let asked = failed(false, Some(Duration::from_secs(7200)));
        let later = outcome(&parcel(0), asked.clone(), now, 0);
        assert_eq!(later, Outcome::Failed(asked.problem, now + Duration::from_secs(7200)));
    }

    #[test]
    fn a_mail_has_the_same_id_at_each_try_and_another_for_each_notice_and_recipient() {
        let to = |channel: &str| Parcel { channel: channel.to_owned(), ..parcel(0) };
        let ids = [to("mail:a@x"), to("mail:b@x"), Parcel { id: "other".to_owned(), ..to("mail:a@x") }];
        let ids = ids.each_ref().map(message_id);
        assert_eq!(message_id(&Parcel { failures: 7, ..to("mail:a@x") }), ids[0]);
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && !ids[0].contains('@'), "{ids:?}");
    }
}
