//! The arguments of a call, checked.

use obit_session::{FrameHandle, Place};
use serde_json::{Map, Value};

/// Items of a list in one answer, unless a call says how many.
const ITEMS: u64 = 30;

/// The arguments of one call.
pub(super) struct Arguments<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Arguments<'a> {
    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` is a text")),
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(&self, name: &str) -> Result<&'a str, String> {
        self.text(name)?.ok_or_else(|| format!("`{name}` is missing"))
    }

    /// A whole number, or a text of one: agents send both.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, String> {
        let wrong = || format!("`{name}` is a whole number");
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(wrong),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    /// The same, from 0.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, String> {
        let wrong = || format!("`{name}` is a whole number, from 0 on");
        self.number(name)?.map(|number| u64::try_from(number).map_err(|_| wrong())).transpose()
    }

    /// An address or a value: a number, decimal or `0x…`.
    pub(super) fn word(&self, name: &str) -> Result<Option<u64>, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => {
                let signed = number.as_i64().map(i64::cast_unsigned);
                let word = number.as_u64().or(signed);
                word.map(Some).ok_or_else(|| format!("`{name}` is a whole number or 0x…"))
            }
            Some(Value::String(text)) => {
                parse_word(text).map(Some).ok_or_else(|| format!("`{name}` is a number or 0x…"))
            }
            Some(_) => Err(format!("`{name}` is a number or 0x…")),
        }
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(format!("`{name}` is true or false")),
        }
    }

    /// Texts: one, or a list.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("`{name}` is a text or a list of texts");
        match self.0.get(name) {
            None | Some(Value::Null) => Err(format!("`{name}` is missing")),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(texts)) => {
                let text = |text: &Value| text.as_str().map(str::to_owned).ok_or_else(wrong);
                texts.iter().map(text).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// The frame `frame`, `TID/N` or a number, of the thread `thread`.
    pub(super) fn place(&self) -> Result<Place, String> {
        let thread = self.number("thread")?;
        let text = match self.0.get("frame") {
            Some(Value::String(text)) => text.as_str(),
            _ => return Ok(Place { thread, frame: self.count("frame")? }),
        };
        if let Ok(number) = text.trim().trim_start_matches('#').parse() {
            return Ok(Place { thread, frame: Some(number) });
        }
        let handle: FrameHandle = text.parse()?;
        Ok(Place { thread: Some(handle.thread), frame: Some(handle.frame) })
    }

    /// Where a list goes on, and how many are wanted.
    pub(super) fn part(&self) -> Result<(u64, u64), String> {
        let from = match self.text("cursor")? {
            None => 0,
            Some(cursor) => parse_word(cursor).ok_or_else(|| {
                "`cursor` is the `next_cursor` of the answer before; omit it to begin".to_owned()
            })?,
        };
        Ok((from, self.count("limit")?.unwrap_or(ITEMS)))
    }

    /// Refuses arguments that the tool does not have.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), String> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let unknown: String = unknown.chars().take(40).collect();
                Err(format!("no argument {unknown:?}; there are: {}", known.join(", ")))
            }
        }
    }
}

fn parse_word(text: &str) -> Option<u64> {
    let text = text.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_of_the_wrong_kind_are_refused_by_name() {
        let map = json!({"a": 1, "frame": "7/2", "cursor": "x", "limit": -1, "w": "0x20"});
        let Value::Object(map) = map else { panic!() };
        let arguments = Arguments(&map);
        assert!(arguments.text("a").unwrap_err().contains("`a`"));
        assert_eq!(arguments.place(), Ok(Place { thread: Some(7), frame: Some(2) }));
        assert!(arguments.part().unwrap_err().contains("cursor"));
        assert!(arguments.count("limit").is_err());
        assert_eq!(arguments.word("w"), Ok(Some(32)));
        assert!(arguments.only(&["a"]).unwrap_err().contains("no argument"));
        assert!(arguments.needed("nothing").unwrap_err().contains("missing"));
    }
}
