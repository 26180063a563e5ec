//! One core, one cause: the page, the record of a batch and a report without source lines
//! agree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use obit::process::{Options, Process};
use obit::report::{BuildOptions, Confidence, Context, Report, build};
use serde_json::Value;

/// What all forms of a report must agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reported {
    class: String,
    confidence: String,
    thread: Option<i64>,
    frame: Option<i64>,
    function: Option<String>,
    blame_confidence: Option<String>,
    expression: Option<String>,
    expression_confidence: Option<String>,
    /// What the explanation says of a variable and the frame says otherwise.
    contradiction: Option<String>,
}

/// The first `` `name` is VALUE `` of the explanation where a variable of the frame to blame,
/// or of the one that failed, has that name and all of those have other values.
fn contradiction(document: &Value) -> Option<String> {
    let cause = &document["cause"];
    let (name, rest) = cause["explanation"].as_str()?.strip_prefix('`')?.split_once("` is ")?;
    let said = rest.split([',', ';']).next()?;
    let said = if said == "NULL" { "0x0" } else { said };
    let is_redacted = said.starts_with('<');
    let threads = document["threads"].as_array()?;
    let crashed = threads.iter().find(|thread| thread["crashed"] == true)?;
    let blamed = &cause["blame"]["frame"];
    let frames = crashed["frames"].as_array()?.iter();
    let frames = frames.filter(|frame| frame["index"] == *blamed || frame["index"] == 0);
    let variables = frames.flat_map(|frame| {
        ["args", "locals"].into_iter().flat_map(|list| frame[list].as_array().into_iter().flatten())
    });
    let values: Vec<String> = variables
        .filter(|variable| variable["name"] == name && variable["status"] == "ok")
        .filter_map(|variable| match &variable["value"] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    let is_other = !is_redacted && !values.is_empty() && !values.iter().any(|value| value == said);
    is_other.then(|| format!("`{name}` is said to be {said}, and is {values:?}"))
}

impl Reported {
    /// `None` where there is no cause.
    fn of(document: &Value) -> Option<Self> {
        let cause = document.get("cause").filter(|cause| !cause.is_null())?;
        let blame = &cause["blame"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            class: text(&cause["class"]).unwrap(),
            confidence: text(&cause["confidence"]).unwrap(),
            thread: blame["thread"].as_i64(),
            frame: blame["frame"].as_i64(),
            function: text(&blame["function"]),
            blame_confidence: text(&blame["confidence"]),
            expression: text(&blame["expression"]),
            expression_confidence: text(&blame["expression_confidence"]),
            contradiction: contradiction(document),
        })
    }

    fn without_expression(self) -> Self {
        Self { expression: None, expression_confidence: None, ..self }
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// All cores, by directory.
fn cores() -> BTreeMap<PathBuf, Vec<PathBuf>> {
    let mut cores: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let directories = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    for directory in directories.filter(|path| path.is_dir()) {
        let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<_> =
            files.filter(|file| file.to_str().unwrap().ends_with("core.zst")).collect();
        found.sort();
        cores.insert(directory, found);
    }
    cores.retain(|_, found| !found.is_empty());
    let count: usize = cores.values().map(Vec::len).sum();
    assert!(count >= 350, "only {count} cores were found");
    cores
}

/// Where the sources are that do not lie beside the cores.
fn sources() -> Vec<PathBuf> {
    ["causes-c", "causes-cpp", "causes-rust"].map(|name| fixtures().join(name)).to_vec()
}

/// How the cores of `directory` are opened; what was read for one serves the next.
fn options(directory: &Path, sources: &[PathBuf]) -> Options {
    let mut options = Options::default();
    options.rules.core_directory = Some(directory.to_owned());
    options.rules.source_path = sources.to_vec();
    options.library = Some(options.library());
    options
}

fn shown(report: &Report) -> Option<Reported> {
    Reported::of(&serde_json::to_value(report).unwrap())
}

/// The report on `core` with source lines, the one without, and what can be shown where no
/// source file is found.
fn three_reports(core: &Path, with: &Options, without: &Options) -> [Option<Reported>; 3] {
    let open = |options: &Options| Process::open(core, options.clone(), &()).unwrap();
    let process = open(with);
    let page = BuildOptions { context: Context::Lines(8), ..BuildOptions::default() };
    let no_source = BuildOptions { context: Context::Nothing, ..BuildOptions::default() };
    let unfound = build(&open(without), BuildOptions::default());
    [shown(&build(&process, page)), shown(&build(&process, no_source)), shown(&unfound)]
}

/// The records of a batch, by core.
fn records() -> BTreeMap<PathBuf, Option<Reported>> {
    let sources = sources();
    let sources = sources.iter().flat_map(|path| ["--source-path".as_ref(), path.as_os_str()]);
    let all = cores();
    let mut command = crate::fixture::obit();
    command.args(["triage", "--no-db", "--format", "ndjson"]).args(sources);
    let output = command.args(all.values().flatten()).output().unwrap();
    let lines = crate::fixture::stdout(&output);
    let records = lines.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        (PathBuf::from(record["core"]["path"].as_str().unwrap()), Reported::of(&record))
    });
    records.collect()
}

