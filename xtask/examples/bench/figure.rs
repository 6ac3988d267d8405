//! A measured figure, what it is held against, and the table and the file that show it.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::Serialize;

/// What was measured, in one run and on one machine with what it is compared to.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: Cow<'static, str>,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What it is compared to, measured in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// What it must reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// Whether it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reached: Option<bool>,
}

/// What a figure is compared to.
#[derive(Debug, Clone, Serialize)]
pub struct Baseline {
    /// What it is.
    pub name: &'static str,
    /// Its value, in the unit of the figure.
    pub value: f64,
    /// The figure divided by it.
    pub ratio: f64,
}

/// What must be reached.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// The value is below this.
    Below(f64),
    /// The value is at least this.
    AtLeast(f64),
    /// The ratio is at most this.
    RatioAtMost(f64),
    /// The ratio is at least this.
    RatioAtLeast(f64),
}

impl Figure {
    /// A value without a comparison.
    pub fn new(name: impl Into<Cow<'static, str>>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, baseline: None, goal: None, reached: None }
    }

    /// Compares it to `value` of `name`, in the same unit.
    pub fn against(mut self, name: &'static str, value: f64) -> Self {
        self.baseline = Some(Baseline { name, value, ratio: self.value / value });
        self
    }

    /// Holds it to `goal`. A goal of a ratio without a comparison is not reached.
    pub fn must(mut self, goal: Goal) -> Self {
        let ratio = self.baseline.as_ref().map_or(f64::NAN, |baseline| baseline.ratio);
        self.reached = Some(match goal {
            Goal::Below(most) => self.value < most,
            Goal::AtLeast(least) => self.value >= least,
            Goal::RatioAtMost(most) => ratio <= most,
            Goal::RatioAtLeast(least) => ratio >= least,
        });
        self.goal = Some(goal);
        self
    }

    /// The figure as lines of a table.
    pub fn row(&self) -> String {
        let mut row = format!("{:<58} {:>12} {}", self.name, number(self.value), self.unit);
        if let Some(Baseline { name, value, ratio }) = &self.baseline {
            let _ = write!(row, "\n    against {name}: {} {}, ratio {ratio:.2}", number(*value), self.unit);
        }
        if let (Some(goal), Some(reached)) = (self.goal, self.reached) {
            let goal = match goal {
                Goal::Below(most) => format!("below {} {}", number(most), self.unit),
                Goal::AtLeast(least) => format!("at least {} {}", number(least), self.unit),
                Goal::RatioAtMost(most) => format!("ratio at most {most}"),
                Goal::RatioAtLeast(least) => format!("ratio at least {least}"),
            };
            let _ = write!(row, "\n    must be {goal}: {}", if reached { "reached" } else { "NOT REACHED" });
        }
        row
    }
}

/// A number with thin groups of three digits, and decimals only where it is small.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
