//! The form of a channel: what it sends as a channel, and a channel as what it would send.

use std::collections::BTreeSet;

use askama::Template;
use seatline_ui::{Banner, Choice, Field, Prose, Tone, format};

use crate::domain::Gravity;
use crate::domain::alerts::EVENTS;
use crate::domain::alerts::channel::{ChannelConfig, DEFAULT_PER_HOUR, Scope, Target};
use crate::domain::alerts::quiet::{Day, MAX_TIMES, QuietHours, QuietTime};
use crate::domain::assessment::CODES;
use crate::pages::failure::Broken;
use crate::pages::fleet::words;

/// What a form has sent, or would: its fields in their order. A box that is not ticked is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// The value of a field; empty where it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn push(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.to_owned(), value.to_string()));
    }
}

/// The fields of each quiet time: its days, its begin, its end.
const TIMES: [[&str; 3]; MAX_TIMES] = [
    ["days-0", "from-0", "until-0"],
    ["days-1", "from-1", "until-1"],
    ["days-2", "from-2", "until-2"],
    ["days-3", "from-3", "until-3"],
    ["days-4", "from-4", "until-4"],
    ["days-5", "from-5", "until-5"],
    ["days-6", "from-6", "until-6"],
];

/// The form.
#[derive(Template)]
#[template(path = "alerts/channel_form.html")]
pub struct ChannelForm {
    sent: Pairs,
    broken: Option<Broken>,
    kind: &'static str,
    is_new: bool,
    times: Vec<TimeRow>,
}

/// The fields of a quiet time.
struct TimeRow {
    number: usize,
    days: &'static str,
    from: &'static str,
    until: &'static str,
}

impl ChannelForm {
    /// The form of a channel of a kind with what was sent, and the rule that it breaks.
    pub fn new(kind: &'static str, is_new: bool, sent: Pairs, broken: Option<Broken>) -> Self {
        // All that were sent, and one to fill in.
        let used = TIMES.iter().rposition(|names| names.iter().any(|name| !sent.get(name).is_empty()));
        let rows = used.map_or(1, |last| last + 2).clamp(2, MAX_TIMES);
        let rows = TIMES.into_iter().enumerate().take(rows);
        let times = rows.map(|(number, [days, from, until])| TimeRow { number, days, from, until }).collect();
        Self { times, sent, broken, kind, is_new }
    }

    fn error(&self, field: &str) -> Option<&str> {
        self.broken.as_ref().filter(|(at, _)| *at == field).map(|(_, rule)| rule.as_str())
    }

    /// What is wrong with something that has no field of its own.
    fn general(&self) -> Option<Banner> {
        let shown = ["name", "recipients", "url", "secret", "ca_pem", "groups", "tags", "per_hour", "zone", "quiet"];
        let (at, rule) = self.broken.as_ref()?;
        let why = || Prose::sentence(&format!("{at}: {rule}"));
        (!shown.iter().chain(TIMES.iter().flatten()).any(|name| name == at))
            .then(|| Banner::new(Tone::Warning, "This could not be saved", why()))
    }

