//! Command lines that clap refuses, in one line of words.

use std::error::Error;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::habits;
use super::nearest::nearest;

/// What is wrong, and where to read on. `verb` is the verb of the command line, if it has
/// one, and `words` are all of it as they were typed.
pub(crate) fn problem(
    error: &clap::Error,
    command: &Command,
    verb: Option<&str>,
    words: &[OsString],
) -> String {
    let verb = verb.and_then(|verb| command.find_subcommand(verb));
    let name = verb.map_or_else(|| "obit".to_owned(), |verb| format!("obit {}", verb.get_name()));
    let of_verb = verb.unwrap_or(command);
    let what = match error.kind() {
        ErrorKind::UnknownArgument => {
            if let Some(answer) = of_others(words, verb) {
                return answer;
            }
            refused_option(error, command, verb)
        }
        ErrorKind::InvalidValue => invalid_value(error),
        ErrorKind::ValueValidation => unread_value(error),
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::MissingRequiredArgument => missing(error, of_verb, &name),
        ErrorKind::TooManyValues => {
            argument(error).map(|option| format!("{option} takes no value"))
        }
        ErrorKind::NoEquals => argument(error).map(|option| format!("write {option}=VALUE")),
        ErrorKind::InvalidSubcommand => unknown_verb(error, of_verb, &name),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let verbs: Vec<_> = verbs_of(of_verb).collect();
            Some(format!("`{name}` needs a verb: {}", verbs.join(", ")))
        }
        _ => None,
    };
    let what = what.unwrap_or_else(|| in_claps_words(error));
    // A question is answered already.
    if what.ends_with('?') { what } else { format!("{what}; see `{name} --help`") }
}

/// The options of `obit shell` that gdb has with one dash, with two.
pub(crate) fn without_habits(words: Vec<OsString>) -> Vec<OsString> {
    let is_plain = |word: &&OsString| !word.as_encoded_bytes().starts_with(b"-");
    let mut plain = words.iter().filter(is_plain);
    // What follows the name of a worker is the line that it works for; what follows another
    // verb may be the line of a program.
    let verb = plain.next();
    let is_worker = verb.is_some_and(|word| word == super::session_worker::WORKER);
    let verb = if is_worker { plain.next() } else { verb };
    let is_shell = verb.is_some_and(|word| word == "shell");
    let with_two = |word: OsString| match word.to_str() {
        Some("-ex" | "-eval-command") => "--ex".into(),
        Some("-batch") => "--batch".into(),
        Some("-command") => "--command".into(),
        Some("-quiet" | "-silent") => "--quiet".into(),
        _ => word,
    };
    match is_shell {
        true => words.into_iter().map(with_two).collect(),
        false => words,
    }
}

/// Commands for gdb, which are the options `-e x` otherwise: `-ex bt`.
pub(crate) fn of_gdb(words: &[OsString]) -> Option<&'static str> {
    let mut words = words.iter().take_while(|word| *word != "--");
    words.find(|word| *word == "-ex").and_then(|_| habits::option_instead_of("-ex"))
}

/// A command of another debugger whose second word is our `list`, which takes the first for the
/// name of a program otherwise: `image list`.
pub(crate) fn of_list(words: &[OsString]) -> Option<String> {
    match words {
        [first, second, ..] if second == "list" => {
            habits::instead_of_both(first.to_str()?, second.to_str()?)
        }
        _ => None,
    }
}

/// A command of another debugger whose second word is a verb of ours (`image list`), or an
/// option of another debugger in a command line that is about a core.
fn of_others(words: &[OsString], verb: Option<&Command>) -> Option<String> {
    let words = words.iter().take_while(|word| *word != "--");
    let words: Vec<_> = words.filter_map(|word| word.to_str()).collect();
    match verb.map(Command::get_name) {
        Some(verb) if verb != "analyze" => match words.as_slice() {
            [first, second, ..] if *second == verb => habits::instead_of(&[first, second], None),
            _ => None,
        },
        _ => words.iter().find_map(|word| habits::option_instead_of(word)).map(str::to_owned),
    }
}

/// The first paragraph says what is wrong and what is possible.
fn in_claps_words(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let text = lines.join(" ");
    text.strip_prefix("error: ").unwrap_or(&text).to_owned()
}

/// An option or a word that the verb does not take: of an option that is another verb's,
/// that verb; else the nearest.
fn refused_option(
    error: &clap::Error,
    command: &Command,
    verb: Option<&Command>,
) -> Option<String> {
    let option = text(error, ContextKind::InvalidArg)?;
    let refusing = verb.map_or("CORE", Command::get_name);
    if !option.starts_with('-') {
        return Some(format!("`obit {refusing}` takes no further argument: {option}"));
    }
    if let Some(with) = owners(command, verb, option) {
        let hint = match option == "-n" && has(verb.unwrap_or(command), "--frames") {
            true => "; --frames counts frames",
            false => "",
        };
        return Some(format!(
            "`obit {refusing}` has no option {option}; it is an option of {with}{hint}"
        ));
    }
    let of_verb = verb.unwrap_or(command);
    let longs: Vec<_> = of_verb.get_arguments().filter_map(Arg::get_long).collect();
    let typed = option.trim_start_matches('-');
    let hint = match nearest(typed, &longs) {
        Some(near) => format!("; did you mean --{near}?"),
        None => String::new(),
    };
    Some(format!("there is no option '{option}'{hint}"))
}

