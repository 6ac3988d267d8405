//! `seatline license issue`: a vendor's tool.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::request::MAX_BYTES;
use seatline_protocol::{
    Behaviour, Cost, Counting, Dimension, Kind, License, LicenseId, LicenseRequest, Limit, Mode, Prerequisite,
    ProductId, SecretKey, ServerId, seal,
};
use serde::Serialize;

use super::Context;
use crate::dates;
use crate::failure::Failure;
use crate::files;
use crate::output::warn;

/// Issue a license: sign its facts with a vendor's secret key, and print the key to hand out
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license issue --key acme.secret --product acme-wiki --licensee 'Example Ltd' \\
      --kind commercial --limit users=500 --limit pages=10000+500:restrict --feature sso \\
      --expires 2027-06-30 --grace-days 14
  seatline license issue --key acme.secret --product acme-wiki --licensee 'Example Ltd' --kind evaluation
  seatline license issue --key acme.secret --request request.json --kind commercial --limit users=600
  seatline license issue --key acme.secret --product acme-mail --add-on-of acme-wiki --licensee 'Example Ltd' \\
      --kind commercial --mode node --prerequisite 'Example Base (Server)=paid'

A request fills in product, add-on, edition, licensee, server ID and the license that is replaced; options go before it.
What it says is not signed: hold it against your books.
A DATE is a day, which stands for its beginning in UTC, or a time such as 2027-06-30T12:00:00Z.")]
pub struct Options {
    /// The file with the vendor's secret key, made by `seatline license keygen`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The request that it answers, written by `seatline license request`; - for standard input
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// What is licensed
    #[arg(long, value_name = "ID", required_unless_present = "request")]
    product: Option<ProductId>,
    /// Whom it is issued to
    #[arg(long, value_name = "NAME", required_unless_present = "request")]
    licensee: Option<String>,
    /// For what use
    #[arg(long, value_parser = kind_parser())]
    kind: Kind,
    /// The license id; without it a random one
    #[arg(long, value_name = "ID")]
    id: Option<LicenseId>,
    /// The edition, where there are editions
    #[arg(long)]
    edition: Option<String>,
    /// A limit: DIMENSION=MAX, with +EXTRA for a tolerated overage, and :warn, :restrict or :refuse for what happens
    /// beyond; MAX can be `unlimited`
    #[arg(long = "limit", value_name = "LIMIT", value_parser = parse_limit)]
    limits: Vec<Limit>,
    /// How users are counted: from the creation of their account, or from their first sign-in
    #[arg(long, value_parser = counting_parser())]
    counting: Option<Counting>,
    /// A feature that it enables; can be given several times
    #[arg(long = "feature", value_name = "NAME")]
    features: Vec<String>,
    /// From when on it holds; without it from now on
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    not_before: Option<Timestamp>,
    /// When it ends; without it an evaluation ends after 30 days, and any other license never
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    expires: Option<Timestamp>,
    /// For how many days after its end it still holds, with a warning
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    grace_days: u16,
    /// When support and upgrades end: releases built later are not covered
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    maintenance_until: Option<Timestamp>,
    /// It entitles to support, for as long as its maintenance lasts
    #[arg(long)]
    support: bool,
    /// A server ID that it is bound to; can be given several times, without it and without a request any server
    #[arg(long = "server", value_name = "SERVER-ID")]
    servers: Vec<ServerId>,
    /// Bind it to no server, though it answers a request
    #[arg(long, conflicts_with = "servers")]
    any_server: bool,
    /// What it covers
    #[arg(long, value_parser = mode_parser(), default_value = "installation")]
    mode: Mode,
    /// For the license of an add-on: the product that it extends
    #[arg(long, value_name = "ID")]
    add_on_of: Option<ProductId>,
    /// A license of somebody else that it needs beside it: NAME=paid or NAME=free, with the edition in brackets behind
    /// the name; can be given several times
    #[arg(long = "prerequisite", value_name = "NEEDED", value_parser = parse_prerequisite)]
    prerequisites: Vec<Prerequisite>,
    /// A license that this one takes the place of; can be given several times
    #[arg(long = "replaces", value_name = "LICENSE-ID")]
    replaces: Vec<LicenseId>,
}

