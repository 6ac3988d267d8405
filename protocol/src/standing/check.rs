//! Whether more of something may be made (`a6`).

use serde::{Deserialize, Serialize};

use super::messages::no_license_of;
use super::{AddOnStanding, LimitStanding, LimitState, MAX_MESSAGE, Standing, Verdict};
use crate::ids::{Dimension, ProductId};
use crate::license::Behaviour;
use crate::text::{self, number};

/// What a product asks before it makes more of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitCheck {
    /// What it wants to make more of.
    pub dimension: Dimension,
    /// The add-on whose limit is meant; absent for the product's own.
    pub add_on: Option<ProductId>,
    /// How many there are, where the product knows it better than the latest run.
    pub used: Option<u64>,
    /// How many more it wants to make; 0 asks about those that there are.
    pub additional: u64,
}

impl LimitCheck {
    /// Whether there may be `additional` more than the latest count.
    pub fn of(dimension: Dimension, additional: u64) -> Self {
        Self { dimension, add_on: None, used: None, additional }
    }
}

/// Whether a product may make more of something. As JSON it is an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LimitAnswer {
    /// What was asked about.
    pub dimension: Dimension,
    /// How many more.
    pub additional: u64,
    /// Whether the product may go on.
    pub allowed: bool,
    /// Why, stable for machines.
    pub code: LimitCode,
    /// One line for whoever asked for more: a warning near the limit and beyond it, and the reason of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How many there are; absent where nobody has counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// The greatest licensed count; absent for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// The tolerated overage beyond it.
    pub extra: u64,
    /// How many more there may be within the licensed count, before those that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
}

/// Why a product may make more of something, or may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LimitCode {
    /// No license limits it.
    NotLimited,
    /// It is limited, and was never counted.
    NotCounted,
    /// Well within the limit.
    Within,
    /// Nine tenths of the limit or more.
    Near,
    /// Beyond the limit, within its allowance.
    InAllowance,
    /// Beyond the limit and its allowance, and nothing stops.
    Over,
    /// Beyond the limit and its allowance: the licensed features are stopped, and more can be made all the same.
    StopsFeatures,
    /// Beyond the limit and its allowance: no more may be made.
    Refused,
    /// No license is in force: users may be made, and nothing else.
    Unlicensed,
}

impl LimitCode {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotLimited => "not-limited",
            Self::NotCounted => "not-counted",
            Self::Within => "within",
            Self::Near => "near",
            Self::InAllowance => "in-allowance",
            Self::Over => "over",
            Self::StopsFeatures => "stops-features",
            Self::Refused => "refused",
            Self::Unlicensed => "unlicensed",
        }
    }
}

impl Standing {
    /// Whether a product may make more of something (`a6`). The license decides by the behaviour of each limit: one
    /// that refuses is refused beyond its allowance, all others can be passed, with a warning from nine tenths of the
    /// limit on.
    ///
    /// Without a license in force users can still be made, so that nobody is kept from signing in and mending it;
    /// anything else cannot.
    ///
    /// The limit of the product is meant, or that of the add-on that is named. What the product does not limit and an
    /// add-on does, is held against the add-on's.
    pub fn check_limit(&self, check: &LimitCheck) -> LimitAnswer {
        let is_licensed = match &check.add_on {
            None => self.verdict != Verdict::Unlicensed,
            Some(add_on) => self.add_on(add_on).is_some_and(|add_on| add_on.verdict != Verdict::Unlicensed),
        };
        if !is_licensed {
            return self.unlicensed(check);
        }
        let meant = |limit: &&LimitStanding| limit.dimension == check.dimension;
        let own = match &check.add_on {
            None => self.limits.iter().find(meant),
            Some(add_on) => self.add_on(add_on).and_then(|add_on| add_on.limits.iter().find(meant)),
        };
        match own {
            Some(limit) => limit.check(check),
            None if check.add_on.is_some() => answer(check, true, LimitCode::NotLimited, None),
            None => {
                let limits = self.add_ons.iter().flat_map(|add_on| &add_on.limits).filter(meant);
                let answers: Vec<LimitAnswer> = limits.map(|limit| limit.check(check)).collect();
                let strictest = answers.iter().find(|answer| !answer.allowed).or(answers.first());
                strictest.cloned().unwrap_or_else(|| answer(check, true, LimitCode::NotLimited, None))
            }
        }
    }

