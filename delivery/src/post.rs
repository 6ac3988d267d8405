//! Handing messages over, many to one place, and what is done about those that were not taken. Agent and central server
//! deliver by it alike.

use std::time::Duration;

use jiff::Timestamp;
use seatline_protocol::{Digest, text};

use crate::mail::Letter;
use crate::retry::{GIVE_UP_AFTER, retry_after};
use crate::smtp::{self, Mail, MailError, MailServer};
use crate::webhook::{Call, Caller, WebhookError};

/// How many tries there are at the least before a delivery is given up, however long ago it began.
pub const MIN_TRIES: u32 = 8;
/// The most characters of a reason.
const MAX_MESSAGE: usize = 400;

/// Why something was not taken, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// A stable code for machines.
    pub code: String,
    /// One line for people: the thing, the reason, the way out.
    pub message: String,
    /// Whether another try would end the same way.
    pub is_final: bool,
    /// How long the other side wants to be left alone.
    pub asked: Option<Duration>,
}

impl Failed {
    /// Something is in the way that can be mended.
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: text::line(message, MAX_MESSAGE), is_final: false, asked: None }
    }
}

impl From<&MailError> for Failed {
    fn from(error: &MailError) -> Self {
        Self { is_final: error.is_final(), ..Self::new(error.code(), &error.to_string()) }
    }
}

impl From<&WebhookError> for Failed {
    fn from(error: &WebhookError) -> Self {
        let failed = Self::new(error.code(), &error.to_string());
        Self { is_final: error.is_final(), asked: error.retry_after(), ..failed }
    }
}

/// When a delivery of a message from `begun` that failed at `now`, `failures` times by then, is tried again; none where
/// it is given up.
pub fn again_at(begun: Timestamp, failures: u32, failed: &Failed, now: Timestamp, random: u16) -> Option<Timestamp> {
    let wait = retry_after(failures, random).max(failed.asked.unwrap_or_default());
    let again = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let ends = begun.checked_add(GIVE_UP_AFTER).unwrap_or(Timestamp::MAX);
    (!failed.is_final && (again <= ends || failures < MIN_TRIES)).then_some(again)
}

/// The jitter of a retry.
pub fn jitter() -> u16 {
    let mut random = [0; 2];
    // Without randomness the retries lose their jitter, and nothing else.
    let _ = getrandom::fill(&mut random);
    u16::from_le_bytes(random)
}

/// The id of a mail with a message to a recipient, the same at each try: whoever gets a mail twice, because its sender
/// was killed before it could note that it was taken, is shown it once by most mail servers and readers.
pub fn mail_id(message: &str, recipient: &str) -> String {
    let recipient = Digest::of(recipient.as_bytes());
    format!("{message}.{}", &recipient.hex()[..16])
}

/// Hands over letters, in one session. What came of each goes to `done` with its place as soon as it is known, and says
/// whether to go on.
pub fn send(server: &MailServer, letters: &[Letter<'_>], mut done: impl FnMut(usize, Result<(), Failed>) -> bool) {
    let (mut places, mut mails) = (Vec::new(), Vec::new());
    for (place, letter) in letters.iter().enumerate() {
        match letter.to_bytes() {
            Ok(bytes) => {
                places.push(place);
                mails.push(Mail { to: letter.to.clone(), bytes });
            }
            Err(reason) if !done(place, Err(Failed::new("mail-text", &reason))) => return,
            Err(_) => {}
        }
    }
    let Some(sender) = letters.first().map(|letter| letter.from.0) else { return };
    smtp::deliver(server, sender, &mails, |at, result| done(places[at], result.map_err(|error| Failed::from(&error))));
}

/// Calls one after the other to one receiver. A receiver that cannot be reached is not asked for each of the others.
/// What came of each goes to `done` as [`send`] has it.
pub fn call(caller: &Caller, calls: &[Call<'_>], mut done: impl FnMut(usize, Result<(), Failed>) -> bool) {
    let mut lost: Option<Failed> = None;
    for (place, call) in calls.iter().enumerate() {
        let result = match &lost {
            Some(lost) => Err(lost.clone()),
            // The receiver holds the time against its own clock, so it is the system's.
            None => caller.call(*call, Timestamp::now()).map_err(|error| Failed::from(&error)),
        };
        lost = result.as_ref().err().filter(|failed| failed.code != "webhook-status").cloned();
        if !done(place, result) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(is_final: bool, asked: Option<Duration>) -> Failed {
        Failed { is_final, asked, ..Failed::new("mail-slow", "slow") }
    }

    #[test]
    fn a_delivery_is_tried_for_three_days_and_eight_times_at_the_least() {
        let begun = Timestamp::UNIX_EPOCH;
        let (mut now, mut tries) = (begun, 1);
        while let Some(again) = again_at(begun, tries, &failed(false, None), now, 0) {
            assert!(again > now && again <= now + Duration::from_secs(6 * 3600));
            (now, tries) = (again, tries + 1);
        }
        assert!(now > begun + GIVE_UP_AFTER / 2 && tries > MIN_TRIES, "{tries} tries until {now}");
        // After a long absence there are still tries.
        let late = begun + GIVE_UP_AFTER * 10;
        assert!(again_at(begun, 1, &failed(false, None), late, 0).is_some());
        assert!(again_at(begun, MIN_TRIES, &failed(false, None), late, 0).is_none());
    }

    #[test]
    fn what_is_final_is_given_up_at_once_and_who_wants_to_be_left_alone_is() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(again_at(now, 1, &failed(true, None), now, 0), None);
        let asked = failed(false, Some(Duration::from_secs(7200)));
        assert_eq!(again_at(now, 1, &asked, now, 0), Some(now + Duration::from_secs(7200)));
    }

    #[test]
    fn a_mail_has_the_same_id_at_each_try_and_another_for_each_message_and_recipient() {
        let ids = [mail_id("m", "a@x.org"), mail_id("m", "b@x.org"), mail_id("n", "a@x.org")];
        assert_eq!(mail_id("m", "a@x.org"), ids[0]);
        assert!(ids[0] != ids[1] && ids[0] != ids[2] && !ids[0].contains('@'), "{ids:?}");
    }
}
