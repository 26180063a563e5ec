//! Words of the command line that stand for values of the library: for each option one
//! table of the words, what help says of them, and the value.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use obit::batch::Order;
use obit::redact::Level;
use obit::report::{Flavor, TailCalls, WhoseLocals};
use obit::triage::views::{Per, Sort};

/// A word, its line in the help, and its value.
pub(crate) type Choice<T> = (&'static str, &'static str, T);

/// `--locals`.
pub(crate) const LOCALS: &[Choice<WhoseLocals>] = &[
    ("none", "No thread's", WhoseLocals::None),
    ("crashed", "The crashed thread's", WhoseLocals::Crashed),
    ("all", "Every thread's", WhoseLocals::All),
];

/// `--disassembly-flavor`.
pub(crate) const FLAVORS: &[Choice<Flavor>] =
    &[("att", "`mov 0x8(%rax),%rbx`", Flavor::Att), ("intel", "`mov rbx,[rax+8]`", Flavor::Intel)];

/// `--tail-calls`.
pub(crate) const TAIL_CALLS: &[Choice<TailCalls>] = &[
    ("nested", "In `tail_calls` of the frame that they led to", TailCalls::Nested),
    ("frames", "In `frames`, numbered as in gdb", TailCalls::Frames),
];

/// `--redact`, and `--level` of `obit redact`.
pub(crate) const LEVELS: &[Choice<Level>] = &[
    (
        "default",
        "Hide secrets, personal data, values of options and of the environment",
        Level::Default,
    ),
    ("strict", "Hide names of users and threads and all messages, too", Level::Strict),
    ("off", "Hide nothing", Level::Off),
];

/// `--order` of `obit triage`.
pub(crate) const ORDERS: &[Choice<Order>] = &[
    ("input", "At the end, in the order of the files", Order::Input),
    (
        "finished",
        "Each as soon as it is done; a new group is not marked as new yet",
        Order::Finished,
    ),
];

/// `--sort` of `obit top`.
pub(crate) const SORTS: &[Choice<Sort>] = &[
    ("rank", "Highest rank first", Sort::Rank),
    ("count", "Most dumps first", Sort::Count),
    ("last", "Most recent last dump first", Sort::Last),
    ("first", "Most recent first dump first", Sort::First),
    ("status", "Most urgent status first", Sort::Status),
    ("severity", "Highest severity first", Sort::Severity),
];

/// `--per` of verbs that show crashes over time.
pub(crate) const STEPS: &[Choice<Per>] = &[
    ("hour", "By the hour; chosen up to 3 days", Per::Hour),
    ("day", "By the day; chosen up to 120 days", Per::Day),
    ("week", "By the week, from Monday on", Per::Week),
];

/// `--of` of `obit schema`: the JSON Schema of a document, as it is published.
pub(crate) const DOCUMENTS: &[Choice<&str>] = &[
    ("report", "The report of one crash", include_str!("../../../docs/report.schema.json")),
    ("print", "A line of `obit print --json`", include_str!("../../../docs/print.schema.json")),
    ("memory", "`obit memory --json`", include_str!("../../../docs/memory.schema.json")),
    ("tasks", "`obit tasks --json`", include_str!("../../../docs/tasks.schema.json")),
    ("rewind", "`obit rewind --json`", include_str!("../../../docs/rewind.schema.json")),
    (
        "record",
        "A line of `obit list --format ndjson`",
        include_str!("../../../docs/record.schema.json"),
    ),
    ("top", "`obit top --json`", include_str!("../../../docs/top.schema.json")),
    (
        "group",
        "A line of `obit top --format ndjson`",
        include_str!("../../../docs/group.schema.json"),
    ),
    ("builds", "`obit builds --json`", include_str!("../../../docs/builds.schema.json")),
    ("show", "`obit show GROUP --json`", include_str!("../../../docs/show.schema.json")),
    ("diff", "`obit diff --json`", include_str!("../../../docs/diff.schema.json")),
    (
        "event",
        "What `obit watch` hands to programs",
        include_str!("../../../docs/event.schema.json"),
    ),
    ("heap", "`obit heap --json`", include_str!("../../../docs/heap.schema.json")),
    (
        "place",
        "`obit heap at --json`, `obit who-points-to --json`",
        include_str!("../../../docs/place.schema.json"),
    ),
    ("found", "`obit find --json`", include_str!("../../../docs/found.schema.json")),
    ("query", "`obit query --json`", include_str!("../../../docs/query.schema.json")),
    ("differ", "`obit differ GROUP --json`", include_str!("../../../docs/differ.schema.json")),
    (
        "incident",
        "`obit incident --format json`",
        include_str!("../../../docs/incident.schema.json"),
    ),
    (
        "shard",
        "The first line of `obit triage --emit ndjson`",
        include_str!("../../../docs/shard.schema.json"),
    ),
];

/// Reads a word of `table` as its value.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    table: &'static [Choice<T>],
) -> impl TypedValueParser<Value = T> {
    let words = table.iter().map(|(word, help, _)| PossibleValue::new(*word).help(*help));
    PossibleValuesParser::new(words).try_map(move |text| {
        let found = table.iter().find(|(word, ..)| *word == text);
        // The parser of words has refused all others.
        found.map(|(.., value)| *value).ok_or("not one of the words")
    })
}
