//! What people record of a group, changed at once and only if no one else changed it since.

use obit_redact::{Level, Origin, Redactor};
use rusqlite::{OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use super::connection::Store;
use super::error::StoreError;
use super::states::is_web_link;
use crate::history::State;

/// Characters of a note, and of a name.
const LONGEST_NOTE: usize = 4096;
const LONGEST_NAME: usize = 100;
/// Bytes of the digest that a revision is.
const REVISION: usize = 8;

/// What is to be recorded; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// Its state.
    pub state: Option<State>,
    /// Who works on it; `Some(None)` is no one.
    pub assignee: Option<Option<String>>,
    /// Its ticket; `Some(None)` removes it.
    pub link: Option<Option<String>>,
    /// A note that is added.
    pub note: Option<String>,
}

/// Why a text cannot be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotRecordable {
    /// The name of a person or a team is none.
    #[error("expected a name of at most 100 characters in one line")]
    Name,
    /// The word that selects groups without a name.
    #[error("`none` selects groups without a name")]
    NoName,
    /// The URL of a ticket is none.
    #[error("expected an http or https URL without a user name and blanks")]
    Link,
    /// A note is too long.
    #[error("a note has at most 4096 characters")]
    LongNote,
    /// A note says nothing.
    #[error("a note has at least one character")]
    EmptyNote,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revised {
    /// It was made; the new revision.
    Done(String),
    /// Someone else changed the group first; the revision that it has.
    Conflict(String),
    /// There is no such group.
    NoGroup,
}

impl GroupChange {
    /// The name of a person or a team.
    ///
    /// # Errors
    /// What a name must be.
    pub fn name(text: &str) -> Result<String, NotRecordable> {
        let name = text.trim();
        let is_long = name.chars().count() > LONGEST_NAME;
        match name {
            "none" => Err(NotRecordable::NoName),
            "" => Err(NotRecordable::Name),
            _ if is_long || name.contains(char::is_control) => Err(NotRecordable::Name),
            name => Ok(name.to_owned()),
        }
    }

    /// The URL of a ticket.
    ///
    /// # Errors
    /// What a URL must be.
    pub fn ticket(text: &str) -> Result<String, NotRecordable> {
        let link = text.trim();
        if is_web_link(link) { Ok(link.to_owned()) } else { Err(NotRecordable::Link) }
    }

    /// A note, redacted: it may quote what a crash held.
    ///
    /// # Errors
    /// What a note must be.
    pub fn remark(text: &str) -> Result<String, NotRecordable> {
        if text.chars().count() > LONGEST_NOTE {
            return Err(NotRecordable::LongNote);
        }
        if text.trim().is_empty() {
            return Err(NotRecordable::EmptyNote);
        }
        Ok(Redactor::without_key(Level::Default).show(Origin::MessageText, text).into_string())
    }
}

impl Store {
    /// What stands for all that people recorded of a group: it differs when anything of that
    /// was changed. `None` where there is no such group.
    ///
    /// # Errors
    /// Those of the database.
    pub fn revision(&self, group: &str) -> Result<Option<String>, StoreError> {
        revision(&self.connection, group).map_err(|source| self.failed(source))
    }

    /// Makes all of `change`, or nothing of it if `expected` is given and the group has another
    /// revision. `at` is when, in seconds since 1970.
    ///
    /// # Errors
    /// Those of the database.
    pub fn revise(
        &mut self,
        group: &str,
        change: &GroupChange,
        expected: Option<&str>,
        at: i64,
    ) -> Result<Revised, StoreError> {
        self.change(|transaction| {
            let Some(is) = revision(transaction, group)? else { return Ok(Revised::NoGroup) };
            if expected.is_some_and(|expected| expected != is) {
                return Ok(Revised::Conflict(is));
            }
            write(transaction, group, change, at)?;
            Ok(Revised::Done(revision(transaction, group)?.unwrap_or(is)))
        })
    }
}

fn write(
    transaction: &Transaction<'_>,
    group: &str,
    change: &GroupChange,
    at: i64,
) -> rusqlite::Result<()> {
    if let Some(state) = &change.state {
        let build = match state {
            State::Resolved { in_build, .. } => in_build.as_deref(),
            State::Open | State::Ignored => None,
        };
        transaction.execute(
            "UPDATE bug SET state = ?2, state_build = ?3, state_time = ?4 WHERE id = ?1",
            params![group, state.word(), build, at],
        )?;
    }
    if let Some(name) = &change.assignee {
        transaction.execute("UPDATE bug SET assignee = ?2 WHERE id = ?1", params![group, name])?;
    }
    if let Some(url) = &change.link {
        transaction.execute("UPDATE bug SET link = ?2 WHERE id = ?1", params![group, url])?;
    }
    if let Some(text) = &change.note {
        transaction.execute(
            "INSERT INTO note (bug, time, text) SELECT n, ?2, ?3 FROM bug WHERE id = ?1",
            params![group, at, text],
        )?;
    }
    Ok(())
}

