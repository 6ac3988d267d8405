//! What a channel is told at once: all that is due to it, counted, and the gravest of it in words.

use jiff::Timestamp;
use seatline_delivery::mail::wrapped;
use seatline_protocol::notices::Step;
use seatline_ui::Prose;
use seatline_ui::format::number;
use serde::{Deserialize, Serialize};

use super::telling::News;
use super::{EVENTS, MatterKey};
use crate::domain::assessment::words;
use crate::domain::{Concern, Gravity};

/// How many matters stand in a message in words; the others are counted.
pub const MAX_LISTED: usize = 20;

/// What a message tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MessageContent)]
pub struct Content {
    /// How much of what is told.
    pub counts: Vec<Count>,
    /// The gravest of it, at most [`MAX_LISTED`].
    pub listed: Vec<Item>,
}

/// How many matters of a kind are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MessageCount)]
pub struct Count {
    /// What has become of them.
    pub news: News,
    /// Their gravity.
    pub gravity: Gravity,
    /// Their code.
    pub code: String,
    /// How many.
    pub number: u64,
}

/// A matter in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MessageItem)]
pub struct Item {
    /// What has become of it.
    pub news: News,
    /// Which.
    #[serde(flatten)]
    pub matter: MatterKey,
    /// What the application is called.
    pub name: String,
    /// The step that is told.
    #[schema(value_type = String)]
    pub step: Step,
    /// How grave it is.
    pub gravity: Gravity,
    /// What it is, in a few words.
    pub title: String,
    /// What, why, and what to do.
    pub message: String,
    /// When it was found.
    pub began_at: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Whether of a staging instance.
    pub staging: bool,
}

impl Item {
    /// What it is, in a few words.
    pub fn title_of(concern: &Concern) -> String {
        words::concern(concern)
    }

    /// The line that tells it.
    fn line(&self) -> String {
        let Self { name, title, .. } = self;
        let staging = if self.staging { " (staging)" } else { "" };
        match self.news {
            News::Began | News::Happened => format!("{name}{staging}: {title}"),
            News::Worse => format!("{name}{staging}: {title}, graver than before"),
            News::Better => format!("{name}{staging}: {title}, less grave than before"),
            News::Over => format!("{name}{staging}: over: {title}"),
        }
    }
}

/// Who tells, and where what he tells can be looked at.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'o> {
    /// What the server calls itself.
    pub name: &'o str,
    /// Where its pages are, without a slash at the end.
    pub url: &'o str,
    /// The channel.
    pub channel: &'o str,
}

impl Content {
    /// Counts a matter.
    pub fn count(&mut self, news: News, gravity: Gravity, code: &str) {
        let same = |count: &&mut Count| count.news == news && count.gravity == gravity && count.code == code;
        match self.counts.iter_mut().find(same) {
            Some(count) => count.number += 1,
            None => self.counts.push(Count { news, gravity, code: code.to_owned(), number: 1 }),
        }
    }

    /// Whether another matter stands in it in words.
    pub fn has_room(&self) -> bool {
        self.listed.len() < MAX_LISTED
    }

