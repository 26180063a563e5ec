//! What the user says of a group: its state and remarks.

use obit_redact::Origin;
use rusqlite::{Params, params};

use super::connection::Store;
use super::error::StoreError;
use crate::history::State;

/// A remark of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Seconds since 1970.
    pub time: i64,
    /// What was said.
    pub text: String,
}

/// Bytes of a link.
const LONGEST_LINK: usize = 2048;

/// Whether a text may be followed as a link to a ticket: an http or https URL with a host,
/// without a user name or a password, without blanks, quotes and control characters.
pub fn is_web_link(text: &str) -> bool {
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(c);
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_host = !host.is_empty() && !host.starts_with(':') && !host.contains('@');
        is_host && text.len() <= LONGEST_LINK && text.chars().all(is_plain)
    })
}

impl Store {
    /// Writes down what the user says of a group. `at` is when, in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_state(&mut self, group: &str, state: &State, at: i64) -> Result<(), StoreError> {
        let build = match state {
            State::Resolved { in_build, .. } => in_build.as_deref(),
            State::Open | State::Ignored => None,
        };
        self.write(
            "UPDATE bug SET state = ?2, state_build = ?3, state_time = ?4 WHERE id = ?1",
            params![group, state.word(), build, at],
        )
    }

    /// Writes down who works on a group; `None` is no one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_assignee(&mut self, group: &str, name: Option<&str>) -> Result<(), StoreError> {
        self.write("UPDATE bug SET assignee = ?2 WHERE id = ?1", params![group, name])
    }

    /// Writes down a group's ticket, an http or https URL; `None` removes it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_link(&mut self, group: &str, url: Option<&str>) -> Result<(), StoreError> {
        self.write("UPDATE bug SET link = ?2 WHERE id = ?1", params![group, url])
    }

    /// Adds a remark to a group.
    ///
    /// # Errors
    /// Those of the database.
    pub fn add_note(&mut self, group: &str, text: &str, at: i64) -> Result<(), StoreError> {
        self.write(
            "INSERT INTO note (bug, time, text) SELECT n, ?2, ?3 FROM bug WHERE id = ?1",
            params![group, at, text],
        )
    }

    fn write(&mut self, sql: &str, values: impl Params + Copy) -> Result<(), StoreError> {
        self.change(|transaction| Ok(transaction.execute(sql, values).map(drop)?))
    }

    /// The remarks on a group, oldest first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn notes(&self, group: &str) -> Result<Vec<Note>, StoreError> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT note.time, note.text FROM note JOIN bug ON bug.n = note.bug
                 WHERE bug.id = ?1 ORDER BY note.time, note.n",
            )?;
            let rows = statement
                .query_map([group], |row| Ok(Note { time: row.get(0)?, text: row.get(1)? }))?;
            rows.map(|note| {
                let note: Note = note?;
                Ok(Note { text: self.seen_text(Origin::OwnWords, note.text), ..note })
            })
            .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|source| self.failed(source))
    }
}

#[cfg(test)]
mod tests {
    use super::is_web_link;

    #[test]
    fn only_plain_urls_of_the_web_are_links() {
        for good in ["https://bugs.example/4711", "http://localhost:8080/browse/OB-12?x=1#c3"] {
            assert!(is_web_link(good), "{good}");
        }
        let long = format!("https://a/{}", "b".repeat(2048));
        for bad in [
            "",
            "https://",
            "https:///a",
            "http://:80/",
            "ftp://a/",
            "//a/",
            "javascript:alert(1)",
            "HTTPS://a/",
            "https://u:p@a/",
            "https://a/b c",
            "https://a/\"><script>",
            "https://a/\n",
            "https://\u{202e}a/",
            "data:text/html,x",
            " https://a/",
            &long,
        ] {
            assert!(!is_web_link(bad), "{bad}");
        }
    }
}
