//! The file that formatters are declared in.

use std::ops::Range;

use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::formatter::{ElementRule, End, Formatter, UserFormatters, Word};
use super::glob::Glob;
use super::path::Path;

/// What is wrong with a file of formatters, and in which line (counted from 1).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct FormatterError {
    /// The line.
    pub line: usize,
    /// What is wrong there.
    pub problem: FormatterProblem,
}

/// What is wrong with a declaration. Keys are named with the table they are in.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatterProblem {
    /// The file is not TOML; why, in the words of its parser.
    #[error("{0}")]
    NotToml(String),
    /// `type` is not an array of tables.
    #[error("`type` must be written as `[[type]]`")]
    TypeIsNoArray,
    /// A key that is needed is not given.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: String,
    },
    /// A key that is not known there.
    #[error("unknown key `{key}`{}; known keys: {}", in_table(.table), listed(.known))]
    UnknownKey {
        /// The key.
        key: String,
        /// The table it is in; `None` at the top of the file.
        table: Option<&'static str>,
        /// Keys that are known there.
        known: &'static [&'static str],
    },
    /// More than one of the keys that say what is in a type.
    #[error("`{key}`: only one of {} may be given", listed(CONTENT))]
    SecondContent {
        /// The later key.
        key: &'static str,
    },
    /// A formatter that gives neither a summary nor content.
    #[error("`summary` or one of {} is needed", listed(CONTENT))]
    Empty,
    /// `elements` with both `count` and `end` or with neither.
    #[error("`elements` needs either `count` or `end`")]
    NoEnd,
    /// `members` is of another type.
    #[error("`members` must be a list of strings")]
    MembersAreNoList,
    /// A value is not a string.
    #[error("`{key}` must be a string")]
    NotText {
        /// The key.
        key: String,
    },
    /// A value is not a table.
    #[error("`{key}` must be a table")]
    NotTable {
        /// The key.
        key: &'static str,
    },
    /// A value is not a path of members.
    #[error("`{key}`: `{text}` is not a path of members, such as `a.b`")]
    NotPath {
        /// The key.
        key: String,
        /// The value.
        text: String,
    },
    /// A summary with a brace that is not closed or opened.
    #[error("`summary`: unmatched brace; write `{{{{` or `}}}}` for a literal one")]
    LoneBrace,
    /// What is in the braces of a summary is not a path of members.
    #[error("`summary`: `{{{text}}}` is not a path of members")]
    NotPathInSummary {
        /// What is in the braces.
        text: String,
    },
}

/// The keys of one `[[type]]`.
const KEYS: &[&str] = &["name", "summary", "elements", "list", "text", "members"];
/// Those of them that say what is in it.
const CONTENT: &[&str] = &["elements", "list", "text", "members"];

impl UserFormatters {
    /// Reads a file of formatters.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn parse(text: &str) -> Result<Self, FormatterError> {
        let file = File { text };
        let table = DeTable::parse(text).map_err(|error| {
            let problem = FormatterProblem::NotToml(error.message().to_owned());
            file.error(&error.span().unwrap_or(0..0), problem)
        })?;
        let mut formatters = Vec::new();
        for (key, value) in table.get_ref() {
            if key.get_ref() != "type" {
                return Err(file.unknown(&key.span(), key.get_ref(), None, &["type"]));
            }
            let DeValue::Array(types) = value.get_ref() else {
                return Err(file.error(&key.span(), FormatterProblem::TypeIsNoArray));
            };
            for entry in types.iter() {
                formatters.push(file.formatter(entry)?);
            }
        }
        Ok(Self { formatters })
    }
}

struct File<'t> {
    text: &'t str,
}

type Entry<'i> = Spanned<DeValue<'i>>;

