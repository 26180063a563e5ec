//! The formats of output: one table, with a file for each format.
//!
//! To add a format, write its file, with a constant of type [`Format`] and the functions it
//! names, and give it a row in [`FORMATS`]. What a format can write is what its row has
//! functions for: command lines, their help and their refusals come from here.

mod brief;
mod csv;
mod github;
mod gitlab;
mod html;
mod human;
mod item;
mod json;
mod junit;
mod markdown;
mod parquet;
mod sarif;
mod sentry;
mod source_file;
mod teamcity;
mod weaknesses;

use std::io;

use crate::PageOptions;
use crate::log_commands::{Inert, LogCommands};
use obit_incident::Incidents;
use obit_query::Findings;
use obit_report::answer::{Contents, Hidden, Printed, RewindReport, TasksReport};
use obit_report::heap::HeapAnswer;
use obit_report::{Portions, Report, Rest, ThreadReport};
use obit_triage::differ;
use obit_triage::views::Builds;
use obit_triage::views::Difference;
use obit_triage::views::GroupDetail;
use obit_triage::views::Overview;
use obit_triage::{Record, RecordStatus};

pub use item::{Baseline, Group, Item};
pub(crate) use sentry::event as sentry_event;

/// All formats, in the order in which help lists them. The first is the default.
pub static FORMATS: &[Format] = &[
    human::HUMAN,
    json::JSON,
    json::NDJSON,
    html::HTML,
    brief::BRIEF,
    markdown::MARKDOWN,
    sarif::SARIF,
    junit::JUNIT,
    sentry::SENTRY,
    github::GITHUB,
    gitlab::GITLAB,
    teamcity::TEAMCITY,
    csv::CSV,
    parquet::PARQUET,
];

/// A format of output: a row of [`FORMATS`].
#[derive(Debug)]
pub struct Format {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// What it is, for help: one line without a full stop.
    pub about: &'static str,
    /// The usual end of a file's name, without the dot.
    pub extension: &'static str,
    /// Who reads it.
    pub audience: Audience,
    /// Whether it is no text.
    pub is_binary: bool,
    /// Whether a report has the map of memory in this format.
    pub has_memory_map: bool,
    /// Whether a report has instructions even where there is source, and more of both.
    pub has_more_code: bool,
    /// How it writes text that a CI runner would obey.
    log_commands: LogCommands,
    report: Option<WriteReport>,
    portions: Option<WritePortions>,
    drop_unshown: Option<DropUnshown>,
    drop_unshown_of: Option<DropUnshownOf>,
    items: Option<WriteItems>,
    groups: Option<WriteGroups>,
    group: Option<WriteGroup>,
    difference: Option<WriteDifference>,
    digest: Option<WriteDigest>,
    builds: Option<WriteBuilds>,
    records: Option<Records>,
    printed: Option<WritePrinted>,
    hidden: Option<WriteHidden>,
    contents: Option<WriteContents>,
    heap: Option<WriteHeap>,
    tasks: Option<WriteTasks>,
    rewound: Option<WriteRewound>,
    findings: Option<WriteFindings>,
    distinctions: Option<WriteDistinctions>,
    incidents: Option<WriteIncidents>,
}

/// Who reads a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person at a terminal: pages, which may go through a pager.
    Terminal,
    /// A person elsewhere: long lists are cut.
    Document,
    /// A program: everything is written.
    Program,
}

/// Which part of a report a terminal page shows. The other formats write all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportView {
    /// The page.
    Page,
    /// The first lines of the page, and the crash's id.
    Summary,
    /// The modules.
    Modules,
    /// The signature.
    Signature {
        /// With the rule for each frame.
        explained: bool,
    },
}

