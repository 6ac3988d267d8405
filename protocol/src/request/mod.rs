//! The request for a license (`s10`): what an instance is, what it counts, and which license it has, as a file that a
//! vendor's tool reads and as text to send by mail.
//!
//! It is not sealed: nobody could verify it before there is a license. A vendor holds it against his own books; whoever
//! opens one from a stranger opens it within bounds, see [`LicenseRequest::read`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, MAX_COUNT, ProductId, ServerId};
use crate::report::{MAX_MEASUREMENTS, ProductFacts};
use crate::standing::{LicenseStanding, Peak, Standing, Status, Verdict};
use crate::text;

mod words;

/// What the field `format` of every request holds.
pub const FORMAT: &str = "seatline-license-request";
/// The version of the format that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;
/// The most bytes of a request.
pub const MAX_BYTES: usize = 512 * 1024;
/// The most characters of a wish.
pub const MAX_WISH: usize = 400;
/// The most earlier server IDs of a request.
pub const MAX_PREVIOUS: usize = 64;

/// The most counts of a request: the dimensions that a product measures, beside users and nodes.
pub const MAX_COUNTS: usize = MAX_MEASUREMENTS + 2;

/// A request for a license.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LicenseRequest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// When it was made.
    pub made_at: Timestamp,
    /// The product with its version, edition, server ID and running nodes.
    pub product: ProductFacts,
    /// The add-on that the license is asked for; absent for the product itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_on: Option<ProductId>,
    /// The server IDs that the instance had before it moved, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous_servers: Vec<ServerId>,
    /// The latest counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<Dimension, u64>,
    /// When accounts were last counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_at: Option<Timestamp>,
    /// The highest counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub peaks: BTreeMap<Dimension, Peak>,
    /// Since when the highest counts are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peaks_since: Option<Timestamp>,
    /// What the licenses of the product, or of the add-on, come to.
    pub verdict: Verdict,
    /// The license that the new one would replace, with its state; absent for a first license.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<LicenseStanding>,
    /// What else the requester wants the vendor to know, on one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<String>,
}

/// Why a file is no request that this program can answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// It is larger than any request.
    #[error("the file has more than {MAX_BYTES} bytes, the most of a license request")]
    TooLarge,
    /// It is something else.
    #[error(
        "this is not a license request: it must be the JSON file that `seatline license request --out FILE` writes, with \
         the format `{FORMAT}`"
    )]
    NotARequest,
    /// A newer version has written it.
    #[error("the request has the format version {found}, and this version of Seatline reads up to {VERSION}: upgrade")]
    Newer {
        /// The version of the file.
        found: u32,
    },
    /// It says something that no request can.
    #[error("the license request is not valid: {0}")]
    Invalid(String),
}

impl RequestError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::NotARequest => "not-a-request",
            Self::Newer { .. } => "newer-request",
            Self::Invalid(_) => "invalid-request",
        }
    }
}

/// What tells a request from any other file.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl LicenseRequest {
    /// A request of `product`, or of an add-on of it, whose licenses come to `standing`. Counts, earlier server IDs and
    /// the wish are for the caller to add.
    pub fn new(product: ProductFacts, add_on: Option<ProductId>, standing: &Standing, made_at: Timestamp) -> Self {
        let verdict = match &add_on {
            None => standing.verdict,
            Some(add_on) => standing.add_on(add_on).map_or(Verdict::Unlicensed, |standing| standing.verdict),
        };
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            made_at,
            replaces: replaced(standing, add_on.as_ref().unwrap_or(&product.id)).cloned(),
            product,
            add_on,
            previous_servers: Vec::new(),
            counts: BTreeMap::new(),
            counted_at: None,
            peaks: BTreeMap::new(),
            peaks_since: None,
            verdict,
            wish: None,
        }
    }

    /// Reads a request from a file, whoever sent it: it is bounded, of a version that is known, and keeps its rules.
    ///
    /// # Errors
    /// The one reason why it is not such a request.
    ///
    /// ```
    /// use seatline_protocol::LicenseRequest;
    ///
    /// let newer = br#"{"format": "seatline-license-request", "version": 2, "seats": {}}"#;
    /// assert_eq!(LicenseRequest::read(newer).unwrap_err().code(), "newer-request");
    /// assert_eq!(LicenseRequest::read(b"dear vendor").unwrap_err().code(), "not-a-request");
    /// ```
    pub fn read(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > MAX_BYTES {
            return Err(RequestError::TooLarge);
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|_| RequestError::NotARequest)?;
        if head.format != FORMAT {
            return Err(RequestError::NotARequest);
        }
        if head.version > VERSION {
            return Err(RequestError::Newer { found: head.version });
        }
        let invalid = |error: serde_json::Error| RequestError::Invalid(text::line(&error.to_string(), 200));
        let request: Self = serde_json::from_slice(bytes).map_err(invalid)?;
        request.check().map_err(RequestError::Invalid)?;
        Ok(request)
    }

    /// The rules of a request.
    ///
    /// # Errors
    /// One line that names the field and the rule.
    pub fn check(&self) -> Result<(), String> {
        if self.version == 0 {
            return Err("version: there is none below 1".to_owned());
        }
        self.product.check()?;
        if self.add_on.as_ref() == Some(&self.product.id) {
            return Err("add_on: the product is no add-on of itself".to_owned());
        }
        if self.previous_servers.len() > MAX_PREVIOUS {
            return Err(format!("previous_servers: at most {MAX_PREVIOUS}"));
        }
        if self.counts.len().max(self.peaks.len()) > MAX_COUNTS {
            return Err(format!("counts, peaks: at most {MAX_COUNTS} dimensions"));
        }
        let numbers = self.counts.values().copied().chain(self.peaks.values().map(|peak| peak.count));
        if numbers.max() > Some(MAX_COUNT) {
            return Err(format!("counts, peaks: at most {MAX_COUNT}"));
        }
        if let Some(license) = &self.replaces {
            license.check().map_err(|error| format!("replaces: {error}"))?;
            if license.product != *self.licensed() {
                return Err("replaces: it is a license of something else".to_owned());
            }
        }
        match &self.wish {
            Some(wish) if wish.is_empty() || !text::is_line(wish, MAX_WISH) => {
                Err(format!("wish: one line of 1 to {MAX_WISH} characters, without control characters"))
            }
            _ => Ok(()),
        }
    }

    /// What the license is asked for: the add-on, or the product.
    pub fn licensed(&self) -> &ProductId {
        self.add_on.as_ref().unwrap_or(&self.product.id)
    }
}

/// The license of `product` that a new one would take the place of: the one in force that began latest, or else the
/// latest that was.
fn replaced<'a>(standing: &'a Standing, product: &ProductId) -> Option<&'a LicenseStanding> {
    let of_it = standing.licenses.iter().filter(|license| license.product == *product);
    of_it.filter(|license| !matches!(license.status, Status::Upcoming | Status::Replaced)).max_by_key(|license| {
        let in_force = matches!(license.status, Status::Active | Status::Grace);
        (in_force, license.status == Status::Active, license.begins)
    })
}