    fn target_fields(&self) -> Vec<Field<'_>> {
        let name = Field::text("name", "Name").value(self.sent.get("name")).required().error(self.error("name"));
        let mut fields = vec![name.hint("What people call the channel, such as `Operations`.")];
        match self.kind {
            "mail" => fields.push(
                Field::area("recipients", "Recipients")
                    .hint("Mail addresses, one on each line. Each gets a mail of his own.")
                    .value(self.sent.get("recipients"))
                    .required()
                    .error(self.error("recipients")),
            ),
            _ => {
                let url = Field::url("url", "URL").value(self.sent.get("url")).required().error(self.error("url"));
                fields.push(url.hint("Called by POST over https. What stands behind `?` is kept as a secret."));
                if self.is_new {
                    let secret = Field::password("secret", "Secret").error(self.error("secret"));
                    fields.push(secret.hint("`whsec_…`, where the receiver has made one. Empty for a new one."));
                }
                let pem = Field::area("ca_pem", "Certificates of its authority").value(self.sent.get("ca_pem"));
                fields.push(pem.hint("In PEM form, where it is one of your own.").error(self.error("ca_pem")));
            }
        }
        fields
    }

    fn scope_fields(&self) -> Vec<Field<'_>> {
        let least = [Gravity::Problem, Gravity::Warning, Gravity::Note];
        let least = least.map(|gravity| Choice { value: gravity.name(), label: at_least(gravity).to_owned() });
        vec![
            Field::select("least", "How grave at least", least.into()).value(self.sent.get("least")),
            Field::select("events", "Events", yes_or_no("Told", "Not told"))
                .value(self.sent.get("events"))
                .hint("A new plugin version, or something it newly reports."),
            Field::select("staging", "Staging", yes_or_no("Told", "Not told")).value(self.sent.get("staging")),
            Field::text("groups", "Groups")
                .hint("With commas between them. Empty for all.")
                .value(self.sent.get("groups"))
                .error(self.error("groups")),
            Field::text("tags", "Tags")
                .hint("With commas between them; one of them is enough. Empty for all.")
                .value(self.sent.get("tags"))
                .error(self.error("tags")),
        ]
    }

    fn kinds(&self) -> Vec<(&'static str, &'static str, bool)> {
        let chosen: BTreeSet<&str> = self.sent.all("codes").collect();
        let codes = CODES[..CODES.len() - 1].iter().chain(&EVENTS);
        codes.map(|code| (*code, words::kind(code), chosen.contains(code))).collect()
    }

    /// Whether it is told of some kinds alone.
    fn has_kinds(&self) -> bool {
        self.sent.all("codes").next().is_some()
    }

    fn when_fields(&self) -> Vec<Field<'_>> {
        let on =
            Field::select("enabled", "State", yes_or_no("On", "Off: nobody is told")).value(self.sent.get("enabled"));
        let most = Field::number("per_hour", "Messages in an hour at the most").value(self.sent.get("per_hour"));
        vec![on, most.hint("What is due meanwhile comes with the next one.").error(self.error("per_hour"))]
    }

    fn quiet_fields(&self) -> Vec<Field<'_>> {
        let pass = [("", "Nothing"), ("problem", "Problems"), ("warning", "Warnings and problems")];
        let pass = pass.map(|(value, label)| Choice { value, label: label.to_owned() });
        vec![
            Field::text("zone", "Time zone")
                .hint("A name of the IANA, such as `Europe/Berlin`.")
                .value(self.sent.get("zone"))
                .error(self.error("zone")),
            Field::select("pass", "Told all the same", pass.into()).value(self.sent.get("pass")),
        ]
    }

    fn days(&self, row: &TimeRow) -> Vec<(&'static str, String, bool)> {
        let chosen: BTreeSet<&str> = self.sent.all(row.days).collect();
        Day::ALL.map(|day| (day.name(), format::capitalised(day.name()), chosen.contains(day.name()))).into()
    }

    fn time_fields<'f>(&'f self, row: &'f TimeRow) -> [Field<'f>; 2] {
        let of_all = self.error("quiet").filter(|_| row.number == 0);
        let from = of_all.or(self.error(row.days)).or(self.error(row.from));
        [
            Field::text(row.from, "From").value(self.sent.get(row.from)).hint("Such as `22:00`.").error(from),
            Field::text(row.until, "Until")
                .value(self.sent.get(row.until))
                .hint("Such as `07:00`, on the next day.")
                .error(self.error(row.until)),
        ]
    }
}

impl askama::filters::HtmlSafe for ChannelForm {}

/// What is told where it has to be so grave at least.
pub fn at_least(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::Problem => "Problems alone",
        Gravity::Warning => "Warnings and problems",
        Gravity::Note => "Everything, notes too",
    }
}

fn yes_or_no(yes: &str, no: &str) -> Vec<Choice<'static>> {
    [("yes", yes), ("no", no)].map(|(value, label)| Choice { value, label: label.to_owned() }).into()
}

