//! Reports: when the last came, when the next is expected, and how they follow one another (`b1`).

use seatline_ui::{Badge, When, format};

use crate::domain::{Chain, LetGo, Licenses, RefusedReport, ReportRow};
use crate::pages::words;

/// How reporting goes.
pub(super) struct Reporting {
    pub(super) received: When,
    pub(super) observed: When,
    pub(super) next: When,
    pub(super) interval: String,
    pub(super) chain: Badge,
    pub(super) chain_words: String,
}

/// A stored report in a list.
pub(super) struct ReportLine {
    pub(super) sequence: String,
    pub(super) observed: String,
    pub(super) received: String,
    pub(super) fit: Badge,
    pub(super) digest: String,
    /// The first digits of the digest, for eyes.
    pub(super) short: String,
    pub(super) size: String,
    /// Where its exact bytes are.
    pub(super) bytes_at: String,
    /// Where it is held against the report before.
    pub(super) changes_at: String,
    /// The report that it repeats: nothing has changed.
    pub(super) repeats: Option<String>,
}

/// A refused report in a list.
pub(super) struct RefusedLine {
    pub(super) sequence: String,
    pub(super) why: &'static str,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) times: String,
    pub(super) digest: String,
    pub(super) short: String,
    pub(super) bytes_at: String,
}

impl Reporting {
    pub(super) fn of(view: &Licenses) -> Option<Self> {
        let (reported, link) = view.reported.as_ref().zip(view.link.as_ref())?;
        let when = |at| When { at, now: view.as_of };
        Some(Self {
            received: when(reported.received_at),
            observed: when(reported.observed_at),
            next: when(reported.next_at),
            interval: format::every(link.settings.interval.into()),
            chain: words::chain(link.chain_state),
            chain_words: chain_words(&link.chain),
        })
    }
}

/// The state of the chain in a sentence.
pub(crate) fn chain_words(chain: &Chain) -> String {
    let stored = format::counted(chain.stored, "report has come", "reports have come");
    let mut words = match chain.missing() {
        0 => format!("{stored}, none is missing."),
        missing => {
            let gaps: Vec<String> = chain.gaps.iter().map(|gap| stretch(gap.from.get(), gap.to.get())).collect();
            let are = if missing == 1 { "is" } else { "are" };
            format!("{stored}; {} {are} missing: {}.", format::number(missing), gaps.join(", "))
        }
    };
    if chain.forks > 0 {
        let refused = format::counted(chain.forks, "report was", "reports were");
        words += &format!(" {refused} refused, because another one has the place.");
    }
    words
}

/// What was let go of a chain, in a sentence.
pub(super) fn let_go_words(let_go: &LetGo) -> String {
    let (reports, up_to) = (format::counted(let_go.reports, "report", "reports"), let_go.up_to);
    format!("{reports} up to no. {up_to} came and were let go, as the retention says: that is no gap.")
}

fn stretch(from: u64, to: u64) -> String {
    if from == to { format!("no. {from}") } else { format!("no. {from} to {to}") }
}

impl ReportLine {
    /// The line of a report of the application at `path`.
    pub(super) fn of(report: &ReportRow, path: &str) -> Self {
        Self {
            sequence: report.sequence.to_string(),
            observed: format::date_time(report.observed_at),
            received: format::date_time(report.received_at),
            fit: words::receipt(report.verdict),
            digest: report.digest.to_string(),
            short: short(report.digest.hex()),
            size: format!("{} bytes", format::number(report.bytes)),
            bytes_at: format!("{path}/reports/{}", report.sequence),
            changes_at: format!("{path}/difference?to={}", report.sequence),
            repeats: report.repeats.map(|repeated| repeated.to_string()),
        }
    }
}

impl RefusedLine {
    /// The line of a refused report of the application at `path`.
    pub(super) fn of(report: &RefusedReport, path: &str) -> Self {
        Self {
            sequence: report.sequence.to_string(),
            why: match report.code.as_str() {
                "fork" => "another report has its place",
                "broken-chain" => "it follows another report than the stored one",
                "future-report" => "it was observed in the future",
                "past-report" => "it was observed before its link was made",
                _ => "it does not fit the chain",
            },
            first: format::date_time(report.first_at),
            last: format::date_time(report.last_at),
            times: format::number(report.times),
            digest: report.digest.to_string(),
            short: short(report.digest.hex()),
            bytes_at: format!("{path}/refused/{}", report.digest.hex()),
        }
    }
}

pub(super) fn short(hex: &str) -> String {
    hex.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gap;

    fn sequence(number: u64) -> seatline_protocol::Sequence {
        number.try_into().expect("a sequence number")
    }

    #[test]
    fn a_whole_chain_and_a_broken_one_are_told_apart_in_words() {
        let whole = Chain { head: Some(sequence(128)), stored: 128, ..Chain::default() };
        assert_eq!(chain_words(&whole), "128 reports have come, none is missing.");
        let gap = Gap { from: sequence(12), to: sequence(14) };
        let broken = Chain { stored: 125, gaps: vec![gap], forks: 1, ..whole };
        let words = "125 reports have come; 3 are missing: no. 12 to 14. \
                     1 report was refused, because another one has the place.";
        assert_eq!(chain_words(&broken), words);
    }
}
