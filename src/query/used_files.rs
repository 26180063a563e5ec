//! The files beside a core that its answer was made with: another file makes another answer.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use obit_corefile::elf::ElfImage;
use obit_corefile::mapped_file::FileIdentity;
use obit_process::module::{FileState, ModuleKind};
use obit_process::process::Process;
use obit_redact::{Origin, Redactor};

/// A file, and which state of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UsedFile {
    /// Its absolute path.
    path: String,
    state: State,
}

/// What distinguishes one state of a file from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    device: u64,
    inode: u64,
    size: u64,
    mtime: i128,
    ctime: i128,
}

impl From<&FileIdentity> for State {
    fn from(identity: &FileIdentity) -> Self {
        Self {
            device: identity.inode.0,
            inode: identity.inode.1,
            size: identity.len,
            mtime: identity.modified_ns,
            ctime: identity.changed_ns,
        }
    }
}

/// The states of files as they are now, each looked at once.
#[derive(Debug, Default)]
pub(super) struct Now(HashMap<String, Option<State>>);

impl Now {
    /// Whether all of them are as they were.
    pub(super) fn has(&mut self, files: &[UsedFile]) -> bool {
        files.iter().all(|file| {
            let now = self.0.entry(file.path.clone()).or_insert_with(|| state(&file.path));
            *now == Some(file.state)
        })
    }
}

fn state(path: &str) -> Option<State> {
    let metadata = fs::metadata(path).ok()?;
    let time = |seconds: i64, nanoseconds: i64| {
        i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
    };
    Some(State {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// Collects the files of the modules that frames are in.
#[derive(Debug, Default)]
pub(super) struct UsedFiles {
    modules: BTreeSet<usize>,
    list: Vec<UsedFile>,
    is_partial: bool,
}

impl UsedFiles {
    /// Adds those of a module.
    pub(super) fn add(&mut self, process: &Process, module: usize, redactor: &mut Redactor) {
        if !self.modules.insert(module) {
            return;
        }
        let Some(found) = process.modules.get(module) else { return };
        let is_certain = match found.file {
            FileState::Found | FileState::Forced | FileState::InCore => found.image.is_some(),
            FileState::Unverified | FileState::Mismatch | FileState::Missing => false,
        };
        // Code that was made by the process itself is in no file.
        self.is_partial |= !is_certain && !matches!(found.kind, ModuleKind::Vdso | ModuleKind::Jit);
        if let Some(image) = &found.image {
            self.add_image(image, redactor);
        }
        if let Some(debug) = process.modules.debug_if_searched(module) {
            let files = debug.files();
            let others = [&files.debug, &files.alternate, &files.package];
            others.into_iter().flatten().for_each(|image| self.add_image(image, redactor));
        }
    }

    fn add_image(&mut self, image: &ElfImage, redactor: &mut Redactor) {
        let Some(file) = image.file() else { return };
        let path = std::path::absolute(file.path()).unwrap_or_else(|_| file.path().to_owned());
        match shown(&path, redactor).filter(|_| file.has_name()) {
            Some(path) => {
                let file = UsedFile { path, state: file.identity().into() };
                if !self.list.contains(&file) {
                    self.list.push(file);
                }
            }
            // Whether it is the same another time is not known then.
            None => self.is_partial = true,
        }
    }

    /// Whether a file was missing, or is not known to be the right one.
    pub(super) fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// The files.
    pub(super) fn into_list(self) -> Vec<UsedFile> {
        self.list
    }
}

/// The path, if nothing of it is hidden.
fn shown(path: &Path, redactor: &mut Redactor) -> Option<String> {
    let bytes = path.as_os_str().as_bytes();
    let shown = redactor.show_bytes(Origin::Path, bytes).into_string();
    (shown.as_bytes() == bytes).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_written_again_or_is_gone_is_not_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("prog").to_str().unwrap().to_owned();
        fs::write(&path, "one build").unwrap();
        let used = [UsedFile { state: state(&path).unwrap(), path: path.clone() }];
        assert!(Now::default().has(&used) && Now::default().has(&[]));
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "two build").unwrap();
        assert!(!Now::default().has(&used));
        fs::remove_file(&path).unwrap();
        assert!(!Now::default().has(&used));
    }
}
