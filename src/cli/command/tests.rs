use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

fn first(line: &str) -> String {
    let words = line.split(' ').map(OsString::from).collect();
    let words = verb_first(&mut command(), words);
    words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_command_line_is_consistent() {
    command().debug_assert();
}

#[test]
fn options_of_a_verb_may_come_before_it() {
    for (line, meant) in [
        ("--json top -n 3", "top --json -n 3"),
        ("--db s.db top", "top --db s.db"),
        ("-c core print x", "print -c core x"),
        ("core print x", "print core x"),
        ("-vn 3 top", "top -vn 3"),
        ("-n3 top", "top -n3"),
        ("--debuginfod modules core", "modules --debuginfod core"),
    ] {
        assert_eq!(first(line), meant);
    }
}

#[test]
fn a_value_of_an_option_is_no_verb() {
    for line in ["-o top core", "--output top core", "-vo list core", "-- top", "./top"] {
        assert_eq!(first(line), line);
    }
}

#[test]
fn options_may_come_before_and_after_files_and_verbs() {
    for line in [
        "--redact=off --locals all --json core exe",
        "core --exe exe --json",
        "analyze core exe --json",
        "--json analyze core exe",
        "-c core -e exe --format json",
    ] {
        let line = parse(line.split(' ').map(OsString::from).collect());
        let verb = line.map_err(|error| error.to_string()).unwrap().verb;
        assert!(matches!(verb, Verb::Analyze(_)), "{verb:?}");
    }
}

/// The verbs that users see.
fn verbs() -> Vec<Command> {
    let mut command = command();
    command.build();
    command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect()
}

/// Options named in `text`, but for those in commands that it quotes: `obit top --json`.
fn options_in(text: &str) -> BTreeSet<String> {
    let outside = text.split('`').step_by(2);
    let words = outside.flat_map(|part| part.split(|c: char| !(c.is_alphanumeric() || c == '-')));
    words
        .filter_map(|word| word.strip_prefix("--"))
        .filter(|l| !l.is_empty())
        .map(Into::into)
        .collect()
}

fn options_of(command: &Command) -> BTreeSet<String> {
    let of = |arg: &Arg| {
        let aliases = arg.get_visible_aliases().unwrap_or_default();
        arg.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
    };
    command.get_arguments().filter(|arg| !arg.is_hide_set()).flat_map(of).collect()
}

#[test]
fn the_help_of_a_verb_names_no_option_that_the_verb_refuses() {
    for mut verb in verbs() {
        let (named, known) = (options_in(&verb.render_long_help().to_string()), options_of(&verb));
        let strange: Vec<_> = named.difference(&known).collect();
        assert!(strange.is_empty(), "obit {} --help names {strange:?}", verb.get_name());
        // The start of the help, not all of it, was looked at otherwise.
        let all_named = known.iter().all(|option| option == "version" || named.contains(option));
        assert!(all_named, "obit {} --help names {named:?} of {known:?}", verb.get_name());
    }
}

#[test]
fn an_option_means_the_same_in_every_verb() {
    for short in ["n", "f", "j", "0", "a", "r", "c", "e", "C", "o", "v", "q"] {
        let short = short.chars().next().unwrap();
        let with = verbs();
        let args = with.iter().flat_map(Command::get_arguments);
        let longs: BTreeSet<_> =
            args.filter(|arg| arg.get_short() == Some(short)).map(|arg| arg.get_long()).collect();
        assert_eq!(longs.len(), 1, "-{short} is {longs:?}");
    }
}

/// The commands in code blocks of a document, split into words.
fn commands_of(document: &str) -> Vec<Vec<OsString>> {
    let mut is_fenced = false;
    let mut found = Vec::new();
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced || line.starts_with("    ") {
            let line = line.trim_start().trim_start_matches("$ ");
            // A description is set apart by spaces.
            let command = line.split("  ").next().unwrap_or(line);
            found.extend(command.strip_prefix("obit ").map(words_of));
        }
    }
    found
}

/// As a shell splits them, up to a comment or an operator.
fn words_of(line: &str) -> Vec<OsString> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let ends = |word: &str| matches!(word, "|" | "<" | ">" | ">>") || word.starts_with('#');
    for c in line.chars().chain([' ']) {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') if ends(&word) => break,
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word).into()),
            _ => word.push(c),
        }
    }
    words
}

#[test]
fn the_commands_of_the_documents_are_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = vec![root.join("README.md")];
    documents.extend(fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    let mut count = 0;
    for path in documents.iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        for words in commands_of(&fs::read_to_string(path).unwrap()) {
            count += 1;
            let problem = parse(words.clone()).err().map(|error| error.to_string());
            assert_eq!(problem, None, "{}: {words:?}", path.display());
        }
    }
    assert!(count >= 40, "only {count} commands were found");
}

#[test]
fn the_commands_that_obit_itself_proposes_are_understood() {
    for line in [
        "CORE --all-threads",
        "CORE -v --registers",
        "CORE --thread 7",
        "CORE --frames 0",
        "CORE --locals all",
        "CORE --format html -o crash.html",
        "CORE --source-path DIR",
        "--json CORE",
        "signature CORE --explain",
        "print CORE *job -f 1 --thread 7",
        "top -n 0",
        "top --html out/ --db t.db",
        "top --where program=NAME",
        "show GROUP -n 0",
        "show ID --format html -o crash.html",
        "state 7d769824 resolved --in BUILD --db t.db",
        "triage DIR -n 0",
    ] {
        let parsed = parse(line.split(' ').map(OsString::from).collect());
        assert!(parsed.is_ok(), "obit {line}: {}", parsed.unwrap_err());
    }
}

#[test]
fn a_line_without_a_verb_is_read_as_the_whole_command_line_reads_it() {
    let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
    for line in [
        "core",
        "core exe",
        "-c core -e exe --format json",
        "--redact=off --locals all --json core exe -o report",
        "core -v --frames 0 --fail-on class=null-read --sandbox=off --color always",
        "-- core",
        "./top",
        "--debuginfod core",
    ] {
        let short = without_verb(&words(line)).map(|line| format!("{line:?}"));
        let whole = with_verbs(words(line)).map(|line| format!("{line:?}"));
        assert_eq!(short, Some(whole.map_err(|error| error.to_string()).unwrap()), "{line}");
    }
    // What is refused, help and whatever may be a verb.
    for line in ["--nosuch", "--help", "top", "-o top core", "-- top", "core exe x --json=1"] {
        assert!(without_verb(&words(line)).is_none(), "{line}");
    }
}
