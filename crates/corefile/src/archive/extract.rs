//! What becomes of each file: looked at, and kept if it may be needed.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::{ArchiveError, ArchiveFormat, Content, LeftOut, Member, Sink, Unpacked};
use crate::dump::{CHUNK, Container, Full, Spill, fill, promised_length};
use crate::elf::{ET_CORE, FileHeader};
use crate::limits::Limits;

/// Bytes of an archive's files that are kept in memory.
const IN_MEMORY: u64 = 256 << 20;
/// Bytes of a text that is kept.
const LONGEST_TEXT: u64 = 4 << 20;
/// Bytes of texts that are kept.
const TEXTS: u64 = 64 << 20;
/// Bytes of a core that are kept even if its headers speak of none: the ELF header.
const SMALLEST: u64 = 64;
/// Bytes of a path: with that of the archive before it, it is shorter than `PATH_MAX` of Linux.
const LONGEST_PATH: usize = 1024;

/// A file of an archive that was met.
pub(super) struct Source<'n> {
    /// Its name, as it is.
    pub(super) name: &'n [u8],
    /// Bytes that it claims.
    pub(super) size: u64,
    /// Seconds since 1970.
    pub(super) modified: Option<i64>,
    /// What the archive says of it.
    pub(super) facts: Vec<(String, String)>,
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Core,
    Image,
    Text,
}

/// A file that is written, and not passed on yet.
pub(super) struct Kept {
    pub(super) path: PathBuf,
    modified: Option<i64>,
    content: Content,
}

/// Takes files until a limit is met.
pub(super) struct Extractor<'s> {
    sink: &'s mut dyn Sink,
    limits: &'s Limits,
    /// What was not taken.
    pub(super) left_out: LeftOut,
    paths: HashSet<PathBuf>,
    looked_at: u64,
    /// Cores and images that were taken, and texts.
    files: usize,
    texts: usize,
    memory_left: u64,
    texts_left: u64,
    /// Known when the disk is used first.
    disk_left: Option<u64>,
    inflated: u64,
}

