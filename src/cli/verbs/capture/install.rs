//! `obit capture install` and `uninstall`.

use std::fmt::Write as _;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use obit_capture::spool::Spool;

use super::machine::{Machine, Values};
use super::pattern::{for_program, is_handler, is_ours, owner_of};
use super::settings::CaptureSettings;
use super::{InstallArgs, UninstallArgs, listen, require_root};
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::trusted_file::{Distrust, only_root_changes};

/// Handlers that run at once. The kernel skips dumps beyond that, and waits for those: so what
/// `/proc` says can be read until the end.
const PIPE_LIMIT: u32 = 64;

/// Why the machine is not changed.
#[derive(Debug, thiserror::Error)]
enum InstallError {
    #[error("cannot read the settings of the kernel: {0}")]
    Read(#[source] io::Error),
    #[error(
        "crashes go to {0} already; with --replace obit takes its place, and `obit capture \
         uninstall` sets it again"
    )]
    Other(String),
    #[error("this kernel has no coredump socket (Linux 6.16): install without --socket")]
    NoSocket,
    #[error("{0}")]
    Pattern(String),
    #[error("cannot find the program file of obit: {0}")]
    Program(#[source] io::Error),
    #[error(
        "the handler would {verb} {} as root at each crash, but {reason}; it must be where only \
         root can change it, and so must all directories above it", path.display()
    )]
    Distrusted { verb: &'static str, path: PathBuf, reason: Distrust },
    #[error("cannot find the settings file: {0}")]
    Config(#[source] io::Error),
    #[error("cannot change the machine: {0}")]
    Change(#[source] io::Error),
    #[error("obit is not installed as the handler of crashes: there is nothing to take back")]
    NotInstalled,
}

impl From<InstallError> for Failure {
    fn from(error: InstallError) -> Self {
        let exit = match error {
            InstallError::Change(_) => Exit::Output,
            InstallError::Read(_) | InstallError::Program(_) | InstallError::Config(_) => {
                Exit::Unusable
            }
            _ => Exit::Usage,
        };
        Self::new(exit, &error)
    }
}

pub(super) fn install(args: &InstallArgs, config: Option<&Path>) -> Result<Exit, Failure> {
    let machine = Machine::at(&args.root.root);
    let settings = CaptureSettings::load(config).map_err(|error| Failure::usage(&error))?;
    let now = machine.values().map_err(InstallError::Read)?;
    if is_handler(&now.core_pattern) && !is_ours(&now.core_pattern) && !args.replace {
        return Err(InstallError::Other(owner_of(&now.core_pattern)).into());
    }
    let wanted =
        Values { core_pattern: pattern(args, &machine, config)?, core_pipe_limit: PIPE_LIMIT };
    let spool = machine.reached(&settings.spool);
    let mut plan = String::new();
    let mut row = |what: &Path, change: &str| {
        let _ = writeln!(plan, "  {}\n      {change}", what.display());
    };
    if !spool.is_dir() {
        row(&spool, "make the directory, mode 0755; each file in it is its user's alone");
    }
    let kept = former_to_keep(&now, machine.former().map_err(InstallError::Read)?);
    if let Some(kept) = &kept {
        let change = format!("keep for `obit capture uninstall`: {}", kept.core_pattern);
        row(&machine.state_path(), &change);
    }
    row(&machine.sysctl_path(), "write: the two values below are set at each start");
    row(
        &machine.limit_path(),
        &format!("{} becomes {}", now.core_pipe_limit, wanted.core_pipe_limit),
    );
    row(&machine.pattern_path(), &format!("{} becomes {}", now.core_pattern, wanted.core_pattern));
    if !agreed("install", &plan, args.yes)? {
        return Ok(Exit::Success);
    }
    require_root("obit capture install", &args.root.root)?;
    Spool::create(&spool).map_err(|error| Failure::new(Exit::Output, &error))?;
    if let Some(kept) = &kept {
        machine.keep_former(kept).map_err(InstallError::Change)?;
    }
    machine.write_sysctl(&wanted).map_err(InstallError::Change)?;
    machine.set(&wanted).map_err(InstallError::Change)?;
    let next = match args.socket {
        true => "done; start the server with `systemctl enable --now obit-capture.socket`",
        false => "done; `obit capture test` checks it",
    };
    say(next)?;
    Ok(Exit::Success)
}

/// The values to keep for the uninstallation, if they are not kept already: those of another
/// handler that is set now, whatever was kept before; never obit's own.
fn former_to_keep(now: &Values, kept: Option<Values>) -> Option<Values> {
    match (is_ours(&now.core_pattern), kept) {
        (false, kept) => Some(now.clone()).filter(|now| kept.as_ref() != Some(now)),
        (true, Some(_)) => None,
        (true, None) => Some(Values::of_kernel()),
    }
}

/// The pattern that is to be set.
fn pattern(
    args: &InstallArgs,
    machine: &Machine,
    config: Option<&Path>,
) -> Result<String, InstallError> {
    if args.socket {
        if !machine.has_socket() {
            return Err(InstallError::NoSocket);
        }
        return Ok(format!("@@{}", listen::SOCKET));
    }
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    let program = program.map_err(InstallError::Program)?;
    let config = config.map(Path::canonicalize).transpose().map_err(InstallError::Config)?;
    // What would be installed by someone else is refused for that.
    if rustix::process::geteuid().is_root() {
        is_of_root(&program, "run")?;
        config.as_deref().map_or(Ok(()), |config| is_of_root(config, "use"))?;
    }
    for_program(&program, config.as_deref()).map_err(InstallError::Pattern)
}

/// Whether only root can change a file that handlers use as root.
fn is_of_root(path: &Path, verb: &'static str) -> Result<(), InstallError> {
    let distrusted = |reason| InstallError::Distrusted { verb, path: path.to_owned(), reason };
    only_root_changes(path).map_err(distrusted)
}

pub(super) fn uninstall(args: &UninstallArgs) -> Result<Exit, Failure> {
    let machine = Machine::at(&args.root.root);
    let now = machine.values().map_err(InstallError::Read)?;
    let former = machine.former().map_err(InstallError::Read)?;
    let is_set = is_ours(&now.core_pattern);
    if former.is_none() && !is_set && !machine.sysctl_path().exists() {
        return Err(InstallError::NotInstalled.into());
    }
    // Without a state file, or with one that is damaged.
    let former = former.unwrap_or_else(Values::of_kernel);
    let mut plan = String::new();
    let mut row = |what: &Path, change: &str| {
        let _ = writeln!(plan, "  {}\n      {change}", what.display());
    };
    if is_set {
        row(
            &machine.pattern_path(),
            &format!("{} becomes {}", now.core_pattern, former.core_pattern),
        );
        row(
            &machine.limit_path(),
            &format!("{} becomes {}", now.core_pipe_limit, former.core_pipe_limit),
        );
    } else {
        let kept = format!("stays: it is no longer obit's, but {}", now.core_pattern);
        row(&machine.pattern_path(), &kept);
    }
    for path in [machine.sysctl_path(), machine.state_path()] {
        if path.exists() {
            row(&path, "remove");
        }
    }
    if !agreed("uninstall", &plan, args.yes)? {
        return Ok(Exit::Success);
    }
    require_root("obit capture uninstall", &args.root.root)?;
    if is_set {
        machine.set(&former).map_err(InstallError::Change)?;
    }
    machine.remove_files().map_err(InstallError::Change)?;
    say("done; captured crashes stay where they are")?;
    Ok(Exit::Success)
}

/// Shows the plan, and asks on a terminal. Elsewhere nothing is done without `--yes`.
fn agreed(verb: &str, plan: &str, is_sure: bool) -> Result<bool, Failure> {
    let would = if is_sure { "changes" } else { "would change" };
    say(&format!("obit capture {verb} {would}:\n{}", plan.trim_end()))?;
    if is_sure {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        say(&format!("nothing was changed; `obit capture {verb} --yes` does it"))?;
        return Ok(false);
    }
    let asked = io::stderr().write_all(b"Do this? [y/N] ");
    let mut answer = String::new();
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    read.map_err(|error| Failure::new(Exit::Unusable, &error))?;
    let is_yes = matches!(answer.trim(), "y" | "Y" | "yes");
    if !is_yes {
        say("nothing was changed")?;
    }
    Ok(is_yes)
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(Destination::lines().write(|out| writeln!(out, "{text}"))?)
}
