//! What people type who know gdb, lldb, coredumpctl or git, and what it is called here.

/// A word that is no verb of obit, with the one behind it where that matters, and what to
/// type instead. `CORE` stands for the core that was named, if one was.
type Habit = (&'static str, &'static str);

/// In the place of a verb or a core. The first row that fits counts.
const WORDS: &[Habit] = &[
    ("info threads", "`obit CORE -a` shows every thread"),
    ("info thread", "`obit CORE -a` shows every thread"),
    ("info registers", "`obit CORE --registers` shows them"),
    ("info reg", "`obit CORE --registers` shows the registers"),
    ("info all-registers", "`obit CORE --registers` shows them"),
    (
        "info locals",
        "`obit print CORE 'info locals'` prints them; `obit CORE` shows them beside the stack",
    ),
    (
        "info args",
        "`obit print CORE 'info args'` prints them; `obit CORE` shows them in each frame's line",
    ),
    ("info frame", "`obit CORE -v` shows frames with addresses"),
    ("info sharedlibrary", "`obit modules CORE` lists what was loaded"),
    ("info shared", "`obit modules CORE` lists what was loaded"),
    ("info sources", "`obit CORE` shows source lines; `--source-path` says where files are"),
    ("info files", "`obit modules CORE` lists what was loaded"),
    ("info proc", "`obit modules CORE` lists what was loaded"),
    ("info signals", "`obit CORE` names the signal and its sender"),
    ("thread apply", "`obit CORE -a` shows every thread"),
    ("thread backtrace", "`obit CORE -a` shows every thread"),
    ("thread list", "`obit CORE -a` shows every thread"),
    ("image list", "`obit modules CORE` lists what was loaded"),
    ("target modules", "`obit modules CORE` lists what was loaded"),
    ("frame variable", "`obit CORE` shows variables; `obit print CORE NAME -f N` one of them"),
    ("register read", "`obit CORE --registers` shows them"),
    ("bt", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("backtrace", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("where", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("stack", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("stacks", "`obit CORE -a` shows every thread's stack"),
    ("threads", "`obit CORE -a` shows every thread"),
    ("thread", "`obit CORE --thread TID` shows one thread, `-a` all"),
    ("frame", "`obit CORE` shows frames; `obit print CORE NAME -f N` prints in frame N"),
    ("up", "`obit print CORE NAME -f N` prints in frame N"),
    ("down", "`obit print CORE NAME -f N` prints in frame N"),
    ("registers", "`obit CORE --registers` shows them"),
    ("locals", "`obit CORE` shows them; `--locals all` of every thread"),
    ("vars", "`obit CORE` shows variables; `obit print CORE NAME` one of them"),
    ("disassemble", "`obit CORE --no-source` shows instructions"),
    ("ptype", "`obit print CORE 'ptype NAME'` prints a type"),
    ("whatis", "`obit print CORE 'whatis NAME'` prints a type's name"),
    ("disas", "`obit CORE --no-source` shows instructions"),
    ("p", "`obit print CORE EXPR` prints a value"),
    ("po", "`obit print CORE EXPR` prints a value"),
    ("inspect", "`obit print CORE EXPR` prints a value"),
    ("eval", "`obit print CORE EXPR` prints a value"),
    ("x", "`obit print CORE 'x/16xb POINTER'` prints memory"),
    ("info", "`obit CORE` reports on a core; `obit list` lists the crashes of the store"),
    ("gdb", "`obit shell CORE` is a prompt with gdb's commands"),
    ("lldb", "`obit shell CORE` is a prompt with gdb's commands"),
    ("debug", "`obit shell CORE` is a prompt with gdb's commands"),
    ("coredumpctl", "`obit triage /var/lib/systemd/coredump` reads what systemd has kept"),
    ("dump", "`obit snapshot PID -o core` or `coredumpctl dump PID -o FILE` writes a core"),
    ("analyse", "`obit CORE` or `obit analyze CORE`"),
    ("analysis", "`obit CORE` or `obit analyze CORE`"),
    ("report", "`obit CORE` reports on a core"),
    ("why", "`obit CORE` says why a process crashed"),
    ("open", "`obit CORE` reports on a core"),
    ("load", "`obit CORE` reports on a core"),
    ("read", "`obit CORE` reports on a core"),
    ("start", "`obit run -- PROGRAM` runs a program and records its crashes"),
    ("record", "`obit run -- PROGRAM` runs a program and records its crashes"),
    ("attach", "`obit PID` reports on a process that runs"),
    ("ps", "`obit list` lists the crashes of the store"),
    ("ls", "`obit list` lists the crashes of the store"),
    ("log", "`obit list` lists the crashes of the store"),
    ("history", "`obit top` lists crash groups with their history"),
    ("groups", "`obit top` lists crash groups"),
    ("bugs", "`obit top` lists crash groups"),
    ("stats", "`obit top` lists crash groups by count and trend"),
    ("status", "`obit top` lists crash groups by status"),
    ("summary", "`obit CORE --summary` or `obit digest`"),
    ("scan", "`obit triage DIR` reads many cores"),
    ("batch", "`obit triage DIR` reads many cores"),
    ("import", "`obit triage DIR` reads many cores; `obit db import FILE` an export"),
    ("gc", "`obit db gc` deletes old records"),
    ("clean", "`obit db gc` deletes old records"),
    ("resolve", "`obit state GROUP resolved`"),
    ("ignore", "`obit state GROUP ignored`"),
    ("compare", "`obit diff OLD NEW` compares two directories or stores"),
    ("libs", "`obit modules CORE` lists what was loaded"),
    ("ldd", "`obit modules CORE` lists what was loaded"),
    ("symbols", "`obit modules CORE` lists modules and their debug information"),
    ("anonymize", "`obit scrub CORE -o OUT` writes a core without personal data"),
    ("strip", "`obit scrub CORE -o OUT` writes a small core without personal data"),
    ("html", "`obit CORE -o crash.html` writes a page"),
    ("json", "`obit CORE --json` writes JSON"),
    ("exit", "there is no prompt to leave"),
    ("quit", "there is no prompt to leave"),
    ("q", "there is no prompt to leave"),
    ("completion", "`obit completions SHELL` prints them"),
    ("manual", "`obit man` prints the manual page"),
    ("usage", "`obit --help`"),
    ("commands", "`obit --help` lists the verbs"),
];

/// Options of `obit CORE` that others have.
const OPTIONS: &[Habit] = &[
    ("--batch", "--batch is not needed: nothing is ever asked"),
    ("-batch", "-batch is not needed: nothing is ever asked"),
    ("--nx", "--nx is not needed: gdb's init files are not read"),
    ("-nx", "-nx is not needed: gdb's init files are not read"),
    ("-ex", "`obit shell CORE -ex COMMAND` runs gdb's commands; `obit CORE` shows the stack"),
    ("--ex", "`obit shell CORE -ex COMMAND` runs gdb's commands; `obit CORE` shows the stack"),
    ("-iex", "`obit shell CORE -ex COMMAND` runs gdb's commands; `obit CORE` shows the stack"),
    ("--eval-command", "gdb commands are not run; `obit print CORE EXPR` prints values"),
    ("--command", "gdb commands are not run; `obit print CORE EXPR` prints values"),
    ("-x", "gdb commands are not run; `obit print CORE EXPR` prints values"),
    ("--one-line", "lldb commands are not run; `obit print CORE EXPR` prints values"),
    ("-p", "`obit PID` reports on a process that runs"),
    ("--pid", "`obit PID` reports on a process that runs"),
    ("--attach-pid", "`obit PID` reports on a process that runs"),
    ("--args", "`obit run -- PROGRAM ARGS` runs a program and records its crashes"),
    ("--tui", "`obit CORE -o crash.html` writes a page to browse"),
    ("--bt", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("-bt", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("--backtrace", "`obit CORE` shows the stack; `-a` shows every thread's"),
    ("--all", "--all-threads (-a) shows every thread, --verbose (-v) whole lists"),
    ("--threads", "--all-threads (-a) shows every thread, --thread TID one"),
    ("--locals-all", "--locals all reads every thread's variables"),
    ("--symbols", "--debug-file-directory DIR says where debug files are"),
    ("-s", "--debug-file-directory DIR says where debug files are"),
    ("--directory", "--source-path DIR says where source files are"),
    ("-d", "--source-path DIR says where source files are"),
    ("--silent", "--quiet (-q) shows less"),
    ("--html", "--format html -o crash.html writes a page"),
    ("--yaml", "--json writes JSON"),
    ("--xml", "--json writes JSON"),
    ("--no-color", "--color=never writes no colours"),
    ("--no-colour", "--color=never writes no colours"),
    ("--no-redact", "--redact=off hides nothing"),
    ("--no-redaction", "--redact=off hides nothing"),
    ("--show-secrets", "--redact=off hides nothing"),
];

/// What to type instead of `words`, which are no files.
pub(crate) fn instead_of(words: &[&str], core: Option<&str>) -> Option<String> {
    let first = *words.first()?;
    let both = words.get(1).map(|second| format!("{first} {second}"));
    let row = |wanted: &str| WORDS.iter().find(|(word, _)| *word == wanted);
    let (word, answer) = both.and_then(|both| row(&both)).or_else(|| row(first))?;
    Some(format!("there is no verb `{word}`; {}", filled(answer, core)))
}

/// What to type instead of a command of exactly these two words.
pub(crate) fn instead_of_both(first: &str, second: &str) -> Option<String> {
    let both = format!("{first} {second}");
    let (word, answer) = WORDS.iter().find(|(word, _)| *word == both)?;
    Some(format!("there is no verb `{word}`; {}", filled(answer, None)))
}

/// What to write instead of the option `word`.
pub(crate) fn option_instead_of(word: &str) -> Option<&'static str> {
    let name = word.split('=').next().unwrap_or(word);
    OPTIONS.iter().find(|(option, _)| *option == name).map(|(_, answer)| *answer)
}

fn filled(answer: &str, core: Option<&str>) -> String {
    match core {
        // The word alone; none of the answers has it in another one.
        Some(core) => answer.replace("CORE", core),
        None => answer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::{command, parse};

    #[test]
    fn no_word_of_the_table_is_a_verb_and_no_option_one_of_ours() {
        let command = command();
        for (word, _) in WORDS {
            let first = word.split(' ').next().unwrap();
            assert!(command.find_subcommand(first).is_none(), "{word}");
        }
        for (option, _) in OPTIONS {
            let known = command.get_arguments().any(|arg| match option.strip_prefix("--") {
                Some(long) => arg.get_long() == Some(long),
                None => arg.get_short().is_some_and(|short| *option == format!("-{short}")),
            });
            assert!(!known, "{option}");
        }
    }

    #[test]
    fn the_commands_of_the_answers_are_understood() {
        let mut count = 0;
        for (word, answer) in WORDS.iter().chain(OPTIONS) {
            let quoted = answer.split('`').skip(1).step_by(2);
            for line in quoted.filter_map(|line| line.strip_prefix("obit ")) {
                count += 1;
                let line = line.replace("SHELL", "bash").replace("PID", "4711");
                let line = line.replace(" -f N", " -f 1").replace("TID", "7").replace('\'', "");
                let parsed = parse(line.split(' ').map(Into::into).collect());
                let refused = parsed.err().filter(clap::Error::use_stderr);
                assert!(refused.is_none(), "{word}: obit {line}: {}", refused.unwrap());
            }
        }
        assert!(count > 60, "{count}");
    }

    #[test]
    fn the_core_that_was_named_is_in_the_answer() {
        let answer = instead_of(&["bt"], Some("core.7")).unwrap();
        assert!(answer.contains("`obit core.7` shows the stack"), "{answer}");
        let answer = instead_of(&["info", "threads"], None).unwrap();
        assert!(answer.contains("`info threads`; ") && answer.contains("-a"), "{answer}");
        assert_eq!(instead_of(&["server"], None), None);
    }
}
