//! What is shown of the store: what was redacted less than a reader asked for is redacted again.

use obit_redact::{Level, Origin, Redactor};

use super::connection::Store;
use crate::census::Census;
use crate::record::{Record, read_record, write_record};

/// The level in the JSON of a record. Quotes within its texts are escaped.
const POLICY: &[u8] = b"\"policy\":\"";

impl Store {
    /// From now on, what is read to be shown is hidden at least as `level` says. Nothing may be
    /// added or grouped then.
    pub fn view_at(&mut self, level: Level) {
        self.view = Some(level);
    }

    /// The redactor of what was redacted at the level `was`; `None` if that is enough.
    fn redactor(&self, was: Level) -> Option<Redactor> {
        let level = self.view.filter(|level| *level > was)?;
        Some(Redactor::with_random_key(level).of_shown())
    }

    /// A stored record as it is shown.
    pub(super) fn seen(&self, mut record: Record) -> Record {
        if let Some(mut redactor) = self.redactor(record.redactions.level()) {
            record.tighten(&mut redactor);
        }
        record
    }

    /// The same for the JSON of a record. `None` if it is none.
    pub(super) fn seen_json(&self, json: Vec<u8>) -> Option<Vec<u8>> {
        if self.view.is_none() {
            return Some(json);
        }
        let policy = json.windows(POLICY.len()).rposition(|part| part == POLICY);
        let policy = policy.and_then(|at| json.get(at + POLICY.len()..));
        let is_off = policy.is_some_and(|policy| policy.starts_with(b"off\""));
        let is_strict = policy.is_some_and(|policy| policy.starts_with(b"strict\""));
        let was = match (is_off, is_strict) {
            (true, _) => Level::Off,
            (_, true) => Level::Strict,
            _ => Level::Default,
        };
        let Some(mut redactor) = self.redactor(was) else { return Some(json) };
        let mut record = read_record(&json).ok()?;
        record.tighten(&mut redactor);
        let mut json = Vec::new();
        write_record(&record, &mut json).ok()?;
        json.truncate(json.trim_ascii_end().len());
        Some(json)
    }

    /// What people recorded of groups, and names of hosts, as a strict reader sees them:
    /// conditions are then about what is seen, too.
    pub(super) fn seen_census(&self, mut census: Census) -> Census {
        let Some(mut redactor) = self.strict() else { return census };
        let mut show = |origin, text: &mut String| {
            *text = redactor.show(origin, text).into_string();
        };
        census.hosts.iter_mut().for_each(|host| show(Origin::ProcessName, host));
        for group in &mut census.groups {
            group.name.iter_mut().for_each(|name| show(Origin::OwnWords, name));
            // A person's name is known by its place alone.
            group.assignee.iter_mut().for_each(|name| show(Origin::ThreadName, name));
            group.link.iter_mut().for_each(|link| show(Origin::OwnWords, link));
        }
        census
    }

    /// The name of a host, as a strict reader sees it.
    pub(super) fn seen_host(&self, host: String) -> String {
        match self.strict() {
            Some(mut redactor) => redactor.show(Origin::ProcessName, &host).into_string(),
            None => host,
        }
    }

    /// Whether its reader sees everything that people recorded.
    pub(super) fn shows_names(&self) -> bool {
        self.view != Some(Level::Strict)
    }

    /// The redactor of a reader who sees as little as there is.
    fn strict(&self) -> Option<Redactor> {
        (!self.shows_names()).then(|| Redactor::with_random_key(Level::Strict).of_shown())
    }