    /// What the licenses of an add-on come to; none where it never had one.
    pub fn add_on(&self, product: &ProductId) -> Option<&AddOnStanding> {
        self.add_ons.iter().find(|add_on| add_on.product == *product)
    }

    fn unlicensed(&self, check: &LimitCheck) -> LimitAnswer {
        let is_users = check.dimension == Dimension::users();
        let reason = self.reasons.iter().find(|reason| reason.add_on == check.add_on);
        let message = match (reason, &check.add_on) {
            (Some(reason), _) => Some(reason.message.clone()),
            (None, add_on) => add_on.as_ref().map(no_license_of),
        };
        answer(check, is_users || check.additional == 0, LimitCode::Unlicensed, message)
    }
}

impl LimitStanding {
    /// The answer of this limit alone.
    fn check(&self, check: &LimitCheck) -> LimitAnswer {
        let used = check.used.or(self.used);
        let left = self.max.zip(used).map(|(max, used)| max.saturating_sub(used));
        let after = used.map(|used| used.saturating_add(check.additional));
        let refuses = self.behaviour == Behaviour::Refuse;
        let (allowed, code) = match (self.max, LimitState::of(self.max, self.extra, after)) {
            (None, _) => (true, LimitCode::NotLimited),
            (_, LimitState::Unknown) => (true, LimitCode::NotCounted),
            (_, LimitState::Within) => (true, LimitCode::Within),
            (_, LimitState::Near) => (true, LimitCode::Near),
            (_, LimitState::InAllowance) => (true, LimitCode::InAllowance),
            (_, LimitState::Over) if refuses => (false, LimitCode::Refused),
            (_, LimitState::Over) if self.behaviour == Behaviour::Restrict => (true, LimitCode::StopsFeatures),
            (_, LimitState::Over) => (true, LimitCode::Over),
        };
        let message = self.max.zip(after).and_then(|(max, after)| self.warning(code, max, after));
        LimitAnswer { used, max: self.max, extra: self.extra, left, ..answer(check, allowed, code, message) }
    }

    /// What to tell whoever would bring the count to `after`.
    fn warning(&self, code: LimitCode, max: u64, after: u64) -> Option<String> {
        let dimension = &self.dimension;
        let (after_words, max_words) = (number(after), number(max));
        let beyond = || number(after.saturating_sub(max.saturating_add(self.extra)));
        let message = match code {
            LimitCode::Near => format!(
                "With {after_words} {dimension}, {} are left of the {max_words} that the license allows.",
                number(max.saturating_sub(after))
            ),
            LimitCode::InAllowance => format!(
                "{after_words} {dimension} are more than the {max_words} that the license allows; {} more are tolerated.",
                number(self.extra)
            ),
            LimitCode::Over => format!(
                "{after_words} {dimension} are more than the {max_words} that the license allows. \
                 Free some, or set a larger license."
            ),
            LimitCode::StopsFeatures => format!(
                "{after_words} {dimension} are {} more than the license allows: the licensed features stop until they \
                 are freed, or a larger license is set.",
                beyond()
            ),
            LimitCode::Refused => format!(
                "{after_words} {dimension} would be {} more than the license allows. Free some, or set a larger license.",
                beyond()
            ),
            _ => return None,
        };
        Some(text::line(&message, MAX_MESSAGE))
    }
}

fn answer(check: &LimitCheck, allowed: bool, code: LimitCode, message: Option<String>) -> LimitAnswer {
    LimitAnswer {
        dimension: check.dimension.clone(),
        additional: check.additional,
        allowed,
        code,
        message,
        used: check.used,
        max: None,
        extra: 0,
        left: None,
    }
}