impl File<'_> {
    fn formatter(&self, entry: &Entry<'_>) -> Result<Formatter, FormatterError> {
        let table = self.table(entry, "type", KEYS)?;
        let name = match table.get("name") {
            Some(name) => Glob::new(self.string(name, "name")?),
            None => return Err(self.missing(entry, "name")),
        };
        let summary = match table.get("summary") {
            Some(summary) => self.summary(summary)?,
            None => Vec::new(),
        };
        let mut content = None;
        for key in CONTENT {
            let Some(value) = table.get(*key) else { continue };
            if content.is_some() {
                let problem = FormatterProblem::SecondContent { key };
                return Err(self.error(&value.span(), problem));
            }
            content = Some(match *key {
                "elements" => self.elements(value)?,
                "list" => self.list(value)?,
                "text" => self.characters(value)?,
                _ => self.members(value)?,
            });
        }
        if content.is_none() && summary.is_empty() {
            return Err(self.error(&entry.span(), FormatterProblem::Empty));
        }
        Ok(Formatter { name, summary, content: content.unwrap_or(ElementRule::Nothing) })
    }

    fn elements(&self, value: &Entry<'_>) -> Result<ElementRule, FormatterError> {
        let table = self.table(value, "elements", &["pointer", "count", "end"])?;
        let first = self.path(value, table, "elements", "pointer")?;
        let count = self.optional_path(table, "elements", "count")?;
        let end = self.optional_path(table, "elements", "end")?;
        let end = match (count, end) {
            (Some(count), None) => End::Count(count),
            (None, Some(end)) => End::Pointer(end),
            _ => return Err(self.error(&value.span(), FormatterProblem::NoEnd)),
        };
        Ok(ElementRule::Elements { first, end })
    }

    fn list(&self, value: &Entry<'_>) -> Result<ElementRule, FormatterError> {
        let table = self.table(value, "list", &["first", "next", "value", "count"])?;
        Ok(ElementRule::List {
            first: self.path(value, table, "list", "first")?,
            next: self.path(value, table, "list", "next")?,
            value: self.optional_path(table, "list", "value")?,
            count: self.optional_path(table, "list", "count")?,
        })
    }

    fn characters(&self, value: &Entry<'_>) -> Result<ElementRule, FormatterError> {
        let table = self.table(value, "text", &["pointer", "length"])?;
        Ok(ElementRule::Text {
            first: self.path(value, table, "text", "pointer")?,
            length: self.optional_path(table, "text", "length")?,
        })
    }

    fn members(&self, value: &Entry<'_>) -> Result<ElementRule, FormatterError> {
        let DeValue::Array(paths) = value.get_ref() else {
            return Err(self.error(&value.span(), FormatterProblem::MembersAreNoList));
        };
        let paths = paths.iter().map(|path| self.read_path(path, "members"));
        Ok(ElementRule::Members(paths.collect::<Result<_, _>>()?))
    }

    /// Text with numbers in braces: `Vec of {len}`; `{{` and `}}` stand for braces.
    fn summary(&self, value: &Entry<'_>) -> Result<Vec<Word>, FormatterError> {
        let mut words = Vec::new();
        let mut text = String::new();
        let mut rest = self.string(value, "summary")?;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            text.push_str(before);
            if let Some(behind) = from.strip_prefix("{{") {
                text.push('{');
                rest = behind;
            } else if let Some(behind) = from.strip_prefix("}}") {
                text.push('}');
                rest = behind;
            } else {
                let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
                let Some((path, behind)) = inner else {
                    return Err(self.error(&value.span(), FormatterProblem::LoneBrace));
                };
                words.push(Word::Text(std::mem::take(&mut text)));
                let path = Path::parse(path).ok_or_else(|| {
                    let problem = FormatterProblem::NotPathInSummary { text: path.to_owned() };
                    self.error(&value.span(), problem)
                })?;
                words.push(Word::Number(path));
                rest = behind;
            }
        }
        text.push_str(rest);
        words.push(Word::Text(text));
        Ok(words)
    }

    /// The table at `value`, if all its keys are among these.
    fn table<'e, 'i>(
        &self,
        value: &'e Entry<'i>,
        name: &'static str,
        keys: &'static [&'static str],
    ) -> Result<&'e DeTable<'i>, FormatterError> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.error(&value.span(), FormatterProblem::NotTable { key: name }));
        };
        let unknown = table.keys().find(|key| !keys.contains(&&**key.get_ref()));
        match unknown {
            Some(key) => Err(self.unknown(&key.span(), key.get_ref(), Some(name), keys)),
            None => Ok(table),
        }
    }

    fn path(
        &self,
        holder: &Entry<'_>,
        table: &DeTable<'_>,
        name: &str,
        key: &str,
    ) -> Result<Path, FormatterError> {
        let path = self.optional_path(table, name, key)?;
        path.ok_or_else(|| self.missing(holder, &format!("{name}.{key}")))
    }

    fn optional_path(
        &self,
        table: &DeTable<'_>,
        name: &str,
        key: &str,
    ) -> Result<Option<Path>, FormatterError> {
        let value = table.get(key);
        value.map(|value| self.read_path(value, &format!("{name}.{key}"))).transpose()
    }

    fn read_path(&self, value: &Entry<'_>, key: &str) -> Result<Path, FormatterError> {
        let text = self.string(value, key)?;
        Path::parse(text).ok_or_else(|| {
            let (key, text) = (key.to_owned(), text.to_owned());
            let problem = FormatterProblem::NotPath { key, text };
            self.error(&value.span(), problem)
        })
    }

    fn string<'e>(&self, value: &'e Entry<'_>, key: &str) -> Result<&'e str, FormatterError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => {
                let problem = FormatterProblem::NotText { key: key.to_owned() };
                Err(self.error(&value.span(), problem))
            }
        }
    }

    fn missing(&self, holder: &Entry<'_>, key: &str) -> FormatterError {
        self.error(&holder.span(), FormatterProblem::Missing { key: key.to_owned() })
    }

    fn unknown(
        &self,
        at: &Range<usize>,
        key: &str,
        table: Option<&'static str>,
        known: &'static [&'static str],
    ) -> FormatterError {
        self.error(at, FormatterProblem::UnknownKey { key: key.to_owned(), table, known })
    }

    fn error(&self, at: &Range<usize>, problem: FormatterProblem) -> FormatterError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count().saturating_add(1);
        FormatterError { line, problem }
    }
}

