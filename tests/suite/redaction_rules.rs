//! Rules of the user's on values of every type, in everything that shows them.

use std::fs;
use std::path::{Path, PathBuf};

use obit::redact::{Level, Named, Origin, Redactor, Rules, Verdict};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{Case, report, run, stderr, stdout};

struct Written {
    directory: TempDir,
}

impl Written {
    fn new(rules: &str) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("rules.toml"), rules).unwrap();
        Self { directory }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("rules.toml")
    }

    /// The report on a program with a variable of each type.
    fn report(&self) -> Value {
        let path = self.path();
        report(&Case::named("formats").core(), &["--redact-rules".as_ref(), path.as_os_str()])
    }
}

/// All variables and parts of them that are called so.
fn named<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            if value["name"] == name && fields.contains_key("type") {
                found.push(value);
            }
            fields.values().for_each(|field| named(field, name, found));
        }
        Value::Array(all) => all.iter().for_each(|one| named(one, name, found)),
        _ => {}
    }
}

fn is_hidden(variable: &Value) -> bool {
    let token = variable["value"].as_str().unwrap_or_default();
    let is_empty = |field: &str| variable[field].as_array().is_none_or(Vec::is_empty);
    (token == "<secret>" || token.starts_with("<secret:"))
        && is_empty("members")
        && is_empty("elements")
        && variable["pointee"].is_null()
        && variable["text"].is_null()
}

/// Parts of the crashed function's arguments: character, integers, truth value, floats,
/// enumeration, flags, pointers, text, array of bytes, structure, function pointer, array of
/// arrays.
const PARTS: [&str; 16] = [
    "c", "uc", "us", "i", "ul", "yes", "f", "d", "color", "flags", "to", "text", "digest", "at",
    "handler", "grid",
];

#[test]
fn a_name_hides_a_value_of_any_type() {
    for name in PARTS {
        let rules = Written::new(&format!("[[deny]]\nname = '{name}'\nkind = 'secret'\n"));
        let report = rules.report();
        let mut found = Vec::new();
        named(&report, name, &mut found);
        assert!(!found.is_empty(), "{name}");
        for variable in found {
            assert!(is_hidden(variable), "{name}: {variable}");
        }
        assert!(report["redactions"]["unused_rules"].is_null(), "{name}");
    }
}

#[test]
fn a_type_hides_its_values_and_the_function_and_file_narrow_a_rule() {
    let hides = |condition: &str, name: &str| {
        let report = Written::new(&format!("[[deny]]\n{condition}\nkind = 'secret'\n")).report();
        let mut found = Vec::new();
        named(&report, name, &mut found);
        assert!(!found.is_empty(), "{name}");
        let hidden = found.iter().filter(|one| is_hidden(one)).count();
        (hidden > 0, hidden == found.len())
    };
    for (condition, name) in [
        ("type = 'enum color'", "color"),
        ("type = 'color'", "color"),
        ("type = 'point*'", "at"),
        ("type = 'double'", "d"),
        ("type = 'float'\nfunction = 'crash'", "f"),
        ("name = 'f'\nmodule = 'prog'", "f"),
        ("function = 'crash'", "packet"),
        ("name = 'text'\nregex = '^tex'", "text"),
    ] {
        assert!(hides(condition, name).0, "{condition}");
    }
    assert!(!hides("name = 'text'\nregex = '^other'", "text").0);
    // Another function has such a variable, too.
    assert_eq!(hides("name = 'f'", "f"), (true, true));
    assert_eq!(hides("name = 'f'\nfunction = 'main'", "f"), (true, false));
    assert!(!hides("name = 'f'\nmodule = 'libc*'", "f").0);
}

#[test]
fn print_hides_what_a_rule_names_in_whatever_expression() {
    let rules = Written::new(
        "[[deny]]\nname = 'digest'\nkind = 'secret'\n[[deny]]\nname = 'yes'\n\
         [[deny]]\nname = 'to'\nfunction = 'crash'\n",
    );
    let case = Case::named("formats");
    for (expression, token) in [
        ("packet->digest", "<secret"),
        ("packet->digest[1]", "<secret"),
        ("(int)packet->digest[1] + 0", "<secret"),
        ("x/4xb packet->digest", "<secret"),
        ("x/4xb &packet->digest[0]", "<secret"),
        ("values->yes", "<rule>"),
        ("*values->to", "<rule>"),
    ] {
        let path = rules.path();
        let output = run([
            "print".as_ref(),
            case.core().as_os_str(),
            case.program().as_os_str(),
            expression.as_ref(),
            "--redact-rules".as_ref(),
            path.as_os_str(),
        ]);
        let shown = stdout(&output);
        assert!(shown.contains(token), "{expression}: {shown} {}", stderr(&output));
        assert!(!shown.contains("0xde") && !shown.contains("173"), "{expression}: {shown}");
    }
}

#[test]
fn pages_show_the_token_in_place_of_a_structure() {
    let rules = Written::new("[[deny]]\nname = 'packet'\nkind = 'secret'\n");
    let case = Case::named("formats");
    for format in ["human", "html", "markdown"] {
        let path = rules.path();
        let output = run([
            case.core().as_os_str(),
            case.program().as_os_str(),
            "--format".as_ref(),
            format.as_ref(),
            "--redact-rules".as_ref(),
            path.as_os_str(),
        ]);
        let page = stdout(&output);
        assert!(page.contains("secret"), "{format}: {page} {}", stderr(&output));
        assert!(!page.contains("length: 70000") && !page.contains("\"packet\""), "{format}");
    }
}

