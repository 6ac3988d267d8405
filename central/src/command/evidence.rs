//! `evidence` and `verify` (`b12`).

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write as _};
use std::path::PathBuf;

use async_trait::async_trait;
use clap::Args;
use jiff::Timestamp;
use seatline_protocol::PublicKey;
use seatline_protocol::evidence::Stretch;
use seatline_ui::format::{counted, date_time, number};

use super::applications::named;
use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::evidence::verify::{Chain, Conflict, SectionVerdict};
use crate::evidence::{Exported, Period, Selection, Sink, Verdict, export, verify};
use crate::private_file::Draft;

/// The exit status of a file that holds, and in which a chain is not whole.
const NOT_WHOLE: u8 = 3;

/// Write a file of evidence.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  seatline-central evidence 'Company wiki' --from 2026-01-01 --to 2026-03-31 --out wiki.jsonl\n  \
                        seatline-central evidence --all --out all.jsonl\n\n\
                        Whoever gets the file verifies it with `seatline-central verify FILE --key KEY`."
)]
pub(super) struct Export {
    /// The names of the applications
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    applications: Vec<String>,
    /// Of all applications
    #[arg(long)]
    all: bool,
    /// The first day, in UTC, or a moment such as 2026-01-01T00:00:00Z; all from the first report where absent
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day, in UTC; all up to the last report where absent
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Where the file is written, for its owner alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let period = Period::between(self.from.as_deref(), self.to.as_deref())?;
        let central = place.central().await?;
        let mut applications = Vec::new();
        for name in &self.applications {
            applications.push(named(&central, name).await?.id);
        }
        let failed = |error: io::Error| Failure::new("file", format!("{}: {error}", self.out.display()));
        let draft = Draft::begin(&self.out).map_err(failed)?;
        let mut sink = ToFile(BufWriter::new(draft.file.try_clone().map_err(failed)?));
        let exported = export(&central, &Selection { applications, period }, &mut sink).await?;
        sink.0.flush().and_then(|()| draft.finish()).map_err(failed)?;
        let Exported { manifest, key, bytes } = &exported;
        output.show(&exported, || {
            format!(
                "Wrote {}: {} of {}, {} bytes.\nVerify it with: seatline-central verify {} --key {key}\n",
                self.out.display(),
                counted(manifest.reports, "report", "reports"),
                counted(manifest.sections, "link", "links"),
                number(*bytes),
                self.out.display(),
            )
        })
    }
}

struct ToFile(BufWriter<File>);

#[async_trait]
impl Sink for ToFile {
    async fn take(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.0.write_all(&bytes)
    }
}

/// Verify a file of evidence.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central verify wiki.jsonl --key k4.public.…\n\n\
                        Exit status: 0 it holds and every chain is whole, 3 it holds and a chain has a gap, was rolled back or is\n\
                        forked, 1 it does not hold or is no whole file of evidence.")]
pub(super) struct Verify {
    /// The file, or - for standard input
    file: PathBuf,
    /// The public key of the central server, as it is known from elsewhere. Without it, the key in the file is taken,
    /// and shown
    #[arg(long, value_name = "KEY")]
    key: Option<PublicKey>,
}

impl Verify {
    pub(super) fn run(self, output: Output) -> Result<u8, Failure> {
        let failed = |error: io::Error| Failure::new("file", format!("{}: {error}", self.file.display()));
        let file: Box<dyn BufRead> = match self.file.as_os_str() == "-" {
            true => Box::new(io::stdin().lock()),
            false => Box::new(BufReader::with_capacity(1 << 16, File::open(&self.file).map_err(failed)?)),
        };
        let verdict = verify(file, self.key.as_ref())?;
        output.show(&verdict, || text(&verdict))?;
        Ok(match (verdict.holds, verdict.is_whole()) {
            (false, _) => 1,
            (true, false) => NOT_WHOLE,
            (true, true) => 0,
        })
    }
}