    /// How many matters it tells of.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| count.number).sum()
    }

    fn number(&self, news: News) -> u64 {
        self.counts.iter().filter(|count| count.news == news).map(|count| count.number).sum()
    }

    /// The gravest of what is told.
    pub fn gravity(&self) -> Gravity {
        self.counts.iter().map(|count| count.gravity).max().unwrap_or(Gravity::Note)
    }

    /// What is told, in one line.
    pub fn summary(&self) -> String {
        if let ([only], 1) = (self.listed.as_slice(), self.total()) {
            return only.line();
        }
        let parts = News::ALL.into_iter().filter_map(|news| {
            let count = self.number(news);
            let one_or_more = |one: &str, more: &str| if count == 1 { one.to_owned() } else { more.to_owned() };
            let words = match news {
                News::Began => one_or_more("alert has begun", "alerts have begun"),
                News::Worse => one_or_more("is graver", "are graver"),
                News::Better => one_or_more("is less grave", "are less grave"),
                News::Over => one_or_more("is over", "are over"),
                News::Happened => one_or_more("event", "events"),
            };
            (count > 0).then(|| format!("{} {words}", number(count)))
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The subject of a mail.
    pub fn subject(&self, origin: Origin<'_>) -> String {
        format!("[{}] {}", origin.name, self.summary())
    }

    /// The text of a mail.
    pub fn text(&self, origin: Origin<'_>) -> String {
        let mut lines = vec![wrapped(&format!("{}.", self.summary().trim_end_matches('.')))];
        for item in &self.listed {
            lines.extend([String::new(), format!("{}  {}", sign(item), item.line())]);
            let indented = wrapped(&Prose::sentence(&item.message).into_text()).replace('\n', "\n    ");
            if item.news != News::Over && item.message != item.title {
                lines.push(format!("    {indented}"));
            }
            let when =
                item.ended_at.filter(|_| item.news == News::Over).map_or(("since", item.began_at), |at| ("at", at));
            lines.push(format!("    {} {}", when.0, when.1.strftime("%Y-%m-%d %H:%M UTC")));
            lines.push(format!("    {}/applications/{}/licenses", origin.url, item.matter.application));
        }
        let more = self.total() - self.listed.len() as u64;
        if more > 0 {
            lines.extend([String::new(), format!("{} more are not in this list. All of what is told:", number(more))]);
            let line = |count: &Count| {
                format!("{:>9}  {}: {}", number(count.number), words::kind(&count.code), done(count.news))
            };
            lines.extend(self.counts.iter().map(line));
        }
        lines.extend([
            String::new(),
            format!("All that is open now: {}/alerts", origin.url),
            String::new(),
            "-- ".to_owned(),
            wrapped(&format!(
                "{} tells each alert once, and again when it is over. This is the channel \"{}\": what it is told of is set under \
                 Alerts, Channels.",
                origin.name, origin.channel
            )),
        ]);
        lines.join("\n") + "\n"
    }

    /// The JSON of a call, in the shape that Standard Webhooks recommends.
    pub fn body(&self, id: &str, made_at: Timestamp, origin: Origin<'_>) -> Vec<u8> {
        let kind = if self.counts.is_empty() { "alerts.test" } else { "alerts.changed" };
        let body = Body {
            kind,
            timestamp: made_at,
            data: Data {
                id,
                channel: origin.channel,
                server: origin.name,
                summary: &self.summary(),
                gravity: self.gravity(),
                total: self.total(),
                counts: &self.counts,
                items: &self.listed,
                url: &format!("{}/alerts", origin.url),
            },
        };
        // It holds nothing that JSON cannot express.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

fn sign(item: &Item) -> &'static str {
    match (item.news, item.gravity) {
        (News::Over, _) => "[over]   ",
        (_, Gravity::Problem) => "[problem]",
        (_, Gravity::Warning) => "[warning]",
        (_, Gravity::Note) if EVENTS.contains(&item.matter.code.as_str()) => "[event]  ",
        (_, Gravity::Note) => "[note]   ",
    }
}

fn done(news: News) -> &'static str {
    match news {
        News::Began => "begun",
        News::Worse => "graver",
        News::Better => "less grave",
        News::Over => "over",
        News::Happened => "happened",
    }
}

/// The JSON of a call. `docs/central-api.md` documents it.
#[derive(Serialize)]
struct Body<'b> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: Timestamp,
    data: Data<'b>,
}

#[derive(Serialize)]
struct Data<'b> {
    id: &'b str,
    channel: &'b str,
    server: &'b str,
    summary: &'b str,
    gravity: Gravity,
    total: u64,
    counts: &'b [Count],
    items: &'b [Item],
    url: &'b str,
}

/// The text of a mail that shows that mails arrive.
pub fn test_text(origin: Origin<'_>) -> (String, String) {
    let subject = format!("[{}] A test of the channel {}", origin.name, origin.channel);
    let text = format!(
        "Alerts of {} arrive here. There is nothing to do.\n\n{}/alerts/channels\n\n-- \n{}\n",
        origin.name,
        origin.url,
        wrapped("This was sent because somebody has tried whether the messages of this channel arrive."),
    );
    (subject, text)
}

#[cfg(test)]
mod tests;
