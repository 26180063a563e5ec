//! `obit dap`: a crash in an editor's debugger, by the Debug Adapter Protocol.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use obit::batch::WorkerCommand;
use obit::dap::{self, Launch, Outside};
use obit::mcp::Roots;
use obit::session::Setup;

use crate::cli::args::content::ReadLimits;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::{discreet, say};
use crate::cli::request::Request;
use crate::cli::session_worker::WORKER;

/// Where clients come from, and what they may see.
#[derive(Clone, Debug, Args)]
pub(crate) struct DapArgs {
    /// Wait for clients at this address of this machine instead of speaking over the standard
    /// input and output; each has a session of its own
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = loopback)]
    listen: Option<SocketAddr>,
    /// A directory below which clients may name files (repeatable) [default: anywhere; with
    /// --listen, the current directory]
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Seconds that one question may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds,
        hide_short_help = true)]
    timeout: Duration,
    /// Memory that one worker may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = bytes,
        hide_short_help = true)]
    pub(crate) max_memory: u64,
    /// What a client opened the core with: of workers
    #[arg(long, hide = true, value_parser = launch)]
    launched: Option<Launch>,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "expected ADDRESS:PORT, such as 127.0.0.1:4711".to_owned())?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => {
            Err("only addresses of this machine, such as 127.0.0.1:4711: the protocol has no \
                      password"
                .to_owned())
        }
    }
}

fn launch(text: &str) -> Result<Launch, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

impl DapArgs {
    /// How a core is read that a client opened.
    fn request_for(&self, core: &Path, launch: &Launch) -> Result<Request, Failure> {
        let mut search = self.search.clone();
        search.sysroot = launch.sysroot.clone().or(search.sysroot);
        // Those of the client come first.
        let rules = launch.source_map.iter().cloned().chain(search.substitute_path);
        search.substitute_path = rules.collect();
        let inputs =
            Inputs { core: core.to_owned(), exe: launch.program.clone(), ..Inputs::default() };
        let request = Request::new(inputs, &search, &self.redaction)?;
        Ok(request.limited(&self.limits))
    }

    /// How this process reads a core, as a worker.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let launch = self.launched.clone().unwrap_or_default();
        self.request_for(Path::new("core"), &launch)
    }
}

/// What the adapter needs of this program.
struct Program(DapArgs);

fn words(failure: Failure) -> String {
    failure.message.unwrap_or_else(|| "it failed".to_owned())
}

impl Outside for Program {
    fn setup(&self, core: &Path, launch: &Launch) -> Result<Setup, String> {
        let request = self.0.request_for(core, launch).map_err(words)?;
        let launched = serde_json::to_string(launch)
            .map_err(|_| "a path is not UTF-8, so no client can name it".to_owned())?;
        let before = [WORKER, "--"].map(OsString::from);
        let after = [OsString::from("--launched"), launched.into()];
        let arguments = before.into_iter().chain(std::env::args_os().skip(1));
        Ok(Setup {
            worker: WorkerCommand {
                // The running program, even if its file was replaced since.
                program: PathBuf::from("/proc/self/exe"),
                arguments: arguments.chain(after).collect(),
                is_apart: true,
            },
            broker: request.broker(),
            patience: self.0.timeout,
        })
    }
}

pub(crate) fn run(args: &DapArgs) -> Result<Exit, Failure> {
    // What is wrong with the options is said before a client waits for an answer.
    args.request()?;
    let directory = std::env::current_dir()
        .map_err(|error| Failure::new(Exit::Output, &format!("the current directory: {error}")))?;
    let roots = match (args.root.as_slice(), args.listen) {
        ([], None) => vec![PathBuf::from("/")],
        ([], Some(_)) => vec![directory.clone()],
        (roots, _) => roots.to_vec(),
    };
    let roots = Roots::new(&roots).map_err(|error| Failure::usage(&format!("--root: {error}")))?;
    let settings = dap::Settings { roots, directory, discreet };
    let program = Program(args.clone());
    let Some(address) = args.listen else {
        if io::stdin().is_terminal() {
            say("obit dap speaks the Debug Adapter Protocol with an editor; see docs/dap.md");
        }
        let served = dap::run(io::stdin().lock(), Box::new(io::stdout()), &settings, &program);
        served.map_err(|error| Failure::new(Exit::Output, &error))?;
        return Ok(Exit::Success);
    };
    let failed =
        |error: io::Error| Failure::new(Exit::Output, &format!("--listen: {address}: {error}"));
    let listener = TcpListener::bind(address).map_err(failed)?;
    // A port of 0 is one that is free.
    let bound = listener.local_addr().map_err(failed)?;
    say(&format!("obit dap listens at {bound}"));
    dap::serve(&listener, &settings, &program).map_err(failed)?;
    Ok(Exit::Success)
}
