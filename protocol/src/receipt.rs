//! The receipt: the central server's sealed answer to a report (`b2`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, LinkId, Sequence};
use crate::seal::Document;

/// Proof that the central server has stored a report. Its time is a floor under the host's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The link.
    pub link: LinkId,
    /// The place of the report in the chain.
    pub sequence: Sequence,
    /// The digest of the sealed report.
    pub report: Digest,
    /// When it was stored, by the central server's clock. The same report gets the same time again.
    pub received_at: Timestamp,
    /// How the report fitted the chain when it arrived.
    pub verdict: Verdict,
}

/// How a stored report fitted the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ReceiptVerdict))]
pub enum Verdict {
    /// It follows the report before.
    Chained,
    /// It is stored, and reports before it are missing.
    AfterGap,
}

impl Document for Receipt {
    const PURPOSE: &'static str = "seatline/receipt/v1";
    const MAX_BYTES: usize = 4 * 1024;

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