fn invalid_value(error: &clap::Error) -> Option<String> {
    let option = argument(error)?;
    let known = texts(error, ContextKind::ValidValue);
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let known_words = known.join(", ");
    Some(match (value, known.is_empty()) {
        ("", true) => format!("{option} needs a value"),
        ("", false) => format!("{option} needs a value: {known_words}"),
        (value, _) => match nearest(value, &known) {
            Some(near) => format!("{option}: no such value '{value}'; did you mean '{near}'?"),
            None => format!("{option}: no such value '{value}'; it is one of {known_words}"),
        },
    })
}

/// A value that its parser refused.
fn unread_value(error: &clap::Error) -> Option<String> {
    let option = argument(error)?;
    let value = text(error, ContextKind::InvalidValue)?;
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    // In the words of the standard library's parsers of numbers, and of clap's ranges.
    Some(match why.as_str() {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            format!("{option}: '{value}' is not a number")
        }
        "number too large to fit in target type" => format!("{option}: {value} is too large"),
        "number too small to fit in target type" => format!("{option}: {value} is too small"),
        "number would be zero for non-zero type" => format!("{option}: {value} is too small"),
        why if why.contains(" is not in ") => {
            let range = why.rsplit(' ').next().unwrap_or_default();
            let (least, most) = range.split_once("..").unwrap_or((range, ""));
            let most = most.trim_start_matches('=');
            format!("{option}: {value} is not between {least} and {most}")
        }
        "" => format!("{option}: '{value}' is not valid"),
        why => format!("{option}: '{value}' is not valid: {why}"),
    })
}

fn conflict(error: &clap::Error) -> Option<String> {
    let option = argument(error)?;
    let others = texts(error, ContextKind::PriorArg);
    let others: Vec<_> = others.iter().map(|other| without_value(other)).collect();
    match others.as_slice() {
        [] => None,
        [other] if *other == option => Some(format!("{option} was given twice")),
        others => Some(format!("{option} and {} cannot be used together", others.join(", "))),
    }
}

fn missing(error: &clap::Error, of: &Command, name: &str) -> Option<String> {
    let missing = texts(error, ContextKind::InvalidArg);
    let missing: Vec<_> = missing.iter().map(|word| without_brackets(word)).collect();
    let words = missing.join(" ");
    // An option is asked for by others; words are shown with those before them.
    let whole = match missing.first()?.starts_with('-') {
        // Of several that would do, one is the example.
        true => words.split('|').next().unwrap_or_default().to_owned(),
        false => {
            let required = of.get_positionals().filter(|arg| arg.is_required_set());
            let names = required.filter_map(|arg| arg.get_value_names()?.first());
            names.map(clap::builder::Str::as_str).collect::<Vec<_>>().join(" ")
        }
    };
    // What follows a command is its own.
    let has_command = of.get_positionals().any(Arg::is_trailing_var_arg_set);
    if has_command {
        return Some(format!(
            "{words} is missing, as in `{name} [OPTIONS] -- {whole} [ARGS]\u{2026}`"
        ));
    }
    Some(format!("{words} is missing, as in `{name} {whole}`"))
}

fn unknown_verb(error: &clap::Error, of: &Command, name: &str) -> Option<String> {
    let typed = text(error, ContextKind::InvalidSubcommand)?;
    let verbs: Vec<_> = verbs_of(of).collect();
    Some(match nearest(typed, &verbs) {
        Some(near) => format!("there is no verb {typed}; did you mean `{name} {near}`?"),
        None => format!("there is no verb {typed}; `{name}` has {}", verbs.join(", ")),
    })
}

fn verbs_of(command: &Command) -> impl Iterator<Item = &str> {
    command.get_subcommands().map(Command::get_name)
}

/// The option or word that clap complains of, without its value: `--format`.
fn argument(error: &clap::Error) -> Option<&str> {
    text(error, ContextKind::InvalidArg).map(without_value)
}

/// `--format` of `--format <FORMAT>`, `CLASS` of `<CLASS>`.
fn without_value(argument: &str) -> &str {
    let name = argument.split([' ', '=']).next().unwrap_or(argument);
    without_brackets(name)
}

/// `CLASS` of `<CLASS>`, and `--a <X>|--b <Y>` of the same in brackets.
fn without_brackets(argument: &str) -> &str {
    if argument.contains('|') {
        let inner = argument.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        return inner.unwrap_or(argument);
    }
    argument.trim_matches(['<', '>', '[', ']', '.'])
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The first verbs that have `option`, other than `refusing`; `None` if no verb has it.
fn owners(command: &Command, refusing: Option<&Command>, option: &str) -> Option<String> {
    const MOST: usize = 3;
    let of_core = has(command, option).then(|| "`obit CORE`".to_owned());
    let of_verbs = command
        .get_subcommands()
        .filter(|verb| Some(verb.get_name()) != refusing.map(Command::get_name))
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
