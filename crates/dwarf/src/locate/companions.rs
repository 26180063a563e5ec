//! Files that came with the core in one archive: by the end of their path.

use std::path::{Path, PathBuf};

use super::locator::Locator;

/// Files of one name that are looked at.
const MOST: usize = 16;

impl Locator {
    /// The files that came with the core and are called as `path` is: those first whose paths
    /// agree with it for longest, seen from the end.
    pub(super) fn companions(&self, path: &Path) -> Vec<PathBuf> {
        let Some(name) = path.file_name() else { return Vec::new() };
        let common = |companion: &Path| {
            let ours = companion.components().rev();
            ours.zip(path.components().rev()).take_while(|(ours, other)| ours == other).count()
        };
        let all = self.rules.companions.iter();
        let mut named: Vec<_> = all
            .filter(|companion| companion.file_name() == Some(name))
            .map(|companion| (common(companion), companion))
            .collect();
        named.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        named.into_iter().take(MOST).map(|(_, companion)| companion.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::rules::SearchRules;
    use obit_corefile::limits::Limits;

    #[test]
    fn of_files_of_one_name_the_one_with_the_longest_common_end_comes_first() {
        let companions = ["a.tar/x/lib/libc.so.6", "a.tar/old/usr/lib/libc.so.6", "a.tar/libc.so"];
        let companions = companions.map(PathBuf::from).to_vec();
        let rules = SearchRules { companions, ..SearchRules::default() };
        let locator = Locator::new(rules, Limits::default());
        let found = locator.companions(Path::new("/usr/lib/libc.so.6"));
        let wanted = ["a.tar/old/usr/lib/libc.so.6", "a.tar/x/lib/libc.so.6"];
        assert_eq!(found, wanted.map(PathBuf::from));
        assert_eq!(locator.companions(Path::new("/")), [] as [PathBuf; 0]);
    }
}
