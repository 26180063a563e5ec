//! Names of just-in-time compiled code from the files that compilers write for `perf`:
//! `/tmp/perf-PID.map` and `jit-PID.dump` of the machine where the process ran, kept beside the
//! core or named by the user, and the latter where the core says that the process had it
//! mapped. They are never looked for elsewhere: on another machine that number is another
//! process'.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::access::{ChosenBy, FileAccess, Purpose};
use super::jit_dump;
use super::locator::Locator;
use crate::model::code::{SourceContent, SourceLocation};
use obit_corefile::addr::Avma;
use obit_corefile::mapped_file::MappedFile;

/// Bytes of a file that are read.
const LARGEST: usize = 256 << 20;
/// Functions that are kept, lines of all of them, and bytes of a name.
pub(super) const MOST: usize = 1 << 20;
pub(super) const NAME_BYTES: usize = 4096;

/// What the files say: functions by address.
#[derive(Debug, Default)]
pub struct JitNames {
    /// By start, then by their order in the file.
    functions: Vec<Function>,
}

/// A function that was compiled.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) name: String,
    /// By start.
    pub(super) lines: Vec<Line>,
}

/// Code of one line: up to the next.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) start: u64,
    pub(super) line: u32,
    pub(super) file: Arc<str>,
}

impl Locator {
    /// The names of the file that the user gave, else of those beside the core; `pid` is that
    /// of the crashed process, `mapped` are the paths of the files that it had mapped.
    pub fn jit_names<'p>(
        &self,
        pid: Option<i64>,
        mapped: impl Iterator<Item = &'p Path>,
    ) -> Option<JitNames> {
        if let Some(path) = &self.rules.jit_map {
            // The user says that it is of this process.
            return Some(JitNames::of(read(&*self.access, path, ChosenBy::Rule, None)?));
        }
        let pid = pid.filter(|pid| *pid > 0)?;
        let dump = format!("jit-{pid}.dump");
        let read = |path: &Path| read(&*self.access, path, ChosenBy::Input, Some(pid));
        let beside = |name: &str| Some(self.rules.core_directory.as_ref()?.join(name));
        let map = beside(&format!("perf-{pid}.map")).and_then(|path| read(&path));
        let lines = beside(&dump).and_then(|path| read(&path)).or_else(|| {
            let mut mapped = mapped.filter(|path| path.ends_with(&dump));
            read(&self.below_sysroot(mapped.next()?)?)
        });
        // Of two at one place that with lines counts.
        let all: Vec<Function> = [map, lines].into_iter().flatten().flatten().collect();
        (!all.is_empty()).then(|| JitNames::of(all))
    }

    /// Where a file of the crashed process' machine is on this one.
    fn below_sysroot(&self, path: &Path) -> Option<PathBuf> {
        match &self.rules.sysroot {
            Some(root) => Some(root.join(path.strip_prefix("/").ok()?)),
            None => Some(path.to_owned()),
        }
    }
}

/// The functions of a file of either format, if it is of process `pid`.
fn read(
    access: &dyn FileAccess,
    path: &Path,
    by: ChosenBy,
    pid: Option<i64>,
) -> Option<Vec<Function>> {
    let file = access.open(path, by, Purpose::JitNames).ok()?;
    let file = MappedFile::of_file(file, path).ok()?;
    let bytes: &[u8] = &file;
    let bytes = bytes.get(..LARGEST).unwrap_or(bytes);
    let is_dump = path.extension().is_some_and(|extension| extension == "dump");
    match jit_dump::parse(bytes, pid) {
        Some(functions) => Some(functions),
        None if is_dump => None,
        None => Some(of_map(bytes)),
    }
}

/// Reads lines of `START SIZE NAME`, both numbers hexadecimal; others are skipped.
fn of_map(map: &[u8]) -> Vec<Function> {
    map.split(|byte| *byte == b'\n').filter_map(entry).take(MOST).collect()
}

impl JitNames {
    /// Of these functions, in the order in which they were compiled.
    pub(super) fn of(mut functions: Vec<Function>) -> Self {
        // Stable: of two at one place the later is the code that ran last.
        functions.sort_by_key(|function| function.start);
        Self { functions }
    }

    /// The name of the code at `at`.
    pub fn at(&self, at: Avma) -> Option<&str> {
        Some(self.function(at)?.name.as_str())
    }

    /// The line of the code at `at`.
    pub fn location(&self, at: Avma) -> Option<SourceLocation> {
        let lines = &self.function(at)?.lines;
        let after = lines.partition_point(|line| line.start <= at.0);
        let line = lines.get(after.checked_sub(1)?)?;
        Some(SourceLocation {
            file: line.file.to_string(),
            directory: None,
            line: Some(line.line),
            column: None,
            content: SourceContent::default(),
        })
    }

    fn function(&self, at: Avma) -> Option<&Function> {
        let after = self.functions.partition_point(|function| function.start <= at.0);
        let function = self.functions.get(after.checked_sub(1)?)?;
        (at.0 < function.end).then_some(function)
    }
}

fn entry(line: &[u8]) -> Option<Function> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\r');
    let mut parts = line.splitn(3, ' ');
    let mut number = || {
        let text = parts.next()?;
        u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
    };
    let (start, size) = (number()?, number()?);
    let name = parts.next()?.trim();
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES && !name.contains(char::is_control);
    let end = start.checked_add(size).filter(|_| is_name && size > 0)?;
    Some(Function { start, end, name: name.to_owned(), lines: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(map: &str, at: u64) -> Option<String> {
        JitNames::of(of_map(map.as_bytes())).at(Avma(at)).map(str::to_owned)
    }

    #[test]
    fn a_name_holds_for_its_bytes_and_may_have_spaces() {
        let map = "7f00 20 LazyCompile:*sum /srv/app.js:3\n0x8000 0x10 int Parcel::weigh()\n";
        assert_eq!(name(map, 0x7eff), None);
        assert_eq!(name(map, 0x7f00).as_deref(), Some("LazyCompile:*sum /srv/app.js:3"));
        assert_eq!(name(map, 0x7f1f).as_deref(), Some("LazyCompile:*sum /srv/app.js:3"));
        assert_eq!(name(map, 0x7f20), None);
        assert_eq!(name(map, 0x800f).as_deref(), Some("int Parcel::weigh()"));
    }

    #[test]
    fn of_two_at_one_place_the_later_counts() {
        assert_eq!(name("100 10 old\n100 8 new\n", 0x104).as_deref(), Some("new"));
    }

    #[test]
    fn a_line_that_is_not_of_a_map_is_skipped() {
        let map = "\nx 10 a\n100 0 b\n100 10\n100 10 \x1b[2J\nffffffffffffffff 2 c\n100 10 d";
        assert_eq!(name(map, 0x100).as_deref(), Some("d"));
        assert_eq!(name(map, u64::MAX), None);
    }
}
