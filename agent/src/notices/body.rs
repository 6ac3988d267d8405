//! What a webhook is called with: `docs/command-line.md` documents it.

use jiff::Timestamp;
use seatline_protocol::notices::{Change, Facts, Notice, Severity, Topic};
use seatline_protocol::{ProductId, ServerId};
use serde::Serialize;

use super::letter::Origin;

/// The JSON of a call, in the shape that Standard Webhooks recommends.
#[derive(Serialize)]
struct Body<'n> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: Data<'n>,
}

#[derive(Serialize)]
struct Data<'n> {
    id: &'n str,
    code: &'n str,
    severity: Severity,
    title: &'n str,
    message: &'n str,
    #[serde(flatten)]
    facts: &'n Facts,
    product: ProductId,
    product_name: &'n str,
    product_version: &'n str,
    server_id: &'n ServerId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pages: Option<&'n str>,
}

/// The bytes of a call for the notice with this id.
pub(super) fn bytes(id: &str, notice: &Notice, origin: &Origin) -> Vec<u8> {
    let kind = match (notice.subject.topic, notice.change) {
        (Topic::Test, _) => "notice.test",
        (_, Change::Began) => "notice.began",
        (_, Change::Over) => "notice.over",
    };
    let body = Body {
        kind,
        timestamp: notice.at,
        data: Data {
            id,
            code: &notice.code,
            severity: notice.severity(),
            title: &notice.title,
            message: &notice.message,
            facts: &notice.facts,
            product: origin.product.id.clone(),
            product_name: &origin.product.name,
            product_version: &origin.product.version,
            server_id: &origin.server_id,
            pages: origin.pages.as_deref(),
        },
    };
    // It holds nothing that JSON cannot express.
    serde_json::to_vec(&body).unwrap_or_default()
}