#[derive(Serialize)]
struct Shown {
    key: String,
    license: License,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let key = read_secret(&options.key)?;
    let request = options.request.as_deref().map(read_request).transpose()?;
    let license = license(options, request.as_ref())?;
    if request.is_some_and(|request| request.product.staging) && license.kind != Kind::Staging {
        let kind = license.kind.name();
        warn(
            "staging-instance",
            format!("the request is of a staging instance, and the license is of the kind {kind}"),
        );
    }
    let shown = Shown { key: seal::seal(&license, &key)?, license };
    context.output.show(&shown, |page| page.line(&shown.key))
}

fn read_secret(path: &Path) -> Result<SecretKey, Failure> {
    let text = files::read_text(path).map_err(|error| Failure::io("read", path, &error))?;
    text.parse().map_err(|error: seatline_protocol::KeyError| {
        Failure::new(error.code(), format!("{}: {error}", path.display()))
    })
}

fn read_request(path: &Path) -> Result<LicenseRequest, Failure> {
    Ok(LicenseRequest::read(&files::read_argument(path, MAX_BYTES)?)?)
}

/// The license of an evaluation lasts so long if nothing else is said (`c6`).
const EVALUATION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the options say, and where they are silent the request.
fn license(options: &Options, request: Option<&LicenseRequest>) -> Result<License, Failure> {
    let product = options.product.clone().or_else(|| request.map(|request| request.licensed().clone()));
    let product = product.ok_or_else(|| Failure::new("usage", "--product is needed"))?;
    // The rest of a request is for what it asks for.
    let request = request.filter(|request| *request.licensed() == product);
    let replaced = request.and_then(|request| request.replaces.as_ref());
    let licensee = options.licensee.clone().or_else(|| replaced.map(|license| license.licensee.clone()));
    let licensee = licensee.ok_or_else(|| {
        Failure::new("usage", "--licensee is needed: the request names no license that would be replaced")
    })?;
    let add_on_of = request.filter(|request| request.add_on.is_some()).map(|request| request.product.id.clone());
    let edition =
        request.filter(|request| request.add_on.is_none()).and_then(|request| request.product.edition.clone());
    let server = request.filter(|_| !options.any_server).map(|request| request.product.server_id.clone());
    let issued = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH);
    let evaluation = (options.kind == Kind::Evaluation)
        .then(|| options.not_before.unwrap_or(issued))
        .map(|begins| begins.checked_add(EVALUATION).unwrap_or(Timestamp::MAX));
    let id = match &options.id {
        Some(id) => id.clone(),
        None => {
            let mut random = [0; 16];
            getrandom::fill(&mut random).map_err(|error| Failure::new("no-randomness", error.to_string()))?;
            LicenseId::from_random(random)
        }
    };
    let mut limits = options.limits.clone();
    if let Some(counting) = options.counting {
        let users = limits.iter_mut().find(|limit| limit.dimension == Dimension::users());
        let users = users.ok_or_else(|| Failure::new("usage", "--counting needs a --limit users=… beside it"))?;
        users.counting = Some(counting);
    }
    Ok(License {
        id,
        product,
        edition: options.edition.clone().or(edition),
        kind: options.kind,
        licensee,
        limits,
        features: options.features.iter().cloned().collect::<BTreeSet<_>>(),
        issued,
        not_before: options.not_before,
        expires: options.expires.or(evaluation),
        grace_days: options.grace_days,
        maintenance_until: options.maintenance_until,
        support: options.support,
        servers: if options.servers.is_empty() { server.into_iter().collect() } else { options.servers.clone() },
        mode: options.mode,
        add_on_of: options.add_on_of.clone().or(add_on_of),
        prerequisites: options.prerequisites.clone(),
        replaces: match options.replaces.as_slice() {
            [] => replaced.map(|license| license.id.clone()).into_iter().collect(),
            given => given.to_vec(),
        },
        critical: Vec::new(),
        unknown: BTreeMap::new(),
    })
}

