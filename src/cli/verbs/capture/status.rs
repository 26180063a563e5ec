//! `obit capture status`: which handler is set, what the spool holds, the last crashes.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use obit::redact::{Level, Origin, Redactor};
use obit::render::visible;
use obit::triage::time::instant_of;
use obit_capture::handler::CrashRecord;
use obit_capture::spool::{Entry, Part, Spool, SpoolError};
use serde::Serialize;

use super::machine::Machine;
use super::pattern::is_ours;
use super::settings::CaptureSettings;
use super::{lines, pattern};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Bytes of a record that are read.
const LARGEST_RECORD: u64 = 1 << 20;

/// What is shown.
#[derive(Debug, Serialize)]
struct Status {
    /// Whether crashes of this machine come to obit.
    installed: bool,
    core_pattern: String,
    core_pipe_limit: u32,
    spool: PathBuf,
    /// Bytes on disk; absent where there is no spool.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    /// What it may take.
    quota_bytes: u64,
    crashes: usize,
    /// Crashes that were not stored, because there were too many.
    refused: u64,
    newest: Vec<Row>,
    /// Why the spool is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// A crash. What is not known is its owner's alone.
#[derive(Debug, Default, Serialize)]
struct Row {
    id: String,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    core_bytes: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    cut: &'static str,
    has_report: bool,
}

pub(super) fn run(is_json: bool, limit: usize, config: Option<&Path>) -> Result<Exit, Failure> {
    let settings = CaptureSettings::load(config).map_err(|error| Failure::usage(&error))?;
    let values = Machine::at(Path::new("/")).values();
    let values = values.map_err(|error| {
        let problem = format!("cannot read the core pattern: {error}; is /proc mounted?");
        Failure::new(Exit::Unusable, &problem)
    })?;
    let mut status = Status {
        installed: is_ours(&values.core_pattern),
        core_pattern: values.core_pattern,
        core_pipe_limit: values.core_pipe_limit,
        spool: settings.spool.clone(),
        bytes: None,
        quota_bytes: settings.handler.quota.bytes,
        crashes: 0,
        refused: 0,
        newest: Vec::new(),
        trouble: None,
    };
    if let Err(error) = status.add_spool(&settings, limit) {
        status.trouble = Some(error.to_string());
    }
    Destination::lines().write(|out| match is_json {
        true => obit::report::json::write_line(&status, out),
        false => status.write(out),
    })?;
    Ok(Exit::Success)
}

impl Status {
    fn add_spool(&mut self, settings: &CaptureSettings, limit: usize) -> Result<(), SpoolError> {
        let spool = Spool::open(&settings.spool)?;
        let entries = spool.entries()?;
        self.bytes = Some(entries.iter().map(|entry| entry.bytes).sum());
        self.crashes = entries.len();
        self.refused = spool.refused();
        if let Ok((size, _)) = spool.file_system() {
            let share = size / 100 * u64::from(settings.handler.quota.percent);
            self.quota_bytes = self.quota_bytes.min(share);
        }
        let mut redactor = Redactor::without_key(Level::Default);
        self.newest =
            entries.iter().rev().take(limit).map(|e| Row::of(e, &spool, &mut redactor)).collect();
        Ok(())
    }

    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let who = pattern::owner_of(&self.core_pattern);
        writeln!(out, "crashes go to  {}", visible(&who))?;
        writeln!(out, "core_pattern   {}", visible(&self.core_pattern))?;
        writeln!(out, "spool          {}", self.spool.display())?;
        if let Some(bytes) = self.bytes {
            let (used, most) = (lines::size(bytes), lines::size(self.quota_bytes));
            writeln!(out, "               {} crashes, {used} of {most}", self.crashes)?;
        }
        if self.refused > 0 {
            writeln!(out, "not stored     {} crashes: too many in a short time", self.refused)?;
        }
        if let Some(trouble) = &self.trouble {
            writeln!(out, "               {}", visible(trouble))?;
        }
        for row in &self.newest {
            row.write(out)?;
        }
        if !self.installed {
            writeln!(out, "\n`obit capture install` shows what it would change")?;
        }
        Ok(())
    }
}

impl Row {
    fn of(entry: &Entry, spool: &Spool, redactor: &mut Redactor) -> Self {
        let id = redactor.show(Origin::ProcessName, &entry.id).into_string();
        let has_report = entry.parts.contains(&Part::Report);
        let row = Self { id, bytes: entry.bytes, has_report, ..Self::default() };
        let Some(record) = record(spool, &entry.id) else { return row };
        let mut show =
            |origin, text: Option<&str>| text.map(|text| redactor.show(origin, text).into_string());
        Self {
            time: Some(instant_of(record.time)),
            signal: Some(lines::signal(record.signal)),
            program: show(Origin::Path, record.facts.exe.as_deref()),
            unit: show(Origin::ProcessName, record.facts.unit.as_deref()),
            container: show(Origin::ProcessName, record.facts.container.as_deref()),
            core_bytes: Some(record.core.bytes),
            cut: lines::cut(record.core.end),
            ..row
        }
    }

    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let known = [self.time.as_deref(), self.signal.as_deref(), self.program.as_deref()];
        let known: Vec<_> = known.into_iter().flatten().collect();
        let size = self.core_bytes.map(lines::size);
        let more = [size.as_deref(), Some(self.cut), self.unit.as_deref()];
        let more: Vec<_> = more.into_iter().flatten().filter(|text| !text.is_empty()).collect();
        write!(out, "\n{}\n", visible(&self.id))?;
        if known.is_empty() {
            return writeln!(
                out,
                "    {} on disk; its owner and root see more",
                lines::size(self.bytes)
            );
        }
        writeln!(out, "    {}", visible(&known.join("  ")))?;
        let report = if self.has_report { "" } else { "  no report" };
        writeln!(out, "    {}{report}", visible(&more.join("  ")))
    }
}

/// What `ID.json` says, if it may be read.
fn record(spool: &Spool, id: &str) -> Option<CrashRecord> {
    let mut text = Vec::new();
    spool.read(id, Part::Facts).ok()?.take(LARGEST_RECORD).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
