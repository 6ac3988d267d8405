//! `seatline doctor`

use serde::Serialize;

use super::Context;
use crate::doctor::{Condition, Finding, examine};
use crate::failure::Failure;
use crate::output::{ATTENTION, BAD, GOOD, Page, styled};

/// Look at everything that a working agent needs, and say what is wrong
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It changes nothing that is kept, and sends no report. It reads the accounts once, and asks the central server for an answer.

Exit status: 0 nothing is wrong, 1 something is.

Example:
  seatline doctor")]
pub struct Options {}

#[derive(Serialize)]
struct Shown {
    condition: Condition,
    findings: Vec<Finding>,
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let mut findings = Vec::new();
    examine(&context.dir()?, &mut |finding| findings.push(finding));
    let condition = findings.iter().map(|finding| finding.condition).max().unwrap_or(Condition::Good);
    let shown = Shown { condition, findings };
    context.output.show(&shown, |page| shown.findings.iter().for_each(|finding| write(page, finding)))?;
    let bad: Vec<&Finding> = shown.findings.iter().filter(|finding| finding.condition == Condition::Bad).collect();
    let Some(first) = bad.first() else { return Ok(()) };
    let code = first.code.as_deref().unwrap_or("unhealthy");
    let message = match bad.len() {
        1 => first.message.clone(),
        many => format!("{many} things are wrong, the first of them: {}", first.message),
    };
    Err(Failure { is_shown: context.output.json, ..Failure::new(code, message) })
}

fn write(page: &mut Page, finding: &Finding) {
    let style = match finding.condition {
        Condition::Good => GOOD,
        Condition::Unknown | Condition::Attention => ATTENTION,
        Condition::Bad => BAD,
    };
    let condition = format!("{:<9}", finding.condition.name());
    let code = finding.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
    page.line(format_args!("{}  {:<13}  {}{code}", styled(style, condition), finding.check, finding.message));
}
