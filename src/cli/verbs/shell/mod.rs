//! `obit shell`: a prompt on one core, with gdb's commands.

mod crash;
mod editor;
mod history;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use obit::batch::WorkerCommand;
use obit::session::Setup;
use obit::shell::{Flow, Shell, Trouble};

use crate::cli::args::OutputFile;
use crate::cli::args::content::ReadLimits;
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::core_source::is_standard_input;
use crate::cli::destination::{Destination, DestinationError};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::message::{discreet, say, say_line};
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;
use crate::cli::session_worker::WORKER;

/// Bytes of a file of commands, and of a line of the standard input.
const LONGEST_FILE: u64 = 1 << 20;
const LONGEST_LINE: u64 = 64 << 10;

/// Which core, and which commands before the prompt.
#[derive(Clone, Debug, Args)]
pub(crate) struct ShellArgs {
    #[command(flatten)]
    files: CoreFiles,
    /// Run a command before the prompt (repeatable): `-ex bt`, as gdb has it
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    ex: Vec<String>,
    /// Run the commands of this file before the prompt (repeatable)
    #[arg(short = 'x', long, value_name = "FILE")]
    command: Vec<PathBuf>,
    /// Leave after these commands: no prompt
    #[arg(long)]
    batch: bool,
    /// Keep no history of commands
    #[arg(long, hide_short_help = true)]
    no_history: bool,
    /// Seconds that one question may take
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds,
        hide_short_help = true)]
    timeout: Duration,
    /// Memory that the process which reads the core may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "4G", value_parser = bytes,
        hide_short_help = true)]
    pub(crate) max_memory: u64,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    limits: ReadLimits,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    width: Width,
}

impl ShellArgs {
    /// How the core is read.
    pub(crate) fn request(&self) -> Result<Request, Failure> {
        let request = Request::new(self.files.inputs()?, &self.search, &self.redaction)?;
        let mut request = request.limited(&self.limits);
        // For `info proc mappings`.
        request.build.memory = true;
        Ok(request)
    }

    fn setup(&self, request: &Request) -> Setup {
        let before = [WORKER, "--"].map(OsString::from);
        Setup {
            worker: WorkerCommand {
                // The running program, even if its file was replaced since.
                program: PathBuf::from("/proc/self/exe"),
                arguments: before.into_iter().chain(std::env::args_os().skip(1)).collect(),
                is_apart: true,
            },
            broker: request.broker(),
            patience: self.timeout,
        }
    }
}

/// A shell and where its answers go.
struct Prompt<'a> {
    shell: Shell,
    args: &'a ShellArgs,
    general: &'a General,
    has_failed: bool,
}

/// Runs the commands that are given, then those of the user.
pub(crate) fn run(args: &ShellArgs, general: &General) -> Result<Exit, Failure> {
    let request = args.request()?;
    if is_standard_input(&request.inputs.core) {
        let problem = "the standard input is where commands come from; write the core into a file";
        return Err(Failure::usage(&problem));
    }
    let scripts = args.command.iter().map(commands_of).collect::<Result<Vec<_>, _>>()?;
    let core = request.open(general.quiet)?;
    let crash = crash::open(core, args.setup(&request))?;
    let shell = Shell::new(crash).map_err(|trouble| Failure::new(Exit::Unusable, &trouble))?;
    let mut prompt = Prompt { shell, args, general, has_failed: false };
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let is_prompt = is_terminal && !args.batch;
    if is_prompt && !general.quiet {
        prompt.greet()?;
    }
    let given = scripts.iter().flat_map(|script| script.lines());
    for line in given.chain(args.ex.iter().map(String::as_str)) {
        // An empty line of a file repeats nothing.
        if !line.trim().is_empty() && prompt.perform(line)? == Flow::Leave {
            return Ok(prompt.exit());
        }
    }
    if args.batch {
        return Ok(prompt.exit());
    }
    if is_prompt {
        editor::run(prompt)?;
        return Ok(Exit::Success);
    }
    prompt.heed_standard_input()?;
    Ok(prompt.exit())
}

/// The text of a file of commands.
fn commands_of(path: &PathBuf) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::usage(&format!("--command: {}: {error}", path.display()))
    };
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut text = String::new();
    file.take(LONGEST_FILE + 1).read_to_string(&mut text).map_err(|error| failed(&error))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(failed(&format!("a file of commands has at most {LONGEST_FILE} bytes")));
    }
    Ok(text)
}

impl Prompt<'_> {
    /// Of a run without a prompt: a command without an answer is an error of the command line.
    fn exit(&self) -> Exit {
        if self.has_failed { Exit::Usage } else { Exit::Success }
    }

    fn greet(&mut self) -> Result<(), Failure> {
        self.written(|shell, out| shell.greet(out).map(|()| Flow::On)).map(drop)
    }

    /// Does what a line says.
    fn perform(&mut self, line: &str) -> Result<Flow, Failure> {
        self.written(|shell, out| shell.run(line, out))
    }

    /// Writes an answer: through a pager if it is longer than the terminal.
    fn written(
        &mut self,
        answer: impl FnOnce(&mut Shell, &mut dyn io::Write) -> Result<Flow, Trouble>,
    ) -> Result<Flow, Failure> {
        crash::begin();
        let general = General {
            no_pager: self.general.no_pager || self.args.batch || !self.shell.is_paged(),
            ..self.general.clone()
        };
        let to = Destination::of(&OutputFile::default(), TERMINAL, &general, None)?;
        self.shell.lay_out(page_options(&general, &self.args.width, &to));
        let mut done = Ok(Flow::On);
        let written = to.write(|out| {
            done = answer(&mut self.shell, out);
            match std::mem::replace(&mut done, Ok(Flow::On)) {
                Err(Trouble::Output(error)) => Err(error),
                other => {
                    done = other;
                    Ok(())
                }
            }
        });
        match written {
            Ok(()) => {}
            // Who leaves a pager early has seen enough.
            Err(DestinationError::BrokenPipe) if to.is_pager() => {}
            Err(error) => return Err(error.into()),
        }
        done.or_else(|trouble| {
            self.has_failed = true;
            say_line("", &discreet(&trouble.to_string()));
            Ok(Flow::On)
        })
    }

    /// Commands from a pipe or a file.
    fn heed_standard_input(&mut self) -> Result<(), Failure> {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = input.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
            let read = read.map_err(|error| Failure::new(Exit::Unusable, &error))?;
            if read as u64 > LONGEST_LINE {
                say(&format!("a line of the standard input has at most {LONGEST_LINE} bytes"));
                self.has_failed = true;
                return Ok(());
            }
            if read == 0 || self.perform(&String::from_utf8_lossy(&line))? == Flow::Leave {
                return Ok(());
            }
        }
    }
}
