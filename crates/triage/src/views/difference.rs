//! Two sets of crashes against each other: what is only in one, what is more, what fewer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use crate::groups::{Constraints, CrashKey, group};
use crate::history::{ABSENCE_P, Direction, NEW_P, Rate, Status, direction, p_text};
use obit_report::json;

/// The version of its JSON.
pub const DIFF_SCHEMA: &str = "obit.diff/1";

/// Crashes of one side that are one to grouping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bundle {
    /// What they share.
    pub key: CrashKey,
    /// How many there are.
    pub count: u64,
    /// The class of the cause of most.
    pub class: Option<String>,
    /// How bad that is.
    pub severity: Option<String>,
    /// What happened in one of them.
    pub title: Option<String>,
    /// The title that lists show: of the same one.
    pub headline: Option<String>,
    /// The row of that one's dump.
    pub example_row: Option<i64>,
}

/// One side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Side {
    /// What the user called it by.
    pub name: String,
    /// Dumps that could be read.
    pub dumps: u64,
    /// Dumps that could not.
    pub failed: u64,
}

/// What is different.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Difference {
    /// `obit.diff/1`.
    pub schema: String,
    /// What is compared with.
    pub baseline: Side,
    /// What is compared.
    pub current: Side,
    /// All groups of both, the most urgent first.
    pub groups: Vec<GroupDifference>,
}

/// How a group differs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Not in the baseline.
    New,
    /// More often, which chance does not explain.
    More,
    /// As often, as far as the numbers show.
    #[default]
    Same,
    /// Less often, which chance does not explain.
    Fewer,
    /// In the baseline alone.
    Gone,
}

/// One group of both.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct GroupDifference {
    /// The first eight digits of its smallest signature's id.
    pub id: String,
    /// Its most frequent signature.
    pub signature: String,
    /// How it differs.
    pub change: Change,
    /// Dumps in the baseline.
    pub baseline: u64,
    /// Dumps in what is compared.
    pub current: u64,
    /// In words and numbers.
    pub reason: String,
    /// How likely chance alone does that.
    pub p: f64,
    /// Whether the numbers leave no doubt of it.
    pub is_sure: bool,
    /// The class of the cause of most.
    pub class: Option<String>,
    /// How bad that is.
    pub severity: Option<String>,
    /// What happened in one of them.
    pub title: Option<String>,
    /// The title that lists show, with what distinguishes it from others first: of the same
    /// one.
    pub headline: Option<String>,
    /// The row of that one's dump: in what is compared, or where the group is gone from it,
    /// in the baseline.
    #[serde(skip)]
    pub example_row: Option<i64>,
}

impl Change {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::More => "more",
            Self::Same => "same",
            Self::Fewer => "fewer",
            Self::Gone => "gone",
        }
    }

    /// Its word, and that it rests on weak evidence.
    pub fn words_if(self, is_sure: bool) -> Cow<'static, str> {
        if is_sure { self.word().into() } else { format!("{} (weak)", self.word()).into() }
    }

    /// The status that a gate takes it for.
    pub fn status(self) -> Status {
        match self {
            Self::New => Status::New,
            Self::More => Status::Increasing,
            Self::Same => Status::Active,
            Self::Fewer | Self::Gone => Status::Fading,
        }
    }
}

