//! The export: a section for each link, with its sealed reports, and what the central server says of them.
//!
//! Receipts are not kept but sealed anew. What they say is kept with the report, and Ed25519 gives the same signature
//! for the same words: they are the very bytes that the product was answered.

use async_trait::async_trait;
use seatline_protocol::evidence::{
    ApplicationFacts, CentralFacts, Course, EvidenceManifest, EvidenceSection, FORM, Head, LetGo, Line, LinkFacts,
    LinkKey, RefusedLine, ReportLine, StatementLine, Stretch, without,
};
use seatline_protocol::ids::Digester;
use seatline_protocol::seal::{self, OpenError};
use seatline_protocol::{Digest, LinkId, Receipt, SecretKey, Sequence};
use serde::Serialize;

use super::Period;
use crate::central::{ActionError, Central};
use crate::domain::{Application, ApplicationId, FormerKey, Link, SealedReport};
use crate::store::{PageSize, StoreError};

/// What is exported.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Of which applications; all where there is none.
    pub applications: Vec<ApplicationId>,
    /// The reports of which time.
    pub period: Period,
}

/// Where the file goes, piece by piece.
#[async_trait]
pub trait Sink: Send {
    /// Takes the next bytes, and waits while there is no room for them.
    async fn take(&mut self, bytes: Vec<u8>) -> std::io::Result<()>;
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// What the manifest says.
    #[serde(flatten)]
    pub manifest: EvidenceManifest,
    /// The key that sealed it, to hand out beside the file.
    pub key: seatline_protocol::PublicKey,
    /// How many bytes the file has.
    pub bytes: u64,
}

/// Why an export ended before its manifest: what was written of it is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// An application is not there.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something could not be sealed.
    #[error("the central server cannot seal the file: {0}")]
    Seal(#[from] OpenError),
    /// A line could not be written as JSON.
    #[error("a line cannot be written: {0}")]
    Line(#[from] serde_json::Error),
    /// The file could not be written, or nobody reads it any more.
    #[error("the file cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// The server ends.
    #[error("the server is shutting down: export again")]
    Ending,
}

impl ExportError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Action(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Line(_) => "line",
            Self::Write(_) => "write",
            Self::Ending => "unavailable",
        }
    }
}

