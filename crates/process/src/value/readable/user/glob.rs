//! Patterns of names.

/// A name in which `*` stands for any text. Spaces do not count, compilers differ in them;
/// nor does the `struct` before a tag of C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// What lies between the stars.
    pieces: Vec<String>,
}

impl Glob {
    pub(super) fn new(pattern: &str) -> Self {
        Self { pieces: without_keyword(pattern).split('*').map(dense).collect() }
    }

    /// Whether it fits the whole of `name`.
    pub(super) fn fits(&self, name: &str) -> bool {
        let name = dense(without_keyword(name));
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, middle)) = rest.split_last() else { return name == *first };
        let Some(mut left) = name.strip_prefix(first.as_str()) else { return false };
        // The leftmost place is as good as any: what follows may start after it.
        for piece in middle {
            match left.split_once(piece.as_str()) {
                Some((_, behind)) => left = behind,
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}

fn without_keyword(name: &str) -> &str {
    let name = name.trim();
    let keywords = ["struct ", "union ", "class ", "enum "];
    keywords.iter().find_map(|keyword| name.strip_prefix(keyword)).unwrap_or(name)
}

fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let glob = Glob::new("mine::Vec<*>");
        assert!(glob.fits("mine::Vec<int>"));
        assert!(glob.fits("mine::Vec<mine::Vec<int> >"));
        assert!(!glob.fits("mine::Vec<int>::iterator"));
        assert!(!glob.fits("yours::mine::Vec<int>"));
        assert!(Glob::new("*").fits(""));
        assert!(Glob::new("a*b*c").fits("a b b c"));
        assert!(!Glob::new("ab*b").fits("ab"));
    }

    #[test]
    fn without_a_star_the_name_must_be_the_same() {
        assert!(Glob::new("Map<int,int>").fits("Map<int, int>"));
        assert!(!Glob::new("Map").fits("Map2"));
        assert!(Glob::new("struct map").fits("map") && Glob::new("map").fits("struct map"));
    }

    #[test]
    fn the_time_is_not_exponential_in_the_stars() {
        let glob = Glob::new(&"a*".repeat(200));
        assert!(!glob.fits(&format!("b{}", "a".repeat(60_000))));
        assert!(glob.fits(&"a".repeat(60_000)));
    }
}
