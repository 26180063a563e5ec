//! `obit mcp`: crashes as tools for agents, by the Model Context Protocol.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use obit::batch::{self, WorkerCommand};
use obit::mcp::{self, Outside, Roots, Running};
use obit::redact::Level;
use obit::session::Setup;
use obit::triage::store::Store;

use crate::cli::args::batch::BatchArgs;
use crate::cli::args::core_files::Inputs;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::batch::{request, settings};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::message::{discreet, say};
use crate::cli::request::Request;
use crate::cli::session_worker::WORKER;

/// Which files may be named, and what is hidden of them.
#[derive(Clone, Debug, Args)]
pub(crate) struct McpArgs {
    /// A directory below which cores and stores may be named (repeatable) [default: the current
    /// directory]
    #[arg(long, value_name = "DIR")]
    root: Vec<PathBuf>,
    /// Speak by HTTP at this address of this machine instead: 127.0.0.1:PORT, port 0 for any
    #[cfg(feature = "serve")]
    #[arg(long, value_name = "ADDRESS", requires = "token_file")]
    listen: Option<std::net::SocketAddr>,
    /// The file of the token that clients send; made if it is not there
    #[cfg(feature = "serve")]
    #[arg(long, value_name = "FILE", requires = "listen")]
    token_file: Option<PathBuf>,
    /// Append a line of JSON for each call to this file: who asked for what, how much was
    /// revealed
    #[arg(long, value_name = "FILE")]
    audit: Option<PathBuf>,
    /// The store of crashes that `triage` reads if no path is given
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Seconds that one question may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds,
        hide_short_help = true)]
    timeout: Duration,
    /// Memory that one worker may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = bytes,
        hide_short_help = true)]
    pub(crate) max_memory: u64,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
}

impl McpArgs {
    /// How a core is read.
    pub(crate) fn request(&self, core: &Path, program: Option<&Path>) -> Result<Request, Failure> {
        let exe = program.map(Path::to_owned).or_else(|| self.batch.exe.clone());
        let inputs = Inputs { core: core.to_owned(), exe, ..Inputs::default() };
        let request = Request::new(inputs, &self.batch.search, &self.batch.redaction)?;
        Ok(request.limited(&self.batch.limits))
    }

    fn level(&self) -> &'static str {
        match self.batch.redaction.level {
            Level::Default => "default",
            Level::Strict => "strict",
            Level::Off => "off",
        }
    }
}

/// What the server needs of this program.
struct Program {
    args: McpArgs,
}

fn words(failure: Failure) -> String {
    failure.message.unwrap_or_else(|| "it failed".to_owned())
}

impl Outside for Program {
    fn setup(&self, core: &Path, program: Option<&Path>) -> Result<Setup, String> {
        let request = self.args.request(core, program).map_err(words)?;
        let before = [WORKER, "--"].map(OsString::from);
        let after = program.map(|program| [OsString::from("--exe"), program.into()]);
        let arguments = before.into_iter().chain(std::env::args_os().skip(1));
        Ok(Setup {
            worker: WorkerCommand {
                // The running program, even if its file was replaced since.
                program: PathBuf::from("/proc/self/exe"),
                arguments: arguments.chain(after.into_iter().flatten()).collect(),
                is_apart: true,
            },
            broker: request.broker(),
            patience: self.args.timeout,
        })
    }

    fn store(&self) -> Option<PathBuf> {
        self.args.db.clone()
    }

    fn open_store(&self, path: &Path) -> Result<Store, String> {
        let mut store = Store::open(path).map_err(|error| error.to_string())?;
        store.view_at(self.args.batch.redaction.level);
        Ok(store)
    }

    fn triage(&self, path: &Path, running: &Running) -> Result<Store, String> {
        let request = request(&self.args.batch, TERMINAL).map_err(words)?;
        let mut store = Store::temporary().map_err(|error| error.to_string())?;
        let journal = self.args.batch.journal().map_err(words)?;
        let settings = batch::Settings {
            follow: false,
            timeout: self.args.timeout,
            journal,
            stop: running.stop(),
            ..settings(&request)
        };
        let mut watcher = Watcher { running, planned: None, done: 0 };
        batch::run([path.to_owned()], &mut store, &settings, &mut watcher)
            .map_err(|error| error.to_string())?;
        store.view_at(self.args.batch.redaction.level);
        Ok(store)
    }
}

/// Says how many dumps were read.
struct Watcher<'r> {
    running: &'r Running,
    planned: Option<u64>,
    done: u64,
}

impl batch::Watcher for Watcher<'_> {
    fn planned(&mut self, files: u64) {
        self.planned = Some(files);
    }

    fn stored(&mut self, _: &obit::triage::PackedRecord, _: &Store) -> io::Result<()> {
        self.done += 1;
        self.running.progress(self.done, self.planned);
        Ok(())
    }
}

pub(crate) fn run(args: &McpArgs) -> Result<Exit, Failure> {
    // What is wrong with the options is said before a client waits for an answer.
    args.request(Path::new("core"), None)?;
    let roots = match args.root.as_slice() {
        [] => vec![PathBuf::from(".")],
        roots => roots.to_vec(),
    };
    let roots = Roots::new(&roots).map_err(|error| Failure::usage(&format!("--root: {error}")))?;
    let audit = args.audit.as_ref().map(|path| {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
        file.map_err(|error| {
            Failure::new(Exit::Output, &format!("--audit: {}: {error}", path.display()))
        })
    });
    let audit = audit.transpose()?.map(|file| Box::new(file) as Box<dyn Write + Send>);
    let settings = mcp::Settings { roots, audit, level: args.level().to_owned(), discreet };
    #[cfg(feature = "serve")]
    if let (Some(address), Some(token)) = (args.listen, &args.token_file) {
        let program = Arc::new(Program { args: args.clone() });
        return super::mcp_listen::run(address, token, mcp::Hub::new(settings, program));
    }
    if io::stdin().is_terminal() {
        say("obit mcp speaks the Model Context Protocol with an agent; see docs/mcp.md");
    }
    let program = Program { args: args.clone() };
    mcp::run(io::stdin().lock(), Box::new(io::stdout()), settings, Arc::new(program))
        .map_err(|error| Failure::new(Exit::Output, &error))?;
    Ok(Exit::Success)
}
