//! A value in one line: its summary, its text, its elements.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use obit::process::{Options, Process};
use obit::value::readable::UserFormatters;
use obit::value::{Budget, Scalar, State, Value, tree};

/// Variables and what is shown of them.
pub type Reported = BTreeMap<String, String>;

/// Elements that are read of each container.
const ELEMENTS: usize = 8;

/// Where the files of a case are.
pub fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(case)
}

/// What obit shows of the variables of `function`, by their names.
pub fn variables(case: &str, function: &str) -> Reported {
    read(case, function, ELEMENTS, UserFormatters::default())
}

/// Each variable of `function` is reported so in all `cases`; `…` at the end stands for any
/// more.
pub fn check(cases: &[&str], function: &str, expected: &[(&str, &str)]) {
    for case in cases {
        let printed = variables(case, function);
        for (name, expected) in expected {
            let printed = printed.get(*name).unwrap_or_else(|| panic!("{case} has no {name}"));
            match expected.strip_suffix('\u{2026}') {
                Some(start) => assert!(printed.starts_with(start), "{case} {name}: {printed}"),
                None => assert_eq!(printed, expected, "{case} {name}"),
            }
        }
    }
}

/// The same with as many elements of each container.
pub fn variables_with(case: &str, function: &str, elements: usize) -> Reported {
    read(case, function, elements, UserFormatters::default())
}

/// The same with formatters of the user's own.
pub fn variables_by(case: &str, function: &str, formatters: UserFormatters) -> Reported {
    read(case, function, ELEMENTS, formatters)
}

fn read(case: &str, function: &str, elements: usize, formatters: UserFormatters) -> Reported {
    let directory = fixture(case);
    let mut options = Options { formatters, ..Options::default() };
    options.rules.core_directory = Some(directory.clone());
    let process = Process::open(&directory.join("core.zst"), options, &()).unwrap();
    let crashed = process.threads.iter().position(|thread| thread.crashed).unwrap();
    let thread = &process.threads[crashed];
    let is_it = |name: Option<&str>| name.is_some_and(|name| name.starts_with(function));
    let frame = thread.frames.iter().position(|frame| is_it(frame.function.as_deref())).unwrap();
    let view = process.frame_view(crashed, frame).unwrap();
    let budget = Budget::default().with(None, Some(elements));
    let show = |(variable, object): (obit::debuginfo::Variable, Option<_>)| {
        let (name, object) = (variable.name?, object?);
        let value = tree(&object, Some(name.clone()), view.scene(), &budget);
        // Who it was differs from core to core.
        let printed = printed(&value).replace(&format!("thread {}", thread.tid), "thread TID");
        Some((name.to_string(), printed))
    };
    view.variables().into_iter().filter_map(show).collect()
}

/// `summary "text" {elements}`, each part if there is one; a value that is not readable as
/// its members.
fn printed(value: &Value) -> String {
    let mut parts = Vec::new();
    parts.extend(value.summary.as_deref().map(without_address));
    match (&value.state, &value.text) {
        (_, Some(text)) => {
            let rest = text.left_out.filter(|rest| *rest > 0).map(|rest| format!("+{rest}"));
            let mut shown = text.text.clone();
            if shown.chars().count() > 50 {
                shown = shown.chars().take(50).collect::<String>() + "…";
            }
            parts.push(format!("{shown:?}{}", rest.unwrap_or_default()));
        }
        (State::Scalar(scalar), None) => parts.push(number(scalar)),
        (State::Absent(why), None) => parts.push(format!("<{why}>")),
        (State::Aggregate, None) => {}
    }
    let children = match value.summary {
        None if value.elements.is_empty() => &value.members,
        _ => &value.elements,
    };
    if !children.is_empty() || value.omitted > 0 {
        let mut inner: Vec<String> = children.iter().map(child).collect();
        if value.omitted > 0 {
            inner.push(format!("+{}", value.omitted));
        }
        parts.push(format!("{{{}}}", inner.join(", ")));
    }
    parts.extend(value.pointee.iter().map(|pointee| format!("-> {}", printed(pointee))));
    parts.join(" ")
}

/// `Circle at 0x5555` as `Circle`.
fn without_address(summary: &str) -> String {
    summary.split(" at 0x").next().unwrap().to_owned()
}

fn child(value: &Value) -> String {
    match value.name.as_deref() {
        Some(name) if !name.starts_with('[') => format!("{name}: {}", printed(value)),
        _ => printed(value),
    }
}

fn number(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Signed(number) => number.to_string(),
        Scalar::Unsigned(number) => number.to_string(),
        Scalar::Boolean(truth) => truth.to_string(),
        Scalar::Float(float) => float.text(),
        Scalar::Character { code, .. } => code.to_string(),
        Scalar::Address(0) => "null".to_owned(),
        // Where things lie differs from core to core.
        Scalar::Address(_) => "*".to_owned(),
        Scalar::Raw(bytes) => format!("{bytes:02x?}"),
    }
}
