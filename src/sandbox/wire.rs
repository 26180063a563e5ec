//! What a worker and the process outside say to each other. All that comes from a worker may be
//! made up by an attacker: it is checked where it is read.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use obit_corefile::elf::BuildId;
use obit_dwarf::locate::{Artifact, BuiltFrom, ChosenBy, Purpose};
use obit_process::process::Phase;

/// Kinds of frames from the worker.
pub(super) mod ask {
    /// Open a file.
    pub(in crate::sandbox) const OPEN: u8 = 1;
    /// Where does a path lead?
    pub(in crate::sandbox) const RESOLVE: u8 = 2;
    /// Ask debuginfod servers.
    pub(in crate::sandbox) const DOWNLOAD: u8 = 3;
    /// An unpacked section.
    pub(in crate::sandbox) const SECTION: u8 = 4;
    /// Keep an unpacked section, in a file asked for by `CREATE` or in memory. No answer.
    pub(in crate::sandbox) const KEEP: u8 = 5;
    /// Work on a part has begun. No answer.
    pub(in crate::sandbox) const PHASE: u8 = 6;
    /// What is known so far, should the worker not live to say more. No answer.
    pub(in crate::sandbox) const KNOWN: u8 = 7;
    /// The result. The last frame on one core.
    pub(in crate::sandbox) const DONE: u8 = 8;
    /// A new file without a name, for a section.
    pub(in crate::sandbox) const CREATE: u8 = 9;
    /// An empty file for a file of an archive.
    pub(in crate::sandbox) const ROOM: u8 = 10;
    /// A file of an archive. No answer.
    pub(in crate::sandbox) const MEMBER: u8 = 11;
    /// A part of the result, ahead of it. No answer.
    pub(in crate::sandbox) const PORTION: u8 = 12;
}

/// Kinds of frames to the worker.
pub(super) mod say {
    /// The answer, with a descriptor if one was asked for.
    pub(in crate::sandbox) const ANSWER: u8 = 1;
    /// An error number.
    pub(in crate::sandbox) const ERROR_NUMBER: u8 = 2;
    /// A refusal in words.
    pub(in crate::sandbox) const REFUSED: u8 = 3;
    /// An empty file for what of the next core does not fit in memory.
    pub(in crate::sandbox) const DISK: u8 = 4;
    /// A core to read.
    pub(in crate::sandbox) const CORE: u8 = 5;
    /// Copy files instead of mapping them. No answer.
    pub(in crate::sandbox) const COPY: u8 = 6;
    /// A question on the code of a program's file.
    pub(in crate::sandbox) const CODE: u8 = 7;
    /// Names and texts of files beside the next core, each ended by a NUL. No answer.
    pub(in crate::sandbox) const BESIDE: u8 = 8;
    /// An archive to unpack, in no more than so many milliseconds.
    pub(in crate::sandbox) const ARCHIVE: u8 = 9;
    /// Paths of the files that came with the next core, each ended by a NUL. No answer.
    pub(in crate::sandbox) const COMPANIONS: u8 = 10;
    /// A question on the core that was read.
    pub(in crate::sandbox) const QUESTION: u8 = 11;
}

/// The longest path that can be opened (`PATH_MAX` of Linux).
const LONGEST_PATH: usize = 4096;

pub(super) fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    if bytes.is_empty() || bytes.len() > LONGEST_PATH || bytes.contains(&0) {
        return Err(invalid("a path that is none"));
    }
    Ok(Path::new(OsStr::from_bytes(bytes)).to_owned())
}

/// Names and texts of files beside a core.
pub(super) fn beside_bytes(beside: &[(String, String)]) -> Vec<u8> {
    let texts = beside.iter().flat_map(|(name, text)| [name, text]);
    texts.flat_map(|text| text.bytes().filter(|byte| *byte != 0).chain([0])).collect()
}

/// The inverse.
pub(super) fn beside_of(payload: &[u8]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut texts = payload.split(|byte| *byte == 0).map(text);
    let pairs = std::iter::from_fn(|| texts.next().zip(texts.next()));
    pairs.collect()
}

/// Paths, each ended by a NUL.
pub(super) fn paths_bytes<'p>(paths: impl Iterator<Item = &'p Path>) -> Vec<u8> {
    paths.flat_map(|path| path.as_os_str().as_bytes().iter().copied().chain([0])).collect()
}

/// The inverse.
pub(super) fn paths_of(payload: &[u8]) -> Vec<PathBuf> {
    payload.split(|byte| *byte == 0).filter_map(|path| path_of(path).ok()).collect()
}

