//! What a mail says: what, why, what to do, and of which instance.

use seatline_delivery::mail::wrapped;
use seatline_protocol::ServerId;
use seatline_protocol::notices::{Change, Notice, Topic};
use seatline_protocol::report::ProductFacts;

/// Whose notices these are.
pub(super) struct Origin {
    pub product: ProductFacts,
    pub server_id: ServerId,
    /// Where the pages are, where they can be reached.
    pub pages: Option<String>,
}

/// The subject of the mail.
pub(super) fn subject(notice: &Notice, origin: &Origin) -> String {
    format!("[{}] {}", origin.product.name, notice.title)
}

/// The text of the mail.
pub(super) fn text(notice: &Notice, origin: &Origin) -> String {
    let Origin { product, server_id, pages } = origin;
    let mut lines = vec![wrapped(&format!("{}.", notice.title.trim_end_matches('.')))];
    if notice.message != notice.title {
        lines.extend([String::new(), wrapped(&notice.message)]);
    }
    lines.push(String::new());
    let mut fact = |name: &str, value: &str| lines.push(format!("{name:<12}{value}"));
    let edition = product.edition.as_deref().map(|edition| format!(", {edition}")).unwrap_or_default();
    fact("Product", &format!("{} {}{edition} ({})", product.name, product.version, product.id));
    fact("Server ID", server_id.as_str());
    if let Some(license) = &notice.facts.license {
        fact("License", license.as_str());
    }
    fact("Noticed", &notice.at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    if let Some(pages) = pages {
        fact("Pages", pages);
    }
    lines.extend([String::new(), "-- ".to_owned(), wrapped(footer(notice))]);
    lines.join("\n") + "\n"
}

fn footer(notice: &Notice) -> &'static str {
    match (notice.subject.topic, notice.change) {
        (Topic::Test, _) => "Seatline sends this because somebody has tried whether its mails arrive.",
        (_, Change::Began) => {
            "Seatline tells this once, and again when it is over. Who gets these mails is set on the page Notifications or with \
             `seatline notices settings`."
        }
        (_, Change::Over) => {
            "Seatline tells this because it told that it began. Who gets these mails is set on the page Notifications or with \
             `seatline notices settings`."
        }
    }
}
