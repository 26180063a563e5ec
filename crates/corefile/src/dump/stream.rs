//! A core from a stream: a pipe, a socket. It is kept first, since it is read at any place.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::container::{CHUNK, Container, fill, promised_length};
use super::spill::{Full, Spill};
use super::{Dump, OpenError, magic, open};
use crate::limits::Limits;
use crate::memory::CoreBytes;

/// See [`Dump::open_file`].
pub(super) fn open(
    path: &Path,
    stream: &mut dyn Read,
    disk: Option<File>,
    limits: &Limits,
) -> Result<Dump, OpenError> {
    let spill =
        Spill::new(disk, limits.spill_bytes).map_err(|error| not_kept(error.to_string()))?;
    let bytes = keep(path, stream, spill, limits)?;
    open::read(path, bytes, None, limits)
}

/// All of the stream, or what its headers say is the core. What does not start like a core
/// is not kept: it may not end.
fn keep(
    path: &Path,
    stream: &mut dyn Read,
    mut spill: Spill,
    limits: &Limits,
) -> Result<CoreBytes, OpenError> {
    let mut chunk = vec![0; CHUNK];
    let mut most = None;
    loop {
        let (have, problem) = fill(stream, &mut chunk, CHUNK);
        if let Some(source) = problem {
            return Err(OpenError::Io { path: path.to_owned(), source });
        }
        let bytes = chunk.get(..have).unwrap_or(&[]);
        let most = match most {
            Some(most) => most,
            None => *most.insert(length(path, bytes)?),
        };
        let room = usize::try_from(most.saturating_sub(spill.len())).unwrap_or(usize::MAX);
        spill.write(bytes.get(..room).unwrap_or(bytes)).map_err(|full| {
            not_kept(match full {
                Full::Io(error) => error.to_string(),
                Full::Budget(budget) => {
                    format!("it takes more than {budget} bytes; set TMPDIR to a place with room")
                }
            })
        })?;
        if spill.len() > limits.core_bytes {
            return Err(not_kept(format!("it is over {} bytes long", limits.core_bytes)));
        }
        if have < CHUNK || room <= have {
            return spill.finish().map_err(|error| not_kept(error.to_string()));
        }
    }
}

/// How much of a stream that starts so is the core; the whole stream if it is packed.
fn length(path: &Path, start: &[u8]) -> Result<u64, OpenError> {
    if start.is_empty() {
        return Err(OpenError::Empty { path: path.to_owned() });
    }
    if Container::of_magic(start).is_some() {
        return Ok(u64::MAX);
    }
    let head = start.get(..magic::WANTED as usize).unwrap_or(start);
    open::parse_header(path, head)?;
    Ok(promised_length(start))
}

fn not_kept(problem: String) -> OpenError {
    OpenError::Spool { directory: std::env::temp_dir(), problem }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::testkit::CoreBuilder;

    fn core() -> Vec<u8> {
        let core = CoreBuilder::x86_64().signal(11).thread(42, &[("rsp", 0x1_0000)]);
        core.segment(0x1_0000, &[7; 600_000], 600_000).build()
    }

    fn open_bytes(mut bytes: &[u8]) -> Result<Dump, OpenError> {
        open(Path::new("-"), &mut bytes, None, &Limits::default())
    }

    #[test]
    fn a_core_from_a_stream_is_read_like_one_in_a_file() {
        let core = core();
        let dump = open_bytes(&core).unwrap();
        assert_eq!(dump.bytes.read_vec(0, u64::MAX), core);
        assert_eq!((dump.path.as_path(), dump.missing_bytes), (Path::new("-"), 0));
        let packed = zstd::encode_all(&core[..], 1).unwrap();
        let dump = open_bytes(&packed).unwrap();
        assert_eq!((dump.container, dump.file_size), (Some(Container::Zstd), packed.len() as u64));
    }

    #[test]
    fn a_stream_that_ends_early_is_a_truncated_core() {
        let core = core();
        assert!(open_bytes(&core[..300_000]).unwrap().missing_bytes > 0);
    }

    #[test]
    fn a_stream_that_is_not_a_core_is_refused_at_once_and_bytes_after_a_core_are_not_read() {
        let mut endless = io::repeat(0);
        let refused = open(Path::new("-"), &mut endless, None, &Limits::default());
        assert!(matches!(refused, Err(OpenError::NotElf { .. })));
        assert!(matches!(open_bytes(b""), Err(OpenError::Empty { .. })));
        let core = core();
        let mut with_tail = (&core[..]).chain(io::repeat(1));
        let dump = open(Path::new("-"), &mut with_tail, None, &Limits::default()).unwrap();
        assert_eq!(dump.bytes.len(), core.len() as u64);
    }

    #[test]
    fn a_core_for_which_there_is_no_room_is_refused_with_what_to_do() {
        let spill = Spill::with_budget(100_000).unwrap();
        let refused = keep(Path::new("-"), &mut &core()[..], spill, &Limits::default());
        let problem = refused.unwrap_err().to_string();
        assert!(problem.contains("100000 bytes; set TMPDIR"), "{problem}");
    }
}
