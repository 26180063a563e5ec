//! What a request asks for: the parameters of its address and the fields of its form.

use obit_render::served::Asked;
use obit_triage::When;
use obit_triage::views::{Filter, Per, Sort, ViewOptions};

use crate::problem::Problem;

/// Bytes of all parameters, and how many there may be.
const LONGEST: usize = 16 << 10;
const MOST: usize = 64;
/// Characters of a parameter of an address.
const LONGEST_VALUE: usize = 1_000;

/// Names and values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

/// Which groups are asked for.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) options: ViewOptions,
    /// Whether it depends on what time it is.
    pub(crate) is_relative: bool,
}

/// Parameters of lists of groups.
pub(crate) const OF_VIEW: [&str; 7] = ["find", "where", "status", "since", "until", "per", "sort"];

impl Fields {
    /// Reads `a=b&c=d`.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Problem> {
        if text.len() > LONGEST {
            return Err(Problem::new(413, "the parameters are too long"));
        }
        let mut all = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            if all.len() == MOST {
                return Err(Problem::new(400, "there are too many parameters"));
            }
            let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            if name.contains(char::is_control) || value.contains(is_bad) {
                let problem = "the parameters contain control characters";
                return Err(Problem::new(400, problem));
            }
            all.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(all))
    }

    /// The value of a name; empty if it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        let mut all = self.0.iter();
        all.find(|(one, _)| one == name).map_or("", |(_, value)| value.trim())
    }

    /// Fails if there is a name that is none of these, or one twice, or a value that is too long.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        for (at, (name, value)) in self.0.iter().enumerate() {
            if value.chars().count() > LONGEST_VALUE {
                let problem = format!("{name}: expected at most {LONGEST_VALUE} characters");
                return Err(Problem::new(400, problem));
            }
            if !known.contains(&name.as_str()) {
                let problem = match known {
                    [] => "there are no parameters here".to_owned(),
                    known => format!("unknown parameter {name:?}; known are {}", known.join(", ")),
                };
                return Err(Problem::new(400, problem));
            }
            if self.0.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(Problem::new(400, format!("{name} is there twice")));
            }
        }
        Ok(())
    }

    /// A number, at most `most`.
    pub(crate) fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, Problem> {
        match self.get(name) {
            "" => Ok(default),
            text => match text.parse() {
                Ok(number) if number <= most => Ok(number),
                _ => Err(Problem::new(400, format!("{name}: expected a number up to {most}"))),
            },
        }
    }

    /// Which groups are asked for, as of the time `now`.
    pub(crate) fn view(&self, now: i64) -> Result<View, Problem> {
        let wrong = |name: &str, problem: &dyn std::fmt::Display| {
            Problem::new(400, format!("{name}: {problem}"))
        };
        let mut filter =
            Filter::parse(self.get("where"), now).map_err(|problem| wrong("where", &problem))?;
        let is_relative =
            self.get("where").contains("since") || self.get("where").contains("until");
        match self.get("status") {
            "" => {}
            word if word.contains([',', '=', '>', '!']) => {
                return Err(wrong("status", &"expected statuses joined by |"));
            }
            word => {
                let of = Filter::parse(&format!("status={word}"), now);
                filter = filter.and(of.map_err(|problem| wrong("status", &problem))?);
            }
        }
        if !self.get("find").is_empty() {
            filter = filter.and(Filter::signature_with(self.get("find")));
        }
        let time = |name: &str| match self.get(name) {
            "" => Ok(None),
            text => match When::parse(text) {
                Ok(when) => Ok(Some(when.seconds(now))),
                Err(problem) => Err(wrong(name, &problem)),
            },
        };
        let (since, until) = (time("since")?, time("until")?);
        let per = match self.get("per") {
            "" => None,
            word => match Per::ALL.into_iter().find(|per| per.word() == word) {
                Some(per) => Some(per),
                None => return Err(wrong("per", &"expected hour, day or week")),
            },
        };
        let sort = match self.get("sort") {
            "" | "rank" => Sort::Rank,
            "count" => Sort::Count,
            "last" => Sort::Last,
            "first" => Sort::First,
            "status" => Sort::Status,
            "severity" => Sort::Severity,
            _ => {
                let words = "expected rank, count, last, first, status or severity";
                return Err(wrong("sort", &words));
            }
        };
        let is_relative = is_relative || since.is_some() || until.is_some();
        let options = ViewOptions { since, until, per, sort, filter, ..ViewOptions::default() };
        Ok(View { options, is_relative })
    }

    /// The same as it was typed, for the page.
    pub(crate) fn typed(&self, page: usize, size: usize) -> Asked {
        let of = |name: &str| self.get(name).to_owned();
        Asked {
            find: of("find"),
            conditions: of("where"),
            status: of("status"),
            since: of("since"),
            until: of("until"),
            per: of("per"),
            sort: of("sort"),
            page,
            size,
        }
    }

    /// By what an answer to these is kept.
    pub(crate) fn key(&self) -> String {
        let mut all: Vec<&(String, String)> = self.0.iter().collect();
        all.sort();
        format!("{all:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Fields {
        Fields::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn parameters_are_decoded_and_what_is_unknown_or_doubled_is_named() {
        let fields = read("find=a+b%2Cc&sort=last");
        assert_eq!((fields.get("find"), fields.get("where")), ("a b,c", ""));
        assert!(fields.only(&["find", "sort"]).is_ok());
        let said = fields.only(&["find"]).unwrap_err();
        assert!(said.detail.contains("\"sort\"; known are find"), "{said:?}");
        assert!(read("a=1&a=2").only(&["a"]).is_err());
        assert!(read(&format!("a={}", "x".repeat(1_001))).only(&["a"]).is_err());
        assert!(Fields::read(b"a=%00").is_err());
        assert!(Fields::read("a&".repeat(65).as_bytes()).is_err());
        assert!(Fields::read(&[b'a'; LONGEST + 1]).is_err());
    }

    #[test]
    fn what_is_not_understood_is_a_bad_request_that_says_what_would_be() {
        for (text, word) in [
            ("where=colour%3Dred", "class, status"),
            ("status=bad", "regressed"),
            ("status=new,class=x", "joined by |"),
            ("since=sometime", "since"),
            ("per=month", "hour, day or week"),
            ("sort=size", "severity"),
        ] {
            let problem = read(text).view(0).unwrap_err();
            assert!(problem.status == 400 && problem.detail.contains(word), "{problem:?}");
        }
        let view = read("status=new|regressed&since=7d&per=week&find=x,y").view(1_000_000).unwrap();
        assert!(view.is_relative && view.options.since == Some(1_000_000 - 7 * 86_400));
        assert!(!read("find=x").view(5).unwrap().is_relative);
    }

    #[test]
    fn numbers_have_an_end() {
        assert_eq!(read("limit=7").number("limit", 5, 10), Ok(7));
        assert_eq!(read("").number("limit", 5, 10), Ok(5));
        for bad in ["limit=11", "limit=-1", "limit=x", "limit=99999999999999999999"] {
            assert_eq!(read(bad).number("limit", 5, 10).unwrap_err().status, 400);
        }
    }
}