/// ` in ` and the table's name; nothing at the top of a file.
fn in_table(table: &Option<&'static str>) -> String {
    table.map_or(String::new(), |table| format!(" in `{table}`"))
}

/// `a`, `b`, `c`.
fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        UserFormatters::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_file_holds_any_number_of_formatters() {
        let text = r#"
            [[type]]
            name = "mine::Vec<*>"
            summary = "Vec of {len}, {{raw}}"
            elements = { pointer = "data", count = "len" }
            [[type]]
            name = "mine::Pair"
            members = ["a", "b.c"]
        "#;
        let formatters = UserFormatters::parse(text).unwrap().formatters;
        assert_eq!(formatters.len(), 2);
        let words = &formatters[0].summary;
        assert!(matches!(words.last(), Some(Word::Text(text)) if text == ", {raw}"));
        assert!(matches!(&formatters[1].content, ElementRule::Members(paths) if paths.len() == 2));
        assert!(UserFormatters::parse("").unwrap().formatters.is_empty());
    }

    #[test]
    fn an_error_names_the_key_and_its_line() {
        let text = "[[type]]\nname = \"V\"\nelements = { pointer = \"data\" }\n";
        assert_eq!(problem(text), "line 3: `elements` needs either `count` or `end`");
        let text = "[[type]]\nsummary = \"x\"\n";
        assert_eq!(problem(text), "line 1: `name` is missing");
        let text = "[[type]]\nname = \"V\"\nlist = { first = \"head\" }\n";
        assert_eq!(problem(text), "line 3: `list.next` is missing");
        let text = "[[type]]\nname = \"V\"\ntext = { pointer = \"a->b\" }\n";
        let expected = "line 3: `text.pointer`: `a->b` is not a path of members, such as `a.b`";
        assert_eq!(problem(text), expected);
    }

    #[test]
    fn a_misspelled_key_is_reported() {
        let text = "[[type]]\nname = \"V\"\nelement = 1\n";
        let keys = "`name`, `summary`, `elements`, `list`, `text`, `members`";
        assert_eq!(
            problem(text),
            format!("line 3: unknown key `element` in `type`; known keys: {keys}")
        );
        assert_eq!(problem("\n[[types]]\n"), "line 2: unknown key `types`; known keys: `type`");
    }

    #[test]
    fn a_formatter_has_a_summary_or_one_kind_of_content() {
        let text = "[[type]]\nname = \"V\"\nmembers = []\ntext = { pointer = \"p\" }\n";
        let which = "`elements`, `list`, `text`, `members`";
        assert!(problem(text).ends_with(&format!("only one of {which} may be given")));
        let text = "[[type]]\nname = \"V\"\n";
        let expected = format!("line 1: `summary` or one of {which} is needed");
        assert_eq!(problem(text), expected);
    }

    #[test]
    fn an_error_in_the_toml_is_reported() {
        assert!(problem("[[type]]\nname = \n").starts_with("line 2: "));
        assert_eq!(problem("type = 1"), "line 1: `type` must be written as `[[type]]`");
        let text = "[[type]]\nname = \"V\"\nsummary = \"a { b\"\n";
        assert!(problem(text).starts_with("line 3: `summary`: unmatched brace"));
    }
}
