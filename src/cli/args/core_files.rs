//! The cores and the program: which of the given files is which.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::core_source::{is_fed, is_standard_input};
use crate::cli::failure::Failure;
use crate::cli::file_kind::Kind;
use crate::cli::no_core;

/// Any number of cores. A core file named like a verb is given as `./modules`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ManyFiles {
    /// The core files, each with a report; - is the standard input, a number a process
    ///
    /// An archive (tar, ZIP, `journalctl -o export`) is read as if it were unpacked; if it has
    /// several cores, ARCHIVE/PATH is one of them.
    /// A number that is not a file is the id of a process that runs: `obit snapshot`.
    /// One of the files may be the program that crashed, if obit does not find it itself;
    /// it may come first, as for gdb.
    #[arg(value_name = "CORE", hide_short_help = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    named: NamedFiles,
}

/// One core.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CoreFiles {
    /// The core file; - reads it from the standard input
    #[arg(value_name = "CORE")]
    first: Option<PathBuf>,
    /// The program, if obit does not find it itself; EXE CORE is understood, too
    #[arg(value_name = "EXE")]
    second: Option<PathBuf>,
    #[command(flatten)]
    named: NamedFiles,
}

/// The same by options.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NamedFiles {
    /// The core file
    #[arg(short, long, value_name = "FILE", hide_short_help = true)]
    pub(crate) core: Option<PathBuf>,
    /// The program that crashed
    #[arg(short, long, value_name = "FILE", hide_short_help = true)]
    pub(crate) exe: Option<PathBuf>,
    /// Use the given program even if its build ID does not match the core's; names, lines and
    /// values may then be wrong
    #[arg(long, hide_short_help = true)]
    force_exe: bool,
}

/// The files to work on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    pub(crate) core: PathBuf,
    pub(crate) exe: Option<PathBuf>,
    /// Use `exe` whatever its build ID.
    pub(crate) force_exe: bool,
}

/// Why it is not known which file is the core; printed after `obit: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum InputError {
    #[error("no core file given; try `obit CORE`, or `obit --help`")]
    NoCore,
    #[error("no core file given; `obit -` reads one from the standard input")]
    NoCoreBut,
    #[error("too many files: {0}; give one core and at most one program")]
    TooMany(String),
    #[error("{1} is a program, too: give only one, {0} or {1}")]
    TwoPrograms(String, String),
    #[error("no such file: {0}")]
    NoSuchProgram(String),
    #[error("{0} is neither a core nor a program")]
    Neither(String),
    #[error("the standard input can be read only once; give - once")]
    TwoDashes,
    #[error("--force-exe needs a program to use: `obit CORE EXE --force-exe`")]
    NothingToForce,
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::usage(&error)
    }
}

impl ManyFiles {
    /// The one process that is meant instead of a core: a number that is no file.
    pub(crate) fn process(&self) -> Option<i32> {
        let [only] = self.paths.as_slice() else { return None };
        let is_core = self.named.core.is_some() || Kind::of(only) != Kind::Missing;
        only.to_str()?.parse().ok().filter(|process| *process > 0 && !is_core)
    }

    /// The cores in their order, each with the program.
    pub(crate) fn all(&self) -> Result<Vec<Inputs>, Failure> {
        self.named.sorted(self.paths.clone())
    }
}

impl CoreFiles {
    /// `CORE`, `CORE EXE`, `EXE CORE`, or what `--core` and `--exe` say.
    pub(crate) fn inputs(&self) -> Result<Inputs, Failure> {
        self.named.with(self.first.iter().chain(&self.second))
    }
}

