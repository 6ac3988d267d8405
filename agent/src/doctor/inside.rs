//! The state, and what is kept in it.

use jiff::Timestamp;
use seatline_host::notices::DeliveryState;
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Verdict;

use super::{Condition, Finding};
use crate::cluster::{Node, NodeState};
use crate::failure::Failure;
use crate::instance::Instance;
use crate::notices::Notices;
use crate::output::{count_of, time};
use crate::{tokens, users};

/// Looks whether everything that is kept can be read.
pub(super) fn state(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    let host = &instance.host;
    let readings: [Result<(), Failure>; 6] = [
        host.status().map(drop).map_err(Failure::from),
        host.reminders().map(drop).map_err(Failure::from),
        Notices::of(instance).settings().map(drop).map_err(Failure::from),
        host.book_of_notices().map(drop).map_err(Failure::from),
        users::list(host).map(drop).map_err(Failure::from),
        tokens::list(host).map(drop).map_err(Failure::from),
    ];
    let mut damage: Vec<Failure> = readings.into_iter().filter_map(Result::err).collect();
    damage.dedup();
    if damage.is_empty() {
        found(Finding::good("state", format_args!("server ID {}", host.server_id())));
    }
    damage.into_iter().for_each(|failure| found(Finding::bad("state", failure)));
}

/// Looks whether the server ID is still that of the product's database, where it is bound to that, and of the link.
pub(super) fn identity(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "server ID";
    match instance.host.examine_identity() {
        // What cannot be read is told as damage of the state.
        Err(_) => {}
        Ok(Some(problem)) => found(Finding::attention(CHECK, &problem.code, &problem.message)),
        Ok(None) if instance.config.identity.binding.is_some() => {
            found(Finding::good(CHECK, "the product's database is the one that it is bound to"));
        }
        Ok(None) => {}
    }
}

/// Looks whether the nodes that share the state run, and are alike.
pub(super) fn nodes(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "nodes";
    // What cannot be read is told as damage of the state.
    let Some(Ok(nodes)) = instance.cluster.as_ref().map(|cluster| cluster.nodes()) else { return };
    let (running, lapsed): (Vec<Node>, Vec<Node>) =
        nodes.into_iter().partition(|node| node.state == NodeState::Running);
    for node in lapsed {
        let message = format_args!(
            "{} was seen last {}: start its agent, or leave it, then it is forgotten after a day",
            node.id,
            time(node.seen_at)
        );
        found(Finding::attention(CHECK, "node-lapsed", message));
    }
    let names: Vec<&str> = running.iter().map(|node| node.id.as_str()).collect();
    match running.iter().find(|node| node.synchronises_since.is_some()) {
        None if running.is_empty() => {
            found(Finding::attention(
                CHECK,
                "nodes-silent",
                "none runs, so nothing is counted or sent: `seatline run`",
            ));
        }
        // The next sign of life takes the turn.
        None => found(Finding::good(CHECK, format_args!("{} run, and agree on whose turn it is", names.join(", ")))),
        Some(node) => {
            let run = if running.len() == 1 { "runs" } else { "run" };
            found(Finding::good(CHECK, format_args!("{} {run}; {} synchronises", names.join(", "), node.id)));
        }
    }
    if let Some((first, other)) =
        running.first().and_then(|first| Some((first, running.iter().find(|node| node.plugin != first.plugin)?)))
    {
        let message = format_args!(
            "{} and {} do not have the same plugin, so what is counted depends on whose turn it is: install it on both",
            first.id, other.id
        );
        found(Finding::attention(CHECK, "nodes-differ", message));
    }
}

/// Looks what the licenses come to.
pub(super) fn licenses(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "licenses";
    let standing = match instance.host.standing() {
        Ok(standing) => standing,
        Err(_) => return found(Finding::unknown(CHECK, "they cannot be read: see the state")),
    };
    let condition = match standing.verdict {
        Verdict::Licensed => {
            let names: Vec<String> = standing.licenses.iter().map(|license| license.id.to_string()).collect();
            return found(Finding::good(CHECK, format_args!("licensed by {}", names.join(", "))));
        }
        Verdict::Attention => Condition::Attention,
        Verdict::Restricted | Verdict::Unlicensed => Condition::Bad,
    };
    for reason in &standing.reasons {
        found(Finding::new(CHECK, condition, Some(reason.code.name()), &reason.message));
    }
}

