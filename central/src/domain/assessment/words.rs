//! What concerns are called, on pages and in messages.

use seatline_protocol::notices::Step;

use super::Concern;

/// A concern in a few words.
pub fn concern(concern: &Concern) -> String {
    let of = &concern.subject;
    match (concern.code.as_str(), concern.step) {
        ("limit", Step::Threshold(percent)) => format!("At least {percent}% of {of} used"),
        ("limit", Step::Full) => format!("No {of} left"),
        ("limit", Step::Passed) => format!("Limit of {of} passed, within the allowance"),
        ("limit", Step::Restricted) => format!("Features stopped: limit of {of} passed"),
        ("limit", _) => format!("Limit of {of} passed"),
        ("expiry", Step::Days(days)) => format!("License ends within {days} days"),
        ("expiry", Step::InGrace) => "License in grace".to_owned(),
        ("expiry", _) => "License ended".to_owned(),
        ("maintenance", Step::Days(days)) => format!("Maintenance ends within {days} days"),
        ("maintenance", Step::NotCovered) => "Release not covered".to_owned(),
        ("maintenance", _) => "Maintenance ended".to_owned(),
        ("unlicensed", Step::InGrace) => "License of the server ID before".to_owned(),
        ("plugin-changed", _) => format!("Plugin changed: {of}"),
        ("plugin-granted", _) => format!("Plugin granted: {of}"),
        ("plugin-reports-more", _) => format!("Plugin reports more: {of}"),
        (code, _) => kind(code).to_owned(),
    }
}

/// A kind of concern, as a filter says it.
pub fn kind(code: &str) -> &'static str {
    match code {
        "link-suspended" => "Link suspended",
        "fork" => "Chain forked",
        "unlicensed" => "No license in force",
        "expiry" => "License ends or has ended",
        "limit" => "Limit near or passed",
        "other-product" => "Another product linked",
        "over-quota" => "More reports than a day has room for",
        "too-many-keys" => "Key replaced too often",
        "past-report" => "Reports from before the link",
        "too-many-documents" => "More documents than any product sends",
        "server-id-changed" => "Server ID changed",
        "overdue" => "Reports overdue",
        "run-failed" => "Last run failed",
        "gap" => "Reports missing",
        "maintenance" => "Maintenance ends or has ended",
        "never-reported" => "Never reported",
        "staging-copy" => "Staging copy holds the link",
        "verdict-outdated" => "Verdict may be out of date",
        "not-linked" => "Not linked yet",
        "plugin-changed" => "Plugin changed",
        "plugin-granted" => "Plugin granted more",
        "plugin-reports-more" => "Plugin reports more",
        _ => "Something else",
    }
}
