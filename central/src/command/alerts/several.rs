//! Several alerts that are acknowledged at once: those that `alerts list --json` has printed, or some of them.

use std::io::{Read as _, stdin};

use jiff::Timestamp;
use seatline_ui::format::counted;
use serde::Deserialize;

use super::super::user::actor;
use super::super::{Failure, Output, invalid};
use crate::actions::alerts::{AcknowledgedSeveral, MAX_AT_ONCE, SeveralKnown};
use crate::central::Central;
use crate::domain::ApplicationId;
use crate::domain::alerts::MatterKey;

/// The most bytes of the list.
const MAX_BYTES: u64 = 16 << 20;

/// An alert of the list; what else stands in it is not needed.
#[derive(Deserialize)]
struct Listed {
    application: ApplicationId,
    code: String,
    #[serde(default)]
    subject: String,
}

/// Acknowledges what stands on standard input, in parts that are small enough for one call.
pub(super) async fn acknowledge(
    central: &Central,
    output: Output,
    why: &str,
    until: Option<Timestamp>,
) -> Result<(), Failure> {
    let mut done = AcknowledgedSeveral::default();
    for part in read()?.chunks(MAX_AT_ONCE) {
        let known = SeveralKnown { alerts: part.to_vec(), why: why.to_owned(), until };
        let several = central.acknowledge_several(&actor(), known).await?;
        done.acknowledged.extend(several.acknowledged);
        done.not_open.extend(several.not_open);
    }
    output.show(&done, || {
        let known = counted(done.acknowledged.len() as u64, "alert", "alerts");
        match done.not_open.len() {
            0 => format!("Acknowledged {known}.\n"),
            over => format!("Acknowledged {known}; {over} not open any more.\n"),
        }
    })
}

fn read() -> Result<Vec<MatterKey>, Failure> {
    let mut text = String::new();
    let read = stdin().lock().take(MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| Failure::new("standard-input", error.to_string()))?;
    let listed: Vec<Listed> = serde_json::from_str(&text)
        .map_err(|error| invalid("stdin", format!("a list as `alerts list --json` prints it: {error}")))?;
    let key = |one: Listed| MatterKey { application: one.application, code: one.code, subject: one.subject };
    Ok(listed.into_iter().map(key).collect())
}