fn revision(connection: &rusqlite::Connection, group: &str) -> rusqlite::Result<Option<String>> {
    let recorded: Option<String> = connection
        .prepare_cached(
            "SELECT json_array(id, name, state, state_build, state_time, assignee, link,
               (SELECT count(*) FROM note WHERE bug = bug.n),
               (SELECT max(note.n) FROM note WHERE note.bug = bug.n)) FROM bug WHERE id = ?1",
        )?
        .query_row([group], |row| row.get(0))
        .optional()?;
    Ok(recorded.map(|recorded| {
        let digest = Sha256::digest(recorded.as_bytes());
        digest.iter().take(REVISION).map(|byte| format!("{byte:02x}")).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::PackedRecord;
    use crate::testkit::crash;
    use crate::views::ViewOptions;

    fn store() -> (Store, String) {
        let mut store = Store::temporary().unwrap();
        let crash = crash(5, 1, &Rules::built_in());
        store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 7).unwrap();
        store.regroup().unwrap();
        let id = store.overview(&ViewOptions::default(), 1).unwrap().groups[0].id.clone();
        (store, id)
    }

    #[test]
    fn of_two_changes_to_the_same_revision_the_second_changes_nothing() {
        let (mut store, id) = store();
        let seen = store.revision(&id).unwrap().unwrap();
        let of = |name: &str| GroupChange {
            assignee: Some(Some(name.to_owned())),
            state: Some(State::Ignored),
            note: Some(format!("{name} looks at it")),
            ..GroupChange::default()
        };
        let Revised::Done(now) = store.revise(&id, &of("Ada"), Some(&seen), 9).unwrap() else {
            panic!("the first change was refused")
        };
        assert_ne!(now, seen);
        let second = store.revise(&id, &of("Grace"), Some(&seen), 10).unwrap();
        assert_eq!(second, Revised::Conflict(now.clone()));
        let group = store.detail(&id, &ViewOptions::default(), 1).unwrap().unwrap();
        assert_eq!(group.group.assignee.as_deref(), Some("Ada"));
        assert_eq!(group.notes.len(), 1);
        assert_eq!(store.revision(&id).unwrap(), Some(now));
        assert_eq!(store.revise("none", &of("Ada"), None, 9).unwrap(), Revised::NoGroup);
    }

    #[test]
    fn each_part_that_people_record_changes_the_revision() {
        let (mut store, id) = store();
        let mut seen = vec![store.revision(&id).unwrap().unwrap()];
        for change in [
            GroupChange { state: Some(State::Ignored), ..GroupChange::default() },
            GroupChange { assignee: Some(Some("Ada".to_owned())), ..GroupChange::default() },
            GroupChange { link: Some(Some("https://a/1".to_owned())), ..GroupChange::default() },
            GroupChange { note: Some("seen".to_owned()), ..GroupChange::default() },
            GroupChange { note: Some("seen".to_owned()), ..GroupChange::default() },
            GroupChange { link: Some(None), ..GroupChange::default() },
        ] {
            assert!(matches!(store.revise(&id, &change, None, 9).unwrap(), Revised::Done(_)));
            let now = store.revision(&id).unwrap().unwrap();
            assert!(!seen.contains(&now), "{change:?}");
            seen.push(now);
        }
    }

    #[test]
    fn groups_that_no_one_changed_have_different_revisions() {
        let mut store = Store::temporary().unwrap();
        for n in 0..12 {
            let crash = crash(5, n, &Rules::built_in());
            store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 7).unwrap();
        }
        store.regroup().unwrap();
        let groups = store.overview(&ViewOptions::default(), 20).unwrap().groups;
        let revision = |id: &str| store.revision(id).unwrap().unwrap();
        let revisions: std::collections::BTreeSet<String> =
            groups.iter().map(|group| revision(&group.id)).collect();
        assert!(groups.len() > 1 && revisions.len() == groups.len(), "{revisions:?}");
    }

    #[test]
    fn names_are_one_line_links_lead_to_the_web_and_notes_are_redacted() {
        assert_eq!(GroupChange::name(" Ada Lovelace "), Ok("Ada Lovelace".to_owned()));
        for bad in ["", " ", "a\nb", &"a".repeat(101)] {
            assert_eq!(GroupChange::name(bad), Err(NotRecordable::Name), "{bad:?}");
        }
        assert_eq!(GroupChange::name("none"), Err(NotRecordable::NoName));
        assert!(GroupChange::ticket(" https://bugs.example/4711 ").is_ok());
        assert_eq!(GroupChange::ticket("javascript:alert(1)"), Err(NotRecordable::Link));
        let note = GroupChange::remark("mail from ada.lovelace@example.com").unwrap();
        assert!(!note.contains("lovelace"), "{note}");
        assert_eq!(GroupChange::remark(&"a".repeat(4097)), Err(NotRecordable::LongNote));
        assert_eq!(GroupChange::remark(" \n"), Err(NotRecordable::EmptyNote));
    }
}
