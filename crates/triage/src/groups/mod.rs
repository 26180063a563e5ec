//! Which crashes are one bug's.

mod cluster;
mod damage;
mod key;
mod likeness;
mod merge;
mod parts;
mod profile;
mod rule;
mod site;
mod subgroups;

pub use cluster::{Constraints, Grouping, group};
pub use key::{Called, CrashKey};
pub use merge::Merge;
pub use rule::MergeRule;
pub(crate) use subgroups::is_same_division;

/// What the groups of a store were made by: another number where any of this code changed,
/// so that all are made anew then, and only then.
pub(crate) fn rules() -> i64 {
    const SOURCES: [&str; 10] = [
        include_str!("cluster.rs"),
        include_str!("damage.rs"),
        include_str!("key.rs"),
        include_str!("likeness.rs"),
        include_str!("merge.rs"),
        include_str!("parts.rs"),
        include_str!("profile.rs"),
        include_str!("rule.rs"),
        include_str!("site.rs"),
        include_str!("subgroups.rs"),
    ];
    // FNV-1a, 64 bits.
    let bytes = SOURCES.iter().flat_map(|source| source.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash.cast_signed()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rules_are_all_files_beside_this_one() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/src/groups");
        let files = std::fs::read_dir(here).unwrap().map(|file| file.unwrap().file_name());
        let mut rules: Vec<String> = files
            .map(|name| name.into_string().unwrap())
            .filter(|name| name != "mod.rs" && !name.ends_with("_tests.rs"))
            .collect();
        rules.sort();
        let source = include_str!("mod.rs");
        for name in &rules {
            assert!(source.contains(&format!("include_str!(\"{name}\")")), "{name}");
        }
    }
}