/// Writes the evidence of a selection.
///
/// # Errors
/// See [`ExportError`]; an application that is not there is told before anything is written.
pub async fn export(central: &Central, selection: &Selection, sink: &mut dyn Sink) -> Result<Exported, ExportError> {
    let mut named = Vec::new();
    for id in &selection.applications {
        named.push(central.application(id).await?);
    }
    let mut writer = Writer::new(central, sink);
    let head = Head {
        form: FORM.to_owned(),
        central: CentralFacts {
            name: central.name().to_owned(),
            url: central.public_url().to_owned(),
            key: central.public_key(),
        },
        from: selection.period.from,
        until: selection.period.until,
    };
    writer.line(&Line::Evidence(head)).await?;
    if !named.is_empty() {
        for application in &named {
            of_application(central, application, selection.period, &mut writer).await?;
        }
        return writer.finish().await;
    }
    let mut after = None;
    loop {
        let page = central.store().applications(after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
        for row in &page.items {
            of_application(central, &row.application, selection.period, &mut writer).await?;
        }
        after = page.next;
        if after.is_none() {
            return writer.finish().await;
        }
    }
}

/// Every link that the application has, also one that was suspended: its reports say what was used then.
async fn of_application(
    central: &Central,
    application: &Application,
    period: Period,
    writer: &mut Writer<'_>,
) -> Result<(), ExportError> {
    for link in central.store().links_of(&application.id).await?.iter().rev() {
        of_link(central, application, link, period, writer).await?;
    }
    Ok(())
}

async fn of_link(
    central: &Central,
    application: &Application,
    link: &Link,
    period: Period,
    writer: &mut Writer<'_>,
) -> Result<(), ExportError> {
    let store = central.store();
    writer.line(&Line::Link(facts(application, link, store.former_keys(&link.id).await?))).await?;
    let stretch = store.stretch(&link.id, period).await?;
    let mut section = Section::new(link.id.clone());
    for refused in store.sealed_refused(&link.id, period, stretch).await? {
        section.refused += 1;
        let (sealed, refused) = (refused.sealed, refused.report);
        let line = RefusedLine {
            sealed,
            code: refused.code,
            first_at: refused.first_at,
            last_at: refused.last_at,
            times: refused.times,
        };
        writer.line(&Line::Refused(line)).await?;
    }
    let mut rest = stretch;
    while let Some((from, to)) = rest {
        let batch = store.sealed_reports(&link.id, from, to).await?;
        let Some(last) = batch.last() else { break };
        rest = last.sequence.next().filter(|next| *next <= to).map(|next| (next, to));
        let (mut lines, mut gaps) = (Vec::new(), Vec::new());
        for report in batch {
            gaps.extend(section.note(&report));
            let repeated = match section.lacks(&report) {
                Some(repeated) => store.sealed_repeated(&link.id, repeated).await?,
                None => None,
            };
            lines.push((repeated, report));
        }
        for stretch in let_go(central, &link.id, &gaps).await? {
            section.let_go.note(stretch);
        }
        let (id, key) = (link.id.clone(), central.keys().secret().clone());
        let lines = tokio::task::spawn_blocking(move || lines_of(&id, lines, &key)).await;
        writer.write(lines.map_err(|_| ExportError::Ending)??).await?;
    }
    for (sealed, statement) in store.sealed_statements(&link.id, period).await? {
        section.statements += 1;
        let line = StatementLine { sealed, received_at: statement.received_at };
        writer.line(&Line::Statement(line)).await?;
    }
    writer.end(section).await
}

/// What once came of the reports that are not there, and was let go since.
async fn let_go(central: &Central, link: &LinkId, gaps: &[Stretch]) -> Result<Vec<Stretch>, ExportError> {
    let (Some(first), Some(last)) = (gaps.first(), gaps.last()) else { return Ok(Vec::new()) };
    let (mut never_came, mut next) = (Vec::new(), Some(first.from));
    while let Some(from) = next.filter(|from| *from <= last.to) {
        let some = central.store().never_came(link, from, last.to).await?;
        next = some.last().and_then(|(_, to)| to.next());
        never_came.extend(some.into_iter().map(|(from, to)| Stretch { from, to }));
    }
    Ok(without(gaps, &never_came))
}

fn facts(application: &Application, link: &Link, former: Vec<FormerKey>) -> LinkFacts {
    let former = former.into_iter().rev().map(|former| LinkKey {
        key: former.key,
        until: Some(former.until),
        replaced_at: Some(former.replaced_at),
    });
    let present = LinkKey { key: link.key.clone(), until: None, replaced_at: None };
    LinkFacts {
        id: link.id.clone(),
        application: ApplicationFacts {
            id: application.id.to_string(),
            name: application.name.to_string(),
            product: application.product.clone(),
        },
        joined_at: link.created_at,
        approved_at: link.approved_at,
        keys: former.chain([present]).collect(),
    }
}

/// The lines of reports, each with its receipt, and what they repeat where it has to stand before them.
fn lines_of(
    link: &LinkId,
    batch: Vec<(Option<String>, SealedReport)>,
    key: &SecretKey,
) -> Result<Vec<u8>, ExportError> {
    let mut lines = Vec::new();
    for (repeated, report) in batch {
        if let Some(sealed) = repeated {
            append(&mut lines, &Line::Repeated(sealed))?;
        }
        let receipt = Receipt {
            link: link.clone(),
            sequence: report.sequence,
            report: report.digest,
            received_at: report.received_at,
            verdict: report.verdict,
        };
        let receipt = seal::seal(&receipt, key)?;
        append(&mut lines, &Line::Report(ReportLine { sealed: report.sealed, receipt }))?;
    }
    Ok(lines)
}

fn append(lines: &mut Vec<u8>, line: &Line) -> Result<(), ExportError> {
    serde_json::to_writer(&mut *lines, line)?;
    lines.push(b'\n');
    Ok(())
}

/// What is said of a link at the end of its section.
struct Section {
    link: LinkId,
    course: Course,
    let_go: LetGo,
    reports: u64,
    /// What stands in the file last and says all itself.
    says: Option<Sequence>,
    head: Option<Digest>,
    refused: u64,
    statements: u64,
}

impl Section {
    fn new(link: LinkId) -> Self {
        let (course, let_go) = Default::default();
        Self { link, course, let_go, reports: 0, says: None, head: None, refused: 0, statements: 0 }
    }

    /// Notes the next report; gives what is not there before it.
    fn note(&mut self, report: &SealedReport) -> Option<Stretch> {
        self.reports += 1;
        self.head = Some(report.digest.clone());
        self.course.note(report.sequence)
    }

    /// The report that has to stand before this one, as it repeats it.
    fn lacks(&mut self, report: &SealedReport) -> Option<Sequence> {
        let before = self.says.replace(report.repeats.unwrap_or(report.sequence));
        report.repeats.filter(|repeats| before != Some(*repeats))
    }
}

/// Writes lines, and counts and digests them.
struct Writer<'w> {
    central: &'w Central,
    sink: &'w mut dyn Sink,
    /// Of all lines.
    file: Digester,
    /// Of the lines of this section.
    section: Digester,
    bytes: u64,
    sections: u64,
    reports: u64,
    refused: u64,
    statements: u64,
}

