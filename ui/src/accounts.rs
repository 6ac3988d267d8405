//! Accounts by class: a stacked bar, and the table that it is a drawing of (`b7`).

use askama::Template;
use seatline_protocol::AccountCounts;

use crate::format;

/// The accounts of a product, each in exactly one class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Template)]
#[template(path = "accounts.html")]
pub struct AccountClasses {
    /// All accounts: the sum of the classes.
    pub total: u64,
    /// Seats that are held against the limit.
    pub counted: u64,
    /// How many of `counted` are dormant; not a class of its own.
    pub dormant: u64,
    /// The days without a sign-in after which an account is dormant.
    pub dormancy_days: u32,
    /// Never signed in, where the rule counts from the first sign-in.
    pub never_signed_in: u64,
    /// Active, without the right to use the product.
    pub no_access: u64,
    /// Switched off.
    pub deactivated: u64,
    /// Accounts of machines.
    pub service_accounts: u64,
}

impl From<&AccountCounts> for AccountClasses {
    fn from(counts: &AccountCounts) -> Self {
        Self {
            total: counts.total,
            counted: counts.counted,
            dormant: counts.dormant,
            dormancy_days: counts.dormancy_days,
            never_signed_in: counts.never_signed_in,
            no_access: counts.no_access,
            deactivated: counts.deactivated,
            service_accounts: counts.service_accounts,
        }
    }
}

const DORMANT: &str = "class-dormant";

/// A row of the table.
struct Row {
    class: &'static str,
    label: &'static str,
    explanation: String,
    count: u64,
    share: String,
}

/// A stretch of the bar.
struct Stretch {
    class: &'static str,
    from: String,
    width: String,
}

impl AccountClasses {
    /// The classes in the order of the table.
    fn rows(&self) -> Vec<Row> {
        let row = |class, label, explanation: &str, count| Row {
            class,
            label,
            explanation: explanation.to_owned(),
            count,
            share: format::percent(count, self.total).unwrap_or_else(|| "–".to_owned()),
        };
        let days = format::counted(self.dormancy_days.into(), "day", "days");
        let dormancy = format!("no sign-in for {days}: seats that could be freed");
        let mut rows = vec![row("class-counted", "Counted", "may use the product: these are the seats", self.counted)];
        if self.dormant > 0 {
            rows.push(row(DORMANT, "of these dormant", &dormancy, self.dormant));
        }
        rows.extend([
            row("class-never-signed-in", "Never signed in", "may use the product, and never has", self.never_signed_in),
            row("class-no-access", "No access", "active, without the right to use the product", self.no_access),
            row("class-deactivated", "Deactivated", "switched off", self.deactivated),
            row("class-service", "Service accounts", "machines, not people", self.service_accounts),
        ]);
        rows
    }

    /// The bar: the classes, with the dormant seats set apart inside the counted ones.
    fn stretches(&self) -> Vec<Stretch> {
        let width_of = |row: &Row| match row.class {
            "class-counted" => self.counted.saturating_sub(self.dormant),
            _ => row.count,
        };
        let mut from = 0.0;
        let mut stretches = Vec::new();
        for row in self.rows().iter().filter(|row| width_of(row) > 0) {
            let width = width_of(row) as f64 * 100.0 / self.total.max(1) as f64;
            stretches.push(Stretch { class: row.class, from: format!("{from:.3}%"), width: format!("{width:.3}%") });
            from += width;
        }
        stretches
    }
}

impl askama::filters::HtmlSafe for AccountClasses {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stretches_of_the_bar_fill_it_exactly() {
        let classes = AccountClasses {
            total: 1000,
            counted: 800,
            dormant: 300,
            deactivated: 150,
            service_accounts: 50,
            ..Default::default()
        };
        let bar: Vec<_> = classes.stretches().into_iter().map(|part| (part.class, part.from, part.width)).collect();
        let expected = [
            ("class-counted", "0.000%", "50.000%"),
            ("class-dormant", "50.000%", "30.000%"),
            ("class-deactivated", "80.000%", "15.000%"),
            ("class-service", "95.000%", "5.000%"),
        ];
        assert_eq!(bar, expected.map(|(class, from, width)| (class, from.to_owned(), width.to_owned())));
    }

    #[test]
    fn no_accounts_at_all_draw_an_empty_bar() {
        let html = AccountClasses::default().to_string();
        assert!(html.contains("class-counted") && !html.contains("NaN"), "{html}");
    }
}
