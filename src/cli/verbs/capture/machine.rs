//! What of a machine the installation changes: kernel settings, a sysctl.d file, the former
//! values.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cli::private_file::Draft;

/// The settings of the kernel (sysctl(8), `Documentation/admin-guide/sysctl/kernel.rst`).
const CORE_PATTERN: &str = "proc/sys/kernel/core_pattern";
const CORE_PIPE_LIMIT: &str = "proc/sys/kernel/core_pipe_limit";
const CORE_MODES: &str = "proc/sys/kernel/core_modes";
/// What sets them at the next start. After systemd's own `50-coredump.conf`.
const SYSCTL: &str = "etc/sysctl.d/60-obit-capture.conf";
/// The former values.
const STATE: &str = "var/lib/obit/capture-state.json";

/// The values that the installation changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Values {
    /// `kernel.core_pattern`.
    pub(super) core_pattern: String,
    /// `kernel.core_pipe_limit`: how many handlers run at once, for which the kernel waits.
    pub(super) core_pipe_limit: u32,
}

/// A machine by the directory of its files.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    root: PathBuf,
}

impl Values {
    /// Those that a kernel starts with.
    pub(super) fn of_kernel() -> Self {
        Self { core_pattern: "core".to_owned(), core_pipe_limit: 0 }
    }
}

impl Machine {
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A path of that machine, as this process reaches it.
    pub(super) fn reached(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn pattern_path(&self) -> PathBuf {
        self.path(CORE_PATTERN)
    }

    pub(super) fn limit_path(&self) -> PathBuf {
        self.path(CORE_PIPE_LIMIT)
    }

    pub(super) fn sysctl_path(&self) -> PathBuf {
        self.path(SYSCTL)
    }

    pub(super) fn state_path(&self) -> PathBuf {
        self.path(STATE)
    }

    /// The values that are set now.
    pub(super) fn values(&self) -> io::Result<Values> {
        let read = |path: PathBuf| Ok::<_, io::Error>(fs::read_to_string(path)?.trim().to_owned());
        let limit = read(self.limit_path())?.parse();
        Ok(Values {
            core_pattern: read(self.pattern_path())?,
            core_pipe_limit: limit.map_err(io::Error::other)?,
        })
    }

    /// Whether the kernel has a coredump socket.
    pub(super) fn has_socket(&self) -> bool {
        let modes = fs::read_to_string(self.path(CORE_MODES)).unwrap_or_default();
        modes.split_whitespace().any(|mode| mode == "socket")
    }

    /// Sets the values. The pattern comes last: with it crashes come.
    pub(super) fn set(&self, values: &Values) -> io::Result<()> {
        fs::write(self.limit_path(), format!("{}\n", values.core_pipe_limit))?;
        fs::write(self.pattern_path(), format!("{}\n", values.core_pattern))
    }

    /// The values before the installation, if there was one and its file can be understood.
    pub(super) fn former(&self) -> io::Result<Option<Values>> {
        match fs::read(self.state_path()) {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn keep_former(&self, values: &Values) -> io::Result<()> {
        write(&self.state_path(), &serde_json::to_vec_pretty(values)?)
    }

    /// Has the values set at each start of the machine.
    pub(super) fn write_sysctl(&self, values: &Values) -> io::Result<()> {
        write(&self.sysctl_path(), sysctl_text(values).as_bytes())
    }

    /// Removes what the installation wrote. What is gone already is no error.
    pub(super) fn remove_files(&self) -> io::Result<()> {
        for path in [self.sysctl_path(), self.state_path()] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

pub(super) fn sysctl_text(values: &Values) -> String {
    format!(
        "# Written by `obit capture install`; `obit capture uninstall` removes it.\n\
         kernel.core_pipe_limit={}\nkernel.core_pattern={}\n",
        values.core_pipe_limit, values.core_pattern
    )
}

/// Writes a file of the system: complete or not at all, readable by everyone.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    }
    let mut draft = Draft::of(path)?;
    io::Write::write_all(&mut draft, content)?;
    draft.publish()?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_sets_the_limit_before_the_pattern() {
        let values = Values { core_pattern: "|/usr/bin/obit x".to_owned(), core_pipe_limit: 64 };
        let text = sysctl_text(&values);
        let settings: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(settings, ["kernel.core_pipe_limit=64", "kernel.core_pattern=|/usr/bin/obit x"]);
    }
}
