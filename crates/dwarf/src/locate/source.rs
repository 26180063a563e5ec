//! Source files: found by the names in line tables, read whole, and checked against what
//! was compiled.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::access::{BuiltFrom, ChosenBy, PRIVATE_SOURCE, Purpose, md5_of, read_source};
use super::debuginfod::Artifact;
use super::found::FoundSource;
use super::locator::Locator;
use super::names;
use super::source_text::SourceText;
use crate::model::code::SourceLocation;
use obit_corefile::elf::{BuildId, ElfImage};
use obit_corefile::mapped_file::{FileIdentity, identity_of};
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
        image: Option<&ElfImage>,
        module_path: &Path,
        build_id: Option<&BuildId>,
    ) -> FoundSource {
        let mut found = FoundSource::default();
        if let Some(embedded) = &location.content.embedded {
            found.text = Some(Arc::new(SourceText::new(embedded.to_vec())));
            return found;
        }
        let file = image.and_then(ElfImage::path);
        let module = file.unwrap_or(Path::new("the program"));
        let from = BuiltFrom {
            md5: location.content.md5,
            is_in_place: file.is_some_and(|file| file == module_path),
        };
        let name = location.file.as_bytes();
        let Ok(path) = names::path_of(name) else { return found };
        let wanted = location.content.md5;
        let mut second_best = None;
        for (candidate, by) in self.source_paths(path) {
            let Some(candidate) = self.read(candidate, by, from, &mut found.notices) else {
                continue;
            };
            match wanted {
                Some(wanted) if md5_of(&candidate.bytes) != wanted => {
                    second_best.get_or_insert(candidate);
                }
                Some(_) => return found.with(candidate),
                None => {
                    found.doubt = newer(&candidate, image, module);
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
    fn source_paths(&self, path: &Path) -> Vec<(PathBuf, ChosenBy)> {
        use ChosenBy::{Input, Rule};
        let rules = &self.rules;
        let mut paths: Vec<_> =
            self.companions(path).into_iter().map(|path| (path, Rule)).collect();
        if path.is_absolute() {
            paths.extend(names::substituted(&rules.substitute_path, path).map(|path| (path, Rule)));
        }
        for directory in &rules.source_path {
            paths.extend(endings(path).map(|end| (directory.join(end), Rule)));
        }
        if path.is_absolute() {
            paths.extend(rules.sysroot.iter().map(|root| (names::under(root, path), Input)));
            paths.push((path.to_owned(), Input));
        }
        let beside = rules
            .core_directory
            .iter()
            .flat_map(|directory| endings(path).map(move |end| (directory.join(end), Input)));
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
        let mut fetched = self.access.download(build_id?, Artifact::Source(path));
        notices.append(&mut fetched.notices);
        self.read(fetched.path?, ChosenBy::Rule, BuiltFrom::default(), notices)
    }

    fn read(
        &self,
        path: PathBuf,
        by: ChosenBy,
        from: BuiltFrom,
        notices: &mut Vec<Notice>,
    ) -> Option<Candidate> {
        let file = match self.access.open(&path, by, Purpose::Source(from)) {
            Ok(file) => file,
            Err(error) => {
                let reason = error.to_string();
                if reason == PRIVATE_SOURCE {
                    notices.push(Notice::FileRefused { path, reason });
                }
                return None;
            }
        };
        let identity = identity_of(&file).ok()?;
        let bytes = read_source(&file).ok()?;
        Some(Candidate { path, bytes, identity })
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

/// As gdb judges where nothing better is known: by the times of the files.
fn newer(candidate: &Candidate, image: Option<&ElfImage>, module: &Path) -> Option<Notice> {
    let built = image?.file()?.identity();
    let later = candidate.identity.modified_ns.saturating_sub(built.modified_ns);
    (later > SAME_TIME).then(|| Notice::SourceNewer {
        at: candidate.path.clone(),
        module: module.to_string_lossy().into_owned(),
    })
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