#[test]
fn what_a_rule_hides_is_zero_in_a_scrubbed_core() {
    let rules = Written::new("[[deny]]\nname = 'grid'\n");
    let case = Case::named("formats");
    let scrubbed = rules.directory.path().join("scrubbed.core");
    let path = rules.path();
    let output = run([
        "scrub".as_ref(),
        case.core().as_os_str(),
        case.program().as_os_str(),
        "-o".as_ref(),
        scrubbed.as_os_str(),
        "--redact-rules".as_ref(),
        path.as_os_str(),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let grid = |core: &Path| {
        let program = case.program();
        stdout(&run([
            "print".as_ref(),
            core.as_os_str(),
            "--exe".as_ref(),
            program.as_os_str(),
            "packet->grid".as_ref(),
            "--redact=off".as_ref(),
        ]))
    };
    assert!(grid(&case.core()).contains('6'), "{}", grid(&case.core()));
    let after = grid(&scrubbed);
    assert!(after.contains('0') && !after.contains(['2', '3', '4', '5', '6']), "{after}");
}

#[test]
fn an_allowed_structure_is_shown_with_everything_in_it() {
    let case = Case::named("clinic");
    let shown = |rules: &str| {
        let rules = Written::new(rules);
        let path = rules.path();
        report(&case.core(), &["--redact-rules".as_ref(), path.as_os_str()]).to_string()
    };
    let other = shown("[[allow]]\nname = 'nothing'\n");
    assert!(!other.contains("rosalind.trevanion@mail.example"), "{other}");
    let allowed = shown("[[allow]]\nname = 'who'\n");
    assert!(allowed.contains("rosalind.trevanion@mail.example"), "{allowed}");
}

#[test]
fn a_report_names_its_rules_and_those_that_matched_nothing() {
    let rules = Written::new(
        "[[deny]]\nname = 'yes'\n[[deny]]\nname = 'nosuch'\n[[deny]]\nregex = 'CUST-[0-9]+'\n",
    );
    let report = rules.report();
    let used = &report["redactions"];
    let unused: Vec<_> = used["unused_rules"].as_array().unwrap().iter().collect();
    assert_eq!(unused.len(), 2, "{used}");
    assert!(unused[0].as_str().unwrap().ends_with("rules.toml:3"), "{used}");
    assert!(used["rules"]["version"].as_str().unwrap().contains('+'), "{used}");
    assert_eq!(used["rules"]["user_sha256"].as_str().unwrap().len(), 64, "{used}");
    let case = Case::named("formats");
    let path = rules.path();
    let output = run([case.core().as_os_str(), "--redact-rules".as_ref(), path.as_os_str()]);
    let said = stderr(&output);
    assert!(said.contains("2 redaction rules matched nothing: "), "{said}");
    assert!(said.contains("rules.toml:3, ") && said.contains("rules.toml:5"), "{said}");
    let open = Written::new("[[allow]]\nregex = '.'\n");
    let path = open.path();
    let output = run([case.core().as_os_str(), "--redact-rules".as_ref(), path.as_os_str()]);
    assert!(stderr(&output).contains("rules.toml:1: this `allow` shows everything"));
}

#[test]
fn values_that_nothing_judged_are_counted_by_kind() {
    let case = Case::named("formats");
    let output = run([
        "redact".as_ref(),
        "--explain".as_ref(),
        "--json".as_ref(),
        case.core().as_os_str(),
        case.program().as_os_str(),
    ]);
    let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
    let unjudged = &explained["unjudged"];
    for kind in ["integer", "float", "boolean", "enumerator", "address", "character", "text"] {
        assert!(unjudged[kind].as_u64().is_some_and(|count| count > 0), "{kind}: {unjudged}");
    }
}

#[test]
fn the_rules_of_the_documentation_do_what_it_says() {
    let page = include_str!("../../docs/redaction.md");
    let block = page.split("    [[deny]]\n").skip(1).collect::<Vec<_>>().join("    [[deny]]\n");
    let block = format!("    [[deny]]\n{block}");
    let lines = block.lines().take_while(|line| line.is_empty() || line.starts_with("    "));
    let rules: String = lines.map(|line| format!("{}\n", line.trim_start())).collect();
    let rules = Rules::parse(&rules).unwrap();
    let sealed = Named {
        name: "order.customer_ref_no",
        type_name: Some("acme::Sealed<long>"),
        ..Named::default()
    };
    assert!(matches!(rules.verdict(&sealed, b"17"), Some(Verdict::Deny(..))));
    let open = Named { type_name: Some("long"), ..sealed };
    assert_eq!(rules.verdict(&open, b"17"), None);
    let born = Named { name: "born", type_name: Some("tm"), ..Named::default() };
    assert!(matches!(rules.verdict(&born, b""), Some(Verdict::Deny(..))));
    let mut redactor = Redactor::without_key(Level::Default).with_rules(rules);
    let line = "CUST-004711 from 203.0.113.9 and 198.51.100.7";
    let shown = redactor.show(Origin::MessageText, line);
    assert_eq!(shown.as_str(), "<account> from 203.0.113.9 and <ip>");
    assert_eq!(redactor.counts()["account"], 1);
}
