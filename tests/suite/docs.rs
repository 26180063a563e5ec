//! The documentation: its commands run, what it names exists, its links lead somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regex::Regex;

/// Where a reader's commands run: a crashed program and its core, two directories of cores,
/// a log, formatters, and directories for files of another machine.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = tempfile::tempdir().unwrap();
        let at = desk.path();
        copy_case("null-field", at);
        fs::rename(at.join("core.zst"), at.join("core")).unwrap();
        for (directory, cases) in [
            ("cores", vec!["null-field", "deadlock", "sighandler"]),
            ("cores-main", vec!["deadlock"]),
        ] {
            for case in cases {
                copy_case(case, &at.join(directory).join(case));
            }
        }
        for directory in ["target-root", "debug-files"] {
            fs::create_dir(at.join(directory)).unwrap();
        }
        fs::write(at.join("server.log"), "login of jo@example.org failed\n").unwrap();
        let formatters = "[[type]]\nname = \"account\"\nmembers = [\"finished\"]\n";
        fs::write(at.join("types.toml"), formatters).unwrap();
        Self(desk)
    }

    fn run(&self, command: &str) -> Output {
        let program = Path::new(env!("CARGO_BIN_EXE_obit")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["-euo", "pipefail", "-c", command])
            .current_dir(self.0.path())
            .env("PATH", path)
            .env("HOME", self.0.path())
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("DEBUGINFOD_URLS")
            .output()
            .unwrap()
    }

    /// Runs a line of a shell block; its comment may say `exit code N`.
    fn check(&self, page: &str, line: &str) {
        let code = Regex::new(r"#.*exit code (\d+)").unwrap();
        let wanted = code.captures(line).map_or(0, |found| found[1].parse().unwrap());
        let out = self.run(line);
        assert_eq!(
            out.status.code(),
            Some(wanted),
            "{page}: {line}\n{}",
            crate::fixture::stderr(&out)
        );
    }
}

fn copy_case(case: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(root().join("tests/fixtures").join(case)).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages below docs/, by their path in it.
fn pages() -> BTreeMap<String, String> {
    let docs = root().join("docs");
    let mut found = BTreeMap::new();
    for directory in [docs.clone(), docs.join("start")] {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let name = path.strip_prefix(&docs).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

/// The lines of the blocks in `language`.
fn block_lines<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = line == format!("```{language}");
        } else if inside {
            lines.push(line);
        }
    }
    lines
}

/// The code spans of a line.
fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_command_of_a_start_page_runs() {
    let mut count = 0;
    for (name, page) in pages() {
        let runs = ["introduction.md", "query.md"];
        if !name.starts_with("start/") && !runs.contains(&name.as_str()) {
            continue;
        }
        let desk = Desk::new();
        for line in block_lines(&page, "sh") {
            desk.check(&name, line);
            count += 1;
        }
    }
    assert!(count >= 30, "{count} commands on the start pages");
}

#[test]
fn forty_commands_of_gdb_have_a_command_of_obit_that_runs() {
    let page = &pages()["from-gdb.md"];
    let desk = Desk::new();
    let mut running = Command::new("sleep").arg("600").spawn().unwrap();
    let pid = running.id().to_string();
    let mut translated = 0;
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let [gdb, obit] = row.trim_matches('|').split(" | ").collect::<Vec<_>>()[..] else {
            panic!("two columns: {row}");
        };
        let commands: Vec<&str> =
            code_spans(obit).filter(|span| span.starts_with("obit ")).collect();
        for command in &commands {
            desk.check("from-gdb.md", &command.replace("PID", &pid));
        }
        translated += usize::from(gdb.contains('`') && !commands.is_empty());
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(translated >= 40, "{translated} commands of gdb");
}

/// What `obit --help` and the help of each verb list.
struct Help {
    verbs: BTreeSet<String>,
    texts: BTreeMap<Vec<String>, String>,
}

impl Help {
    fn new() -> Self {
        let text = crate::fixture::stdout(&crate::fixture::run(["--help"]));
        let (_, after) = text.split_once("Verbs:\n").expect("a list of verbs");
        let verbs = after
            .lines()
            .take_while(|line| !line.is_empty())
            .map(|line| line.split_whitespace().next().unwrap());
        // Not listed, since everyone tries them first.
        let verbs = verbs.chain(["help", "version"]).map(str::to_owned).collect();
        Self { verbs, texts: BTreeMap::new() }
    }

    /// The help of a verb, or of a command below it.
    fn text(&mut self, path: &[String]) -> &str {
        self.texts.entry(path.to_vec()).or_insert_with(|| {
            let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
            words.push("--help");
            crate::fixture::stdout(&crate::fixture::run(&words))
        })
    }