/// The three reports on each core, by two threads.
fn reports() -> BTreeMap<PathBuf, [Option<Reported>; 3]> {
    let groups: Vec<(PathBuf, Vec<PathBuf>)> = cores().into_iter().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = BTreeMap::new();
        while let Some((directory, cores)) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (with, without) = (options(directory, &sources()), options(directory, &[]));
            for core in cores {
                found.insert(core.clone(), three_reports(core, &with, &without));
            }
        }
        found
    };
    std::thread::scope(|scope| {
        let others = scope.spawn(work);
        let mut found = work();
        found.extend(others.join().unwrap());
        found
    })
}

#[test]
fn page_record_and_a_report_without_source_say_the_same_and_nothing_against_the_values() {
    let (records, reports) = (records(), reports());
    let mut different = Vec::new();
    for (core, [mut page, mut no_source, mut unfound]) in reports {
        for found in [&mut page, &mut no_source, &mut unfound] {
            let contradiction = found.as_mut().and_then(|shown| shown.contradiction.take());
            different.extend(contradiction.map(|what| format!("{}: {what}", core.display())));
        }
        let mut compare = |what: &str, found: Option<Reported>, page: Option<Reported>| {
            if found != page {
                different.push(format!("{}: {what}\n  {found:?}\n  {page:?}", core.display()));
            }
        };
        let record = records.get(&core).unwrap_or_else(|| panic!("no record of {core:?}"));
        compare("without source lines", no_source, page.clone());
        compare("record", record.clone(), page.clone());
        // A name may be missing. What is proved is proved by the core.
        compare(
            "source not found",
            unfound.map(Reported::without_expression),
            page.map(Reported::without_expression),
        );
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A line that names the value must not make what the core proves less sure.
#[test]
fn a_line_of_source_takes_nothing_from_what_the_core_proves() {
    let case = |program: &str, way: &str| {
        let directory = fixtures().join(program);
        let options = options(&directory, &sources());
        let core = directory.join(format!("{way}.core.zst"));
        let report = build(&Process::open(&core, options, &()).unwrap(), BuildOptions::default());
        let cause = report.cause.unwrap();
        let blame = cause.blame.unwrap();
        let expression = blame.expression.map(|name| name.as_str().to_owned());
        (cause.confidence, expression.unwrap_or_default(), blame.expression_confidence)
    };
    let sure = |name: &str| (Confidence::Proved, name.to_owned(), None);
    let unsure = |name: &str| (Confidence::Proved, name.to_owned(), Some(Confidence::Likely));
    // The variable holds the very pointer.
    assert_eq!(case("causes-c-O0", "truncated"), sure("rows"));
    // The expression is the very place that the value was loaded from.
    assert_eq!(case("causes-c-O0", "element"), sure("shelf->slots[i]"));
    assert_eq!(case("causes-c-O3", "element"), sure("shelf->slots[i]"));
    assert_eq!(case("causes-c-O2", "qsort_callback"), sure("second"));
    // It is NULL, too; that does not make it the NULL that was used.
    assert_eq!(case("causes-rust-O0", "null_call"), unsure("start"));
    assert_eq!(case("causes-c-O3", "fopen_failed"), unsure("file"));
    // What only the callee has a name for is called as the frame to blame calls it.
    assert_eq!(case("causes-c-O3", "parameter_loaded"), unsure("order->customer"));
    // No pointer is to blame for a stack that ran out.
    assert_eq!(case("causes-c-O0", "large_local"), sure(""));
}