fn yes(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// What the form of a channel would send.
pub fn pairs_of(config: &ChannelConfig) -> Pairs {
    let mut pairs = Pairs::default();
    pairs.push("name", &config.name);
    match &config.to {
        Target::Mail { recipients } => {
            let lines: Vec<String> = recipients.iter().map(ToString::to_string).collect();
            pairs.push("recipients", lines.join("\n"));
        }
        Target::Webhook { url, ca_pem } => {
            pairs.push("url", url);
            pairs.push("ca_pem", ca_pem.as_deref().unwrap_or_default());
        }
    }
    scope_pairs(&config.scope, &mut pairs);
    pairs.push("per_hour", config.per_hour);
    pairs.push("enabled", yes(config.enabled));
    let Some(quiet) = &config.quiet else {
        pairs.push("zone", USUAL_ZONE);
        return pairs;
    };
    pairs.push("zone", &quiet.zone);
    pairs.push("pass", quiet.pass.map_or("", Gravity::name));
    for (time, [days, from, until]) in quiet.times.iter().zip(TIMES) {
        time.days.iter().for_each(|day| pairs.push(days, day.name()));
        pairs.push(from, time.from);
        pairs.push(until, time.until);
    }
    pairs
}

/// The time zone of quiet hours where nothing else is said, as on the command line.
const USUAL_ZONE: &str = "UTC";

/// What an empty form of a new channel holds.
pub fn usual() -> Pairs {
    let mut pairs = Pairs::default();
    scope_pairs(&Scope::default(), &mut pairs);
    pairs.push("per_hour", DEFAULT_PER_HOUR);
    pairs.push("zone", USUAL_ZONE);
    pairs
}

fn scope_pairs(scope: &Scope, pairs: &mut Pairs) {
    pairs.push("least", scope.least.name());
    pairs.push("events", yes(scope.events));
    pairs.push("staging", yes(scope.staging));
    scope.codes.iter().for_each(|code| pairs.push("codes", code));
    let groups: Vec<&str> = scope.groups.iter().map(|group| group.as_str()).collect();
    let tags: Vec<&str> = scope.tags.iter().map(|tag| tag.as_str()).collect();
    pairs.push("groups", groups.join(", "));
    pairs.push("tags", tags.join(", "));
}

/// The channel that a form has sent.
///
/// # Errors
/// The first field that breaks a rule, and the rule.
pub fn config_of(kind: &str, sent: &Pairs) -> Result<ChannelConfig, Broken> {
    let name = sent.get("name").parse().map_err(|error: seatline_protocol::IdError| ("name", error.to_string()))?;
    let to = match kind {
        "mail" => {
            let typed = sent.get("recipients").split(['\n', ',', ';']).map(str::trim).filter(|one| !one.is_empty());
            let read = typed.map(|one| {
                let shown = seatline_protocol::text::line(one, 80);
                one.parse().map_err(|error| ("recipients", format!("`{shown}`: {error}")))
            });
            Target::Mail { recipients: read.collect::<Result<_, Broken>>()? }
        }
        _ => {
            let ca_pem = Some(sent.get("ca_pem").to_owned()).filter(|pem| !pem.is_empty());
            Target::Webhook { url: sent.get("url").to_owned(), ca_pem }
        }
    };
    let per_hour = sent.get("per_hour").parse().map_err(|_| ("per_hour", "a whole number".to_owned()))?;
    let (scope, quiet) = (scope_of(sent)?, quiet_of(sent)?);
    Ok(ChannelConfig { name, to, scope, quiet, per_hour, enabled: sent.get("enabled") != "no" })
}

fn scope_of(sent: &Pairs) -> Result<Scope, Broken> {
    let listed = |name: &str| -> Vec<String> {
        sent.get(name).split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let wrong = |field: &'static str| move |error: seatline_protocol::IdError| (field, error.to_string());
    Ok(Scope {
        least: Gravity::of_name(sent.get("least"))
            .ok_or_else(|| ("least", "one of problem, warning, note".to_owned()))?,
        codes: sent.all("codes").map(str::to_owned).collect(),
        groups: listed("groups").iter().map(|one| one.parse().map_err(wrong("groups"))).collect::<Result<_, _>>()?,
        tags: listed("tags").iter().map(|one| one.parse().map_err(wrong("tags"))).collect::<Result<_, _>>()?,
        events: sent.get("events") != "no",
        staging: sent.get("staging") == "yes",
    })
}

fn quiet_of(sent: &Pairs) -> Result<Option<QuietHours>, Broken> {
    let mut times = Vec::new();
    for names @ [of_days, from, until] in TIMES {
        if names.iter().all(|name| sent.get(name).is_empty()) {
            continue;
        }
        let days: BTreeSet<Day> = sent.all(of_days).filter_map(Day::of_name).collect();
        if days.is_empty() {
            return Err((of_days, "tick at least one day for this time".to_owned()));
        }
        let clock = |name: &'static str| sent.get(name).parse().map_err(|rule: &str| (name, rule.to_owned()));
        times.push(QuietTime { days, from: clock(from)?, until: clock(until)? });
    }
    if times.is_empty() {
        return Ok(None);
    }
    let zone =
        sent.get("zone").parse().map_err(|error: crate::domain::alerts::quiet::NoZone| ("zone", error.to_string()))?;
    Ok(Some(QuietHours { zone, times, pass: Gravity::of_name(sent.get("pass")) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_the_same_after_its_form() {
        let config: ChannelConfig = serde_json::from_value(serde_json::json!({
            "name": "Operations",
            "to": {"kind": "mail", "recipients": ["ada@example.org", "bob@example.org"]},
            "scope": {"least": "problem", "codes": ["expiry", "limit"], "groups": ["Sales"], "tags": ["critical", "eu"],
                      "events": false, "staging": true},
            "quiet": {"zone": "Europe/Berlin", "pass": "problem", "times": [
                {"days": ["monday", "friday"], "from": "22:00", "until": "07:00"},
                {"days": ["sunday"], "from": "00:00", "until": "00:00"},
            ]},
            "per_hour": 4, "enabled": false,
        }))
        .expect("a channel");
        assert_eq!(config_of("mail", &pairs_of(&config)), Ok(config.clone()));
        let webhook = ChannelConfig {
            to: Target::Webhook { url: "https://x.org/?…".to_owned(), ca_pem: None },
            quiet: None,
            ..config
        };
        assert_eq!(config_of("webhook", &pairs_of(&webhook)), Ok(webhook));
    }

    #[test]
    fn what_is_typed_wrongly_is_told_at_its_field() {
        let with = |name: &str, value: &str| {
            let mut sent = usual();
            sent.push("name", "Operations");
            sent.push("recipients", "ada@example.org");
            sent.0.retain(|(known, _)| known != name);
            sent.push(name, value);
            config_of("mail", &sent)
        };
        for (name, value, field) in [
            ("name", "", "name"),
            ("recipients", "ada", "recipients"),
            ("per_hour", "x", "per_hour"),
            ("least", "grave", "least"),
            ("tags", &"x".repeat(31), "tags"),
            ("from-0", "22", "days-0"),
            ("days-1", "monday", "from-1"),
        ] {
            assert_eq!(with(name, value).expect_err("refused").0, field, "{name}={value}");
        }
        assert!(with("pass", "").is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_quiet_time_stands_at_that_time() {
        let mut sent = usual();
        for (name, value) in [
            ("name", "Operations"),
            ("recipients", "ada@example.org"),
            ("days-0", "monday"),
            ("from-0", "22:00"),
            ("until-0", "07:00"),
            ("days-2", "sunday"),
            ("from-2", "00:00"),
            ("until-2", "24:00"),
        ] {
            sent.push(name, value);
        }
        let broken = config_of("mail", &sent).expect_err("there is no such time");
        let form = ChannelForm::new("mail", true, sent, Some(broken)).to_string();
        let (before, after) = form.split_once("id=\"field-until-2\"").expect("the field");
        assert!(!before.contains("aria-invalid"), "{form}");
        assert!(after.contains("from 00:00 to 23:59") && after.contains("name=\"from-3\""), "{form}");
        assert_eq!(usual().get("zone"), "UTC", "quiet hours need no more than their times");
    }
}