    /// Why `command` is none of obit's.
    fn fault(&mut self, command: &str) -> Option<String> {
        let words = words(command);
        let mut path = Vec::new();
        let mut plain = words.iter().skip(1);
        if let Some(first) = plain.next().filter(|word| !word.starts_with('-')) {
            if self.verbs.contains(first) {
                path.push(first.clone());
                if ["audit", "cache", "capture", "db", "group", "objects"].contains(&first.as_str())
                {
                    path.extend(plain.next().cloned());
                }
            } else if first != "core" && first.chars().all(|c| c.is_ascii_lowercase()) {
                return Some(format!("no verb `{first}`"));
            }
        }
        let listed = Regex::new(r"(?m)^ +(-\w)?(?:, )?(--[\w-]+)?").unwrap();
        let help = self.text(&path);
        let known: BTreeSet<&str> = listed
            .captures_iter(help)
            .flat_map(|found| [found.get(1), found.get(2)])
            .flatten()
            .map(|option| option.as_str())
            .collect();
        // What follows is the command of another program.
        let own = words.iter().skip(1).take_while(|word| *word != "--");
        let wrong = own.filter(|word| word.starts_with('-') && word.len() > 1);
        wrong
            .map(|word| word.split(['=', '[']).next().unwrap())
            .find(|option| !known.contains(option))
            .map(|option| format!("no option `{option}`"))
    }
}

/// The words of the first command of a line, without its quoted ones and its comment.
fn words(command: &str) -> Vec<String> {
    let unquoted = Regex::new(r#"'[^']*'|"[^"]*""#).unwrap().replace_all(command, "QUOTED");
    unquoted
        .split_whitespace()
        .take_while(|word| !word.starts_with(['#', '|', '>', '<', ';', '&', '…', '·']))
        .map(|word| word.trim_matches(['`', ',', ')', '(']).to_owned())
        .collect()
}

#[test]
fn every_command_that_a_page_names_exists() {
    let mut pages = pages();
    pages.insert("README.md".to_owned(), fs::read_to_string(root().join("README.md")).unwrap());
    let mut help = Help::new();
    let mut faults = Vec::new();
    let mut count = 0;
    for (name, page) in &pages {
        let mut is_fenced = false;
        for line in page.lines() {
            is_fenced ^= line.starts_with("```");
            let text = line.trim_start().trim_start_matches("$ ").trim_start_matches("# ");
            let is_code = is_fenced || line.starts_with("    ");
            let whole = Some(text).filter(|text| is_code && text.starts_with("obit "));
            let spans = code_spans(line).filter(|span| !is_code && span.starts_with("obit "));
            for command in whole.into_iter().chain(spans) {
                count += 1;
                if let Some(fault) = help.fault(command) {
                    faults.push(format!("{name}: {command}: {fault}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 150, "{count} commands");
}

/// The text of a line of an SVG picture.
fn picture_text(line: &str) -> String {
    let plain = Regex::new("<[^>]*>").unwrap().replace_all(line, "").into_owned();
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn the_picture_of_the_terminal_shows_what_obit_prints_today() {
    let picture = fs::read_to_string(root().join("docs/terminal.svg")).unwrap();
    let shown = picture.lines().filter(|line| line.starts_with("<text")).map(picture_text);
    let case = root().join("tests/fixtures/null-field");
    let out = crate::fixture::obit()
        .args(["core.zst", "--no-pager", "--width", "100"])
        .current_dir(case)
        .output()
        .unwrap();
    let printed = crate::fixture::stdout(&out);
    let shown: Vec<String> = shown.skip(1).map(|line| line.trim_end().to_owned()).collect();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).take(shown.len()).collect();
    assert_eq!(shown, printed, "scripts/terminal-picture draws it again");
    assert!(shown.len() >= 25, "{shown:?}");
}

#[test]
fn every_link_leads_to_a_file_and_every_page_is_in_the_summary() {
    let pages = pages();
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut linked = BTreeSet::new();
    for (name, page) in &pages {
        let directory = root().join("docs").join(name).parent().unwrap().to_owned();
        for found in link.captures_iter(page) {
            let target = found[1].split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path: PathBuf = directory.join(target);
            assert!(path.exists(), "{name}: no {target}");
            if name == "SUMMARY.md" {
                linked.insert(target.to_owned());
            }
        }
    }
    let all: BTreeSet<String> = pages.into_keys().filter(|name| name != "SUMMARY.md").collect();
    assert!(!all.contains("print.md"), "mdBook keeps that name for the page of all pages");
    assert_eq!(linked, all, "pages in docs/SUMMARY.md, and pages");
}
