//! Licenses: setting and previewing keys, and what they come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use seatline_protocol::license::License;
use seatline_protocol::request::{MAX_COUNTS, MAX_PREVIOUS, MAX_WISH};
use seatline_protocol::standing::{Banner, Effect, Held, LimitAnswer, LimitCheck, preview};
use seatline_protocol::{Dimension, LicenseRequest, Observed, ProductId, Standing, standing, text};
use serde::Serialize;

use super::{Host, HostError};
use crate::exchange::ExchangeState;
use crate::identity::Identity;
use crate::licenses::{self, InstalledLicense, Keys, LicenseChange, SetLicenseError};
use crate::live::{Basis, Live, Looked, Problem, SLOTS};
use crate::peaks::Peaks;
use crate::ports::Description;
use crate::runs::{self, LastRun};
use crate::store::{StoreError, change};

/// What a license key would change (`b3`, `c9`). As JSON it is an interface.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LicensePreview {
    /// What the key says.
    pub license: License,
    /// Whether the same key is set already: then nothing would change.
    pub was_set: bool,
    /// Why the key would be refused, where it would; the effect is then that of a key that is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Problem>,
    /// What would change.
    #[serde(flatten)]
    pub effect: Effect,
    /// Since when the highest counts are kept; absent before the first run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peaks_since: Option<Timestamp>,
}

impl Host {
    /// The license of a pasted key, if it may be set now. Nothing is changed.
    ///
    /// # Errors
    /// The one reason why it may not.
    pub fn check_license(&self, pasted: &str) -> Result<License, SetLicenseError> {
        self.open_license(pasted).map(|(_, license, _)| license)
    }

    /// What a pasted key would change, if it were set now (`b3`, `c9`). Nothing is changed, also where it would be
    /// refused.
    ///
    /// # Errors
    /// When it is not the license of a trusted vendor, or the state cannot be read.
    pub fn preview_license(&self, pasted: &str) -> Result<LicensePreview, SetLicenseError> {
        self.preview_license_for(pasted, None)
    }

    /// The same for one node alone, see [`Self::set_license_for`].
    ///
    /// # Errors
    /// As [`Self::preview_license`].
    pub fn preview_license_for(&self, pasted: &str, node: Option<&str>) -> Result<LicensePreview, SetLicenseError> {
        let node = licenses::node_name(node)?;
        let (key, license) = licenses::open(pasted, &self.vendor_keys)?;
        let (description, now) = (self.product.describe().map_err(SetLicenseError::Product)?, self.now()?);
        let refused = licenses::judge(&license, &self.licensed_instance(&description)?, now).err();
        let rehearsal = licenses::rehearse(&*self.store, &key, &license, node, &self.vendor_keys, now)?;
        let refused = refused.or(rehearsal.refused).filter(|_| !rehearsal.was_set);
        let counts = LastRun::read(&*self.store)?.map(|run| run.counts).unwrap_or_default();
        let observed = runs::observed(&description, self.present_identity()?, counts);
        let peaks = Peaks::read(&*self.store)?;
        let highest = peaks.as_ref().map(|peaks| peaks.highest.clone()).unwrap_or_default();
        let placed = |keys: &Keys| Observed { placed: keys.placed.clone(), ..observed.clone() };
        let [before, after] = [placed(&rehearsal.before), placed(&rehearsal.after)];
        let before = Held { licenses: &rehearsal.before.licenses, observed: &before };
        let after = Held { licenses: &rehearsal.after.licenses, observed: &after };
        Ok(LicensePreview {
            effect: preview(&license, before, after, &highest, now),
            license,
            was_set: rehearsal.was_set,
            refused: refused.map(|error| Problem { code: error.code(), message: error.to_string() }),
            peaks_since: peaks.map(|peaks| peaks.since),
        })
    }

    /// Sets a pasted license key for all nodes (`c1`). It takes effect at once; the keys from before stay as history
    /// (`c10`).
    ///
    /// # Errors
    /// The one reason why it was refused. What was set before stays as it was.
    pub fn set_license(&self, pasted: &str) -> Result<LicenseChange, SetLicenseError> {
        self.set_license_for(pasted, None)
    }