impl<'w> Writer<'w> {
    fn new(central: &'w Central, sink: &'w mut dyn Sink) -> Self {
        let (file, section) = Default::default();
        Self { central, sink, file, section, bytes: 0, sections: 0, reports: 0, refused: 0, statements: 0 }
    }

    async fn line(&mut self, line: &Line) -> Result<(), ExportError> {
        let mut bytes = Vec::new();
        append(&mut bytes, line)?;
        if matches!(line, Line::Link(_)) {
            self.section = Digester::default();
        }
        self.write(bytes).await
    }

    async fn write(&mut self, lines: Vec<u8>) -> Result<(), ExportError> {
        self.file.update(&lines);
        self.section.update(&lines);
        self.bytes += lines.len() as u64;
        Ok(self.sink.take(lines).await?)
    }

    async fn end(&mut self, section: Section) -> Result<(), ExportError> {
        let (first, last) = section.course.ends();
        let sealed = EvidenceSection {
            link: section.link,
            reports: section.reports,
            first,
            last,
            head: section.head,
            missing: section.course.missing(),
            gaps: section.course.gaps().to_vec(),
            let_go: Some(section.let_go).filter(|let_go| let_go.reports > 0),
            refused: section.refused,
            statements: section.statements,
            content: self.section.clone().digest(),
        };
        self.sections += 1;
        self.reports += section.reports;
        self.refused += section.refused;
        self.statements += section.statements;
        let sealed = seal::seal(&sealed, self.central.keys().secret())?;
        self.line(&Line::Section(sealed)).await
    }

    async fn finish(mut self) -> Result<Exported, ExportError> {
        let manifest = EvidenceManifest {
            made_at: self.central.now(),
            sections: self.sections,
            reports: self.reports,
            refused: self.refused,
            statements: self.statements,
            content: self.file.clone().digest(),
        };
        let sealed = seal::seal(&manifest, self.central.keys().secret())?;
        self.line(&Line::Manifest(sealed)).await?;
        Ok(Exported { manifest, key: self.central.public_key(), bytes: self.bytes })
    }
}
