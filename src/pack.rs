//! A core with the files that are needed to read it elsewhere, in one archive: `obit pack`.
//!
//! The files are called by their build IDs, as debuggers look for them, so that no path of the
//! machine they come from is in the archive.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::report::Report;
use crate::report::json::write_report;
use crate::scrub::masked_path;
use obit_corefile::elf::{BuildId, ElfImage};
use obit_dwarf::DebugInfo;
use obit_process::process::Process;

/// What the core is called in the archive.
pub const CORE: &str = "core";
/// What the report is called.
pub const REPORT: &str = "report.json";

/// For who unpacks it without obit.
const README: &str = "\
A core dump without personal data, the program and the libraries that crashed, and what is known
of them, called by build ID. With obit, open the archive as it is: obit ARCHIVE. With gdb, unpack
it and run this in its directory:

    gdb -iex 'set debug-file-directory .' -ex 'core-file core'

report.json is obit's report (`obit schema` has its schema).
";

/// Bytes of the longest source file.
const LONGEST_SOURCE: usize = 4 << 20;

/// Level of compression: debug information shrinks to a third, at 50 MB a second.
const LEVEL: i32 = 9;

/// What was packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// Programs and libraries.
    pub images: usize,
    /// Their debug files.
    pub debug_files: usize,
    /// Source files.
    pub sources: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Files that have no name, or that of another.
    pub left_out: usize,
}

/// Writes `core`, the scrubbed one of `process`, and its `report` with all images of the
/// process, the debug files that the report was made with, and if `has_sources` the source files
/// of all frames.
///
/// # Errors
/// Those of reading `core` and of writing.
pub fn write(
    process: &Process,
    core: (&mut dyn Read, u64),
    report: &Report,
    has_sources: bool,
    out: &mut dyn Write,
) -> io::Result<Packed> {
    let mut archive = tar::Builder::new(zstd::Encoder::new(out, LEVEL)?);
    add(&mut archive, "README.txt", (&mut README.as_bytes(), README.len() as u64))?;
    add(&mut archive, CORE, core)?;
    let mut text = Vec::new();
    write_report(report, &mut text)?;
    add(&mut archive, REPORT, (&mut text.as_slice(), text.len() as u64))?;
    let mut packed = Packed::default();
    let mut names = BTreeSet::new();
    for (index, module) in process.modules.list().iter().enumerate() {
        let Some(image) = module.image.as_deref().filter(|image| image.path().is_some()) else {
            continue;
        };
        let id = module.build_id.as_ref().filter(|id| image.build_id() == Some(id));
        let name = id.and_then(|id| by_id(id, "")).unwrap_or_else(|| by_path(&module.path));
        let files = process.modules.debug_if_searched(index).map(DebugInfo::files);
        let debug = files.and_then(|files| files.debug.as_deref());
        let alternate = files.and_then(|files| files.alternate.as_deref());
        let package = files.and_then(|files| files.package.as_deref());
        // A debug file without build ID is called as the link to it says.
        let of_debug = |file: &ElfImage| {
            let by_id = file.build_id().and_then(|id| by_id(id, ".debug"));
            by_id.or_else(|| Some(format!("debug/{index}/{}", file_name(file.path()?)?)))
        };
        let beside = [
            (debug, debug.and_then(of_debug)),
            (alternate, alternate.and_then(of_debug)),
            (package, Some(format!("{name}.dwp"))),
        ];
        if names.insert(name.clone()) {
            packed.images += 1;
            packed.bytes += add_image(&mut archive, &name, image)?;
        } else if id.is_none() {
            packed.left_out += 1;
        }
        for (file, name) in beside {
            match (file, name) {
                (Some(file), Some(name)) if names.insert(name.clone()) => {
                    packed.debug_files += 1;
                    packed.bytes += add_image(&mut archive, &name, file)?;
                }
                (Some(_), None) => packed.left_out += 1,
                _ => {}
            }
        }
    }
    if has_sources {
        add_sources(process, &mut archive, &mut packed)?;
    }
    archive.into_inner()?.finish()?.flush()?;
    Ok(packed)
}

/// The source files of all frames that were found, by the paths that the debug information has.
fn add_sources(
    process: &Process,
    archive: &mut tar::Builder<impl Write>,
    packed: &mut Packed,
) -> io::Result<()> {
    let mut seen = BTreeSet::new();
    let mut names = BTreeSet::new();
    let frames = process.threads.iter().flat_map(|thread| &thread.frames);
    for (frame, source) in frames.filter_map(|frame| Some((frame, frame.source.as_ref()?))) {
        let Some(module) = frame.module.filter(|_| seen.insert(source.file.clone())) else {
            continue;
        };
        let Some(text) = process.modules.source(module, source).text else { continue };
        let name = below("sources", Path::new(&source.file));
        // What is longer is not read from an archive.
        if text.bytes().len() > LONGEST_SOURCE || !names.insert(name.clone()) {
            packed.left_out += 1;
            continue;
        }
        add(archive, &name, (&mut text.bytes(), text.bytes().len() as u64))?;
        packed.sources += 1;
        packed.bytes += text.bytes().len() as u64;
    }
    Ok(())
}

/// `.build-id/ab/cdef…`, as in the directories of debug files; `None` for an ID of one byte.
fn by_id(id: &BuildId, suffix: &str) -> Option<String> {
    let hex = id.to_string();
    let (first, rest) = hex.split_at_checked(2).filter(|(_, rest)| !rest.is_empty())?;
    Some(format!(".build-id/{first}/{rest}{suffix}"))
}

/// A module without build ID is looked for by its path, which the scrubbed core has without
/// people's names.
fn by_path(path: &Path) -> String {
    below("modules", path)
}

fn below(directory: &str, path: &Path) -> String {
    let path = masked_path(path.as_os_str().as_encoded_bytes());
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    std::iter::once(directory).chain(parts).collect::<Vec<_>>().join("/")
}

fn file_name(path: &Path) -> Option<String> {
    let path = masked_path(path.as_os_str().as_encoded_bytes());
    path.rsplit('/').next().filter(|name| !matches!(*name, "" | "." | "..")).map(str::to_owned)
}

fn add_image(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    image: &ElfImage,
) -> io::Result<u64> {
    let bytes = image.bytes();
    add(archive, name, (&mut &*bytes, bytes.len() as u64))?;
    Ok(bytes.len() as u64)
}

/// A file without owner and time: two archives of one crash are equal.
fn add(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    (content, size): (&mut dyn Read, u64),
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o600);
    archive.append_data(&mut header, name, content)
}