impl<'s> Extractor<'s> {
    pub(super) fn new(limits: &'s Limits, sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            limits,
            left_out: LeftOut::default(),
            paths: HashSet::new(),
            looked_at: 0,
            files: 0,
            texts: 0,
            memory_left: IN_MEMORY,
            texts_left: TEXTS,
            disk_left: None,
            inflated: 0,
        }
    }

    pub(super) fn finish(self, format: ArchiveFormat) -> Unpacked {
        Unpacked { format, files: self.looked_at, left_out: self.left_out }
    }

    #[cfg(test)]
    pub(super) fn keep_nothing_in_memory(&mut self) {
        self.memory_left = 0;
    }

    /// Bytes that files may still be unpacked to, kept or not.
    pub(super) fn inflated_left(&self) -> u64 {
        self.limits.archive_bytes.saturating_sub(self.inflated)
    }

    /// The archive is damaged here, or ends.
    pub(super) fn end(&mut self, problem: &io::Error) {
        self.left_out.ended.get_or_insert_with(|| problem.to_string());
    }

    /// Counts a file; false if there are too many, or the archive ended.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.left_out.ended.is_some() {
            return false;
        }
        if self.looked_at >= self.limits.archive_entries {
            let most = self.limits.archive_entries;
            self.left_out.ended = Some(format!("it has more than {most} files"));
            return false;
        }
        self.looked_at = self.looked_at.saturating_add(1);
        true
    }

    /// Takes a file whose content is `input`.
    pub(super) fn take(
        &mut self,
        source: Source<'_>,
        input: &mut dyn Read,
    ) -> Result<(), ArchiveError> {
        let Source { facts, .. } = source;
        let source = Source { facts: Vec::new(), ..source };
        match self.keep(&source, input)? {
            Some(kept) => self.pass_on(kept, facts),
            None => Ok(()),
        }
    }

    /// Writes a file that may be needed.
    pub(super) fn keep(
        &mut self,
        source: &Source<'_>,
        input: &mut dyn Read,
    ) -> Result<Option<Kept>, ArchiveError> {
        if source.name.len() > LONGEST_PATH {
            self.left_out.too_long = self.left_out.too_long.saturating_add(1);
            return Ok(None);
        }
        let Some(path) = member_path(source.name) else {
            self.left_out.outside = self.left_out.outside.saturating_add(1);
            return Ok(None);
        };
        let mut chunk = vec![0; usize::try_from(source.size).unwrap_or(CHUNK).clamp(64, CHUNK)];
        let wanted = chunk.len();
        let (have, problem) = fill(input, &mut chunk, wanted);
        self.inflated = self.inflated.saturating_add(have as u64);
        if let Some(problem) = &problem {
            self.end(problem);
        }
        let start = chunk.get(..have).unwrap_or(&[]);
        let Some(kind) = kind_of(start, source.size) else { return Ok(None) };
        if self.paths.contains(&path) {
            self.left_out.repeated = self.left_out.repeated.saturating_add(1);
            return Ok(None);
        }
        let content = match kind {
            Kind::Text => self.text(start, source.size, input).map(Content::Text),
            Kind::Core | Kind::Image => {
                let file = self.file(kind, &mut chunk, have, source.size, input)?;
                file.map(|file| match kind {
                    Kind::Core => Content::Core(file),
                    _ => Content::Image(file),
                })
            }
        };
        let Some(content) = content else {
            self.left_out.too_large = self.left_out.too_large.saturating_add(1);
            return Ok(None);
        };
        self.paths.insert(path.clone());
        Ok(Some(Kept { path, modified: source.modified, content }))
    }

    /// Passes on a file that was written.
    pub(super) fn pass_on(
        &mut self,
        kept: Kept,
        facts: Vec<(String, String)>,
    ) -> Result<(), ArchiveError> {
        let Kept { path, modified, content } = kept;
        self.sink.take(Member { path, content, modified, facts }).map_err(ArchiveError::Sink)
    }

    fn text(&mut self, start: &[u8], size: u64, input: &mut dyn Read) -> Option<Vec<u8>> {
        if size > self.texts_left || self.texts >= self.limits.archive_texts {
            return None;
        }
        let mut text = start.to_vec();
        let rest = size.saturating_sub(start.len() as u64);
        if let Err(error) = input.take(rest).read_to_end(&mut text) {
            self.end(&error);
        }
        self.inflated = self.inflated.saturating_add(text.len() as u64);
        self.texts = self.texts.saturating_add(1);
        self.texts_left = self.texts_left.saturating_sub(text.len() as u64);
        Some(text)
    }

    /// The rest of `input` behind the `have` bytes of `chunk`; `None` if there is no room.
    fn file(
        &mut self,
        kind: Kind,
        chunk: &mut [u8],
        mut have: usize,
        size: u64,
        input: &mut dyn Read,
    ) -> Result<Option<File>, ArchiveError> {
        if self.files >= self.limits.archive_files {
            return Ok(None);
        }
        let start = chunk.get(..have).unwrap_or(&[]);
        // What follows the last byte that its headers speak of is no part of a core.
        let is_packed = Container::of_magic(start).is_some();
        let promised = promised_length(start).max(SMALLEST);
        let most = if kind == Kind::Core && !is_packed { promised } else { u64::MAX };
        let most = most.min(size).min(self.limits.core_bytes);
        let Some(mut spill) = self.spill(most)? else { return Ok(None) };
        loop {
            let room = usize::try_from(most.saturating_sub(spill.len())).unwrap_or(usize::MAX);
            let bytes = chunk.get(..have.min(room)).unwrap_or(&[]);
            match spill.write(bytes) {
                Ok(()) => {}
                // Of one that has not even its header, nothing can be said.
                Err(Full::Budget(_)) if kind == Kind::Core && spill.len() >= SMALLEST => {
                    // A core that is cut still has its threads.
                    self.left_out.too_large = self.left_out.too_large.saturating_add(1);
                    break;
                }
                Err(Full::Budget(_)) => return Ok(None),
                Err(Full::Io(error)) => return Err(ArchiveError::Sink(error)),
            }
            if have < chunk.len() || spill.len() >= most || self.left_out.ended.is_some() {
                break;
            }
            let wanted = chunk.len();
            let (more, problem) = fill(input, chunk, wanted);
            self.inflated = self.inflated.saturating_add(more as u64);
            have = more;
            if let Some(problem) = problem {
                self.end(&problem);
            }
        }
        self.files = self.files.saturating_add(1);
        let used = spill.used();
        if spill.is_in_memory() {
            self.memory_left = self.memory_left.saturating_sub(used);
        } else {
            self.disk_left = self.disk_left.map(|left| left.saturating_sub(used));
        }
        spill.finish_file().map(Some).map_err(ArchiveError::Sink)
    }

    /// Where a file of `size` bytes is kept: in memory while there is room for it.
    fn spill(&mut self, size: u64) -> Result<Option<Spill>, ArchiveError> {
        if size <= self.memory_left {
            return Spill::in_memory(self.memory_left).map(Some).map_err(ArchiveError::Sink);
        }
        let Ok(room) = self.sink.room() else { return Ok(None) };
        let most = self.disk_left.unwrap_or(self.limits.spill_bytes);
        let spill = Spill::on_disk(Some(room), most).map_err(ArchiveError::Sink)?;
        self.disk_left.get_or_insert(spill.budget());
        Ok(Some(spill))
    }
}

/// What a file is, by its `start` and what it claims to be long; `None` if it is not needed.
fn kind_of(start: &[u8], size: u64) -> Option<Kind> {
    if let Ok(header) = FileHeader::parse(start) {
        return Some(if header.e_type == ET_CORE { Kind::Core } else { Kind::Image });
    }
    match Container::of_magic(start) {
        Some(Container::Apport) => return Some(Kind::Core),
        Some(container) => return is_packed_core(container, start).then_some(Kind::Core),
        None => {}
    }
    let is_text = match std::str::from_utf8(start) {
        Ok(_) => true,
        // Cut within a character by the length that is looked at.
        Err(error) => error.error_len().is_none(),
    };
    (is_text && size <= LONGEST_TEXT && !start.is_empty() && !start.contains(&0))
        .then_some(Kind::Text)
}

/// Whether the start of compressed data is that of a core.
fn is_packed_core(container: Container, start: &[u8]) -> bool {
    let Ok(memory) = Spill::of_bytes(start) else { return false };
    let Ok(mut unpacked) = container.reader(&memory) else { return false };
    let mut head = [0; 64];
    let (have, _) = fill(&mut *unpacked, &mut head, 64);
    let header = FileHeader::parse(head.get(..have).unwrap_or(&[]));
    header.is_ok_and(|header| header.e_type == ET_CORE)
}

/// The path of a member, if it leads down only.
fn member_path(name: &[u8]) -> Option<PathBuf> {
    if name.is_empty() || name.contains(&0) {
        return None;
    }
    let mut path = PathBuf::new();
    for part in Path::new(OsStr::from_bytes(name)).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}
