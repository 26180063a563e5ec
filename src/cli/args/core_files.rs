//! The core and the program: which of the given files is which.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// A core file named like a verb is given as `./modules`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CoreFiles {
    /// The core file
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
}

/// The files to work on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inputs {
    pub(crate) core: PathBuf,
    pub(crate) exe: Option<PathBuf>,
}

/// Why it is not known which file is the core; printed after `obit: `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InputError {
    #[error("no core file given; try `obit CORE`, or `obit --help`")]
    NoCore,
    #[error("too many files: {0}; give one core and at most one program")]
    TooMany(String),
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::new(Exit::Usage, &error)
    }
}

impl CoreFiles {
    /// `CORE`, `CORE EXE`, `EXE CORE`, or what `--core` and `--exe` say.
    pub(crate) fn inputs(&self) -> Result<Inputs, InputError> {
        self.named.with(self.first.iter().chain(&self.second))
    }
}

impl NamedFiles {
    /// The files named by options, and `paths` in the places that are left.
    pub(crate) fn with<'p>(
        &self,
        paths: impl IntoIterator<Item = &'p PathBuf>,
    ) -> Result<Inputs, InputError> {
        let mut paths: Vec<_> = paths.into_iter().cloned().collect();
        let Self { mut core, mut exe } = self.clone();
        // gdb's order is EXE CORE.
        if core.is_none()
            && exe.is_none()
            && let [first, second] = paths.as_slice()
            && is_program(first)
            && !is_program(second)
        {
            paths.swap(0, 1);
        }
        for path in paths {
            if core.is_none() {
                core = Some(path);
            } else if exe.is_none() {
                exe = Some(path);
            } else {
                return Err(InputError::TooMany(path.display().to_string()));
            }
        }
        Ok(Inputs { core: core.ok_or(InputError::NoCore)?, exe })
    }
}

const ET_EXEC: u8 = 2;
const ET_DYN: u8 = 3;

/// Whether `path` is an ELF file that can be run. What cannot be read is not: whoever
/// opens it next says why. A FIFO or a device is not opened.
fn is_program(path: &Path) -> bool {
    let mut start = [0; 18];
    let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
    let read =
        is_file && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok());
    // EI_DATA says which byte of `e_type` is the low one.
    let e_type = match start {
        [0x7f, b'E', b'L', b'F', _, 2, .., 0, low] => low,
        [0x7f, b'E', b'L', b'F', _, 1, .., low, 0] => low,
        _ => 0,
    };
    read && matches!(e_type, ET_EXEC | ET_DYN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        files: CoreFiles,
    }

    fn given(line: &[&str]) -> Result<Inputs, InputError> {
        Only::try_parse_from([&["obit"], line].concat()).unwrap().files.inputs()
    }

    fn found(core: &str, exe: Option<&str>) -> Result<Inputs, InputError> {
        Ok(Inputs { core: core.into(), exe: exe.map(Into::into) })
    }

    #[test]
    fn files_are_given_by_place_and_by_option() {
        assert_eq!(given(&["c"]), found("c", None));
        assert_eq!(given(&["c", "e"]), found("c", Some("e")));
        assert_eq!(given(&["-c", "c", "e"]), found("c", Some("e")));
        assert_eq!(given(&["-e", "e", "c"]), found("c", Some("e")));
        assert_eq!(given(&[]), Err(InputError::NoCore));
        assert_eq!(given(&["-c", "c", "-e", "e", "x"]), Err(InputError::TooMany("x".into())));
    }

    #[test]
    fn the_order_of_gdb_is_understood_too() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, e_type: u8| {
            let mut header = *b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0";
            header[16] = e_type;
            let path = directory.path().join(name);
            std::fs::write(&path, header).unwrap();
            path.display().to_string()
        };
        let (core, exe) = (file("c", 4), file("e", ET_DYN));
        assert_eq!(given(&[&exe, &core]), found(&core, Some(&exe)));
        assert_eq!(given(&[&core, &exe]), found(&core, Some(&exe)));
    }
}