    /// Sets a pasted license key for one node alone (`c8`), or for all. Set for another node as well it is for both,
    /// unless it is a license by node: that moves.
    ///
    /// # Errors
    /// As [`Self::set_license`].
    pub fn set_license_for(&self, pasted: &str, node: Option<&str>) -> Result<LicenseChange, SetLicenseError> {
        let node = licenses::node_name(node)?;
        let (key, license, now) = self.open_license(pasted)?;
        let change = change(&*self.store, |locked| licenses::add(locked, key, license, node, &self.vendor_keys, now))?;
        self.refresh();
        Ok(change)
    }

    fn open_license(&self, pasted: &str) -> Result<(String, License, Timestamp), SetLicenseError> {
        let description = self.product.describe().map_err(SetLicenseError::Product)?;
        let now = self.now()?;
        let (key, license) = licenses::open(pasted, &self.vendor_keys)?;
        licenses::judge(&license, &self.licensed_instance(&description)?, now)?;
        Ok((key, license, now))
    }

    fn licensed_instance<'a>(&self, description: &'a Description) -> Result<licenses::Instance<'a>, StoreError> {
        let (product, edition) = (&description.id, description.edition.as_deref());
        let Identity { server_id, staging, .. } = self.present_identity()?;
        Ok(licenses::Instance { product, edition, server_id, staging })
    }

    /// All license keys that were set, the oldest first.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn licenses(&self) -> Result<Vec<InstalledLicense>, StoreError> {
        licenses::list(&*self.store, &self.vendor_keys)
    }

    /// All license keys that were set, the oldest first, as they were sealed: to keep them elsewhere. They are for
    /// administrators.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn license_keys(&self) -> Result<Vec<String>, StoreError> {
        licenses::keys(&*self.store)
    }

    /// The highest count of each dimension, and since when they are kept; none before the first run.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn peaks(&self) -> Result<Option<Peaks>, StoreError> {
        Peaks::read(&*self.store)
    }

    /// What the licenses come to now, with the latest counts: read and verified anew. [`Self::live`] has it in memory.
    ///
    /// # Errors
    /// When the state cannot be read, or the product does not say what it is.
    pub fn standing(&self) -> Result<Standing, HostError> {
        let description = self.product.describe()?;
        let counts = LastRun::read(&*self.store)?.map(|run| run.counts).unwrap_or_default();
        Ok(self.standing_with(&description, counts, self.now()?)?)
    }

    pub(super) fn standing_with(
        &self,
        description: &Description,
        counts: BTreeMap<Dimension, u64>,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let (licenses, observed) = self.held(runs::observed(description, self.present_identity()?, counts))?;
        Ok(standing(&licenses, &observed, now))
    }

    /// A request for a license of the product, or of an add-on, to send to its vendor (`s10`). A wish is one line of at
    /// most [`MAX_WISH`] characters; what is more is cut.
    ///
    /// # Errors
    /// When the state cannot be read, or the product does not say what it is.
    pub fn license_request(&self, add_on: Option<ProductId>, wish: Option<&str>) -> Result<LicenseRequest, HostError> {
        let Basis { licenses, observed, counted_at, .. } = self.basis()?;
        let (peaks, now) = (Peaks::read(&*self.store)?, self.now()?);
        let standing = standing(&licenses, &observed, now);
        let wish = wish.map(|wish| text::line(wish, MAX_WISH)).filter(|wish| !wish.is_empty());
        let previous = observed.previous.into_iter().map(|previous| previous.server_id);
        Ok(LicenseRequest {
            previous_servers: previous.take(MAX_PREVIOUS).collect(),
            counts: observed.counts.into_iter().take(MAX_COUNTS).collect(),
            counted_at,
            peaks_since: peaks.as_ref().map(|peaks| peaks.since),
            peaks: peaks.into_iter().flat_map(|peaks| peaks.highest).take(MAX_COUNTS).collect(),
            wish,
            ..LicenseRequest::new(self.product()?, add_on, &standing, now)
        })
    }

    /// What the licenses come to, from memory: for every turn of a product (`s9`).
    ///
    /// A change by this process is there as soon as the call that made it returns, and one by another process within
    /// about a second. At most once in a second one caller looks for such a change, while the others go on with what is
    /// there.
    ///
    /// # Errors
    /// When there has been no standing since the host was opened: the state cannot be read, or the product does not say
    /// what it is. Later the last good one holds, with a [`Live::problem`].
    pub fn live(&self) -> Result<Arc<Live>, HostError> {
        let Some(latest) = self.live.latest() else { return self.renew(&mut self.live.looking(), false) };
        match self.live.try_looking() {
            Some(mut looked) if looked.is_due() || self.has_passed(&latest) => {
                self.renew(&mut looked, self.has_passed(&latest))
            }
            _ => Ok(latest),
        }
    }

    /// What [`Self::live`] gave last, without a look whether it still holds: this never waits for the state. None
    /// before the first call of `live`.
    pub fn remembered(&self) -> Option<Arc<Live>> {
        self.live.latest()
    }

    /// Makes what is in memory anew, after something changed that nobody here can see: the product's nodes, its
    /// edition.
    pub fn refresh(&self) {
        // What is in the way is kept beside the last good standing; without one, the next call of `live` tells it.
        let _ = self.renew(&mut self.live.looking(), true);
    }

    /// Whether a feature is enabled now (`s8`), from memory. Without any standing none is.
    pub fn has_feature(&self, name: &str) -> bool {
        self.live().is_ok_and(|live| live.has_feature(name))
    }

    /// Whether there may be `additional` more of a dimension than were counted last (`a6`), from memory.
    ///
    /// # Errors
    /// As [`Self::live`].
    pub fn check_limit(&self, dimension: &Dimension, additional: u64) -> Result<LimitAnswer, HostError> {
        Ok(self.live()?.check_limit(&LimitCheck::of(dimension.clone(), additional)))
    }

    /// What to show above the product's pages now (`a4`), from memory.
    ///
    /// # Errors
    /// As [`Self::live`].
    pub fn banners(&self) -> Result<Vec<Banner>, HostError> {
        let live = self.live()?;
        Ok(live.banners(live.time(self.clock_now())))
    }

    /// Whether time alone has changed the standing.
    fn has_passed(&self, live: &Live) -> bool {
        live.standing.changes_at.is_some_and(|at| at <= self.clock_now())
    }

    /// Makes the standing anew where anything that it is made of has changed, or where it `must` be.
    fn renew(&self, looked: &mut Looked, must: bool) -> Result<Arc<Live>, HostError> {
        looked.look();
        let latest = self.live.latest();
        let made = (|| {
            let stamps = self.store.stamps(&SLOTS)?;
            if let Some(latest) = &latest
                && !must
                && latest.problem.is_none()
                && !looked.is_stale(&stamps)
            {
                return Ok(Arc::clone(latest));
            }
            let live = Live::of(Arc::new(self.basis()?), self.clock_now(), None);
            looked.made(stamps);
            Ok(self.live.keep(live))
        })();
        made.or_else(|error: HostError| {
            let problem = Problem { code: error.code(), message: error.to_string() };
            let latest = latest.ok_or(error)?;
            Ok(self.live.keep(latest.later(self.clock_now(), Some(problem))))
        })
    }

    /// What a standing is made of, read anew.
    fn basis(&self) -> Result<Basis, HostError> {
        let description = self.product.describe()?;
        let run = LastRun::read(&*self.store)?;
        let (counts, counted_at) = run.map_or((BTreeMap::new(), None), |run| (run.counts, run.counted_at));
        let (licenses, observed) = self.held(runs::observed(&description, self.present_identity()?, counts))?;
        Ok(Basis { licenses, observed, counted_at, clock_floor: ExchangeState::read(&*self.store)?.clock_floor })
    }

    /// The licenses, and what they are held against.
    fn held(&self, observed: Observed) -> Result<(Vec<License>, Observed), StoreError> {
        let Keys { licenses, placed } = Keys::read(&*self.store, &self.vendor_keys)?;
        Ok((licenses, Observed { placed, ..observed }))
    }
}