/// Looks whether the plugin can be loaded, and how its last run went.
pub(super) fn plugin(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "plugin";
    let plugins = instance.host.plugins();
    match plugins.current().and_then(|ready| Ok(ready.and(plugins.installed()?))) {
        Err(error) => found(Finding::bad(CHECK, error)),
        Ok(None) => {
            let message = "none is installed, so nothing is counted: `seatline plugin install FILE`";
            found(Finding::attention(CHECK, "no-plugin", message));
        }
        Ok(Some(installed)) => {
            found(Finding::good(CHECK, format_args!("{} {} can be run", installed.name, installed.version)));
        }
    }
    match instance.host.last_run() {
        Ok(Some(run)) => match &run.outcome {
            Outcome::Failed(failure) => {
                let message = format_args!("the run of {} failed: {}", time(run.at), failure.message);
                found(Finding::attention("last run", &failure.code, message));
            }
            Outcome::Collected(_) => last_run(instance, run.at, found),
        },
        Ok(None) => {
            let message = "nothing was counted yet: `seatline sync`, or start `seatline run`";
            found(Finding::attention("last run", "no-run", message));
        }
        // That is told as damage of the state.
        Err(_) => {}
    }
}

/// Whether the last run is as recent as it should be.
fn last_run(instance: &Instance, at: Timestamp, found: &mut dyn FnMut(Finding)) {
    let Ok(interval) = instance.host.interval() else { return };
    let age = Timestamp::now().duration_since(at).unsigned_abs();
    match age > interval * 2 && at < Timestamp::now() {
        true => {
            let message = format_args!(
                "accounts were last counted {}, which is more than two intervals ago: does `seatline run` run?",
                time(at)
            );
            found(Finding::attention("last run", "run-overdue", message));
        }
        false => found(Finding::good("last run", time(at))),
    }
}

/// Looks whether notices reach anybody.
pub(super) fn notices(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    const CHECK: &str = "notices";
    let notices = Notices::of(instance);
    // What cannot be read is told as damage of the state.
    let (Ok(settings), Ok(book)) = (notices.settings(), notices.book()) else { return };
    for problem in &settings.problems {
        found(Finding::bad(CHECK, Failure::new(&problem.code, &problem.message)));
    }
    if let Some(problem) = book.probe.and_then(|probe| probe.problem) {
        found(Finding::bad(CHECK, Failure::new(&problem.code, &problem.message)));
    }
    let deliveries = book.entries.iter().flat_map(|entry| &entry.deliveries);
    let failed =
        deliveries.filter(|delivery| delivery.state != DeliveryState::Delivered && delivery.failures > 0).count();
    if failed > 0 {
        let message = format_args!("{} could not be delivered: `seatline notices show`", count_of(failed, "notice"));
        found(Finding::attention(CHECK, "notices-undelivered", message));
    } else if !settings.reaches_somebody && settings.problems.is_empty() {
        let message =
            "nobody is told when a license ends: `seatline notices settings` or `seatline notices add-webhook`";
        found(Finding::attention(CHECK, "notices-unset", message));
    } else if settings.problems.is_empty() {
        let (people, programs) = (settings.mail.recipients.len(), settings.webhooks.len());
        let (people, programs) = (count_of(people, "mail address"), count_of(programs, "webhook"));
        found(Finding::good(CHECK, format_args!("told to {people} and {programs}")));
    }
}

/// Looks whether anybody can sign in to the pages.
pub(super) fn people(instance: &Instance, found: &mut dyn FnMut(Finding)) {
    if instance.config.http.listen.is_none() {
        return;
    }
    let Ok(users) = users::list(&instance.host) else { return };
    let administrators = users.iter().filter(|user| user.role == users::Role::Administrator).count();
    match administrators {
        0 => {
            let message = "nobody can set a license on the pages: `seatline user add NAME`";
            found(Finding::attention("pages", "no-administrator", message));
        }
        _ => found(Finding::good("pages", count_of(administrators, "administrator"))),
    }
}
