//! What people record of a group, by a form or by the API: checked, written to the audit log,
//! then made, if no one else changed the group since.

use obit_triage::State;
use obit_triage::store::{GroupChange, Revised};
use serde::{Deserialize, Deserializer};

use crate::answer::{App, Failed};
use crate::asked::Fields;
use crate::gate::Who;
use crate::problem::Problem;

/// Characters of a build's name.
const LONGEST_BUILD: usize = 200;

/// The body of a change by the API. What is left out stays; `null` removes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Body {
    state: Option<String>,
    in_build: Option<String>,
    #[serde(deserialize_with = "there")]
    assignee: Option<Option<String>>,
    #[serde(deserialize_with = "there")]
    link: Option<Option<String>>,
    note: Option<String>,
}

/// A value that is there, `null` too.
fn there<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(value).map(Some)
}

/// Reads an object. Fields in order, as an array, would be read, too.
pub(crate) fn object<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err("expected a JSON object".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn wrong(name: &str, problem: &dyn std::fmt::Display) -> Problem {
    Problem::new(422, format!("{name}: {problem}"))
}

/// The change that a body of the API asks for.
pub(crate) fn of_json(body: &[u8], now: i64) -> Result<GroupChange, Problem> {
    let body: Body = object(body)
        .map_err(|problem| Problem::new(400, format!("the body is not a change: {problem}")))?;
    let change = GroupChange {
        state: match &body.state {
            Some(word) => Some(state(word, body.in_build.as_deref(), now)?),
            None if body.in_build.is_some() => {
                return Err(wrong("in_build", &"it goes with the state resolved"));
            }
            None => None,
        },
        assignee: match body.assignee {
            Some(Some(name)) => {
                Some(Some(GroupChange::name(&name).map_err(|error| wrong("assignee", &error))?))
            }
            other => other,
        },
        link: match body.link {
            Some(Some(url)) => {
                Some(Some(GroupChange::ticket(&url).map_err(|error| wrong("link", &error))?))
            }
            other => other,
        },
        note: match body.note {
            Some(text) => Some(GroupChange::remark(&text).map_err(|error| wrong("note", &error))?),
            None => None,
        },
    };
    if change == GroupChange::default() {
        return Err(wrong("body", &"expected state, assignee, link or note"));
    }
    Ok(change)
}

/// The change that a form asks for. An empty field removes what was there.
pub(crate) fn of_form(fields: &Fields, now: i64) -> Result<GroupChange, Problem> {
    let mut change = GroupChange::default();
    match fields.get("action") {
        "state" => {
            let build = Some(fields.get("build")).filter(|build| !build.is_empty());
            // The field of the build is on the page whatever is selected beside it.
            let build = build.filter(|_| fields.get("state") == "resolved");
            change.state = Some(state(fields.get("state"), build, now)?);
        }
        "assign" => {
            change.assignee = Some(match fields.get("assignee") {
                "" => None,
                name => Some(GroupChange::name(name).map_err(|error| wrong("assignee", &error))?),
            });
        }
        "link" => {
            change.link = Some(match fields.get("link") {
                "" => None,
                url => Some(GroupChange::ticket(url).map_err(|error| wrong("ticket", &error))?),
            });
        }
        "note" => {
            let note = GroupChange::remark(fields.get("note"));
            change.note = Some(note.map_err(|error| wrong("note", &error))?);
        }
        _ => return Err(wrong("action", &"expected state, assign, link or note")),
    }
    Ok(change)
}

fn state(word: &str, build: Option<&str>, at: i64) -> Result<State, Problem> {
    let is_name =
        |build: &str| build.chars().count() <= LONGEST_BUILD && !build.contains(char::is_control);
    if build.is_some_and(|build| !is_name(build)) {
        return Err(wrong("build", &"expected a name of at most 200 characters in one line"));
    }
    match word {
        "resolved" => Ok(State::Resolved { in_build: build.map(str::to_owned), at }),
        "open" | "ignored" if build.is_some() => {
            Err(wrong("in_build", &"it goes with the state resolved"))
        }
        "open" => Ok(State::Open),
        "ignored" => Ok(State::Ignored),
        _ => Err(wrong("state", &"expected open, resolved or ignored")),
    }
}

/// A change in words, for the audit log.
fn in_words(change: &GroupChange) -> String {
    let mut words = Vec::new();
    match &change.state {
        Some(State::Resolved { in_build: Some(build), .. }) => {
            words.push(format!("resolved in {build}"));
        }
        Some(state) => words.push(state.word().to_owned()),
        None => {}
    }
    match &change.assignee {
        Some(Some(name)) => words.push(format!("assigned to {name}")),
        Some(None) => words.push("assigned to no one".to_owned()),
        None => {}
    }
    match &change.link {
        Some(Some(link)) => words.push(format!("ticket {link}")),
        Some(None) => words.push("no ticket".to_owned()),
        None => {}
    }
    if change.note.is_some() {
        words.push("note added".to_owned());
    }
    words.join(", ")
}

impl App {
    /// Makes a change to a group that was seen at `revision`; gives the new revision.
    pub(crate) fn change(
        &self,
        who: &Who,
        group: &str,
        change: &GroupChange,
        revision: &str,
    ) -> Result<String, Failed> {
        let conflict = || {
            let problem = "someone else changed the group since it was read: look at it again";
            Failed::from(Problem::new(412, problem))
        };
        let nothing = || Failed::from(Problem::new(404, "no group has this id"));
        let gone = |why: &str| self.audit(who, "state-not-made", group, why);
        self.desk.ask(who.role.level(), |store| {
            if store.revision(group)?.ok_or_else(nothing)? != revision {
                return Err(conflict());
            }
            self.audit(who, "state", group, &in_words(change))?;
            match store.revise(group, change, Some(revision), self.now()) {
                Ok(Revised::Done(revision)) => Ok(revision),
                Ok(Revised::Conflict(_)) => {
                    gone("someone else was first")?;
                    Err(conflict())
                }
                Ok(Revised::NoGroup) => {
                    gone("the group is gone")?;
                    Err(nothing())
                }
                Err(error) => {
                    gone("the store was not written")?;
                    Err(error.into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_changes_what_it_names_and_null_removes() {
        let change = of_json(br#"{"assignee": null, "state": "resolved", "in_build": "2.1"}"#, 7);
        let wanted = GroupChange {
            state: Some(State::Resolved { in_build: Some("2.1".to_owned()), at: 7 }),
            assignee: Some(None),
            ..GroupChange::default()
        };
        assert_eq!(change, Ok(wanted.clone()));
        assert_eq!(in_words(&wanted), "resolved in 2.1, assigned to no one");
        for (body, status) in [
            ("{}", 422),
            ("[]", 400),
            ("", 400),
            (r#"{"colour": 1}"#, 400),
            (r#"{"state": "closed"}"#, 422),
            (r#"{"state": "open", "in_build": "2"}"#, 422),
            (r#"{"in_build": "2"}"#, 422),
            (r#"{"assignee": ""}"#, 422),
            (r#"{"link": "javascript:x"}"#, 422),
            (r#"{"note": ""}"#, 422),
        ] {
            assert_eq!(of_json(body.as_bytes(), 0).unwrap_err().status, status, "{body}");
        }
    }

    #[test]
    fn a_form_changes_what_its_button_says() {
        let of = |text: &str| of_form(&Fields::read(text.as_bytes()).unwrap(), 7);
        let state = of("action=state&state=ignored&build=2.1&assignee=x").unwrap();
        assert_eq!(state, GroupChange { state: Some(State::Ignored), ..GroupChange::default() });
        assert_eq!(of("action=assign&assignee=").unwrap().assignee, Some(None));
        assert_eq!(of("action=link&link=x").unwrap_err().status, 422);
        assert_eq!(of("action=").unwrap_err().status, 422);
    }
}