impl NamedFiles {
    /// The files named by options, and `paths` in the places that are left.
    pub(crate) fn with<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p PathBuf>,
    ) -> Result<Inputs, Failure> {
        let mut all = self.sorted(paths.into_iter().cloned().collect())?;
        match (all.pop(), all.is_empty()) {
            (Some(inputs), true) => Ok(inputs),
            (Some(inputs), false) => {
                Err(InputError::TooMany(inputs.core.display().to_string()).into())
            }
            (None, _) => Err(InputError::NoCore.into()),
        }
    }

    /// Each core with the program, or why the files cannot be meant. Nothing has been read
    /// then but the first bytes of each.
    fn sorted(&self, paths: Vec<PathBuf>) -> Result<Vec<Inputs>, Failure> {
        let words: Vec<_> = self.core.iter().cloned().chain(paths).collect();
        let kinds: Vec<_> = words.iter().map(|word| Kind::of(word)).collect();
        let shown = |path: &Path| path.display().to_string();
        let mut exe = self.exe.clone();
        if let Some(path) = exe.as_ref().filter(|path| Kind::of(path) == Kind::Missing) {
            return Err(InputError::NoSuchProgram(shown(path)).into());
        }
        if let Some(at) = kinds.iter().position(|kind| *kind == Kind::Missing) {
            return Err(no_core::no_such_file(&words, at));
        }
        let mut cores = Vec::new();
        for (path, kind) in words.iter().zip(&kinds) {
            match (kind, &exe) {
                // Alone, it is refused as what it is.
                (Kind::Program, _) if words.len() == 1 && exe.is_none() => cores.push(path),
                (Kind::Program, Some(other)) => {
                    return Err(InputError::TwoPrograms(shown(other), shown(path)).into());
                }
                (Kind::Program, None) => exe = Some(path.clone()),
                (Kind::Directory, _) => return Err(no_core::directory(path)),
                (Kind::Other, _) if words.len() == 2 && kinds.iter().any(|kind| kind.is_core()) => {
                    return Err(InputError::Neither(shown(path)).into());
                }
                _ => cores.push(path),
            }
        }
        if cores.iter().filter(|path| is_standard_input(path)).count() > 1 {
            return Err(InputError::TwoDashes.into());
        }
        if cores.is_empty() {
            let is_fed = words.is_empty() && is_fed();
            let error = if is_fed { InputError::NoCoreBut } else { InputError::NoCore };
            return Err(error.into());
        }
        if self.force_exe && exe.is_none() {
            return Err(InputError::NothingToForce.into());
        }
        let inputs = |core: &PathBuf| Inputs {
            core: core.clone(),
            exe: exe.clone(),
            force_exe: self.force_exe,
        };
        Ok(cores.into_iter().map(inputs).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        files: ManyFiles,
    }

    /// The cores, and the program; or the message.
    fn given(line: &[&str]) -> Result<(Vec<String>, Option<String>), String> {
        let all = Only::try_parse_from([&["obit"], line].concat()).unwrap().files.all();
        let all = all.map_err(|failure| failure.message.unwrap_or_default())?;
        let shown = |path: &PathBuf| path.display().to_string();
        let exe = all.first().and_then(|inputs| inputs.exe.as_ref()).map(shown);
        Ok((all.iter().map(|inputs| shown(&inputs.core)).collect(), exe))
    }

    #[test]
    fn a_file_is_a_core_or_the_program_by_its_content_wherever_it_is() {
        let directory = tempfile::tempdir().unwrap();
        // ET_DYN is 3, ET_CORE is 4.
        let file = |name: &str, e_type: u8| {
            let mut header = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0";
            header[16] = e_type;
            let path = directory.path().join(name);
            std::fs::write(&path, header).unwrap();
            path.display().to_string()
        };
        let (c, d, e) = (&*file("c", 4), &*file("d", 4), &*file("e", 3));
        let found = |cores: &[&str], exe: Option<&str>| {
            Ok((cores.iter().map(|core| (*core).to_owned()).collect(), exe.map(Into::into)))
        };
        for (line, cores, exe) in [
            (&[c][..], &[c][..], None),
            (&[c, e], &[c], Some(e)),
            (&[e, c], &[c], Some(e)),
            (&["-c", c, e], &[c], Some(e)),
            (&["-e", e, c], &[c], Some(e)),
            (&["-e", e, "-c", c], &[c], Some(e)),
            (&[c, d], &[c, d], None),
            (&[c, e, d], &[c, d], Some(e)),
            (&["-", e], &["-"], Some(e)),
            (&[e], &[e], None),
        ] {
            assert_eq!(given(line), found(cores, exe), "{line:?}");
        }
        let text = directory.path().join("text");
        std::fs::write(&text, "a text that is longer than a header").unwrap();
        let text = text.to_str().unwrap();
        for (line, problem) in [
            (&[][..], "no core file given"),
            (&["-e", e], "no core file given"),
            (&[c, e, e], "is a program, too"),
            (&["-", "-"], "can be read only once"),
            (&[c, text], "neither a core nor a program"),
            (&[c, "/no/such"], "no such file: /no/such"),
            (&[c, "-e", "/no/such"], "no such file: /no/such"),
            (&[c, "--force-exe"], "needs a program"),
        ] {
            let message = given(line).unwrap_err();
            assert!(message.contains(problem), "{line:?}: {message}");
        }
    }
}
