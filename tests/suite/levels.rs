//! The level of redaction holds wherever a stored crash is shown.

use std::ffi::OsString;
use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{Case, run, stderr, stdout};

/// A store of the program that knows a lot of one person, made at this level.
struct Stored {
    directory: TempDir,
}

impl Stored {
    fn at(level: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let home = directory.path().join("cores");
        fs::create_dir(&home).unwrap();
        let case = Case::named("clinic");
        fs::copy(case.core(), home.join("core.zst")).unwrap();
        let program: OsString = case.program().into();
        let stored = Self { directory };
        let output = stored.run(&[
            "triage".into(),
            home.into(),
            "-e".into(),
            program,
            "--redact".into(),
            level.into(),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        stored
    }

    fn run(&self, arguments: &[OsString]) -> std::process::Output {
        let store = self.directory.path().join("store.db").into();
        run([&["--db".into(), store][..], arguments].concat())
    }

    fn says(&self, line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
        let output = self.run(&words);
        let text = stdout(&output);
        assert!(!text.is_empty(), "{line}: {}", stderr(&output));
        text
    }

    fn ids(&self) -> (String, String) {
        let listed = self.says("list --json");
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let text = |key: &str| listed[0][key].as_str().unwrap().to_owned();
        (text("dump"), text("group"))
    }

    /// All that can be shown of the store at this level.
    fn all(&self, level: &str) -> String {
        let (dump, group) = self.ids();
        let pages = self.directory.path().join("pages");
        let lines = [
            format!("show {dump} --json"),
            format!("show {dump} --format human"),
            format!("show {dump} --format html"),
            format!("show {group} --json"),
            format!("show {group}"),
            "list --json".to_owned(),
            "list".to_owned(),
            "top --json".to_owned(),
            "top".to_owned(),
            "builds --json".to_owned(),
            "digest".to_owned(),
            "db export -".to_owned(),
        ];
        let mut all: String =
            lines.iter().map(|line| self.says(&format!("{line} --redact {level}"))).collect();
        let output = self.run(&[
            "top".into(),
            "--html".into(),
            pages.clone().into(),
            "--redact".into(),
            level.into(),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        for page in fs::read_dir(&pages).unwrap() {
            all.push_str(&fs::read_to_string(page.unwrap().path()).unwrap());
        }
        fs::remove_dir_all(pages).unwrap();
        all
    }
}

#[test]
fn what_was_stored_at_a_weaker_level_is_redacted_again() {
    let stored = Stored::at("default");
    let open = stored.all("default");
    // Strict hides names of threads.
    assert!(open.contains("desk rosalind"), "{open}");
    let strict = stored.all("strict");
    for text in ["rosalind", "Rosalind"] {
        let at = strict.find(text).map(|at| strict[at.saturating_sub(200)..].to_owned());
        let around = at.map(|rest| rest.chars().take(400).collect::<String>());
        assert_eq!(around, None, "{text}");
    }
    assert!(strict.contains("\"policy\":\"strict\""), "{strict}");
}

#[test]
fn what_was_stored_without_redaction_is_shown_so_only_on_request() {
    let stored = Stored::at("off");
    let mail = "rosalind.trevanion@mail.example";
    let (dump, _) = stored.ids();
    let open = stored.says(&format!("show {dump} --json --redact off"));
    assert!(open.contains(mail), "{open}");
    assert!(!stored.all("default").contains(mail));
    let checked = stored.says("db check");
    assert!(checked.contains("redacted at off: 1"), "{checked}");
}

#[test]
fn the_name_of_a_process_follows_the_level_unless_it_is_that_of_a_file() {
    let comm = |case: &str, level: &str| {
        let core = Case::named(case).core();
        let output =
            run([core.as_os_str(), "--json".as_ref(), "--redact".as_ref(), level.as_ref()]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["process"]["comm"].as_str().unwrap().to_owned()
    };
    assert_eq!(comm("clinic", "default"), "desk rosalind");
    assert!(comm("clinic", "strict").starts_with("<name"), "{}", comm("clinic", "strict"));
    assert_eq!(comm("null-field", "strict"), comm("null-field", "default"));
}
