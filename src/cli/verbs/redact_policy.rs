//! `obit redact --policy`: the policy in force, for a printer.

use std::io::{self, Write};
use std::path::Path;

use obit::redact::{Kind, Level, Origin, RULE_SET, Rules};
use obit::render::visible;

/// Writes what is hidden at `level` with `rules`, and with which key.
pub(super) fn write(
    out: &mut dyn Write,
    level: Level,
    rules: &Rules,
    key: Option<&Path>,
) -> io::Result<()> {
    writeln!(out, "REDACTION POLICY")?;
    writeln!(out)?;
    writeln!(out, "program         obit {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "built-in rules  {RULE_SET}")?;
    writeln!(out, "level           {}", level.word())?;
    let key = match key {
        Some(path) => format!("the user's, {}; equal values have equal tokens", path.display()),
        None => "random for each report, and not kept".to_owned(),
    };
    writeln!(out, "key of tokens   {}", visible(&key))?;
    let digest = rules.sha256().unwrap_or_else(|| "none".to_owned());
    writeln!(out, "user's rules    {} (SHA-256 {digest})", rules.list().count())?;
    heading(out, "WHAT IS HIDDEN, BY ORIGIN")?;
    writeln!(out, "{:<15} {:<38} strict", "", "default")?;
    for origin in Origin::ALL {
        let [default, strict] = [Level::Default, Level::Strict].map(|it| origin.treatment(it));
        writeln!(out, "{:<15} {default:<38} {strict}", origin.word())?;
    }
    writeln!(
        out,
        "\nAt strict, the name of the process is hidden as that of a thread is, unless it is the\n\
         name of a file. At the level off nothing is hidden, and the report says so."
    )?;
    heading(out, "WHAT IS SEARCHED FOR, AND WHAT IS SHOWN INSTEAD")?;
    for kind in Kind::ALL {
        let token = match kind.has_digest() {
            true => format!("<{}:a91f>", kind.word()),
            false => format!("<{}>", kind.word()),
        };
        writeln!(out, "{token:<22} {}", kind.meaning())?;
    }
    writeln!(
        out,
        "\nTokens are pseudonyms (GDPR, Art. 4(5)). Those with four digits show which values of a\n\
         report are equal. Values of fewer than 5 characters, numbers of fewer than 8 digits and\n\
         pieces of memory have none. <redacted:9> is a text of 9 bytes that is hidden whole."
    )?;
    heading(out, "THE USER'S RULES")?;
    if rules.is_empty() {
        writeln!(out, "none")?;
    }
    for (place, rule) in rules.list() {
        writeln!(out, "{}\n    {}", visible(place), visible(&rule))?;
    }
    for place in rules.without_limits() {
        writeln!(out, "\nWARNING: {} shows everything", visible(place))?;
    }
    heading(out, "LIMITS")?;
    writeln!(
        out,
        "Data is found by its shape, by check digits, by names of fields, variables and types, by\n\
         entropy and by the user's rules. What has none of these is shown at the level default.\n\
         Measured rates and what is not found: docs/redaction.md. Storage, deletion and requests\n\
         of data subjects: docs/privacy.md."
    )
}

fn heading(out: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_levels_kinds_versions_and_rules() {
        let rules = "[[deny]]\nname = 'vault'\nkind = 'secret'\n[[allow]]\nregex = '.'\n";
        let rules = Rules::parse(rules).unwrap().of_file("r.toml");
        let mut page = Vec::new();
        write(&mut page, Level::Strict, &rules, Some(Path::new("team.key"))).unwrap();
        let page = String::from_utf8(page).unwrap();
        for text in [
            RULE_SET,
            "level           strict",
            "the user's, team.key",
            &rules.sha256().unwrap(),
            "r.toml:1\n    deny name = \"vault\", kind = \"secret\"",
            "WARNING: r.toml:4 shows everything",
            "<code> ",
            "<email:a91f> ",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    }
}