/// `DIMENSION=MAX[+EXTRA][:BEHAVIOUR]`
fn parse_limit(text: &str) -> Result<Limit, String> {
    const FORM: &str = "a limit is written DIMENSION=MAX, DIMENSION=MAX+EXTRA or DIMENSION=MAX+EXTRA:BEHAVIOUR";
    let (dimension, rest) = text.split_once('=').ok_or(FORM)?;
    let (amount, behaviour) = match rest.split_once(':') {
        None => (rest, Behaviour::default()),
        Some((amount, "warn")) => (amount, Behaviour::Warn),
        Some((amount, "restrict")) => (amount, Behaviour::Restrict),
        Some((amount, "refuse")) => (amount, Behaviour::Refuse),
        Some(_) => return Err("what happens beyond a limit is warn, restrict or refuse".to_owned()),
    };
    let (max, extra) = amount.split_once('+').unwrap_or((amount, "0"));
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is not a whole number; {FORM}"));
    Ok(Limit {
        dimension: dimension.parse().map_err(|error: seatline_protocol::IdError| error.to_string())?,
        max: if max == "unlimited" { None } else { Some(number(max)?) },
        extra: number(extra)?,
        counting: None,
        behaviour,
    })
}

/// `NAME=COST` or `NAME (EDITION)=COST`
fn parse_prerequisite(text: &str) -> Result<Prerequisite, String> {
    const FORM: &str = "a prerequisite is written 'NAME=paid' or 'NAME (EDITION)=free'";
    let (what, cost) = text.rsplit_once('=').ok_or(FORM)?;
    let cost = match cost.trim() {
        "paid" => Cost::Paid,
        "free" => Cost::Free,
        _ => return Err(FORM.to_owned()),
    };
    let what = what.trim();
    let with_edition = what.strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
    let (name, edition) = with_edition.map_or((what, None), |(name, edition)| (name.trim(), Some(edition.trim())));
    if name.is_empty() || edition == Some("") {
        return Err(FORM.to_owned());
    }
    Ok(Prerequisite { name: name.to_owned(), edition: edition.map(str::to_owned), cost })
}

fn parse_date(text: &str) -> Result<Timestamp, String> {
    dates::read(text).ok_or_else(|| "a date is written 2027-06-30 or 2027-06-30T12:00:00Z".to_owned())
}

/// A parser for one of a few names, which `--help` lists.
macro_rules! names {
    ($function:ident, $kind:ty, $($name:literal => $value:expr),+) => {
        fn $function() -> impl clap::builder::TypedValueParser<Value = $kind> {
            use clap::builder::{PossibleValuesParser, TypedValueParser as _};
            PossibleValuesParser::new([$($name),+]).try_map(|name| match name.as_str() {
                $($name => Ok($value),)+
                _ => Err("no such name"),
            })
        }
    };
}

names!(kind_parser, Kind, "commercial" => Kind::Commercial, "academic" => Kind::Academic, "community" => Kind::Community,
    "evaluation" => Kind::Evaluation, "staging" => Kind::Staging, "developer" => Kind::Developer);
names!(counting_parser, Counting, "account" => Counting::Account, "first-sign-in" => Counting::FirstSignIn);
names!(mode_parser, Mode, "installation" => Mode::Installation, "node" => Mode::Node);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p4_a_prerequisite_is_read_with_its_edition_and_its_cost() {
        let read = |text| parse_prerequisite(text).expect("a prerequisite").to_string();
        assert_eq!(read("Example Base (Server)=paid"), "Example Base (Server), paid");
        assert_eq!(read("a=b = free"), "a=b, free");
        for bad in ["", "=free", "x", "x=", "x=cheap", "(y)=free", "x ()=paid"] {
            parse_prerequisite(bad).expect_err(bad);
        }
    }

    #[test]
    fn a_limit_is_read_with_its_overage_and_what_happens_beyond() {
        let limit = parse_limit("pages=1000+50:restrict").expect("a limit");
        assert_eq!((limit.dimension.as_str(), limit.max, limit.extra), ("pages", Some(1000), 50));
        assert_eq!(limit.behaviour, Behaviour::Restrict);
        assert_eq!(parse_limit("users=unlimited").expect("no limit").max, None);
        for bad in ["users", "users=", "users=-1", "Users=1", "users=1+", "users=1:maybe", "=1"] {
            parse_limit(bad).expect_err(bad);
        }
    }
}
