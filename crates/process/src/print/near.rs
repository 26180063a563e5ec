//! Names that may have been meant.

/// Names that are suggested at most.
const MOST: usize = 3;
/// Names that are compared at most.
const COMPARED: usize = 4096;
/// Longer names are not compared.
const LONGEST: usize = 128;

/// Those of `names` that differ from `name` as by a typing error, the nearest first.
pub(super) fn nearest(name: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    let mut near: Vec<(usize, String)> = names
        .take(COMPARED)
        .filter_map(|known| {
            let distance = distance(&name.to_lowercase(), &known.to_lowercase())?;
            (distance <= allowed).then_some((distance, known))
        })
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// Letters to add, drop or change to make one of the other; `None` for names too long.
fn distance(one: &str, other: &str) -> Option<usize> {
    if one.len() > LONGEST || other.len() > LONGEST {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut corner = line;
        let mut last = line.saturating_add(1);
        for (cell, right) in
            row.iter_mut().zip(std::iter::once(None).chain(other.chars().map(Some)))
        {
            let Some(right) = right else {
                *cell = last;
                continue;
            };
            let changed = corner.saturating_add(usize::from(left != right));
            corner = *cell;
            last = changed.min(cell.saturating_add(1)).min(last.saturating_add(1));
            *cell = last;
        }
    }
    row.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_found_and_other_names_are_not() {
        assert_eq!(distance("kitten", "sitting"), Some(3));
        assert_eq!(distance("", "abc"), Some(3));
        assert_eq!(distance("abc", "abc"), Some(0));
        let known = ["serial", "config", "next", "Serial"].map(str::to_owned);
        let near = |name| nearest(name, known.iter().cloned());
        assert_eq!(near("seriel"), ["Serial", "serial"]);
        assert_eq!(near("confg"), ["config"]);
        assert!(near("zzz").is_empty());
    }
}