fn text(verdict: &Verdict) -> String {
    let mut text = match verdict.holds {
        true if verdict.is_whole() => "It holds, and every chain is whole.\n".to_owned(),
        true => format!("It holds. {} not whole.\n", chains(verdict.totals.with_findings)),
        false => format!("It does not hold: {}.\n", counted(verdict.defect_count, "defect", "defects")),
    };
    for defect in &verdict.defects {
        let link = defect.link.as_ref().map(|link| format!(", link {link}")).unwrap_or_default();
        let report = defect.sequence.map(|sequence| format!(", report {sequence}")).unwrap_or_default();
        text.push_str(&format!("! line {}{link}{report}: {} [{}]\n", defect.line, defect.message, defect.code));
    }
    let unlisted = verdict.defect_count - verdict.defects.len() as u64;
    if unlisted > 0 {
        text.push_str(&format!("! and {} more\n", number(unlisted)));
    }
    let central = &verdict.central;
    text.push_str(&format!(
        "\nCentral server  {} ({})\nIts key         {}\n",
        central.name, central.url, central.fingerprint
    ));
    if !central.was_given {
        text.push_str(
            "                taken from the file: compare it with the one that you know, or name that with --key\n",
        );
    }
    let at = |at: Option<Timestamp>, open: &str| at.map_or_else(|| open.to_owned(), date_time);
    text.push_str(&format!(
        "Period          {} to before {}\nMade            {}\n",
        at(verdict.from, "the first report"),
        at(verdict.until, "the end"),
        at(verdict.made_at, "not proven")
    ));
    let totals = &verdict.totals;
    let repeats = match totals.repeats {
        0 => String::new(),
        repeats => format!(" ({} an earlier one)", counted(repeats, "repeats", "repeat")),
    };
    let let_go = match totals.let_go {
        0 => String::new(),
        let_go => format!(", {} let go", number(let_go)),
    };
    text.push_str(&format!(
        "Holds           {}{repeats} of {}; {} missing{let_go}, {} refused, {}\n\n",
        counted(totals.reports, "report", "reports"),
        counted(totals.sections, "link", "links"),
        number(totals.missing),
        number(totals.refused),
        counted(totals.statements, "statement", "statements"),
    ));
    let heads = ["APPLICATION", "LINK", "REPORTS", "FIRST", "LAST", "CHAIN"];
    text.push_str(&table(&heads, &verdict.sections.iter().map(row).collect::<Vec<_>>()));
    for section in &verdict.sections {
        text.push_str(&findings(section));
    }
    text
}

fn chains(number_of: u64) -> String {
    if number_of == 1 { "1 chain is".to_owned() } else { format!("{} chains are", number(number_of)) }
}

fn row(section: &SectionVerdict) -> Vec<String> {
    let end = |sequence: Option<seatline_protocol::Sequence>, at: Option<Timestamp>| match sequence.zip(at) {
        Some((sequence, at)) => format!("{sequence} ({})", date_time(at)),
        None => "-".to_owned(),
    };
    let Chain { first, last, observed, state, .. } = &section.chain;
    vec![
        section.application.name.clone(),
        section.link.to_string(),
        number(section.reports),
        end(*first, observed.map(|(first, _)| first)),
        end(*last, observed.map(|(_, last)| last)),
        state.name().to_owned(),
    ]
}

fn findings(section: &SectionVerdict) -> String {
    let mut text = String::new();
    let name = &section.application.name;
    let which = |stretch: &Stretch, (one, many): (&str, &str)| match stretch.from == stretch.to {
        true => format!("report {} {one}", stretch.from),
        false => format!("reports {} to {} {many}", stretch.from, stretch.to),
    };
    for gap in &section.chain.gaps {
        text.push_str(&format!("- {name}: {} missing\n", which(gap, ("is", "are"))));
    }
    for stretch in &section.chain.let_go.stretches {
        let which = which(stretch, ("was", "were"));
        text.push_str(&format!("- {name}: {which} received and let go, as the central server says\n"));
    }
    for Conflict { sequence, code, refused, beside, first_at } in &section.chain.conflicts {
        let proof = match beside {
            Some((at, digest)) => format!("cannot stand beside report {at} ({digest}); the link's key sealed both"),
            None => "the report that it conflicts with is not in this file".to_owned(),
        };
        let at = date_time(*first_at);
        text.push_str(&format!("- {name}: a report {sequence} ({refused}) was refused {at} [{code}]: {proof}\n"));
    }
    text
}