/// Writes one report.
pub type WriteReport = fn(&mut dyn io::Write, &Report, ReportView, &PageOptions) -> io::Result<()>;
/// Writes one report of which threads come as they are written.
type WritePortions = fn(&mut dyn io::Write, &Rest, &Portions) -> io::Result<()>;
/// Takes from a report what its page does not show.
type DropUnshown = fn(&mut Report, &PageOptions);
/// The same of a thread that has no frame to blame.
type DropUnshownOf = fn(&mut ThreadReport, &PageOptions);
/// Writes an entry for each crash or group, in one document.
pub type WriteItems = fn(&mut dyn io::Write, &[Item<'_>]) -> io::Result<()>;
/// Writes a list of groups; if the flag says so, with the reasons of rank and status.
pub type WriteGroups = fn(&mut dyn io::Write, &Overview, bool, &PageOptions) -> io::Result<()>;
/// Writes one group in full.
pub type WriteGroup = fn(&mut dyn io::Write, &GroupDetail, &PageOptions) -> io::Result<()>;
/// Writes what differs between two sets of crashes.
pub type WriteDifference = fn(&mut dyn io::Write, &Difference, &PageOptions) -> io::Result<()>;
/// Writes the groups of a period, with the numbers of the period before it.
pub type WriteDigest = fn(&mut dyn io::Write, &Overview) -> io::Result<()>;
/// Writes the builds of programs.
pub type WriteBuilds = fn(&mut dyn io::Write, &Builds, &PageOptions) -> io::Result<()>;
/// Writes an answer of `obit print`.
pub type WritePrinted = fn(&mut dyn io::Write, &Printed, &PageOptions) -> io::Result<()>;
/// Writes what a report hides.
pub type WriteHidden = fn(&mut dyn io::Write, &Hidden, &PageOptions) -> io::Result<()>;
/// Writes what the heap holds.
pub type WriteHeap = fn(&mut dyn io::Write, &HeapAnswer, &PageOptions) -> io::Result<()>;

/// Writes what memory holds.
pub type WriteContents = fn(&mut dyn io::Write, &Contents, &PageOptions) -> io::Result<()>;

/// Writes what was executed last.
pub type WriteRewound = fn(&mut dyn io::Write, &RewindReport, &PageOptions) -> io::Result<()>;
/// Writes tasks.
pub type WriteTasks = fn(&mut dyn io::Write, &TasksReport, &PageOptions) -> io::Result<()>;

/// Writes what a query came to.
pub type WriteFindings = fn(&mut dyn io::Write, &Findings, &PageOptions) -> io::Result<()>;

/// Writes what distinguishes a group.
pub type WriteDistinctions =
    fn(&mut dyn io::Write, &differ::Difference, &PageOptions) -> io::Result<()>;

/// Writes incidents.
pub type WriteIncidents = fn(&mut dyn io::Write, &Incidents, &PageOptions) -> io::Result<()>;

/// How a format writes what consists of groups.
#[derive(Clone, Copy, Debug)]
pub enum Writer<F> {
    /// By a function of its own.
    Own(F),
    /// As an entry for each group, which needs a crash to represent it.
    Items(WriteItems),
}

/// How a format writes one report.
#[derive(Clone, Copy, Debug)]
pub struct ReportWriter {
    whole: Writer<WriteReport>,
    portions: Option<WritePortions>,
}

/// How a format writes any number of records, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Records {
    /// Before the first.
    pub start: &'static str,
    /// Between two.
    pub between: &'static str,
    /// After the last.
    pub end: &'static str,
    each: EachRecord,
}

#[derive(Clone, Copy, Debug)]
enum EachRecord {
    Record(fn(&mut dyn io::Write, &Record) -> io::Result<()>),
    Item(WriteItems),
}

impl Format {
    /// A format that writes nothing yet.
    const fn new(name: &'static str, extension: &'static str) -> Self {
        Self {
            name,
            aliases: &[],
            about: "",
            extension,
            audience: Audience::Program,
            is_binary: false,
            has_memory_map: false,
            has_more_code: false,
            log_commands: LogCommands::Backslash,
            report: None,
            portions: None,
            drop_unshown: None,
            drop_unshown_of: None,
            items: None,
            groups: None,
            group: None,
            difference: None,
            digest: None,
            builds: None,
            records: None,
            printed: None,
            hidden: None,
            contents: None,
            heap: None,
            tasks: None,
            rewound: None,
            findings: None,
            distinctions: None,
            incidents: None,
        }
    }

    /// The format of this name or alias.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name || format.aliases.contains(&name))
    }

    /// Where the functions of this format are to write, so that no CI runner that reads it as
    /// the log of a job obeys text of a process.
    pub fn inert<W: io::Write>(&self, to: W) -> Inert<W> {
        Inert::new(to, self.log_commands)
    }

    /// How it writes one report.
    pub fn report(&self) -> Option<ReportWriter> {
        let portions = self.portions;
        self.own_or_items(self.report).map(|whole| ReportWriter { whole, portions })
    }

    /// Whether it writes threads one after the other, and needs none of them for anything else.
    pub fn has_portions(&self) -> bool {
        self.portions.is_some()
    }

    /// Takes from `report` what this format does not write of it anyway, if it is laid out so.
    pub fn drop_unshown(&self, report: &mut Report, page: &PageOptions) {
        if let Some(drop) = self.drop_unshown {
            drop(report, page);
        }
    }

    /// The same of a thread that neither crashed nor has the frame to blame.
    pub fn drop_unshown_of(&self, thread: &mut ThreadReport, page: &PageOptions) {
        if let Some(drop) = self.drop_unshown_of {
            drop(thread, page);
        }
    }

    /// How it writes a list of groups.
    pub fn groups(&self) -> Option<Writer<WriteGroups>> {
        self.own_or_items(self.groups)
    }

    /// How it writes one group in full.
    pub fn group(&self) -> Option<Writer<WriteGroup>> {
        self.own_or_items(self.group)
    }

    /// How it writes what differs between two sets of crashes.
    pub fn difference(&self) -> Option<Writer<WriteDifference>> {
        self.own_or_items(self.difference)
    }

    /// How it writes what happened since some time.
    pub fn digest(&self) -> Option<WriteDigest> {
        self.digest
    }

    /// How it writes the builds of programs.
    pub fn builds(&self) -> Option<WriteBuilds> {
        self.builds
    }

    /// How it writes records.
    pub fn records(&self) -> Option<Records> {
        self.records
    }

    /// How it writes an answer of `obit print`.
    pub fn printed(&self) -> Option<WritePrinted> {
        self.printed
    }

    /// How it writes what a report hides.
    pub fn hidden(&self) -> Option<WriteHidden> {
        self.hidden
    }

    /// How it writes what memory holds.
    pub fn contents(&self) -> Option<WriteContents> {
        self.contents
    }

    /// How it writes what was executed last.
    pub fn rewound(&self) -> Option<WriteRewound> {
        self.rewound
    }

    /// How it writes tasks.
    pub fn tasks(&self) -> Option<WriteTasks> {
        self.tasks
    }

    /// How it writes what the heap holds.
    pub fn heap(&self) -> Option<WriteHeap> {
        self.heap
    }

    /// How it writes what distinguishes a group.
    pub fn distinctions(&self) -> Option<WriteDistinctions> {
        self.distinctions
    }

    /// How it writes incidents.
    pub fn incidents(&self) -> Option<WriteIncidents> {
        self.incidents
    }

    /// How it writes what a query came to.
    pub fn findings(&self) -> Option<WriteFindings> {
        self.findings
    }

    fn own_or_items<F>(&self, own: Option<F>) -> Option<Writer<F>> {
        own.map(Writer::Own).or_else(|| self.items.map(Writer::Items))
    }
}