    /// A text of the tables as it is shown. Tables do not say at which level it was redacted.
    pub(super) fn seen_text(&self, origin: Origin, text: String) -> String {
        match self.redactor(Level::Off) {
            Some(mut redactor) => redactor.show(origin, &text).into_string(),
            None => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::Rules;
    use crate::store::PackedRecord;
    use crate::testkit::crash;
    use obit_redact::Shown;

    fn store(policy: &str) -> (Store, String) {
        let mut crash = crash(3, 1, &Rules::built_in());
        let shown = |text: &str| Shown::from_report(text.to_owned());
        crash.record.redactions.policy = policy.to_owned();
        crash.record.threads[0].name = Some(shown("desk rosalind"));
        crash.record.core.path = shown("/home/orsolya/core");
        let mut store = Store::temporary().unwrap();
        let id = crash.record.dump.clone();
        store.add(&[(crash.stamp, PackedRecord::of(&crash.record).unwrap())], 0).unwrap();
        store.regroup().unwrap();
        (store, id)
    }

    fn all(store: &Store, id: &str) -> String {
        let mut all = format!("{:?}", store.record_of(id).unwrap());
        store
            .each_record(&mut |record| {
                all.push_str(&format!("{record:?}"));
                Ok(())
            })
            .unwrap();
        let mut exported = Vec::new();
        store.export(&mut exported).unwrap().unwrap();
        all + &String::from_utf8(exported).unwrap()
    }

    #[test]
    fn a_record_is_shown_at_the_stricter_of_two_levels() {
        let (mut store, id) = store("default");
        assert!(all(&store, &id).contains("rosalind") && all(&store, &id).contains("orsolya"));
        store.view_at(Level::Off);
        assert!(all(&store, &id).contains("rosalind"));
        store.view_at(Level::Strict);
        let shown = all(&store, &id);
        assert!(!shown.contains("rosalind") && !shown.contains("orsolya"), "{shown}");
    }

    #[test]
    fn a_strict_reader_sees_neither_who_works_on_a_group_nor_finds_it_by_its_name() {
        use crate::store::{Found, GroupChange, Revised};
        use crate::views::{Filter, ViewOptions};
        let (mut store, _) = store("default");
        let id = store.groups().unwrap()[0].id.clone();
        let change = GroupChange {
            assignee: Some(Some("rosalind".to_owned())),
            link: Some(Some("https://bugs.example/?to=rosalind@example.org".to_owned())),
            ..GroupChange::default()
        };
        assert!(matches!(store.revise(&id, &change, None, 8).unwrap(), Revised::Done(_)));
        store.name_group(&id, "mail of rosalind@example.org").unwrap();
        store
            .connection
            .execute("INSERT INTO host (name) VALUES ('pc-rosalind@example.org')", [])
            .unwrap();
        store.connection.execute("UPDATE dump SET host = (SELECT max(n) FROM host)", []).unwrap();
        store.connection.execute("DELETE FROM sightings", []).unwrap();
        let seen = |store: &Store, condition: &str| {
            let filter = Filter::parse(condition, 0).unwrap();
            let options = ViewOptions { filter, ..ViewOptions::default() };
            let list = format!("{:?}", store.overview(&options, 9).unwrap().groups);
            let detail = store.detail(&id, &options, 9).unwrap();
            list + &format!("{detail:?}")
        };
        assert!(seen(&store, "assignee=rosalind").matches("rosalind").count() > 4);
        store.view_at(Level::Strict);
        let all = seen(&store, "count>=1");
        assert!(!all.contains("rosalind"), "{all}");
        assert!(all.contains("<name") && all.contains("<email"), "{all}");
        // Nor can a condition be used to find out.
        for condition in ["assignee=rosalind", "host=pc-rosalind*"] {
            assert!(seen(&store, condition).starts_with("[]"), "{condition}");
        }
        let found = store.find("mail of rosalind@example.org").unwrap();
        assert_eq!(found, Found::Nothing);
        assert_eq!(store.find(&id).unwrap(), Found::Group(id.clone()));
    }

    #[test]
    fn the_store_remembers_the_level_of_each_record() {
        for policy in ["default", "strict", "off"] {
            let (store, id) = store(policy);
            let level: Option<String> = store
                .connection
                .query_row("SELECT level FROM dump WHERE id = ?1", [&id], |row| row.get(0))
                .unwrap();
            assert_eq!(level.as_deref(), Some(policy));
            assert_eq!(store.levels().unwrap(), [(policy.to_owned(), 1)]);
        }
    }
}