/// The part of an OPEN frame before the path: who chose it, what for, and a digest or zeros.
pub(super) fn purpose_bytes(by: ChosenBy, purpose: Purpose) -> [u8; 19] {
    let mut bytes = [0; 19];
    let [chosen, wanted, flags, md5 @ ..] = &mut bytes;
    *chosen = u8::from(by == ChosenBy::Rule);
    match purpose {
        Purpose::Image => *wanted = 0,
        Purpose::JitNames => *wanted = 1,
        Purpose::Source(from) => {
            *wanted = 2;
            *flags = u8::from(from.is_in_place) | u8::from(from.md5.is_some()) << 1;
            md5.copy_from_slice(&from.md5.unwrap_or_default());
        }
    }
    bytes
}

/// The inverse: and the path.
pub(super) fn open_request(payload: &[u8]) -> io::Result<(ChosenBy, Purpose, PathBuf)> {
    let Some(([chosen, wanted, flags, md5 @ ..], path)) = payload.split_first_chunk::<19>() else {
        return Err(invalid("a request that is too short"));
    };
    let by = if *chosen == 1 { ChosenBy::Rule } else { ChosenBy::Input };
    let purpose = match wanted {
        0 => Purpose::Image,
        1 => Purpose::JitNames,
        _ => Purpose::Source(BuiltFrom {
            md5: (flags & 2 != 0).then_some(*md5),
            is_in_place: flags & 1 != 0,
        }),
    };
    Ok((by, purpose, path_of(path)?))
}

/// A DOWNLOAD frame: what, length of the build ID, the build ID, the path of a source.
pub(super) fn download_bytes(id: &BuildId, artifact: Artifact<'_>) -> Vec<u8> {
    let (what, path) = match artifact {
        Artifact::DebugInfo => (0, ""),
        Artifact::Executable => (1, ""),
        Artifact::Source(path) => (2, path),
    };
    let id = id.as_bytes();
    let mut bytes = vec![what, u8::try_from(id.len()).unwrap_or(u8::MAX)];
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(path.as_bytes());
    bytes
}

/// The inverse.
pub(super) fn download_request(payload: &[u8]) -> io::Result<(BuildId, Artifact<'_>)> {
    let short = || invalid("a request that is too short");
    let [what, length, rest @ ..] = payload else { return Err(short()) };
    let (id, path) = rest.split_at_checked((*length).into()).ok_or_else(short)?;
    let id = BuildId::new(id).ok_or_else(|| invalid("a build ID that is none"))?;
    let artifact = match what {
        0 => Artifact::DebugInfo,
        1 => Artifact::Executable,
        _ => {
            let path = std::str::from_utf8(path).ok().filter(|path| path.starts_with('/'));
            Artifact::Source(path.ok_or_else(|| invalid("a source without a path"))?)
        }
    };
    Ok((id, artifact))
}

pub(super) fn phase_byte(phase: Phase) -> u8 {
    match phase {
        Phase::Core => 0,
        Phase::Files => 1,
        Phase::Stacks => 2,
    }
}

pub(super) fn phase_of(payload: &[u8]) -> Option<Phase> {
    match payload {
        [0] => Some(Phase::Core),
        [1] => Some(Phase::Files),
        [2] => Some(Phase::Stacks),
        _ => None,
    }
}

pub(super) fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the worker sent {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_they_were_written() {
        let from = BuiltFrom { md5: Some([7; 16]), is_in_place: true };
        for purpose in [
            Purpose::Image,
            Purpose::JitNames,
            Purpose::Source(from),
            Purpose::Source(BuiltFrom::default()),
        ] {
            for by in [ChosenBy::Rule, ChosenBy::Input] {
                let mut bytes = purpose_bytes(by, purpose).to_vec();
                bytes.extend_from_slice(b"/usr/bin/x");
                let read = open_request(&bytes).unwrap();
                assert_eq!(read, (by, purpose, PathBuf::from("/usr/bin/x")));
            }
        }
        let id = BuildId::new(&[7; 20]).unwrap();
        let source = Artifact::Source("/a.c");
        for artifact in [Artifact::DebugInfo, Artifact::Executable, source] {
            let bytes = download_bytes(&id, artifact);
            assert_eq!(download_request(&bytes).unwrap(), (id.clone(), artifact));
        }
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        assert!(open_request(&[0; 18]).is_err());
        assert!(open_request(&[0; 19]).is_err());
        assert!(open_request(&[&[0; 19][..], b"a\0b"].concat()).is_err());
        assert!(download_request(&[0, 20, 1]).is_err());
        assert!(download_request(&[2, 1, 1, b'x']).is_err());
    }
}
