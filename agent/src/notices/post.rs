//! Delivering: all mails in one session, and beside it each webhook by itself, so that none holds up another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use seatline_delivery::mail::Letter;
use seatline_delivery::post::{self, Failed, again_at, jitter, mail_id};
use seatline_delivery::smtp;
use seatline_delivery::webhook::{Call, Caller, TIME_LIMIT};
use seatline_host::exchange::Problem;
use seatline_host::host::HostError;
use seatline_host::notices::{Delivered, Outcome};
use seatline_protocol::notices::{Change, Facts, Notice, Step, Subject, Topic};
use serde::Serialize;

use super::channels::{Channels, MAIL, MailChannel, WEBHOOK, WebhookChannel, problem};
use super::letter::{self, Origin};
use super::{Notices, body};

/// The most deliveries of one pass; the rest follow in the next.
const MAX_PER_PASS: usize = 200;

/// A delivery that is to be made.
#[derive(Clone)]
struct Parcel {
    id: String,
    notice: Notice,
    /// The name of the channel.
    channel: String,
    failures: u32,
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
    /// Delivers what is due, and notes what came of each as soon as it is known. Gives of how many something came. It
    /// ends early where `is_stopped` says so, within the time of one delivery.
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
            results.insert(parcel.channel.clone(), result.err().map(|failed| shown(&failed)));
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
                let Failed { code, message, .. } = &failed;
                tracing::warn!(channel = parcel.channel, code, "a notice was not delivered: {message}");
                let (begun, failures) = (parcel.notice.at, parcel.failures.saturating_add(1));
                match again_at(begun, failures, &failed, self.host().now().unwrap_or(begun), jitter()) {
                    Some(again) => Outcome::Failed(shown(&failed), again),
                    None => Outcome::GivenUp(shown(&failed)),
                }
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

fn shown(failed: &Failed) -> Problem {
    problem(&failed.code, &failed.message)
}

fn in_the_way(wrong: &Problem) -> Failed {
    Failed::new(&wrong.code, &wrong.message)
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

fn post_mails(
    parcels: &[&Parcel],
    channel: &MailChannel,
    origin: &Origin,
    is_stopped: &(dyn Fn() -> bool + Sync),
    done: &(dyn Fn(&Parcel, Result<(), Failed>) + Sync),
) {
    let server = match &channel.server {
        Ok(server) => server,
        Err(wrong) => return parcels.iter().for_each(|parcel| done(parcel, Err(in_the_way(wrong)))),
    };
    let recipient = |parcel: &Parcel| {
        let address = parcel.channel.strip_prefix(MAIL).unwrap_or_default().to_owned();
        channel.recipients.iter().find(|recipient| recipient.as_str() == address)
    };
    let written: Vec<_> = parcels
        .iter()
        .filter_map(|parcel| {
            let (subject, text) = (letter::subject(&parcel.notice, origin), letter::text(&parcel.notice, origin));
            Some((*parcel, recipient(parcel)?, subject, text, mail_id(&parcel.id, &parcel.channel)))
        })
        .collect();
    let letters = written.iter().map(|(parcel, to, subject, text, id)| Letter {
        from: (&channel.sender, "Seatline"),
        to,
        subject,
        text,
        id,
        date: parcel.notice.at.into(),
    });
    let letters: Vec<Letter<'_>> = letters.collect();
    post::send(server, &letters, |at, result| {
        done(written[at].0, result);
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
    let (secret, trust) = match &webhook.means {
        Ok(means) => means,
        Err(wrong) => return parcels.iter().for_each(|parcel| done(parcel, Err(in_the_way(wrong)))),
    };
    if is_stopped() {
        return;
    }
    let bodies: Vec<Vec<u8>> = parcels.iter().map(|parcel| body::bytes(&parcel.id, &parcel.notice, origin)).collect();
    let (url, parts) = (webhook.url.as_str(), parcels.iter().zip(&bodies));
    let calls: Vec<Call<'_>> = parts.map(|(parcel, body)| Call { url, secret, id: &parcel.id, body }).collect();
    post::call(&Caller::new(trust, TIME_LIMIT), &calls, |at, result| {
        done(parcels[at], result);
        !is_stopped()
    });
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
