//! What to say of a word in the place of a core that is none: a typing slip, a habit, a
//! process, a directory.

use std::fs;
use std::path::{Path, PathBuf};

use super::command;
use super::exit::Exit;
use super::failure::Failure;
use super::file_kind::Kind;
use super::habits;
use super::nearest::nearest;

/// Where systemd-coredump keeps cores.
const SYSTEMD: &str = "/var/lib/systemd/coredump";
/// Entries of a directory that are looked at for an answer.
const MOST_ENTRIES: usize = 10_000;

/// The first word that is no file is `words[at]`; none of these is opened.
pub(crate) fn no_such_file(words: &[PathBuf], at: usize) -> Failure {
    let Some(path) = words.get(at) else { return Failure::usage(&"no such file") };
    let file = words.iter().find(|word| word.is_file()).map(|file| quoted(file));
    let rest: Vec<&str> = words.iter().skip(at).map_while(|word| word.to_str()).collect();
    let name = path.to_string_lossy();
    if let Some(answer) = habits::instead_of(&rest, file.as_deref()) {
        return Failure::usage(&answer);
    }
    if name.parse::<u32>().is_ok() {
        let what = format!("no such file: {name}; `obit {name}` alone reports on that process");
        return Failure::usage(&what);
    }
    let command = command::command();
    let verbs: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    if let Some(verb) = nearest(&name, &verbs) {
        let what = format!("no such file or verb: {name}; did you mean `obit {verb}`?");
        return Failure::usage(&what);
    }
    let what = format!("no such file: {name}");
    match words.len() {
        // A name that a script made: the core is missing.
        1 => Failure::new(
            Exit::Unusable,
            &format!("{what}; `coredumpctl list` shows what systemd has kept"),
        ),
        _ => Failure::usage(&what),
    }
}

/// `path` is a directory.
pub(crate) fn directory(path: &Path) -> Failure {
    let shown = quoted(path);
    let mut what =
        format!("{} is a directory: `obit triage {shown}` reads the cores in it", path.display());
    if let Some(core) = only_core(path) {
        what.push_str(&format!(", `obit {}` the only one", quoted(&core)));
    }
    Failure::new(Exit::Unusable, &what)
}

/// The core that lies in `directory`, if there is exactly one as far as content and names
/// say.
fn only_core(directory: &Path) -> Option<PathBuf> {
    let entries: Vec<_> = fs::read_dir(directory).ok()?.take(MOST_ENTRIES + 1).collect();
    if entries.len() > MOST_ENTRIES {
        return None;
    }
    let paths = entries.into_iter().filter_map(|entry| Some(entry.ok()?.path()));
    let mut cores = paths.filter(|path| may_be_core(path));
    let first = cores.next()?;
    cores.next().is_none().then_some(first)
}

fn may_be_core(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match Kind::of(path) {
        Kind::Core => true,
        // Most packed files are something else.
        Kind::Packed | Kind::Archive => name.contains("core") || name.ends_with(".crash"),
        _ => false,
    }
}

/// Where a core of a process may be that is no more.
pub(crate) fn of_missing_process(pid: i32) -> String {
    of_process(&pid.to_string(), Path::new(SYSTEMD))
}

fn of_process(pid: &str, systemd: &Path) -> String {
    let own = PathBuf::from(format!("core.{pid}"));
    if own.is_file() {
        return format!("there is no process {pid}; did you mean `obit core.{pid}`?");
    }
    match kept_by_systemd(pid, systemd) {
        Some(path) => {
            let path = quoted(&path);
            format!("there is no process {pid}; systemd has kept a core of one: `obit {path}`")
        }
        None => format!("there is no process {pid}, nor a file of that name; `ps -e` lists them"),
    }
}

/// The newest core of `pid`: `core.COMM.UID.BOOT.PID.TIME`, perhaps packed. COMM may have
/// dots, too.
fn kept_by_systemd(pid: &str, directory: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(directory).ok()?.take(MOST_ENTRIES).filter_map(Result::ok);
    let of_pid = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let name = name.strip_prefix("core.")?;
        let name =
            [".zst", ".lz4", ".xz"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let mut parts = name.rsplit('.');
        let time = parts.next()?.parse::<u64>().ok()?;
        (parts.next()? == pid).then(|| (time, entry.path()))
    });
    of_pid.max().map(|(_, path)| path)
}

/// `path` as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_systemd_keeps_is_named_the_newest_first() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "core.my.app.1000.b00c.4242.1700000000000000.zst",
            "core.my.app.1000.b00c.4242.1800000000000000.zst",
            "core.app.1000.b00c.42.1900000000000000",
            "core.4242",
            "notes",
        ] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let answer = of_process("4242", directory.path());
        assert!(answer.contains("there is no process 4242"), "{answer}");
        assert!(answer.contains(".4242.1800000000000000.zst`"), "{answer}");
        let none = of_process("7", directory.path());
        assert!(none.contains("`ps -e`") && !none.contains("systemd"), "{none}");
    }

    #[test]
    fn the_only_core_of_a_directory_is_named_and_no_other_packed_file() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
        put("log.gz", b"\x1f\x8b...");
        assert_eq!(only_core(directory.path()), None);
        put("core.7.gz", b"\x1f\x8b...");
        assert_eq!(only_core(directory.path()), Some(directory.path().join("core.7.gz")));
        put("core.8.gz", b"\x1f\x8b...");
        assert_eq!(only_core(directory.path()), None);
    }

    #[test]
    fn a_path_is_quoted_where_a_shell_would_split_it() {
        assert_eq!(quoted(Path::new("/var/crash/core.1")), "/var/crash/core.1");
        assert_eq!(quoted(Path::new("it's here")), r"'it'\''s here'");
    }
}
