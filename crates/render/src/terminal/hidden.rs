//! What was hidden, for people: a line each, under the place where it is.

use std::io;

use crate::PageOptions;
use crate::layout::width;
use crate::name;
use crate::style::Style;
use obit_report::answer::{Hidden, HiddenText};

/// Columns of what is hidden and of what is in its place.
const WHAT: usize = 28;
const TOKEN: usize = 22;

/// Writes what `hidden` holds.
pub(crate) fn write_hidden(
    out: &mut dyn io::Write,
    hidden: &Hidden,
    options: &PageOptions,
) -> io::Result<()> {
    let mut place = None;
    for text in &hidden.hidden {
        let (what, outer) = text.place.split_last().map_or((None, &[][..]), |(l, o)| (Some(l), o));
        if place != Some(outer) {
            let names: Vec<_> = outer.iter().map(name::shown).collect();
            if !names.is_empty() {
                writeln!(out, "{}", options.color.paint(Style::Place, &names.join(", ")))?;
            }
            place = Some(outer);
        }
        let what = what.map_or_else(|| text.origin.clone(), name::shown);
        let token = crate::visible(&text.token).to_string();
        let why = why(text);
        let why = options.color.paint(Style::Aside, &why);
        writeln!(out, "  {}{}{why}", padded(&what, WHAT), padded(&token, TOKEN))?;
    }
    if hidden.left_out > 0 {
        writeln!(out, "and {} more", hidden.left_out)?;
    }
    if !hidden.unjudged.is_empty() {
        let kinds: Vec<_> =
            hidden.unjudged.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        writeln!(out, "shown, since no rule is about them: {}", kinds.join(", "))?;
    }
    let counts: Vec<_> =
        hidden.counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let counts = if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
    let last = format!("{}  --redact={} hid {counts}", hidden.id, hidden.policy);
    writeln!(out, "{}", options.color.paint(Style::Aside, &last))
}

fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}  ", " ".repeat(columns.saturating_sub(width(text))))
}

fn why(text: &HiddenText) -> String {
    let kind = text.kind.as_str();
    match text.reason.as_str() {
        "name" => format!("its name says {kind}"),
        "type" => format!("its type says {kind}"),
        "content" => format!("{} that looks like {kind}", text.origin),
        "known" => "the same value was hidden elsewhere".to_owned(),
        "piece" => "spells text: a piece of an unknown value".to_owned(),
        "level" => format!("every {} is hidden at this level", text.origin),
        _ => {
            let rule = text.rule.as_ref().map(name::shown).unwrap_or_default();
            format!("your rule {rule}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use obit_redact::Shown;

    #[test]
    fn each_text_is_under_its_place_with_its_reason() {
        let place = |last: &str| {
            ["thread 7", "#1 check", last].map(|part| Shown::from_report(part.to_owned())).to_vec()
        };
        let one = |last, origin: &str, reason: &str, token: &str| HiddenText {
            place: place(last),
            origin: origin.to_owned(),
            reason: reason.to_owned(),
            kind: "email".to_owned(),
            token: token.to_owned(),
            rule: Some(Shown::from_report("r.toml:3".to_owned())),
        };
        let hidden = Hidden {
            id: "obit-1".to_owned(),
            policy: "default".to_owned(),
            counts: [("email".to_owned(), 2)].into(),
            hidden: vec![
                one("mail", "variable", "content", "<email:01ab>"),
                one("m", "variable", "rule", "<rule:02cd>"),
            ],
            unjudged: BTreeMap::from([("integer".to_owned(), 3), ("text".to_owned(), 1)]),
            ..Hidden::default()
        };
        let mut page = Vec::new();
        write_hidden(&mut page, &hidden, &PageOptions::default()).unwrap();
        let page = String::from_utf8(page).unwrap();
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines.len(), 5, "{page}");
        assert_eq!(lines[0], "thread 7, #1 check");
        assert!(lines[1].starts_with("  mail ") && lines[1].ends_with("looks like email"));
        assert!(lines[2].ends_with("your rule r.toml:3"), "{page}");
        assert_eq!(lines[3], "shown, since no rule is about them: 3 integer, 1 text");
        assert_eq!(lines[4], "obit-1  --redact=default hid 2 email");
    }
}
