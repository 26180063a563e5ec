//! `obit doctor`: what on this machine prevents a good report, and what fixes it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::Args;
use obit::debuginfo::locate::SearchRules;
use obit::render::visible;
use obit::sandbox;
use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use crate::cli::args::OutputFile;
use crate::cli::args::cache_directory::{self, cache_directory};
use crate::cli::args::general::General;
use crate::cli::args::store::StoreArgs;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::verbs::capture;

/// Columns of the name of a check.
const WIDTH: usize = 18;
/// Bits of `coredump_filter` that a report needs: private and shared anonymous memory, and the
/// first page of files, which has the build ID (core(5)).
const NEEDED: u32 = 0b1_0011;

/// How it is written.
#[derive(Clone, Debug, Args)]
pub(crate) struct DoctorArgs {
    /// JSON for programs: a list of checks
    #[arg(long, help_heading = "Output")]
    json: bool,
    #[command(flatten)]
    file: OutputFile,
    /// Exit with 1 if anything is to be fixed
    #[arg(long, help_heading = "Exit code")]
    strict: bool,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// What.
    name: &'static str,
    /// Whether nothing is to be done.
    ok: bool,
    /// What was found.
    found: String,
    /// What fixes it: a command, or what to install.
    fix: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, ok: true, found: found.into(), fix: None }
    }

    fn wrong(name: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, ok: false, found: found.into(), fix: Some(fix.into()) }
    }
}

pub(crate) fn run(args: &DoctorArgs, general: &General) -> Result<Exit, Failure> {
    let destination = Destination::of(&args.file, TERMINAL, general, None)?;
    let checks = [
        core_pattern(),
        core_limit(),
        coredump_filter(),
        landlock(),
        system_calls(),
        debug_directories(),
        debuginfod(),
        directory("section cache", section_cache()),
        directory(
            "store",
            StoreArgs::default().path().ok().and_then(|path| Some(path.parent()?.to_owned())),
        ),
    ];
    destination.write(|out| match args.json {
        true => obit::report::json::write_line(&checks, out),
        false => checks.iter().try_for_each(|check| write(out, check)),
    })?;
    let is_failure = args.strict && checks.iter().any(|check| !check.ok);
    Ok(if is_failure { Exit::Incomplete } else { Exit::Success })
}

