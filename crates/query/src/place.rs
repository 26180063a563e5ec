//! Places of the code at which a query asks.

use crate::error::QueryError;
use crate::function_name::is_meant;

/// A place of the code. A frame is there if the line that it executes or, further out, the line
/// of its call is the place's, or if its function is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `*`: every frame.
    Anywhere,
    /// `list.c:12`, `src/list.c:10-20`, `list.c:`: a file by the end of its path, and which of
    /// its lines.
    Source {
        /// The end of the path, in whole components.
        file: String,
        /// Lines of it.
        lines: Lines,
    },
    /// `walk`, `list::walk`, `Foo::*`: a function by the end of its qualified name.
    Function(String),
}

/// Lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// All, and frames of the file of which no line is known.
    All,
    /// From the first to the second, both included.
    Between(u32, u32),
}

impl Place {
    /// Reads a place that begins `start` bytes after the start of the query.
    pub(crate) fn parse(text: &str, start: usize) -> Result<Self, QueryError> {
        let span = start..start + text.len();
        if text.is_empty() {
            let problem = "no place: expected FILE:LINE, a function, or * for any frame";
            return Err(QueryError::new(span, problem));
        }
        if text == "*" {
            return Ok(Self::Anywhere);
        }
        if let Some((file, lines)) = text.rsplit_once(':')
            && !file.ends_with(':')
        {
            let at = span.end - lines.len()..span.end;
            if file.is_empty() {
                return Err(QueryError::new(span, "no file before the colon"));
            }
            let lines = lines_of(lines).map_err(|problem| QueryError::new(at, problem))?;
            return Ok(Self::Source { file: file.to_owned(), lines });
        }
        if let Some(open) = parameters(text) {
            let problem = "a function is named without its parameters";
            return Err(QueryError::new(start + open..span.end, problem));
        }
        if text.ends_with("::") {
            return Err(QueryError::new(span, "the name of a function is missing after `::`"));
        }
        Ok(Self::Function(text.to_owned()))
    }

    /// Whether a frame is there: its function, and its file and line.
    pub fn is_at(&self, function: Option<&str>, source: Option<(&str, u32)>) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Function(pattern) => function.is_some_and(|name| is_meant(pattern, name)),
            Self::Source { file, lines } => source.is_some_and(|(path, line)| {
                is_end_of(file, path)
                    && match lines {
                        Lines::All => true,
                        // 0 is what no line is called.
                        Lines::Between(first, last) => (*first..=*last).contains(&line),
                    }
            }),
        }
    }
}

/// Where parameters begin at the end of a name.
fn parameters(name: &str) -> Option<usize> {
    let open = name.rfind('(').filter(|_| name.ends_with(')'))?;
    let before = name.get(..open)?;
    // `operator()` and `(anonymous namespace)` are names.
    let is_name = before.is_empty() || before.ends_with("operator") || before.ends_with("::");
    (!is_name).then_some(open)
}

fn lines_of(text: &str) -> Result<Lines, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Lines::All);
    }
    let line = |text: &str| match text.trim().parse::<u32>() {
        Ok(0) => Err("lines are counted from 1".to_owned()),
        Ok(line) => Ok(line),
        Err(_) => {
            Err(format!("`{}` is no line: expected FILE:12, FILE:10-20 or FILE:", text.trim()))
        }
    };
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (line(first)?, line(last)?),
        None => (line(text)?, line(text)?),
    };
    if last < first {
        return Err(format!("the last line, {last}, is before the first, {first}"));
    }
    Ok(Lines::Between(first, last))
}

/// Whether `path` ends with the components of `end`.
fn is_end_of(end: &str, path: &str) -> bool {
    let end = end.strip_prefix("./").unwrap_or(end);
    let before = path.strip_suffix(end);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/') || end.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(text, 0).unwrap()
    }

    fn refused(text: &str) -> String {
        Place::parse(text, 0).unwrap_err().problem
    }

    #[test]
    fn a_file_is_named_by_whole_components_of_its_end() {
        let at = |text: &str, path: &str, line| place(text).is_at(None, Some((path, line)));
        assert!(at("list.c:12", "/src/app/list.c", 12));
        assert!(at("app/list.c:12", "/src/app/list.c", 12));
        assert!(at("./list.c:12", "list.c", 12));
        assert!(at("/src/app/list.c:12", "/src/app/list.c", 12));
        assert!(!at("list.c:12", "/src/app/wishlist.c", 12));
        assert!(!at("p/list.c:12", "/src/app/list.c", 12));
        assert!(!at("list.c:12", "/src/app/list.c", 13));
    }

    #[test]
    fn a_range_has_both_of_its_lines_and_a_colon_alone_means_all() {
        let at = |text: &str, line| place(text).is_at(None, Some(("list.c", line)));
        assert!(at("list.c:10-20", 10) && at("list.c:10-20", 20) && !at("list.c:10-20", 21));
        assert!(at("list.c:", 1) && at("list.c:", 0));
        assert!(!place("list.c:").is_at(Some("walk"), None));
        assert_eq!(refused("list.c:x"), "`x` is no line: expected FILE:12, FILE:10-20 or FILE:");
        assert_eq!(refused("list.c:20-10"), "the last line, 10, is before the first, 20");
        assert_eq!(refused("list.c:0"), "lines are counted from 1");
        assert_eq!(refused(":12"), "no file before the colon");
    }

    #[test]
    fn colons_of_a_qualified_name_are_no_lines() {
        assert_eq!(place("list::walk"), Place::Function("list::walk".to_owned()));
        assert_eq!(place("*"), Place::Anywhere);
        assert!(place("*").is_at(None, None));
        assert!(!place("walk").is_at(None, Some(("walk", 1))));
        assert_eq!(place("T::operator()"), Place::Function("T::operator()".to_owned()));
        assert_eq!(refused("walk(int)"), "a function is named without its parameters");
        assert_eq!(refused("list::"), "the name of a function is missing after `::`");
    }
}
