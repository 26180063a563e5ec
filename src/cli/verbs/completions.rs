//! `obit completions SHELL`: what a shell offers behind `obit`.

use clap::Args;
use clap_complete::{Generator, Shell};
use clap_complete_nushell::Nushell;

use crate::cli::args::choices::{Choice, one_of};
use crate::cli::command::command;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Of which shell.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = one_of(SHELLS))]
    shell: Generate,
}

/// Makes the completions.
type Generate = fn() -> Vec<u8>;

const SHELLS: &[Choice<Generate>] = &[
    ("bash", "eval \"$(obit completions bash)\" in ~/.bashrc", || text_for(Shell::Bash)),
    ("zsh", "write them to _obit in a directory of $fpath", || text_for(Shell::Zsh)),
    ("fish", "obit completions fish | source, in config.fish", || text_for(Shell::Fish)),
    ("nushell", "write them to a file that config.nu loads with `use`", || text_for(Nushell)),
];

pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let text = (args.shell)();
    let standard_output = Destination::new(None, None)?;
    standard_output.write(|out| out.write_all(&text))?;
    Ok(Exit::Success)
}

fn text_for(shell: impl Generator) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(), "obit", &mut text);
    text
}
