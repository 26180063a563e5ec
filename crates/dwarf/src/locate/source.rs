//! Source files: found by the names in line tables, read whole, and checked against what
//! was compiled.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use md5::{Digest, Md5};

use super::debuginfod::Artifact;
use super::found::FoundSource;
use super::locator::Locator;
use super::names;
use super::source_text::{LARGEST, SourceText};
use crate::model::code::SourceLocation;
use obit_corefile::elf::BuildId;
use obit_corefile::mapped_file::{FileIdentity, identity_of, open_regular};
use obit_corefile::notice::Notice;

/// Parts of a path that are tried below each directory of sources.
const PARTS: usize = 32;
/// How much later than its program a file may seem to be written, in nanoseconds. Files
/// that were unpacked or checked out together have nearly the same time, in any order.
const SAME_TIME: i128 = 60 * 1_000_000_000;

/// A file that may be the one.
struct Candidate {
    path: PathBuf,
    bytes: Vec<u8>,
    identity: FileIdentity,
}

impl Locator {
    pub(super) fn search_source(
        &self,
        location: &SourceLocation,
        image: Option<&Path>,
        build_id: Option<&BuildId>,
    ) -> FoundSource {
        let mut found = FoundSource::default();
        if let Some(embedded) = &location.content.embedded {
            found.text = Some(Arc::new(SourceText::new(embedded.to_vec())));
            return found;
        }
        let module = image.unwrap_or(Path::new("the program"));
        let name = location.file.as_bytes();
        let Ok(path) = names::path_of(name) else { return found };
        let wanted = location.content.md5;
        let mut second_best = None;
        for (candidate, by_rule) in self.source_paths(path) {
            let Some(candidate) = read(&candidate, by_rule) else { continue };
            match wanted {
                Some(wanted) if md5_of(&candidate.bytes) != wanted => {
                    second_best.get_or_insert(candidate);
                }
                Some(_) => return found.with(candidate),
                None => {
                    found.doubt = newer(&candidate, module);
                    return found.with(candidate);
                }
            }
        }
        if let Some(candidate) = self.source_of_server(path, build_id, &mut found.notices)
            && wanted.is_none_or(|wanted| md5_of(&candidate.bytes) == wanted)
        {
            return found.with(candidate);
        }
        let Some(candidate) = second_best else { return found };
        let module = module.to_string_lossy().into_owned();
        found.doubt = Some(Notice::SourceDiffers { at: candidate.path.clone(), module });
        found.with(candidate)
    }

    /// Where a source file may be, and whether the user led there: below the directories
    /// they named, by the path itself, and beside the core.
    fn source_paths(&self, path: &Path) -> Vec<(PathBuf, bool)> {
        let rules = &self.rules;
        let mut paths = Vec::new();
        if path.is_absolute() {
            paths.extend(names::substituted(&rules.substitute_path, path).map(|path| (path, true)));
        }
        for directory in &rules.source_path {
            paths.extend(endings(path).map(|end| (directory.join(end), true)));
        }
        if path.is_absolute() {
            paths.extend(rules.sysroot.iter().map(|root| (names::under(root, path), false)));
            paths.push((path.to_owned(), false));
        }
        let beside = rules
            .core_directory
            .iter()
            .flat_map(|directory| endings(path).map(move |end| (directory.join(end), false)));
        paths.extend(beside);
        paths
    }

    fn source_of_server(
        &self,
        path: &Path,
        build_id: Option<&BuildId>,
        notices: &mut Vec<Notice>,
    ) -> Option<Candidate> {
        let path = path.to_str().filter(|path| path.starts_with('/'))?;
        let mut fetched = self.client.as_ref()?.fetch(build_id?, Artifact::Source(path));
        notices.append(&mut fetched.notices);
        read(&fetched.path?, true)
    }
}

impl FoundSource {
    fn with(mut self, candidate: Candidate) -> Self {
        self.text = Some(Arc::new(SourceText::new(candidate.bytes)));
        self.path = Some(candidate.path);
        self
    }
}

/// The path below its root, and each of its ends, the longest first. Only names that go
/// down.
fn endings(path: &Path) -> impl Iterator<Item = PathBuf> {
    let mut parts: Vec<&OsStr> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part),
            Component::ParentDir => {
                parts.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    let first = parts.len().saturating_sub(PARTS);
    let ends = (first..parts.len()).filter_map(|start| Some(parts.get(start..)?.iter().collect()));
    ends.collect::<Vec<_>>().into_iter()
}

/// Reads the file if it is a regular one of honest size, and one that names of the
/// debug information may lead to.
fn read(path: &Path, by_rule: bool) -> Option<Candidate> {
    let metadata = std::fs::metadata(path).ok()?;
    let may_be_read = by_rule || std::fs::canonicalize(path).is_ok_and(|real| is_source(&real));
    if !metadata.is_file() || !may_be_read || metadata.len() == 0 || metadata.len() > LARGEST {
        return None;
    }
    let file = open_regular(path).ok()?;
    let identity = identity_of(&file).ok()?;
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(Candidate { path: path.to_owned(), bytes, identity })
}

/// DWARF that calls `/etc/shadow` a source file has no business there: where it leads by
/// itself, links followed, must be called as sources are. The C++ library's headers
/// have no extension.
fn is_source(path: &Path) -> bool {
    const EXTENSIONS: [&str; 31] = [
        "c", "h", "cc", "cpp", "cxx", "c++", "C", "hh", "hpp", "hxx", "inl", "inc", "ipp", "tcc",
        "s", "S", "asm", "rs", "go", "m", "mm", "y", "l", "d", "zig", "f", "f90", "def", "swift",
        "adb", "ads",
    ];
    match path.extension().and_then(OsStr::to_str) {
        Some(extension) => EXTENSIONS.contains(&extension),
        None => path.starts_with("/usr/include/c++") || path.starts_with("/usr/lib/llvm"),
    }
}

fn md5_of(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// As gdb judges where nothing better is known: by the times of the files.
fn newer(candidate: &Candidate, module: &Path) -> Option<Notice> {
    let built = FileIdentity::from(&std::fs::metadata(module).ok()?);
    let later = candidate.identity.modified_ns.saturating_sub(built.modified_ns);
    (later > SAME_TIME).then(|| Notice::SourceNewer {
        at: candidate.path.clone(),
        module: module.to_string_lossy().into_owned(),
    })
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
