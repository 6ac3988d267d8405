//! Who runs a command, for the audit log.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use seatline_protocol::text;

use crate::domain::Actor;

/// The most characters of a user's name.
const MAX_NAME: usize = 64;

/// Whoever runs this command: the name that the operating system knows for its user, and where `sudo` says so, for
/// whom.
pub(super) fn actor() -> Actor {
    let user = fs::metadata("/proc/self").ok().map(|process| process.uid());
    let known = user.and_then(|user| name_of(user, &fs::read_to_string("/etc/passwd").ok()?));
    let name = known.or(user.map(|user| format!("user {user}"))).unwrap_or_else(|| "unknown".to_owned());
    let person = std::env::var("SUDO_USER").ok().filter(|person| *person != name);
    Actor::command_line(match person {
        Some(person) => format!("{name} ({})", text::line(&person, MAX_NAME)),
        None => name,
    })
}

/// The name of a user in the system's list of them.
fn name_of(user: u32, list: &str) -> Option<String> {
    let mut lines = list.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|fields| fields.get(2).is_some_and(|id| id.parse() == Ok(user)))?;
    line.first().map(|name| text::line(name, MAX_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_known_by_the_name_in_the_systems_list() {
        let list = "root:x:0:0:root:/root:/bin/sh\n\nnot a line\nada:x:1000:1000::/home/ada:/bin/sh\n";
        assert_eq!(name_of(1000, list).as_deref(), Some("ada"));
        assert_eq!(name_of(0, list).as_deref(), Some("root"));
        assert_eq!(name_of(7, list), None);
    }
}
