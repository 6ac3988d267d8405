//! One exchange: a request's documents in, the answer's documents out.
//!
//! A seal is opened before anything is believed, and what it names is looked up by the key that sealed it. The answer
//! is made after the commit. An exchange that is repeated, whole or in part, changes nothing and is answered alike.

use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::{MAX_REPORTS, MAX_REQUEST_BYTES, RefusalCode};
use seatline_protocol::seal;
use seatline_protocol::{ExchangeRequest, ExchangeResponse, LinkId, Refusal, text};

use super::{Toll, join, reports, rotation, statements};
use crate::central::Central;
use crate::domain::LinkSettings;
use crate::store::StoreError;

/// Why an exchange was not answered document by document. Nothing was changed that repeating it would not find.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The request is larger than is allowed.
    #[error(
        "the request is too large: at most {MAX_REQUEST_BYTES} bytes, {MAX_REPORTS} reports and {MAX_STATEMENTS} statements"
    )]
    TooLarge,
    /// The request is not the JSON of an exchange.
    #[error("the request is not the JSON of an exchange: {0}")]
    Malformed(String),
    /// The request did not come whole in time.
    #[error("the request did not come whole in time: send it again")]
    Slow,
    /// Too many requests are being answered.
    #[error("too many exchanges at this moment: try again in a few seconds")]
    Busy,
    /// Too much has come from this address that nobody here could have sent.
    #[error("too much came from this address that belongs to no link here: try again in {seconds} seconds")]
    Flood {
        /// How long to wait, in seconds.
        seconds: i64,
    },
    /// One product has sent more from one address than any does.
    #[error(
        "this product sends more documents than any should: what waits is taken in {seconds} seconds; see what sends so much, \
         or who else has its key"
    )]
    TooMany {
        /// How long to wait, in seconds.
        seconds: i64,
    },
    /// The store could not keep what came.
    #[error("the central server cannot store reports at this moment: try again later")]
    Store(#[from] StoreError),
    /// The operating system has no randomness to give.
    #[error("the central server cannot make links at this moment: {0}")]
    Random(#[from] getrandom::Error),
    /// The answer could not be sealed.
    #[error("the central server cannot seal its answer: {0}")]
    Seal(#[from] seal::OpenError),
    /// The work was given up, as the server ends.
    #[error("the central server is shutting down: try again later")]
    Ending,
}

impl ExchangeError {
    /// The code of the refusal that tells of it.
    pub fn code(&self) -> RefusalCode {
        match self {
            Self::TooLarge => RefusalCode::TooLarge,
            Self::Malformed(_) | Self::Slow => RefusalCode::Malformed,
            Self::TooMany { .. } => RefusalCode::TooManyDocuments,
            Self::Busy | Self::Flood { .. } | Self::Store(_) | Self::Random(_) | Self::Seal(_) | Self::Ending => {
                RefusalCode::Unavailable
            }
        }
    }

    /// The answer that tells of it.
    pub fn response(&self) -> ExchangeResponse {
        let refusal = Refusal::new("exchange", None, self.code().name(), &self.to_string());
        ExchangeResponse { refusals: vec![refusal], ..ExchangeResponse::default() }
    }
}

/// The request that `bytes` are, from the network or a file.
///
/// # Errors
/// [`ExchangeError::TooLarge`] and [`ExchangeError::Malformed`].
pub fn parse(bytes: &[u8]) -> Result<ExchangeRequest, ExchangeError> {
    if bytes.len() > MAX_REQUEST_BYTES {
        return Err(ExchangeError::TooLarge);
    }
    // A list of the fields' values would do for serde, and is not what the protocol says.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(ExchangeError::Malformed("it is no JSON object".to_owned()));
    }
    let request: ExchangeRequest =
        serde_json::from_slice(bytes).map_err(|error| ExchangeError::Malformed(text::line(&error.to_string(), 200)))?;
    let is_too_large = request.reports.len() > MAX_REPORTS || request.continuity.len() > MAX_STATEMENTS;
    if is_too_large { Err(ExchangeError::TooLarge) } else { Ok(request) }
}

/// Answers a request, whose `toll` is paid by whoever has sealed something of it.
///
/// # Errors
/// Where the store, randomness or sealing fails: then it should be sent again. A document that is refused is no error.
pub async fn exchange(
    central: &Central,
    request: ExchangeRequest,
    toll: &mut Toll<'_>,
) -> Result<ExchangeResponse, ExchangeError> {
    let mut response = ExchangeResponse::default();
    let joined = match &request.join {
        Some(join) => join::answer(central, join, toll, &mut response).await?,
        None => None,
    };
    let rotated = match &request.rotation {
        Some(rotation) => rotation::answer(central, rotation, toll, &mut response).await?,
        None => None,
    };
    let stating = statements::answer(central, request.continuity, toll, &mut response).await?;
    let reporting = reports::answer(central, request.reports, toll, &mut response).await?;
    if request.rotation.is_none()
        && let Some((link, _)) = &reporting
        && response.welcome.is_none()
        && response.refusals.iter().any(|refusal| refusal.code == RefusalCode::PastReport.name())
    {
        // Sealed, it says from when on reports are taken: a refusal alone would have a product let nothing go.
        response.welcome = join::welcome_again(central, link).await?;
    }
    if let Some((link, settings)) = reporting.or(stating).or(rotated).or(joined) {
        response.settings = Some(central.sealed_settings(&link, &settings)?);
        response.pseudonym_key = central.pseudonym_key_for(&link).await?.transpose()?;
    }
    Ok(response)
}

/// A link that is in force, and what its product is told.
pub(super) type InForce = (LinkId, LinkSettings);
