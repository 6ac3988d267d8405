//! Handing messages over: each channel by itself, so that none holds up another, in threads where they may block.
//!
//! What somebody gets twice, because the server was killed between the handing over and the note of it, carries the
//! same id (`webhook-id`, `Message-ID`).

mod lost;
mod means;

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use seatline_delivery::MailAddress;
use seatline_delivery::mail::Letter;
use seatline_delivery::post::{self, Failed, again_at, jitter, mail_id};
use seatline_delivery::smtp::MailServer;
use seatline_delivery::webhook::{Call, Caller, WebhookSecret};
use seatline_web::turns::Turns;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::central::Central;
use crate::domain::alerts::channel::Channel;
use crate::domain::alerts::message::{Content, Origin, test_text};
use crate::domain::ids::MessageId;
use crate::store::alerts::{Outcome, Parcel};
use crate::store::{StoreError, Stored};
pub use lost::{LOST, LostSecret};
use means::Means;
pub use means::{WebhookSecrets, lock_password};

/// How many deliveries are taken at once.
const BATCH: u32 = 50;
/// For how long they are ours: much longer than handing over takes, so that nobody else hands them over meanwhile.
const OURS: SignedDuration = SignedDuration::from_mins(5);
/// How long one step of a session with a mail server, or one call, may take.
const TIME_LIMIT: Duration = Duration::from_secs(15);
/// After this time nothing new is begun: the rest is left for the next round.
const ROUND: Duration = Duration::from_secs(15);

/// Tests of channels that are under way: each holds a thread while the other side is waited for.
static TESTS: Turns = Turns::new(4);

/// What a test of a channel came to at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Tested {
    /// A mail address, or the URL of a webhook without what stands behind `?`.
    pub place: String,
    /// Whether it was taken.
    pub taken: bool,
    /// What is wrong: a code.
    pub code: Option<String>,
    /// The same in words.
    pub problem: Option<String>,
}

/// Who writes to whom: everything that a thread needs.
#[derive(Clone)]
struct Errand {
    name: String,
    url: String,
    channel: Channel,
    means: Result<Means, Failed>,
    parcels: Vec<Parcel>,
}

/// Tells what came of a parcel; nothing where it was not tried.
type Tell<'t> = dyn Fn(&Parcel, Option<Result<(), Failed>>) + 't;

/// A place that something was handed over to, and what came of it; nothing where it was not tried.
type Came = (MessageId, String, Option<Result<(), Failed>>);

/// Hands over what is due. Gives how much that was.
///
/// # Errors
/// Where the store cannot be used.
pub async fn deliver(central: &Central) -> Stored<usize> {
    let now = central.now();
    let until = now.checked_add(OURS).unwrap_or(Timestamp::MAX);
    let parcels = central.store().take_deliveries(now, until, BATCH).await?;
    if parcels.is_empty() {
        return Ok(0);
    }
    let tried: Vec<(MessageId, String, u32, Timestamp)> = parcels
        .iter()
        .map(|parcel| (parcel.message.clone(), parcel.place.clone(), parcel.failures, parcel.made_at))
        .collect();
    let (done, mut came) = mpsc::unbounded_channel();
    for errand in errands(central, parcels).await? {
        let done = done.clone();
        tokio::task::spawn_blocking(move || errand.run(&done));
    }
    drop(done);
    while let Some((message, place, result)) = came.recv().await {
        let known = tried.iter().find(|(id, at, ..)| *id == message && *at == place);
        let (failures, made_at) = known.map_or((0, now), |(_, _, failures, made_at)| (*failures, *made_at));
        let outcome = outcome(result, failures, made_at, central.now());
        log(&message, &place, &outcome);
        central.store().note_delivery(&message, &place, &outcome, central.now()).await?;
    }
    Ok(tried.len())
}

fn outcome(result: Option<Result<(), Failed>>, failures: u32, made_at: Timestamp, now: Timestamp) -> Outcome {
    match result {
        None => Outcome::Untried,
        Some(Ok(())) => Outcome::Taken,
        Some(Err(failed)) => match again_at(made_at, failures.saturating_add(1), &failed, now, jitter()) {
            Some(again) => Outcome::Again(failed, again),
            None => Outcome::GivenUp(failed),
        },
    }
}

fn log(message: &MessageId, place: &str, outcome: &Outcome) {
    match outcome {
        Outcome::Taken => tracing::info!(%message, place, "a message of alerts was delivered"),
        Outcome::Untried => {}
        Outcome::Again(why, at) => {
            tracing::warn!(%message, place, code = why.code, again = %at, "a message of alerts was not taken: {}", why.message);
        }
        Outcome::GivenUp(why) => {
            tracing::error!(%message, place, code = why.code, "a message of alerts is given up: {}", why.message);
        }
    }
}

/// Sends a test to every place of a channel, and gives what came of it (`s7`). Nothing of it is kept.
///
/// # Errors
/// Where the store cannot be used.
pub async fn test(central: &Central, channel: &Channel, id: &MessageId) -> Stored<Vec<Tested>> {
    let places = channel.config.to.places();
    let parcel = |place: &String| Parcel {
        message: id.clone(),
        channel: channel.id.clone(),
        made_at: central.now(),
        place: place.clone(),
        failures: 0,
        content: Content::default(),
    };
    let means = Means::of(central, channel).await?;
    let errand = Errand {
        name: central.name().to_owned(),
        url: central.public_url().to_owned(),
        channel: channel.clone(),
        means,
        parcels: places.iter().map(parcel).collect(),
    };
    let (done, mut came) = mpsc::unbounded_channel();
    TESTS.run(move || errand.run(&done)).await.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let mut tested: Vec<Tested> = Vec::new();
    while let Some((_, place, result)) = came.recv().await {
        let failed = match result {
            None => Some(Failed::new("not-tried", "The places before this one took so long that it was not tried.")),
            Some(result) => result.err(),
        };
        let (code, problem) = failed.map(|failed| (failed.code, failed.message)).unzip();
        tested.push(Tested { place, taken: problem.is_none(), code, problem });
    }
    tested.sort_by_key(|tested| places.iter().position(|place| *place == tested.place));
    Ok(tested)
}

