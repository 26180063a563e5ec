//! Two sets of crashes compared: `obit diff`, and `obit triage --baseline`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use obit::render::formats::{WriteDifference, Writer};
use obit::render::{Format, PageOptions};
use obit::triage::store::Store;
use obit::triage::views::{GroupSummary, ViewOptions, difference};

use super::args::Output;
use super::args::batch::BatchArgs;
use super::args::fail_on::FailOn;
use super::args::general::General;
use super::args::page::Width;
use super::args::period::Period;
use super::batch;
use super::destination::Destination;
use super::exit::Exit;
use super::failure::Failure;
use super::formats;
use super::groups::write_difference;
use super::page_layout::page_options;

/// One of two sets of crashes.
pub(crate) struct Side {
    store: Store,
    /// Where it was read from.
    path: PathBuf,
}

impl Side {
    /// A store as it is, or one in memory of what lies below a path.
    pub(crate) fn read(
        path: &Path,
        args: &BatchArgs,
        format: &Format,
        general: &General,
    ) -> Result<Self, Failure> {
        let store = match is_store(path) {
            true => {
                let mut store = Store::open(path)?;
                store.view_at(args.redaction.level);
                store
            }
            false => batch::in_memory(path, args, format, general)?,
        };
        Ok(Self::of(store, path.to_owned()))
    }

    /// The crashes of `store`, which were read from `path`.
    pub(crate) fn of(store: Store, path: PathBuf) -> Self {
        Self { store, path }
    }

    /// The last part of the path.
    fn name(&self) -> String {
        let name = self.path.file_name();
        name.map_or_else(
            || self.path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}

/// How a comparison is written.
pub(crate) struct Comparison<'a> {
    destination: Destination,
    writer: Writer<WriteDifference>,
    page: PageOptions,
    options: ViewOptions,
    fail_on: &'a FailOn,
}

impl<'a> Comparison<'a> {
    /// Fails if the format is not one of a comparison, before anything is read.
    pub(crate) fn new(
        output: &Output,
        width: &Width,
        period: &Period,
        fail_on: &'a FailOn,
        general: &General,
    ) -> Result<Self, Failure> {
        let format = output.format();
        let writer = formats::writer(format, "a difference", Format::difference)?;
        let destination = Destination::of(&output.file, format, general, None)?;
        let page = page_options(general, width, &destination);
        let options = period.of(ViewOptions::default());
        Ok(Self { destination, writer, page, options, fail_on })
    }

    /// Compares `new` with `old`, writes what differs, and checks `--fail-on`.
    pub(crate) fn write(&self, old: &Side, new: &Side) -> Result<Exit, Failure> {
        let bundles = |side: &Side| {
            let (mut described, bundles) = side.store.bundles("", &self.options)?;
            described.name = side.name();
            Ok::<_, Failure>((described, bundles))
        };
        let ((baseline, before), (current, after)) = (bundles(old)?, bundles(new)?);
        let found = difference((baseline, &before), (current, &after));
        let stores = (&old.store, &new.store);
        match self.writer {
            Writer::Items(write) => write_difference(write, &self.destination, &found, stores)?,
            Writer::Own(write) => {
                self.destination.write(|out| write(out, &found, &self.page))?;
            }
        }
        let present: Vec<GroupSummary> = found
            .groups
            .into_iter()
            .filter(|group| group.current > 0)
            .map(|group| GroupSummary {
                id: group.id,
                signature: group.signature,
                status: group.change.status(),
                class: group.class,
                severity: group.severity,
                is_sure: group.is_sure,
                reason: group.reason,
                ..GroupSummary::default()
            })
            .collect();
        Ok(self.fail_on.exit(&present))
    }
}

/// Whether the file is a database. What else it may be is said when it is opened.
fn is_store(path: &Path) -> bool {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = [0; 16];
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
        && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && &start == MAGIC
}
