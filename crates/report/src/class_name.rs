//! The class of a cause in a document: one that an earlier obit wrote is read by its current
//! name. For `#[serde(deserialize_with = "…")]`.

use std::borrow::Cow;

use obit_causes::current_name;
use serde::{Deserialize, Deserializer};

/// A class that is always there.
///
/// # Errors
/// Those of the document's format.
pub fn current<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = Cow::<str>::deserialize(deserializer)?;
    Ok(current_name(&name).to_owned())
}

/// A class that may be absent.
///
/// # Errors
/// Those of the document's format.
pub fn current_if_any<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let name = Option::<Cow<str>>::deserialize(deserializer)?;
    Ok(name.map(|name| current_name(&name).to_owned()))
}

#[cfg(test)]
mod tests {
    use crate::Cause;

    #[test]
    fn a_class_of_an_older_document_is_read_by_its_current_name() {
        let class = |json: &str| serde_json::from_str::<Cause>(json).unwrap().class;
        assert_eq!(class(r#"{"class": "wild-read"}"#), "unmapped-read");
        assert_eq!(class(r#"{"class": "null-read"}"#), "null-read");
        assert_eq!(class(r#"{"class": "\u0061 later one"}"#), "a later one");
        assert_eq!(class("{}"), "");
    }
}
