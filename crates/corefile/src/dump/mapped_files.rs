//! `NT_FILE`: which files were mapped where (Linux `fs/binfmt_elf.c`, `fill_files_note`).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::addr::{Avma, AvmaRange};
use crate::elf::Encoding;
use crate::limits::Limits;
use crate::notice::Notice;

/// The page size that is assumed where the note has none.
const PAGE: u64 = 4096;
/// What the kernel appends to the path of a file that has no name any more.
const DELETED: &[u8] = b" (deleted)";

/// One mapping of a file into the crashed process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedFileRange {
    /// Addresses.
    pub range: AvmaRange,
    /// Offset of the range's first byte in the file, bytes.
    pub offset: u64,
    /// The path as the crashed process knew it, without ` (deleted)`. Neighbours share it.
    pub path: Arc<PathBuf>,
    /// Whether the file had been deleted or replaced when the process crashed.
    pub deleted: bool,
}

/// Reads the note: a count, a page size, that many triples (start, end, offset in
/// pages), then that many paths, each ended by a NUL.
pub(super) fn parse(
    desc: &[u8],
    encoding: Encoding,
    limits: &Limits,
    notices: &mut Vec<Notice>,
) -> Vec<MappedFileRange> {
    let word = encoding.word();
    let (Some(stated), Some(page_size)) = (encoding.word_at(desc, 0), encoding.word_at(desc, word))
    else {
        notices.push(malformed("it is shorter than its header"));
        return Vec::new();
    };
    // The kernel writes its page size, gdb's gcore 1.
    let is_page = page_size == 1 || page_size.is_power_of_two() && page_size >= PAGE;
    if !is_page {
        notices.push(malformed(&format!("a page size of {page_size}; {PAGE} is used")));
    }
    let page_size = if is_page { page_size } else { PAGE };
    let table = desc.get(word.saturating_mul(2)..).unwrap_or(&[]);
    let triple = word.saturating_mul(3);
    let fitting = table.len().checked_div(triple).unwrap_or(0);
    let count = usize::try_from(stated).unwrap_or(usize::MAX).min(fitting);
    if (count as u64) < stated {
        notices.push(malformed(&format!("it states {stated} mappings and has room for {count}")));
    }
    let kept = count.min(limits.mapped_files);
    if kept < count {
        notices
            .push(Notice::LimitReached { what: "mapped files", limit: limits.mapped_files as u64 });
    }
    let paths_at = count.saturating_mul(triple);
    let mut paths = table.get(paths_at..).unwrap_or(&[]);
    let mut files: Vec<MappedFileRange> = Vec::new();
    let mut senseless = None;
    for entry in table.chunks_exact(triple).take(kept) {
        let Some(end) = paths.iter().position(|byte| *byte == 0) else {
            notices.push(malformed("it ends before its paths do"));
            break;
        };
        let (path, rest) = paths.split_at(end);
        paths = rest.get(1..).unwrap_or(&[]);
        let field = |at: usize| encoding.word_at(entry, word.saturating_mul(at)).unwrap_or(0);
        let range = AvmaRange { start: Avma(field(0)), end: Avma(field(1)) };
        let Some(offset) = field(2).checked_mul(page_size).filter(|_| !range.is_empty()) else {
            senseless.get_or_insert(range);
            continue;
        };
        let stripped = path.strip_suffix(DELETED);
        let (path, deleted) = (stripped.unwrap_or(path), stripped.is_some());
        let path = match files.last() {
            Some(last) if last.path.as_os_str().as_encoded_bytes() == path => last.path.clone(),
            _ => Arc::new(PathBuf::from(OsString::from_vec(path.to_vec()))),
        };
        files.push(MappedFileRange { range, offset, path, deleted });
    }
    // One notice for all: a hostile note could hold a million of them.
    if let Some(range) = senseless {
        notices.push(malformed(&format!("the mapping {range:?} makes no sense")));
    }
    without_covers(files, notices)
}

/// Leaves out mappings that cover several others, which no process can have.
fn without_covers(
    mut files: Vec<MappedFileRange>,
    notices: &mut Vec<Notice>,
) -> Vec<MappedFileRange> {
    let mut starts: Vec<Avma> = files.iter().map(|file| file.range.start).collect();
    starts.sort_unstable();
    let mut cover = None;
    files.retain(|MappedFileRange { range, .. }| {
        let first = starts.partition_point(|start| *start <= range.start);
        let last = starts.partition_point(|start| *start < range.end);
        let covers = last.saturating_sub(first) >= 2;
        if covers {
            cover.get_or_insert(*range);
        }
        !covers
    });
    if let Some(range) = cover {
        notices.push(malformed(&format!("the mapping {range:?} covers others and is left out")));
    }
    files
}

fn malformed(problem: &str) -> Notice {
    Notice::NoteMalformed { problem: format!("NT_FILE: {problem}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LE64: Encoding = Encoding { is_64: true, little_endian: true };

    fn note(words: &[u64], paths: &[u8]) -> Vec<u8> {
        let mut desc: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        desc.extend(paths);
        desc
    }

    fn read(desc: &[u8]) -> (Vec<MappedFileRange>, Vec<Notice>) {
        let mut notices = Vec::new();
        let files = parse(desc, LE64, &Limits::default(), &mut notices);
        (files, notices)
    }

    #[test]
    fn offsets_are_in_pages_and_paths_need_not_be_utf8() {
        let (files, notices) =
            read(&note(&[1, 4096, 0x1000, 0x2000, 3], b"/lib/\xff.so (deleted)\0"));
        assert_eq!(files[0].offset, 3 * 4096);
        assert_eq!(files[0].path.as_os_str().as_encoded_bytes(), b"/lib/\xff.so");
        assert!(files[0].deleted);
        assert!(notices.is_empty());
    }

    #[test]
    fn a_page_size_that_is_none_is_a_page() {
        let (files, notices) = read(&note(&[1, 0, 0x1000, 0x2000, 3], b"/a\0"));
        assert_eq!((files[0].offset, notices.len()), (3 * 4096, 1));
        let (files, notices) = read(&note(&[1, 1, 0x1000, 0x2000, 3], b"/a\0"));
        assert_eq!((files[0].offset, notices.len()), (3, 0), "gcore's");
    }

    #[test]
    fn a_mapping_of_the_whole_space_does_not_hide_the_others() {
        let words = [3, 1, 0, u64::MAX, 0, 0x1000, 0x2000, 0, 0x2000, 0x3000, 0x1000];
        let (files, notices) = read(&note(&words, b"/all\0/a\0/a\0"));
        let paths: Vec<_> = files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!((paths, notices.len()), (vec!["/a", "/a"], 1));
    }

    #[test]
    fn a_hostile_count_costs_no_more_than_the_note_is_long() {
        let (files, notices) = read(&note(&[u64::MAX, 4096, 0x1000, 0x2000, 0], b"/a\0"));
        assert_eq!(files.len(), 1);
        assert_eq!(notices.len(), 1);
    }

    #[test]
    fn a_mapping_that_ends_before_it_starts_is_left_out_and_the_next_is_kept() {
        let (files, notices) = read(&note(&[2, 1, 9, 1, 0, 1, 9, u64::MAX], b"/a\0/b\0"));
        assert_eq!(files.len(), 1);
        assert_eq!(*files[0].path, PathBuf::from("/b"));
        assert_eq!(notices.len(), 1);
    }
}
