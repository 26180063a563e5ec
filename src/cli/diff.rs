//! `obit diff`: two sets of crashes against each other.

use std::path::{Path, PathBuf};

use clap::Args;
use obit::render;
use obit::triage::store::Store;
use obit::triage::views::{self, GroupSummary, difference};

use super::args::Cli;
use super::exit::Exit;
use super::formats::{self, Listed};
use super::groups::Exchange;
use super::outlet::Outlet;
use super::{Failure, screen, triage};

/// Which two.
#[derive(Clone, Debug, Args)]
pub(crate) struct DiffArgs {
    /// What is compared with: a directory of cores, a core, or a store
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// What is compared: the same
    #[arg(value_name = "CURRENT")]
    current: PathBuf,
}

pub(super) fn diff(cli: &Cli, args: &DiffArgs) -> Result<Exit, Failure> {
    if Exchange::of(cli.format()).is_none() {
        // Known before anything is read.
        formats::listed(cli)?;
    }
    let outlet = Outlet::of(&cli.options.output, None)?;
    let (old, new) = (side(cli, &args.baseline)?, side(cli, &args.current)?);
    against(cli, &outlet, (&old, &args.baseline), (&new, &args.current))
}

/// Compares two stores, writes what differs, and minds the gate.
pub(super) fn against(
    cli: &Cli,
    outlet: &Outlet,
    (old, old_path): (&Store, &Path),
    (new, new_path): (&Store, &Path),
) -> Result<Exit, Failure> {
    let named = |store: &Store, path: &Path| {
        let (mut side, bundles) = store.bundles("")?;
        side.name = path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        Ok::<_, Failure>((side, bundles))
    };
    let stores = (old, new);
    let (baseline, old) = named(old, old_path)?;
    let (current, new) = named(new, new_path)?;
    let found = difference((baseline, &old), (current, &new));
    if let Some(exchange) = Exchange::of(cli.format()) {
        exchange.write_difference(outlet, &found, stores)?;
    } else {
        let format = formats::listed(cli)?;
        let page = screen::page_options(&cli.options, outlet.destination());
        outlet.write(|out| match format {
            Listed::Text => render::write_difference(out, &found, &page),
            Listed::Json | Listed::Lines => views::write_difference(&found, out),
            Listed::Markdown => render::write_difference_markdown(out, &found),
            Listed::Csv => render::write_difference_csv(out, &found),
        })?;
    }
    let for_gate: Vec<GroupSummary> = found
        .groups
        .into_iter()
        .filter(|group| group.current > 0)
        .map(|group| GroupSummary {
            id: group.id,
            signature: group.signature,
            status: group.change.status(),
            class: group.class,
            severity: group.severity,
            reason: group.reason,
            ..GroupSummary::default()
        })
        .collect();
    Ok(cli.options.gate.exit(&for_gate))
}

/// A store as it is, or one in memory of what lies below a path.
pub(super) fn side(cli: &Cli, path: &Path) -> Result<Store, Failure> {
    if is_store(path) {
        return Ok(Store::open(path)?);
    }
    triage::in_memory(cli, path)
}

/// Whether the file is a database. What else it may be is said when it is opened.
fn is_store(path: &Path) -> bool {
    use std::io::Read;
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = [0; 16];
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
        && std::fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && &start == MAGIC
}
