//! Command lines that clap refuses, in one line of words.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// What is wrong, and where to read on. `verb` is the verb of the command line, if it has
/// one.
pub(crate) fn problem(error: &clap::Error, command: &Command, verb: Option<&str>) -> String {
    let verb = verb.and_then(|verb| command.find_subcommand(verb));
    let name = verb.map_or_else(|| "obit".to_owned(), |verb| format!("obit {}", verb.get_name()));
    let what = refused_option(error, command, verb).unwrap_or_else(|| match error.kind() {
        // A third file is where a verb could be.
        ErrorKind::InvalidSubcommand => {
            "too many files; give one core and at most one program".to_owned()
        }
        _ => {
            let text = error.to_string();
            // The first paragraph says what is wrong and what is possible.
            let lines: Vec<_> = text.lines().map(str::trim).take_while(|l| !l.is_empty()).collect();
            let text = lines.join(" ");
            text.strip_prefix("error: ").unwrap_or(&text).to_owned()
        }
    });
    format!("{what}; see `{name} --help`")
}

/// Of an option that is another verb's, that verb.
fn refused_option(
    error: &clap::Error,
    command: &Command,
    verb: Option<&Command>,
) -> Option<String> {
    let (ErrorKind::UnknownArgument, Some(ContextValue::String(option))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    else {
        return None;
    };
    let refusing = verb.map_or("CORE", Command::get_name);
    let with = owners(command, verb, option)?;
    let hint = match option == "-n" && has(verb.unwrap_or(command), "--frames") {
        true => "; --frames counts frames",
        false => "",
    };
    Some(format!("`obit {refusing}` has no option {option}; it is one of {with}{hint}"))
}

/// The first verbs that have `option`, other than `refusing`; `None` if no verb has it.
fn owners(command: &Command, refusing: Option<&Command>, option: &str) -> Option<String> {
    const MOST: usize = 3;
    let of_core = has(command, option).then(|| "`obit CORE`".to_owned());
    let of_verbs = command
        .get_subcommands()
        .filter(|verb| {
            !verb.is_hide_set() && Some(verb.get_name()) != refusing.map(Command::get_name)
        })
        .filter(|verb| verb.get_name() != "analyze" && has(verb, option))
        .map(|verb| format!("`obit {}`", verb.get_name()));
    let mut all: Vec<_> = of_core.into_iter().chain(of_verbs).collect();
    if all.len() > MOST {
        all.truncate(MOST);
        all.push("others".to_owned());
    }
    let last = all.pop()?;
    Some(if all.is_empty() { last } else { format!("{} and {last}", all.join(", ")) })
}

fn has(command: &Command, option: &str) -> bool {
    let is_named = |arg: &Arg| match option.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => arg.get_short().is_some_and(|short| option == format!("-{short}")),
    };
    command.get_arguments().any(is_named)
        || command.get_subcommands().any(|verb| {
            // `obit db gc`; the verbs of the root are asked one by one.
            command.get_name() != "obit" && has(verb, option)
        })
}
