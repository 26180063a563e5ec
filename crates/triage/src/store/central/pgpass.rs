//! The file of passwords that PostgreSQL's own clients read (`~/.pgpass`).

use std::env;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Bytes of the file that are read.
const LONGEST: u64 = 1 << 20;

/// What a password is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct For<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The password of the environment, else of the file.
pub(super) fn password(of: For<'_>) -> Option<String> {
    if let Some(password) = env::var("PGPASSWORD").ok().filter(|password| !password.is_empty()) {
        return Some(password);
    }
    let named = env::var_os("PGPASSFILE").map(PathBuf::from);
    let path = named.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pgpass")))?;
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    // As libpq: a file that others can read is not used.
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 {
        return None;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    find(&text, of)
}

/// The password of the first line that matches.
fn find(text: &str, of: For<'_>) -> Option<String> {
    let port = of.port.to_string();
    // A directory of sockets is called localhost there.
    let host = if of.host.starts_with('/') { "localhost" } else { of.host };
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [hosts, ports, databases, users, password] = fields.as_slice() else { return None };
        let matches = |field: &str, value: &str| field == "*" || field == value;
        let is_for = (matches(hosts, host) || matches(hosts, of.host))
            && matches(ports, &port)
            && matches(databases, of.database)
            && matches(users, of.user);
        is_for.then(|| password.clone())
    })
}

/// Fields are parted by colons; a backslash takes the meaning from what follows it.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => field.extend(characters.next()),
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches_gives_the_password() {
        let of = For { host: "db.example", port: 5432, database: "crashes", user: "obit" };
        let text = "# passwords\nother:5432:crashes:obit:no\ndb.example:5432:*:obit:a\\:b\\\\:c\n\
                    *:*:*:*:last";
        assert_eq!(find(text, of).as_deref(), Some("a:b\\:c"));
        assert_eq!(find(text, For { port: 1, ..of }).as_deref(), Some("last"));
        let socket = For { host: "/run/postgresql", ..of };
        assert_eq!(find("localhost:*:*:*:here", socket).as_deref(), Some("here"));
        assert_eq!(find("nonsense\n:::\n", of), None);
    }
}
