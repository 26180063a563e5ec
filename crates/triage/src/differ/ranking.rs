//! The traits of a group, ranked.

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

use super::features::{Feature, FeatureKind, Features};
use super::statistics::{Share, least_p, odds_ratio, p_value, q_values};
use obit_report::json;

/// The version of the document.
pub const DIFFER_SCHEMA: &str = "obit.differ/1";

/// A share of false discoveries up to which a trait is listed.
const Q: f64 = 0.05;
/// Traits that are listed.
const MOST: usize = 20;
/// Traits that are listed although chance explains them.
const MOST_WEAK: usize = 5;
/// Traits that are named beside another that the same crashes have.
const MOST_LIKE: usize = 6;
/// A trait that fewer crashes of the group have is none.
const FEWEST: u64 = 2;
/// Traits that are tested.
const MOST_TESTS: usize = 50_000;

/// What distinguishes a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Difference {
    /// `obit.differ/1`.
    pub schema: String,
    /// The group.
    pub group: String,
    /// What it is compared with, in words.
    pub against: String,
    /// Crashes of the group that were compared.
    pub dumps: u64,
    /// Of these, those whose core was read, too.
    pub cores: u64,
    /// Others.
    pub other_dumps: u64,
    /// Of these, those whose core was read, too.
    pub other_cores: u64,
    /// Different traits that were tested.
    pub tests: u64,
    /// Why nothing can be said, if that is so.
    pub too_few: Option<String>,
    /// What the group has more often, the least likely by chance first.
    pub distinctions: Vec<Distinction>,
    /// What else a reader has to know, in sentences.
    pub notes: Vec<String>,
}

/// What a group has more often than others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Distinction {
    /// What it is of: a word.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it is compared: `is`, `is at least`, `is at most`.
    pub is: String,
    /// The value.
    pub value: String,
    /// Crashes of the group that have it.
    pub count: u64,
    /// Crashes of the group of which that is known.
    pub known: u64,
    /// Others that have it.
    pub elsewhere: u64,
    /// Others of which that is known.
    pub elsewhere_known: u64,
    /// The odds in the group over those elsewhere.
    pub odds_ratio: f64,
    /// How likely chance makes the group so different.
    pub p: f64,
    /// The share of false discoveries in the list up to here.
    pub q: f64,
    /// Chance explains it.
    pub is_weak: bool,
    /// What the same crashes have, and no others: it may be that instead.
    pub alike: Vec<Like>,
    /// How many more such there are.
    pub alike_omitted: u64,
}

/// A trait of the same crashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Like {
    /// What it is of: a word.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it is compared.
    pub is: String,
    /// The value.
    pub value: String,
}

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Is,
    AtLeast,
    AtMost,
}

impl How {
    fn words(self) -> &'static str {
        match self {
            Self::Is => "is",
            Self::AtLeast => "is at least",
            Self::AtMost => "is at most",
        }
    }
}

/// A trait that is tested.
struct Test<'f> {
    feature: &'f Feature,
    how: How,
    value: String,
    group: Share,
    others: Share,
    p: f64,
    /// For each crash of both sides: 2 if it has it, 1 if it has it not, 0 if that is not known.
    pattern: Vec<u8>,
}

/// What the crashes of a group have more often than `others`.
pub fn differ(group: &[Features], others: &[Features]) -> Difference {
    let mut found = Difference {
        schema: DIFFER_SCHEMA.to_owned(),
        dumps: group.len() as u64,
        other_dumps: others.len() as u64,
        ..Difference::default()
    };
    let least = least_p(found.dumps, found.other_dumps);
    if least > Q {
        found.too_few = Some(format!(
            "too few dumps: what all {} of the group and none of {} others have is so by chance \
             with p = {least:.2}",
            found.dumps, found.other_dumps
        ));
        return found;
    }
    let all = tests(group, others);
    if all.len() > MOST_TESTS {
        found.notes.push(format!(
            "there are more traits than are compared: the first {MOST_TESTS}, by kind and name"
        ));
    }
    // Traits of the same crashes are one test: nothing distinguishes them.
    let mut same: BTreeMap<&[u8], Vec<&Test<'_>>> = BTreeMap::new();
    for test in &all {
        same.entry(&test.pattern).or_default().push(test);
    }
    let mut alike: Vec<Vec<&Test<'_>>> = same.into_values().collect();
    for tests in &mut alike {
        tests.sort_by(|a, b| a.p.total_cmp(&b.p).then((a.how, a.feature).cmp(&(b.how, b.feature))));
    }
    let p: Vec<f64> = alike.iter().filter_map(|tests| Some(tests.first()?.p)).collect();
    found.tests = p.len() as u64;
    let q = q_values(&p);
    let mut rows: Vec<Distinction> =
        alike.iter().zip(q).filter_map(|(tests, q)| distinction(tests, q)).collect();
    rows.sort_by(|a, b| {
        a.p.total_cmp(&b.p)
            .then(b.odds_ratio.total_cmp(&a.odds_ratio))
            .then_with(|| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)))
    });
    let sure = rows.iter().filter(|row| !row.is_weak).count();
    rows.truncate(if sure == 0 { MOST_WEAK } else { sure.min(MOST) });
    found.distinctions = rows;
    found
}