fn write(out: &mut dyn io::Write, check: &Check) -> io::Result<()> {
    let mark = if check.ok { "ok " } else { "fix" };
    writeln!(out, "{mark}  {:WIDTH$} {}", check.name, visible(&check.found))?;
    match &check.fix {
        Some(fix) => writeln!(out, "     {:WIDTH$} {}", "", visible(fix)),
        None => Ok(()),
    }
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// Where the kernel puts dumps (core(5)).
fn core_pattern() -> Check {
    const NAME: &str = "core pattern";
    let Some(pattern) = read("/proc/sys/kernel/core_pattern") else {
        return Check::wrong(NAME, "cannot be read: is /proc mounted?", "mount -t proc proc /proc");
    };
    if capture::is_ours(&pattern) {
        return Check::ok(NAME, "crashes are handed to obit: see `obit capture status`");
    }
    if let Some(socket) = pattern.strip_prefix('@') {
        let socket = socket.trim_start_matches('@');
        return Check::ok(NAME, format!("dumps are sent to the socket {socket}"));
    }
    if let Some(program) = pattern.strip_prefix('|') {
        let program = program.split(' ').next().unwrap_or_default();
        let place = match program.rsplit('/').next().unwrap_or_default() {
            "systemd-coredump" => "`coredumpctl dump -o core` writes the last one",
            "apport" => "they are in /var/crash, packed; obit reads them",
            _ => "where they go is up to it",
        };
        return Check::ok(NAME, format!("dumps are piped to {program}: {place}"));
    }
    if pattern.is_empty() {
        let fix = "echo core.%e.%p | sudo tee /proc/sys/kernel/core_pattern";
        return Check::wrong(NAME, "empty: no dumps are written", fix);
    }
    let directory = Path::new(&pattern).parent().filter(|parent| parent.is_absolute());
    if let Some(missing) = directory.filter(|directory| !directory.is_dir()) {
        let missing = missing.display();
        let found = format!("{pattern}: the directory does not exist, so no dumps are written");
        return Check::wrong(NAME, found, format!("sudo mkdir -m 1777 -p {missing}"));
    }
    Check::ok(NAME, format!("{pattern}, by the kernel"))
}

fn core_limit() -> Check {
    const NAME: &str = "core size limit";
    let limit = getrlimit(Resource::Core);
    match (limit.current, limit.maximum) {
        (None, _) => Check::ok(NAME, "unlimited"),
        (Some(0), Some(0)) => Check::wrong(
            NAME,
            "0, and may not be raised: programs started here leave no dump",
            "in systemd: LimitCORE=infinity; in Docker: --ulimit core=-1; else limits.conf(5)",
        ),
        (Some(0), _) => {
            Check::wrong(NAME, "0: programs started here leave no dump", "ulimit -c unlimited")
        }
        (Some(bytes), _) => Check::wrong(
            NAME,
            format!("{bytes} bytes: larger dumps are cut off"),
            "ulimit -c unlimited",
        ),
    }
}

fn coredump_filter() -> Check {
    const NAME: &str = "coredump_filter";
    let filter = read("/proc/self/coredump_filter");
    let Some(bits) = filter.and_then(|text| u32::from_str_radix(&text, 16).ok()) else {
        return Check::ok(NAME, "not on this kernel");
    };
    if bits & NEEDED == NEEDED {
        return Check::ok(NAME, format!("{bits:#x}"));
    }
    let found = format!("{bits:#x}: dumps lack memory or build IDs");
    Check::wrong(NAME, found, format!("echo {:#x} > /proc/self/coredump_filter", bits | 0x33))
}

fn landlock() -> Check {
    match sandbox::support().0 {
        Some(version) => Check::ok("sandbox: Landlock", format!("version {version}")),
        None => Check::wrong(
            "sandbox: Landlock",
            "not in this kernel: the list of system calls alone confines the analysis",
            "Linux 5.13 or later with `landlock` in the kernel's lsm= parameter",
        ),
    }
}

fn system_calls() -> Check {
    match sandbox::support().1 {
        true => Check::ok("sandbox: seccomp", "available"),
        false => Check::wrong(
            "sandbox: seccomp",
            "not in this kernel: the analysis can use all system calls",
            "a kernel with CONFIG_SECCOMP_FILTER; in Docker, no --privileged is needed",
        ),
    }
}

fn debug_directories() -> Check {
    const NAME: &str = "debug files";
    let directories = SearchRules::default().debug_directories;
    let found = directories.iter().find(|directory| directory.join(".build-id").is_dir());
    match found {
        Some(directory) => Check::ok(NAME, format!("{}/.build-id", directory.display())),
        None => Check::wrong(
            NAME,
            "none are installed: system libraries have no source lines and no variables",
            "install -dbgsym or -debuginfo packages, or pass --debuginfod",
        ),
    }
}

fn debuginfod() -> Check {
    const NAME: &str = "debuginfod";
    match std::env::var("DEBUGINFOD_URLS").ok().filter(|urls| !urls.trim().is_empty()) {
        Some(urls) => Check::ok(NAME, urls),
        None => Check::ok(NAME, "no servers (DEBUGINFOD_URLS is not set): nothing is fetched"),
    }
}

/// A directory of our own: whether it can be used, and no one else can write to it.
fn section_cache() -> Option<PathBuf> {
    cache_directory(std::env::var_os(cache_directory::VARIABLE).map(PathBuf::from).as_deref())
}

fn directory(name: &'static str, path: Option<PathBuf>) -> Check {
    let Some(path) = path else {
        return Check::wrong(name, "there is no home directory", "export HOME=…");
    };
    let shown = path.display();
    let Ok(metadata) = fs::metadata(&path) else {
        return Check::ok(name, format!("{shown}, made when first needed"));
    };
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        let found = format!("{shown} belongs to someone else, so it is not used");
        return Check::wrong(name, found, format!("sudo chown -R \"$USER\" {shown}"));
    }
    if metadata.mode() & 0o022 != 0 {
        let found = format!("{shown}: others may write there, so it is not trusted");
        return Check::wrong(name, found, format!("chmod go-w {shown}"));
    }
    Check::ok(name, shown.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_directory_that_others_may_write_to_is_to_be_fixed() {
        let directory = tempfile::tempdir().unwrap();
        let check = || super::directory("store", Some(directory.path().to_owned()));
        assert!(check().ok);
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(check().fix.unwrap().starts_with("chmod go-w "));
    }
}
