//! `pseudonym-key …`.

use clap::Subcommand;
use seatline_ui::format::{counted, date_time, number};

use super::output::table;
use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::domain::pseudonyms::{KeyUse, KeyUses, MOST_COUNTED};

/// The key that pseudonyms are made with, by which people are counted once over products
#[derive(Debug, Subcommand)]
pub(super) enum PseudonymKeyCommand {
    /// Show which key is in force, and which products have not turned to it
    #[command(after_help = "Example:\n  seatline-central pseudonym-key show")]
    Show,
    /// Make another key: products turn to it with their next reports, and until all have, people are counted apart by
    /// key
    #[command(after_help = "Example:\n  seatline-central pseudonym-key replace")]
    Replace,
}

impl PseudonymKeyCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let mut uses = central.pseudonym_keys().await?;
        if matches!(self, Self::Replace) {
            uses = central.replace_pseudonym_key(&actor(), &uses.present).await?;
        }
        output.show(&uses, || text(&uses))
    }
}

fn text(uses: &KeyUses) -> String {
    let row = |key: &KeyUse| {
        vec![
            key.id.as_ref().map_or_else(|| "not named".to_owned(), |id| id.as_str()[..8].to_owned()),
            if key.is_present { "in force" } else { "" }.to_owned(),
            key.made_at.map_or_else(|| "first key".to_owned(), date_time),
            links(key.links),
        ]
    };
    let mut text = table(&["KEY", "", "SINCE", "LINKS"], &uses.keys.iter().map(row).collect::<Vec<_>>());
    let left = uses.keys.iter().filter(|key| !key.is_present).flat_map(|key| &key.applications);
    for application in left {
        text.push_str(&format!("- {} has not turned to the key in force\n", application.name));
    }
    if uses.to_turn() > 0 {
        let have = if uses.to_turn() == 1 { "has" } else { "have" };
        text.push_str(&format!("{} {have} still to turn.\n", counted(uses.to_turn().into(), "link", "links")));
    }
    text
}

fn links(links: u32) -> String {
    if links >= MOST_COUNTED { format!("{} or more", number(links.into())) } else { number(links.into()) }
}
