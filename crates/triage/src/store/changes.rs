//! Whether someone changed the store.

use super::connection::Store;
use super::error::StoreError;

impl Store {
    /// A number that differs whenever another connection, of this process or of another one,
    /// has changed the store since this connection gave it last. Changes by this connection do
    /// not count.
    ///
    /// # Errors
    /// Those of the database.
    pub fn changes_of_others(&mut self) -> Result<i64, StoreError> {
        if let Some(central) = &mut self.central {
            // Of a store on a server, the changes by this connection count, too.
            let revision = central.refresh(&mut self.connection);
            return revision.map_err(|error| self.given_up(error));
        }
        self.connection
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .map_err(|source| self.failed(source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::State;

    #[test]
    fn a_change_of_another_connection_changes_the_number() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.db");
        let mut watcher = Store::create(&path).unwrap();
        let mut writer = Store::open(&path).unwrap();
        let before = watcher.changes_of_others().unwrap();
        assert_eq!(watcher.changes_of_others().unwrap(), before);
        let crash = crate::testkit::crash(5, 1, &crate::signature::Rules::built_in());
        let packed = crate::store::PackedRecord::of(&crash.record).unwrap();
        writer.add(&[(crash.stamp, packed)], 7).unwrap();
        let added = watcher.changes_of_others().unwrap();
        assert_ne!(added, before);
        writer.regroup().unwrap();
        let group = writer.groups().unwrap()[0].id.clone();
        let grouped = watcher.changes_of_others().unwrap();
        writer.set_state(&group, &State::Ignored, 8).unwrap();
        assert_ne!(watcher.changes_of_others().unwrap(), grouped);
    }
}
