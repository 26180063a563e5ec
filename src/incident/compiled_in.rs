//! What is in the files of the program, and so in each of its processes: nothing that one of
//! them made.

use std::collections::BTreeMap;

use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::elf::SegmentKind;
use obit_process::module::{FileState, Module, ModuleKind};
use obit_process::process::Process;

use super::facts::key;
use super::scan::address;

/// Bytes of the files of one process that are looked through, the program's own first.
const BUDGET: usize = 64 << 20;

/// Of the texts, those that are in a file of the program, with that file's key.
#[derive(Debug, Default)]
pub(super) struct CompiledIn {
    pub(super) texts: BTreeMap<String, String>,
    /// There was more in the files.
    pub(super) is_cut: bool,
}

/// The images of a process whose files are not available: what is in their data may be compiled in.
#[derive(Debug, Default)]
pub(super) struct Unknown {
    images: Vec<(AvmaRange, String)>,
}

impl Unknown {
    pub(super) fn of(process: &Process) -> Self {
        let images = process.modules.list().iter().filter(|module| !is_available(module));
        let images = images.filter(|module| is_file(module));
        Self { images: images.map(|module| (module.range, build(module))).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The place in one of them, as a key that is the same in each process of that build.
    pub(super) fn place(&self, at: Avma) -> Option<String> {
        let (range, build) = self.images.iter().find(|(range, _)| range.contains(at))?;
        let offset = at.0.checked_sub(range.start.0)?;
        Some(key(format!("{build}+{offset:x}").as_bytes()))
    }
}

fn is_file(module: &Module) -> bool {
    matches!(module.kind, ModuleKind::Executable | ModuleKind::Shared)
}

fn is_available(module: &Module) -> bool {
    matches!(module.file, FileState::Found | FileState::Unverified) && module.image.is_some()
}

/// One name for an image in all dumps.
fn build(module: &Module) -> String {
    match &module.build_id {
        Some(id) => id.to_string(),
        None => module.path.display().to_string(),
    }
}

/// Which of `texts` (small letters) are in the files of the process.
pub(super) fn compiled_in(process: &Process, texts: &[&str], is_little: bool) -> CompiledIn {
    let mut found = CompiledIn::default();
    let needles = Needles::of(texts);
    let mut modules: Vec<&Module> =
        process.modules.list().iter().filter(|one| is_file(one) && is_available(one)).collect();
    modules.sort_by_key(|module| module.kind != ModuleKind::Executable);
    let mut left = BUDGET;
    for module in modules {
        let Some(image) = &module.image else { continue };
        let build = key(build(module).as_bytes());
        for segment in image.segments().iter().filter(|one| one.kind == SegmentKind::Load) {
            let Some(bytes) = image.bytes_at(segment.vaddr) else { continue };
            found.is_cut |= bytes.len() > left;
            let bytes = bytes.get(..left).unwrap_or(bytes);
            left = left.saturating_sub(bytes.len());
            for text in needles.find(bytes) {
                found.texts.entry(text.to_owned()).or_insert_with(|| build.clone());
            }
            // An address that the compiler made: text as well as numbers.
            for at in (0..bytes.len()).step_by(4).filter(|_| !segment.is_executable()) {
                let text = bytes.get(at..).and_then(|rest| address(rest, is_little));
                if let Some(text) = text.filter(|text| needles.has(text)) {
                    found.texts.entry(text).or_insert_with(|| build.clone());
                }
            }
        }
    }
    found
}

/// Many texts that are looked for at once, by their first two letters.
struct Needles<'t> {
    by_start: BTreeMap<[u8; 2], Vec<&'t str>>,
    /// Which starts there are: one bit for each.
    starts: Vec<bool>,
}

impl<'t> Needles<'t> {
    fn of(texts: &[&'t str]) -> Self {
        let mut needles = Self { by_start: BTreeMap::new(), starts: vec![false; 1 << 16] };
        for text in texts {
            let Some(start) = start(text.as_bytes()) else { continue };
            needles.by_start.entry(start).or_default().push(text);
            if let Some(is_known) = needles.starts.get_mut(usize::from(u16::from_le_bytes(start))) {
                *is_known = true;
            }
        }
        needles
    }

    fn has(&self, text: &str) -> bool {
        let of_start = start(text.as_bytes()).and_then(|start| self.by_start.get(&start));
        of_start.is_some_and(|all| all.contains(&text))
    }

    /// Those that are in `bytes`, in letters of any size.
    fn find(&self, bytes: &[u8]) -> Vec<&'t str> {
        let mut found = Vec::new();
        if self.by_start.is_empty() {
            return found;
        }
        for (at, pair) in bytes.windows(2).enumerate() {
            let Some(start) = start(pair) else { continue };
            let is_known = self.starts.get(usize::from(u16::from_le_bytes(start)));
            if is_known.copied() != Some(true) {
                continue;
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let is_here = |text: &&&str| {
                let here = rest.get(..text.len());
                here.is_some_and(|here| here.eq_ignore_ascii_case(text.as_bytes()))
            };
            found.extend(self.by_start.get(&start).into_iter().flatten().filter(is_here).copied());
        }
        found
    }
}

fn start(text: &[u8]) -> Option<[u8; 2]> {
    let [first, second, ..] = text else { return None };
    Some([first.to_ascii_lowercase(), second.to_ascii_lowercase()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_anywhere_in_letters_of_any_size() {
        let texts = ["7bf92f3577b34da6", "ord-20261130-0471a", "/run/shop.sock", "x"];
        let needles = Needles::of(&texts);
        let found = needles.find(b"\0id=7BF92F3577B34DA6\0/run/shop.sock\0ord-20261130-0471");
        assert_eq!(found, ["7bf92f3577b34da6", "/run/shop.sock"]);
        assert!(needles.has("/run/shop.sock") && !needles.has("/run/shop") && !needles.has(""));
        assert!(Needles::of(&[]).find(b"anything").is_empty());
    }
}
