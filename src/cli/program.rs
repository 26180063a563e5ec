//! A program that the user wants to be run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// A program that can be run as far as can be seen: found in PATH if it is a name alone.
pub(crate) fn runnable(program: &Path) -> Result<PathBuf, Failure> {
    let is_runnable = |path: &Path| {
        path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let is_name = program.components().count() == 1 && !program.has_root();
    let found = match (is_name, std::env::var_os("PATH")) {
        (true, Some(directories)) => std::env::split_paths(&directories)
            .map(|directory| directory.join(program))
            .find(|path| is_runnable(path)),
        _ => Some(program.to_owned()).filter(|path| is_runnable(path)),
    };
    // Whatever the working directory is later.
    let found = found.and_then(|path| std::path::absolute(path).ok());
    found.ok_or_else(|| {
        Failure::usage(&format!(
            "{} is not a program that can be run (it is run without a shell: options belong in \
             a script)",
            program.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name_and_a_command_line_is_refused() {
        assert!(runnable(Path::new("sh")).is_ok_and(|path| path.is_absolute()));
        assert!(runnable(Path::new("/bin/sh")).is_ok());
        let said = runnable(Path::new("sh -c true")).unwrap_err().message.unwrap_or_default();
        assert!(said.contains("without a shell"), "{said}");
    }
}