impl ReportWriter {
    /// Writes `report`; formats but the terminal's write all of it, whatever the view.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(
        self,
        out: &mut dyn io::Write,
        report: &Report,
        view: ReportView,
        page: &PageOptions,
    ) -> io::Result<()> {
        match self.whole {
            Writer::Own(write) => write(out, report, view, page),
            Writer::Items(write) => write(out, &[Item::of(report)]),
        }
    }

    /// The same of a report whose threads are in `portions`, as far as they are not in `rest`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_portions(
        self,
        out: &mut dyn io::Write,
        (rest, portions): (&Rest, &Portions),
        view: ReportView,
        page: &PageOptions,
    ) -> io::Result<()> {
        match self.portions {
            Some(write) => write(out, rest, portions),
            None => self.write(out, &rest.report, view, page),
        }
    }
}

impl Records {
    /// A line for each record.
    const fn lines(each: fn(&mut dyn io::Write, &Record) -> io::Result<()>) -> Self {
        Self { start: "", between: "", end: "", each: EachRecord::Record(each) }
    }

    /// An entry for each crash; none where a core could not be read.
    const fn items(each: WriteItems) -> Self {
        Self { start: "", between: "", end: "", each: EachRecord::Item(each) }
    }

    /// Whether they are nothing but one after the other, so that each may be written as soon
    /// as it is there.
    pub fn is_lines(&self) -> bool {
        [self.start, self.between, self.end].iter().all(|text| text.is_empty())
    }

    /// Writes one.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn io::Write, record: Record) -> io::Result<()> {
        match self.each {
            EachRecord::Record(write) => write(out, &record),
            EachRecord::Item(_) if record.status == RecordStatus::Failed => Ok(()),
            EachRecord::Item(write) => write(out, &[Item::of(&record.into_report())]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_means_one_format() {
        let mut names = BTreeSet::new();
        for format in FORMATS {
            for name in format.aliases.iter().chain([&format.name]) {
                assert!(names.insert(*name), "{name} is there twice");
                assert_eq!(Format::named(name).map(|found| found.name), Some(format.name));
            }
        }
        assert!(Format::named("no-such").is_none());
    }

    #[test]
    fn every_format_writes_something_and_says_what_it_is() {
        for format in FORMATS {
            let writes = format.report().is_some()
                || format.groups().is_some()
                || format.findings().is_some();
            assert!(writes, "{} writes nothing", format.name);
            assert!(!format.about.is_empty() && !format.about.ends_with('.'), "{}", format.name);
            assert!(!format.extension.is_empty() && !format.extension.starts_with('.'));
        }
    }
}