/// Groups the crashes of both sides together, and compares the numbers of each group.
pub fn difference(
    (baseline, old): (Side, &[Bundle]),
    (current, new): (Side, &[Bundle]),
) -> Difference {
    // By key: the best of its bundles, and dumps on either side.
    let mut merged: BTreeMap<&CrashKey, (&Bundle, u64, u64)> = BTreeMap::new();
    for (bundle, is_new) in old.iter().map(|b| (b, false)).chain(new.iter().map(|b| (b, true))) {
        let entry = merged.entry(&bundle.key).or_insert((bundle, 0, 0));
        if is_new {
            (entry.0, entry.2) = (bundle, entry.2 + bundle.count);
        } else {
            entry.1 += bundle.count;
        }
    }
    let keys: Vec<CrashKey> = merged.keys().map(|key| (*key).clone()).collect();
    let counts: Vec<u64> = merged.values().map(|(_, old, new)| old + new).collect();
    let rows: Vec<&(&Bundle, u64, u64)> = merged.values().collect();
    let grouping = group(&keys, &counts, &Constraints::default());
    let mut groups: Vec<GroupDifference> = grouping
        .groups
        .iter()
        .map(|members| {
            let members: Vec<_> = members.iter().filter_map(|at| rows.get(*at).copied()).collect();
            let here = members.iter().map(|(_, _, new)| new).sum();
            let there = members.iter().map(|(_, old, _)| old).sum();
            let main = members.iter().max_by_key(|(_, old, new)| (*new, *old));
            let ids = members.iter().map(|(bundle, ..)| bundle.key.signature.as_str());
            let id = ids.min().unwrap_or_default();
            let mut found = compared(
                Rate { count: here, dumps: current.dumps, exposure: None },
                Rate { count: there, dumps: baseline.dumps, exposure: None },
            );
            found.id = id.get(..8).unwrap_or(id).to_owned();
            if let Some((bundle, ..)) = main {
                found.signature.clone_from(&bundle.key.text);
                found.class.clone_from(&bundle.class);
                found.severity.clone_from(&bundle.severity);
                found.title.clone_from(&bundle.title);
                found.headline.clone_from(&bundle.headline);
                found.example_row = bundle.example_row;
            }
            found
        })
        .collect();
    groups.sort_by(|a, b| {
        let size = |group: &GroupDifference| std::cmp::Reverse(group.current.max(group.baseline));
        (a.change, size(a), &a.id).cmp(&(b.change, size(b), &b.id))
    });
    Difference { schema: DIFF_SCHEMA.to_owned(), baseline, current, groups }
}

fn compared(here: Rate, there: Rate) -> GroupDifference {
    let (direction, p) = direction(here, there);
    let change = match (there.count, here.count, direction) {
        (0, ..) => Change::New,
        (_, 0, _) => Change::Gone,
        (.., Some(Direction::Up)) => Change::More,
        (.., Some(Direction::Down)) => Change::Fewer,
        (.., None) => Change::Same,
    };
    let is_sure = match change {
        Change::New => p < NEW_P,
        Change::Gone => p < ABSENCE_P,
        Change::More | Change::Fewer | Change::Same => true,
    };
    let doubt = if is_sure { "" } else { ": weak evidence" };
    let noun = if here.dumps == 1 { "dump" } else { "dumps" };
    let reason = format!(
        "{} of {} {noun}, {} of {} in the baseline ({}{doubt})",
        here.count,
        here.dumps,
        there.count,
        there.dumps,
        p_text(p)
    );
    GroupDifference {
        change,
        baseline: there.count,
        current: here.count,
        reason,
        p,
        is_sure,
        ..GroupDifference::default()
    }
}

/// Writes the difference as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_difference(difference: &Difference, out: impl io::Write) -> io::Result<()> {
    json::write_line(difference, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, dumps: u64) -> Side {
        Side { name: name.to_owned(), dumps, failed: 0 }
    }

    fn bundles(counts: &[(&str, u64)]) -> Vec<Bundle> {
        let bundle = |(signature, count): &(&str, u64)| Bundle {
            key: CrashKey {
                signature: format!("{signature}00000000"),
                text: format!("{signature} in app"),
                frames: vec![(*signature).to_owned()],
                ..CrashKey::default()
            },
            count: *count,
            ..Bundle::default()
        };
        counts.iter().map(bundle).collect()
    }

    #[test]
    fn groups_are_compared_by_what_became_of_them() {
        let old = bundles(&[("aa", 2), ("bb", 5), ("cc", 30), ("dd", 9)]);
        let new = bundles(&[("aa", 3), ("cc", 4), ("dd", 40), ("ee", 1)]);
        let found = difference((side("old", 46), &old), (side("new", 48), &new));
        let shown: Vec<(String, Change)> = found
            .groups
            .iter()
            .map(|group| (group.signature[..2].to_owned(), group.change))
            .collect();
        let wanted = [
            ("ee", Change::New),
            ("dd", Change::More),
            ("aa", Change::Same),
            ("cc", Change::Fewer),
            ("bb", Change::Gone),
        ];
        assert_eq!(shown, wanted.map(|(name, change)| (name.to_owned(), change)));
        let reason = &found.groups[0].reason;
        assert_eq!(reason, "1 of 48 dumps, 0 of 46 in the baseline (p = 0.511: weak evidence)");
    }

    #[test]
    fn equal_sides_do_not_differ() {
        let both = bundles(&[("aa", 2), ("bb", 5)]);
        let found = difference((side("old", 7), &both), (side("new", 7), &both));
        assert!(found.groups.iter().all(|group| group.change == Change::Same));
    }
}