/// The rows of a table of traits, with the first of those that are alike.
fn distinction(tests: &[&Test<'_>], q: f64) -> Option<Distinction> {
    let (first, like) = tests.split_first()?;
    let of = |test: &&Test<'_>| Like {
        kind: test.feature.kind.word().to_owned(),
        name: test.feature.name.clone(),
        is: test.how.words().to_owned(),
        value: test.value.clone(),
    };
    // The same feature in other words says nothing more.
    let others: Vec<Like> =
        like.iter().filter(|test| test.feature != first.feature).map(of).collect();
    let Like { kind, name, is, value } = of(first);
    Some(Distinction {
        kind,
        name,
        is,
        value,
        count: first.group.count,
        known: first.group.known,
        elsewhere: first.others.count,
        elsewhere_known: first.others.known,
        odds_ratio: odds_ratio(first.group, first.others),
        p: first.p,
        q,
        is_weak: q > Q,
        alike_omitted: others.len().saturating_sub(MOST_LIKE) as u64,
        alike: others.into_iter().take(MOST_LIKE).collect(),
    })
}

fn tests<'f>(group: &'f [Features], others: &'f [Features]) -> Vec<Test<'f>> {
    // What only others have may be what the group lacks.
    let mut names: BTreeMap<&Feature, ()> = BTreeMap::new();
    names.extend(group.iter().chain(others).flat_map(Features::names).map(|name| (name, ())));
    let mut found = Vec::new();
    for feature in names.into_keys() {
        let side = |all: &'f [Features]| -> Vec<Option<&'f str>> {
            all.iter().map(|one| one.value(feature)).collect()
        };
        let (here, there) = (side(group), side(others));
        let mut values: BTreeMap<&str, u64> = BTreeMap::new();
        here.iter().flatten().for_each(|value| *values.entry(value).or_default() += 1);
        for (value, _) in values.iter().filter(|(_, count)| **count >= FEWEST) {
            let has = |known: &str| known == *value;
            add(&mut found, (feature, How::Is, (*value).to_owned()), &has, (&here, &there), 1.0);
        }
        add_bounds(&mut found, feature, (&here, &there));
        if found.len() > MOST_TESTS {
            break;
        }
    }
    found
}

/// Tests whether numbers are larger, or smaller, than elsewhere: the bound is that of the
/// group. It was chosen by the data, so p counts as often as there are values to choose from.
fn add_bounds<'f>(
    found: &mut Vec<Test<'f>>,
    feature: &'f Feature,
    (here, there): (&[Option<&str>], &[Option<&str>]),
) {
    if !matches!(
        feature.kind,
        FeatureKind::Argument
            | FeatureKind::Environment
            | FeatureKind::Global
            | FeatureKind::Variable
            | FeatureKind::Process
    ) {
        return;
    }
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let numbers = |side: &[Option<&str>]| -> Option<Vec<f64>> {
        let known = side.iter().flatten().map(|text| number(text));
        known.collect()
    };
    let (Some(group), Some(others)) = (numbers(here), numbers(there)) else { return };
    let mut distinct: Vec<f64> = group.iter().chain(&others).copied().collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 3 || (group.len() as u64) < FEWEST {
        return;
    }
    let low = group.iter().copied().fold(f64::INFINITY, f64::min);
    let high = group.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let choices = distinct.len() as f64;
    let at_least = |text: &str| number(text).is_some_and(|number| number >= low);
    let at_most = |text: &str| number(text).is_some_and(|number| number <= high);
    let sides = (here, there);
    add(found, (feature, How::AtLeast, low.to_string()), &at_least, sides, choices);
    add(found, (feature, How::AtMost, high.to_string()), &at_most, sides, choices);
}

/// Adds a test, unless it could show nothing: all that is known has the trait, or too little is
/// known of the others.
fn add<'f>(
    found: &mut Vec<Test<'f>>,
    (feature, how, value): (&'f Feature, How, String),
    has: &dyn Fn(&str) -> bool,
    (here, there): (&[Option<&str>], &[Option<&str>]),
    choices: f64,
) {
    let share = |side: &[Option<&str>]| Share {
        count: side.iter().flatten().filter(|value| has(value)).count() as u64,
        known: side.iter().flatten().count() as u64,
    };
    let (group, others) = (share(here), share(there));
    let is_of_all = group.count == group.known && others.count == others.known;
    // What few of the group have does not characterise it.
    let is_rare = group.count.saturating_mul(2) < here.len() as u64;
    if group.count < FEWEST || is_of_all || is_rare || least_p(group.known, others.known) > Q {
        return;
    }
    let one = |value: &Option<&str>| value.map_or(0, |value| 1 + u8::from(has(value)));
    let pattern = here.iter().chain(there).map(one).collect();
    let p = (p_value(group, others) * choices).min(1.0);
    found.push(Test { feature, how, value, group, others, p, pattern });
}

