//! Recursion: which functions call each other in a circle, wherever it was entered.

/// What the first element of a recursion's signature is.
pub(crate) const RECURSION: &str = "(recursion)";
/// Frames that may be above the first of a circle.
const ABOVE: usize = 16;
/// Functions of one circle.
const LONGEST: usize = 24;
/// Rounds that make a circle.
const ROUNDS: usize = 8;

/// A circle of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cycle<'n> {
    /// Its functions, innermost first, from the one that makes the list the smallest.
    pub(super) names: Vec<&'n str>,
    /// Frames above it.
    pub(super) above: usize,
}

/// The circle that the innermost of `names` run in, the shortest of those that start
/// first.
pub(super) fn cycle<'n>(names: &[&'n str]) -> Option<Cycle<'n>> {
    (0..ABOVE.min(names.len())).find_map(|above| {
        let names = &names[above..];
        let period = (1..=LONGEST)
            .take_while(|period| period * ROUNDS <= names.len())
            .find(|period| (*period..period * ROUNDS).all(|at| names[at] == names[at - period]))?;
        // Rounds that differ only in how often a function calls itself are one.
        let mut round = names[..period].to_vec();
        round.dedup();
        if round.len() > 1 && round.first() == round.last() {
            round.pop();
        }
        let rotations = (0..round.len()).map(|by| [&round[by..], &round[..by]].concat());
        rotations.min().map(|names| Cycle { names, above })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, times: usize) -> Vec<&str> {
        text.split(' ').cycle().take(text.split(' ').count() * times).collect()
    }

    #[test]
    fn a_circle_is_the_same_wherever_it_was_entered() {
        for entered in ["a b c", "b c a", "c a b", "c a b b"] {
            let found = cycle(&names(entered, 20)).unwrap();
            assert_eq!((found.names, found.above), (vec!["a", "b", "c"], 0), "{entered}");
        }
    }

    #[test]
    fn a_function_that_calls_itself_is_a_circle_of_one() {
        assert_eq!(cycle(&names("f", 8)).unwrap().names, ["f"]);
        assert_eq!(cycle(&names("f", 7)), None);
    }

    #[test]
    fn what_failed_above_the_circle_is_not_in_it() {
        let stack = [vec!["leaf", "helper"], names("f g", 30)].concat();
        assert_eq!(cycle(&stack), Some(Cycle { names: vec!["f", "g"], above: 2 }));
    }

    #[test]
    fn an_ordinary_stack_is_none() {
        assert_eq!(cycle(&["a", "b", "a", "c", "main"]), None);
        assert_eq!(cycle(&[]), None);
    }
}
