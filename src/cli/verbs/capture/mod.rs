//! `obit capture`: the kernel hands each crash of this machine to obit.

mod handle;
mod install;
mod lines;
mod listen;
mod machine;
mod pattern;
mod report;
mod settings;
mod status;
mod test;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::cli::args::general::General;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

pub(crate) use lines::size;
pub(crate) use pattern::is_ours;

/// What to do.
#[derive(Clone, Debug, Args)]
pub(crate) struct CaptureArgs {
    #[command(subcommand)]
    what: CaptureVerb,
    /// The settings [default: /etc/obit/capture.toml if it exists]
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true)]
    config: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
enum CaptureVerb {
    /// Make obit this machine's handler of crashes; shows first what would be changed
    Install(InstallArgs),
    /// Take that back: the former handler is set again; captured crashes stay
    Uninstall(UninstallArgs),
    /// Show which handler is set, what the spool holds, and the last crashes
    Status {
        /// JSON for programs
        #[arg(long)]
        json: bool,
        /// List so many of the newest crashes
        #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
        limit: usize,
    },
    /// Crash a process on purpose, and check that it was captured
    Test {
        /// How long that may take, in seconds
        #[arg(long, value_name = "SECS", default_value = "10",
            value_parser = crate::cli::args::quantities::seconds)]
        timeout: std::time::Duration,
    },
    /// Store the core on the standard input: what the kernel starts for each crash
    Handle {
        /// The values of %P %s %t %I %F %d %c %h (core(5))
        // The last is a host name, which a container chooses: it must not become an option.
        #[arg(value_name = "VALUE", trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
        /// The standard input is a connection of the kernel to the coredump socket
        #[arg(long, hide = true)]
        connection: bool,
    },
    /// Serve the kernel's coredump socket (Linux 6.16), instead of a program for each crash
    Listen {
        /// Where the socket is made, unless systemd passes one
        #[arg(long, value_name = "PATH", default_value = listen::SOCKET)]
        socket: PathBuf,
    },
    /// Report on the core on the standard input, with the rights and the files of its process
    #[command(hide = true)]
    Report(report::RoleArgs),
}

#[derive(Clone, Debug, Args)]
struct InstallArgs {
    /// Do it, without asking
    #[arg(short, long)]
    yes: bool,
    /// Replace another handler, such as systemd-coredump or apport
    #[arg(long)]
    replace: bool,
    /// Use the kernel's coredump socket, which `obit capture listen` serves
    #[arg(long)]
    socket: bool,
    #[command(flatten)]
    root: RootArgs,
}

#[derive(Clone, Debug, Args)]
struct UninstallArgs {
    /// Do it, without asking
    #[arg(short, long)]
    yes: bool,
    #[command(flatten)]
    root: RootArgs,
}

#[derive(Clone, Debug, Args)]
struct RootArgs {
    /// Work on the machine whose files are below DIR
    #[arg(long, value_name = "DIR", hide = true, default_value = "/")]
    root: PathBuf,
}

pub(crate) fn run(args: &CaptureArgs, general: &General) -> Result<Exit, Failure> {
    let config = args.config.as_deref();
    match &args.what {
        CaptureVerb::Install(install) => install::install(install, config),
        CaptureVerb::Uninstall(uninstall) => install::uninstall(uninstall),
        CaptureVerb::Status { json, limit } => status::run(*json, *limit, config),
        CaptureVerb::Test { timeout } => test::run(*timeout, config),
        CaptureVerb::Handle { words, connection } => handle::run(words, *connection, config),
        CaptureVerb::Listen { socket } => listen::run(socket, config),
        CaptureVerb::Report(role) => report::run(role, general),
    }
}

/// Whether this process is root, as what changes the machine must be.
fn require_root(what: &str, root: &Path) -> Result<(), Failure> {
    if rustix::process::geteuid().is_root() || root != Path::new("/") {
        return Ok(());
    }
    let problem = format!("{what} changes settings of the kernel: run it as root (sudo)");
    Err(Failure::usage(&problem))
}