/// Writes what distinguishes a group as one line of JSON, safe to print.
///
/// # Errors
/// Those of `out`.
pub fn write_difference(difference: &Difference, out: impl io::Write) -> io::Result<()> {
    json::write_line(difference, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crash(pairs: &[(FeatureKind, &str, &str)]) -> Features {
        let mut features = Features::default();
        pairs.iter().for_each(|(kind, name, value)| features.add(*kind, name, value));
        features.complete(FeatureKind::Argument);
        features.complete(FeatureKind::Environment);
        features
    }

    /// Crashes with noise that says nothing, and what `plant` adds.
    fn side(
        count: u64,
        plant: &dyn Fn(u64) -> Vec<(FeatureKind, &'static str, String)>,
    ) -> Vec<Features> {
        let one = |number: u64| {
            let mut features = crash(&[(FeatureKind::Environment, "LANG", "C")]);
            for noise in 0..20_u64 {
                let value = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> noise) % 3;
                features.add(FeatureKind::Global, &format!("noise{noise}"), &value.to_string());
            }
            for (kind, name, value) in plant(number) {
                features.add(kind, name, &value);
            }
            features
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn what_all_of_the_group_and_few_others_have_comes_first() {
        let flag = |_| vec![(FeatureKind::Argument, "--fast", "given".to_owned())];
        let few = |number: u64| if number < 2 { flag(number) } else { Vec::new() };
        let found = differ(&side(9, &flag), &side(40, &few));
        let first = &found.distinctions[0];
        assert_eq!((first.kind.as_str(), first.name.as_str()), ("argument", "--fast"));
        assert_eq!((first.count, first.known), (9, 9));
        assert_eq!((first.elsewhere, first.elsewhere_known), (2, 40));
        assert!(first.q < 0.001 && first.odds_ratio > 100.0 && !first.is_weak);
    }

    #[test]
    fn what_the_group_lacks_is_found_too() {
        let set = |_| vec![(FeatureKind::Environment, "HOME", "/root".to_owned())];
        let found = differ(&side(9, &|_| Vec::new()), &side(30, &set));
        let first = &found.distinctions[0];
        assert_eq!((first.name.as_str(), first.value.as_str()), ("HOME", "not set"));
    }

    #[test]
    fn numbers_that_are_larger_than_elsewhere_are_found_by_a_bound() {
        let large = |number: u64| vec![(FeatureKind::Global, "size", (1000 + number).to_string())];
        let small = |number: u64| vec![(FeatureKind::Global, "size", (number * 7).to_string())];
        let found = differ(&side(9, &large), &side(30, &small));
        let first = &found.distinctions[0];
        assert_eq!((first.name.as_str(), first.is.as_str()), ("size", "is at least"));
        assert_eq!(first.value, "1000");
    }

    #[test]
    fn traits_of_the_same_crashes_are_one_row() {
        let both = |_| {
            vec![
                (FeatureKind::Library, "libz.so.1", "1.3".to_owned()),
                (FeatureKind::Build, "build", "abcd".to_owned()),
            ]
        };
        let other = |_| {
            vec![
                (FeatureKind::Library, "libz.so.1", "1.2".to_owned()),
                (FeatureKind::Build, "build", "ef01".to_owned()),
            ]
        };
        let found = differ(&side(6, &both), &side(20, &other));
        assert_eq!(found.distinctions[0].name, "libz.so.1");
        assert_eq!(found.distinctions[0].alike[0].name, "build");
    }

    #[test]
    fn noise_is_not_listed_as_a_finding() {
        let found = differ(&side(30, &|_| Vec::new()), &side(60, &|_| Vec::new()));
        assert!(found.distinctions.iter().all(|row| row.is_weak), "{found:?}");
        assert!(found.distinctions.len() <= MOST_WEAK);
    }

    #[test]
    fn too_few_dumps_say_so() {
        let flag = |_| vec![(FeatureKind::Argument, "--fast", "given".to_owned())];
        let found = differ(&side(2, &flag), &side(1, &|_| Vec::new()));
        let why = found.too_few.unwrap();
        assert!(why.starts_with("too few dumps: what all 2 of the group"), "{why}");
        assert!(found.distinctions.is_empty());
        assert!(differ(&[], &[]).too_few.is_some());
    }
}