/// The parcels by their channels, with the means of each.
async fn errands(central: &Central, parcels: Vec<Parcel>) -> Stored<Vec<Errand>> {
    let mut errands: Vec<Errand> = Vec::new();
    for parcel in parcels {
        if let Some(errand) = errands.iter_mut().find(|errand| errand.channel.id == parcel.channel) {
            errand.parcels.push(parcel);
            continue;
        }
        let Some(kept) = central.store().channel(&parcel.channel).await? else {
            give_up(central, &parcel, "channel-removed", "The channel was removed.").await?;
            continue;
        };
        if !kept.channel.config.enabled {
            give_up(central, &parcel, "channel-off", "The channel was switched off.").await?;
            continue;
        }
        errands.push(Errand {
            name: central.name().to_owned(),
            url: central.public_url().to_owned(),
            means: Means::of(central, &kept.channel).await?,
            channel: kept.channel,
            parcels: vec![parcel],
        });
    }
    Ok(errands)
}

async fn give_up(central: &Central, parcel: &Parcel, code: &str, why: &str) -> Stored<()> {
    let gone = Outcome::GivenUp(Failed::new(code, why));
    central.store().note_delivery(&parcel.message, &parcel.place, &gone, central.now()).await
}

impl Errand {
    fn origin(&self) -> Origin<'_> {
        Origin { name: &self.name, url: &self.url, channel: self.channel.config.name.as_str() }
    }

    /// Hands everything over, and tells what came of each.
    fn run(&self, done: &mpsc::UnboundedSender<Came>) {
        let tell = |parcel: &Parcel, result| {
            // Whoever does not listen any more has ended.
            let _ = done.send((parcel.message.clone(), parcel.place.clone(), result));
        };
        let places = self.channel.config.to.places();
        let (parcels, gone): (Vec<&Parcel>, Vec<&Parcel>) =
            self.parcels.iter().partition(|parcel| places.contains(&parcel.place));
        for parcel in gone {
            let why = Failed::new("place-removed", "The channel does not lead there any more.");
            tell(parcel, Some(Err(Failed { is_final: true, ..why })));
        }
        let tried = match &self.means {
            Err(wrong) => {
                parcels.iter().for_each(|parcel| tell(parcel, Some(Err(wrong.clone()))));
                parcels.len()
            }
            Ok(Means::Mail { server, sender }) => self.send(&parcels, server, sender, &tell),
            Ok(Means::Webhook { url, secret, caller }) => self.call(&parcels, url, secret, caller, &tell),
        };
        parcels[tried..].iter().for_each(|parcel| tell(parcel, None));
    }

    /// Sends mails; gives how many were tried, from the first on.
    fn send(&self, parcels: &[&Parcel], server: &MailServer, sender: &MailAddress, tell: &Tell<'_>) -> usize {
        // An address was read where the channel was set, and is not read again: what leads to none of them was told
        // before.
        let recipients = self.channel.config.to.recipients();
        let write = |parcel: &Parcel| {
            let to = recipients.iter().find(|to| to.as_str() == parcel.place)?;
            let (subject, text) = self.words(parcel);
            Some((to, subject, text, mail_id(parcel.message.as_str(), &parcel.place)))
        };
        let written: Vec<_> = parcels.iter().filter_map(|parcel| write(parcel).zip(Some(parcel))).collect();
        let letters = written.iter().map(|((to, subject, text, id), parcel)| Letter {
            from: (sender, self.name.as_str()),
            to,
            subject,
            text,
            id,
            date: parcel.made_at.into(),
        });
        let letters: Vec<Letter<'_>> = letters.collect();
        let (begun, mut tried) = (Instant::now(), 0);
        post::send(server, &letters, |at, result| {
            tell(written[at].1, Some(result));
            tried = tried.max(at + 1);
            begun.elapsed() < ROUND
        });
        tried
    }

    /// Calls a webhook; gives how often it was tried, from the first on.
    fn call(&self, parcels: &[&Parcel], url: &str, secret: &WebhookSecret, caller: &Caller, tell: &Tell<'_>) -> usize {
        let body = |parcel: &&Parcel| parcel.content.body(parcel.message.as_str(), parcel.made_at, self.origin());
        let bodies: Vec<Vec<u8>> = parcels.iter().map(body).collect();
        let calls =
            parcels.iter().zip(&bodies).map(|(parcel, body)| Call { url, secret, id: parcel.message.as_str(), body });
        let calls: Vec<Call<'_>> = calls.collect();
        let (begun, mut tried) = (Instant::now(), 0);
        post::call(caller, &calls, |at, result| {
            tell(parcels[at], Some(result));
            tried = tried.max(at + 1);
            begun.elapsed() < ROUND
        });
        tried
    }

    fn words(&self, parcel: &Parcel) -> (String, String) {
        let origin = self.origin();
        match parcel.content.counts.is_empty() {
            true => test_text(origin),
            false => (parcel.content.subject(origin), parcel.content.text(origin)),
        }
    }
}

#[cfg(test)]
mod tests;
