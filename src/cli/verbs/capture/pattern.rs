//! Core patterns: what they mean, and which is obit's (core(5)).

use std::path::Path;

use obit_capture::handler::SPECIFIERS;

use super::listen;

/// Bytes of a pattern (`CORENAME_MAX_SIZE`, with its end).
pub(super) const LONGEST: usize = 127;

/// Whether `pattern` hands crashes to obit: to its socket, or to a program, whatever the name of
/// its file is, that is started as [`for_program`] has it.
pub(crate) fn is_ours(pattern: &str) -> bool {
    if let Some(path) = pattern.strip_prefix('@') {
        return path.trim_start_matches('@') == listen::SOCKET;
    }
    let Some(command) = pattern.strip_prefix('|') else { return false };
    let words: Vec<_> = command.split_ascii_whitespace().collect();
    let words = match words.as_slice() {
        [_, "capture", "--config", _, rest @ ..] | [_, "capture", rest @ ..] => rest,
        _ => return false,
    };
    matches!(words, ["handle", "%P", ..])
}

/// Whether `pattern` hands crashes to a program or a socket, of anyone.
pub(super) fn is_handler(pattern: &str) -> bool {
    pattern.starts_with('|') || pattern.starts_with('@')
}

/// Who has the crashes by `pattern`, in words.
pub(super) fn owner_of(pattern: &str) -> String {
    let program = |command: &str| command.split(' ').next().unwrap_or_default().to_owned();
    match pattern.strip_prefix('|') {
        Some(_) if is_ours(pattern) => "obit".to_owned(),
        Some(command) => program(command),
        None if is_ours(pattern) => "obit, by the coredump socket".to_owned(),
        None if pattern.starts_with('@') => format!("the socket {}", pattern.trim_matches('@')),
        None if pattern.is_empty() => "no one: no dumps are written".to_owned(),
        None => format!("the kernel, which writes files called {pattern}"),
    }
}

/// The pattern that starts `program` for each crash.
pub(super) fn for_program(program: &Path, config: Option<&Path>) -> Result<String, String> {
    let path = word(program)?;
    let config = config.map(|config| Ok::<_, String>(format!(" --config {}", word(config)?)));
    let config = config.transpose()?.unwrap_or_default();
    let pattern = format!("|{path} capture{config} handle {SPECIFIERS}");
    match pattern.len() <= LONGEST {
        true => Ok(pattern),
        false => Err(format!(
            "the core pattern would have {} bytes, and the kernel takes {LONGEST}: use the \
             default settings file, or install obit at a shorter path",
            pattern.len()
        )),
    }
}

/// A path as a word of a pattern.
fn word(path: &Path) -> Result<&str, String> {
    let has_none = |text: &&str| !text.contains(|c: char| c.is_whitespace() || c == '%');
    path.to_str().filter(has_none).ok_or_else(|| {
        let path = path.display();
        format!("a core pattern cannot name {path}: its path has blanks, `%`, or is not UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_pattern_of_an_installed_obit_is_its_own_and_short_enough() {
        let pattern = for_program(Path::new("/usr/bin/obit"), None).unwrap();
        assert!(is_ours(&pattern) && is_handler(&pattern));
        assert_eq!(pattern, "|/usr/bin/obit capture handle %P %s %t %I %F %d %c %h");
        let configured = for_program(Path::new("/usr/bin/obit"), Some(Path::new("/etc/x.toml")));
        assert!(is_ours(&configured.unwrap()));
        assert!(is_ours("@@/run/obit/coredump.socket"));
        for renamed in ["/opt/obit-0.9", "/usr/local/bin/obit.new"] {
            assert!(is_ours(&for_program(Path::new(renamed), None).unwrap()), "{renamed}");
        }
    }

    #[test]
    fn other_handlers_are_named() {
        let systemd = "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t 9223372036854775808 %h %d";
        assert!(!is_ours(systemd) && is_handler(systemd));
        for other in ["|/usr/bin/obit", "|/usr/bin/tool capture %P", "|/usr/bin/obit handle %P"] {
            assert!(!is_ours(other), "{other}");
        }
        assert_eq!(owner_of(systemd), "/usr/lib/systemd/systemd-coredump");
        assert_eq!(owner_of("core"), "the kernel, which writes files called core");
        assert!(!is_handler("core"));
        assert_eq!(owner_of("@/run/other"), "the socket /run/other");
    }

    #[test]
    fn a_path_that_no_pattern_can_hold_is_refused() {
        assert!(for_program(Path::new("/opt/my tools/obit"), None).unwrap_err().contains("blanks"));
        for config in [&b"/etc/my x.toml"[..], b"/etc/\xff.toml", b"/etc/%P.toml"] {
            let config = Path::new(std::ffi::OsStr::from_bytes(config));
            assert!(for_program(Path::new("/usr/bin/obit"), Some(config)).is_err(), "{config:?}");
        }
        let long = format!("/opt/{}/obit", "x".repeat(90));
        assert!(for_program(Path::new(&long), None).unwrap_err().contains("takes 127"));
    }
}
