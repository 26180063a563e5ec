//! The names on the way from an object to something in it.

/// Member names, one within the other: `a.b.c`. A pointer on the way is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) steps: Vec<String>,
}

impl Path {
    /// Reads `a.b.c`; `None` if a name is missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let steps: Vec<String> = text.split('.').map(|step| step.trim().to_owned()).collect();
        let is_name = |step: &String| {
            !step.is_empty() && !step.contains(|c: char| c.is_whitespace() || "{}*[]->".contains(c))
        };
        steps.iter().all(is_name).then_some(Self { steps })
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.steps.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_names_with_dots_between() {
        assert_eq!(Path::parse("a.b_1.0").unwrap().to_string(), "a.b_1.0");
        for wrong in ["", ".", "a.", "a..b", "a->b", "a[0]", "*a", "a b"] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}
