//! What a core may be wrapped in, and how it is unwrapped.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use super::spill::{Full, Spill};
use super::{OpenError, apport, magic};
use crate::elf::{ET_CORE, FileHeader};
use crate::limits::Limits;
use crate::memory::CoreBytes;
use crate::notice::Notice;

/// Bytes unpacked at a time.
pub(crate) const CHUNK: usize = 256 << 10;
/// Bytes of compressed data read at a time.
const INPUT: usize = 256 << 10;
/// KiB an xz dictionary may take; `xz -9` asks for 65 MiB. (zstd's own default limit
/// on its window is 128 MiB.)
const XZ_MEMORY_KIB: u32 = 256 << 10;

/// What the core was wrapped in, by its first bytes, whatever the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// Zstandard frames (RFC 8878): systemd-coredump.
    Zstd,
    /// XZ streams: older systemd-coredump.
    Xz,
    /// gzip members (RFC 1952).
    Gzip,
    /// LZ4 frames: older systemd-coredump.
    Lz4,
    /// bzip2 streams.
    Bzip2,
    /// A report of Ubuntu's apport: text with the core in a base64 field.
    Apport,
}

impl Container {
    /// Recognises the first bytes of a file.
    pub fn of_magic(start: &[u8]) -> Option<Self> {
        let known: [(&[u8], Self); 6] = [
            (b"\x28\xb5\x2f\xfd", Self::Zstd),
            (b"\xfd7zXZ\0", Self::Xz),
            (b"\x1f\x8b", Self::Gzip),
            (b"\x04\x22\x4d\x18", Self::Lz4),
            (b"BZh", Self::Bzip2),
            (b"ProblemType:", Self::Apport),
        ];
        known.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, container)| *container)
    }

    /// A name for people: `zstd`, `apport`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Bzip2 => "bzip2",
            Self::Apport => "apport",
        }
    }

    /// What is in `packed`.
    pub(crate) fn reader<'b>(self, packed: &'b CoreBytes) -> io::Result<Box<dyn Read + 'b>> {
        let input = BufReader::with_capacity(INPUT, sequential(packed));
        Ok(match self {
            Self::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB)),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Self::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(input)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
            Self::Apport => apport::reader(input)?,
        })
    }
}

/// Unwraps a core into memory or an unlinked file. Data that end early or are damaged
/// give what came before; nothing is unpacked that does not start like a core.
pub(super) fn unpack(
    path: &Path,
    packed: &CoreBytes,
    container: Container,
    disk: Option<File>,
    limits: &Limits,
    notices: &mut Vec<Notice>,
) -> Result<CoreBytes, OpenError> {
    let failed = |problem: &io::Error| OpenError::Container {
        path: path.to_owned(),
        container,
        problem: problem.to_string(),
    };
    let mut reader = container.reader(packed).map_err(|error| failed(&error))?;
    let mut chunk = vec![0; CHUNK];
    let (mut have, mut damage) = fill(&mut reader, &mut chunk, magic::WANTED as usize);
    let start = chunk.get(..have).unwrap_or(&[]);
    if let (None, Some(error)) = (FileHeader::parse(start).ok(), &damage) {
        return Err(failed(error));
    }
    check_start(path, container, start)?;
    let mut spill = Spill::new(disk, limits.spill_bytes).map_err(|error| failed(&error))?;
    // What comes after the last byte that the core's own headers speak of is not looked
    // at: a bomb of zeros would cost minutes.
    let mut promised = None;
    loop {
        let rest = chunk.get_mut(have..).unwrap_or(&mut []);
        if damage.is_none() {
            let wanted = rest.len();
            let (more, error) = fill(&mut reader, rest, wanted);
            have = have.saturating_add(more);
            damage = error;
        }
        let chunk_bytes = chunk.get(..have).unwrap_or(&[]);
        let promised = *promised.get_or_insert_with(|| promised_length(chunk_bytes));
        let most = limits.core_bytes.min(promised);
        let room = most.saturating_sub(spill.len());
        let kept = have.min(usize::try_from(room).unwrap_or(usize::MAX));
        match spill.write(chunk.get(..kept).unwrap_or(&[])) {
            Ok(()) => {}
            Err(Full::Budget(limit)) => {
                notices.push(Notice::LimitReached { what: "bytes of temporary space", limit });
                break;
            }
            Err(Full::Io(error)) => return Err(failed(&error)),
        }
        if kept < have && most == promised {
            break;
        }
        if kept < have {
            let limit = limits.core_bytes;
            notices.push(Notice::LimitReached { what: "bytes of the unpacked core", limit });
            break;
        }
        if damage.is_some() {
            // How much is missing is for the program headers to say, if they can.
            notices.push(Notice::CoreTruncated { missing_bytes: 0, size: spill.len() });
            break;
        }
        if have < CHUNK {
            break;
        }
        have = 0;
    }
    spill.finish().map_err(|error| failed(&error))
}

/// The length of a core by its headers: where its last segment or section header ends. No
/// limit when they are not all in `start`.
pub(crate) fn promised_length(start: &[u8]) -> u64 {
    let end = || {
        let header = FileHeader::parse(start).ok().filter(|header| !header.has_extended_count())?;
        let count = usize::from(header.segments_count);
        let table = start.get(usize::try_from(header.segments_offset).ok()?..)?;
        let segments = header.parse_segments(table, count);
        if segments.len() < count {
            return None;
        }
        let sections = u64::from(header.sections_count).checked_mul(header.section_size() as u64)?;
        let sections_end = header.sections_offset.checked_add(sections)?;
        let ends = segments.iter().map(|segment| segment.offset.checked_add(segment.file_size));
        ends.chain([Some(sections_end)]).try_fold(0, |last, end| Some(end?.max(last)))
    };
    end().unwrap_or(u64::MAX)
}

/// Refuses a file that is not a core before gigabytes of it are unpacked.
fn check_start(path: &Path, container: Container, start: &[u8]) -> Result<(), OpenError> {
    let path = path.to_owned();
    match FileHeader::parse(start) {
        Ok(header) if header.e_type == ET_CORE => Ok(()),
        Ok(header) => Err(OpenError::NotACore { path, e_type: header.e_type }),
        Err(_) if start.is_empty() => {
            let problem = "there is nothing inside".to_owned();
            Err(OpenError::Container { path, container, problem })
        }
        Err(_) => {
            let inside = magic::looks_like(start);
            let looks_like = format!("{} data that hold {inside}", container.name());
            Err(OpenError::NotElf { path, looks_like })
        }
    }
}

/// Reads until `wanted` bytes are there or the data end: how many, and what broke.
pub(crate) fn fill(
    reader: &mut dyn Read,
    buf: &mut [u8],
    wanted: usize,
) -> (usize, Option<io::Error>) {
    let mut have = 0_usize;
    let mut ended = false;
    let wanted = wanted.min(buf.len());
    while have < wanted {
        match reader.read(buf.get_mut(have..wanted).unwrap_or(&mut [])) {
            // lz4_flex says 0 at the end of each frame, and goes on if there is another.
            Ok(0) if ended => break,
            Ok(0) => ended = true,
            Ok(more) => {
                have = have.saturating_add(more);
                ended = false;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (have, Some(error)),
        }
    }
    (have, None)
}

/// `bytes` from their start.
pub(crate) fn sequential(bytes: &CoreBytes) -> Sequential<'_> {
    Sequential { bytes, at: 0 }
}

/// Reads a file by `pread`, so that others who have it open are not disturbed.
pub(crate) struct Sequential<'b> {
    bytes: &'b CoreBytes,
    at: u64,
}

impl Read for Sequential<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read_at(self.at, buf);
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl Seek for Sequential<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.bytes.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::dump::Dump;
    use crate::testkit::{CoreBuilder, CoreFile};

    /// Over a chunk long, and with zeros and noise in it.
    fn core() -> Vec<u8> {
        let mut noise = 1_u32;
        let mut memory = vec![0; 600_000];
        for byte in memory.iter_mut().skip(100_000).take(300_000) {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = noise.to_be_bytes()[0];
        }
        let core = CoreBuilder::x86_64().signal(11).thread(42, &[("rsp", 0x1_0000)]);
        core.siginfo(11, 1, 0x18).segment(0x1_0000, &memory, 600_000).build()
    }

    fn pack(container: Container, bytes: &[u8]) -> Vec<u8> {
        match container {
            Container::Zstd => zstd::encode_all(bytes, 1).unwrap(),
            Container::Xz => xz(bytes),
            Container::Gzip => gzip(bytes),
            Container::Lz4 => {
                let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Container::Bzip2 => {
                let level = bzip2::Compression::fast();
                let mut writer = bzip2::write::BzEncoder::new(Vec::new(), level);
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap()
            }
            Container::Apport => apport::tests::report(&gzip(bytes)),
        }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::fast();
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    /// One block of stored LZMA2 chunks (xz file format 1.2.1): the crate is built
    /// without its encoder.
    fn xz(bytes: &[u8]) -> Vec<u8> {
        let with_crc = |part: &[u8]| {
            let mut crc = flate2::Crc::new();
            crc.update(part);
            [part, &crc.sum().to_le_bytes()].concat()
        };
        let padded = |mut part: Vec<u8>| {
            part.resize(part.len().next_multiple_of(4), 0);
            part
        };
        let varint = |mut value: usize| {
            let mut part = Vec::new();
            while value >= 0x80 {
                part.push(value as u8 | 0x80);
                value >>= 7;
            }
            part.push(value as u8);
            part
        };
        // Two words long, one filter: LZMA2 with a dictionary of 64 KiB.
        let mut block = with_crc(&[2, 0, 0x21, 1, 8, 0, 0, 0]);
        for (nth, chunk) in bytes.chunks(1 << 16).enumerate() {
            block.push(if nth == 0 { 1 } else { 2 });
            block.extend((chunk.len() as u16).wrapping_sub(1).to_be_bytes());
            block.extend(chunk);
        }
        block.push(0);
        let index = [vec![0, 1], varint(block.len()), varint(bytes.len())].concat();
        let index = with_crc(&padded(index));
        let backward = (index.len() / 4 - 1) as u32;
        let footer = with_crc(&[&backward.to_le_bytes()[..], &[0, 0]].concat());
        let (fields, crc) = footer.split_at(6);
        let header = [b"\xfd7zXZ\0".to_vec(), with_crc(&[0, 0])].concat();
        [&header, &padded(block)[..], &index, crc, fields, b"YZ"].concat()
    }

    fn open(bytes: &[u8]) -> Result<Dump, OpenError> {
        Dump::open(CoreFile::new(bytes).path(), &Limits::default())
    }

    const ALL: [Container; 6] = [
        Container::Zstd,
        Container::Xz,
        Container::Gzip,
        Container::Lz4,
        Container::Bzip2,
        Container::Apport,
    ];

    #[test]
    fn what_follows_the_core_in_its_container_is_not_unpacked() {
        let core = core();
        let mut with_tail = core.clone();
        with_tail.resize(core.len() + (4 << 20), 0);
        let file = CoreFile::new(&pack(Container::Zstd, &with_tail));
        let dump = Dump::open(file.path(), &Limits::default()).unwrap();
        assert_eq!(dump.bytes.len(), core.len() as u64);
        assert_eq!(dump.missing_bytes, 0);
    }

    #[test]
    fn every_container_is_unpacked_byte_for_byte() {
        let core = core();
        for container in ALL {
            let packed = pack(container, &core);
            let dump = open(&packed).unwrap();
            assert_eq!(dump.container, Some(container));
            assert_eq!(dump.file_size, packed.len() as u64);
            assert!(dump.bytes.read_vec(0, u64::MAX) == core, "{container:?}");
            assert_eq!(dump.notices, [], "{container:?}");
        }
    }

    #[test]
    fn data_that_end_early_give_a_truncated_core() {
        let core = core();
        for container in ALL {
            let packed = pack(container, &core);
            let dump = open(&packed[..packed.len() * 3 / 4]);
            // bzip2 and one-block xz data may give nothing before their end.
            let Ok(dump) = dump else {
                assert!(matches!(dump, Err(OpenError::Container { .. })), "{container:?}");
                continue;
            };
            assert!(dump.missing_bytes > 0, "{container:?}");
            let cut = |notice: &Notice| matches!(notice, Notice::CoreTruncated { .. });
            assert_eq!(dump.notices.iter().filter(|notice| cut(notice)).count(), 1);
        }
    }

    #[test]
    fn cutting_or_spoiling_a_container_anywhere_never_panics() {
        let core = CoreBuilder::x86_64().thread(1, &[]).segment(0x1000, &[7; 3000], 3000).build();
        for container in ALL {
            let packed = pack(container, &core);
            for at in (0..packed.len()).step_by(7) {
                drop(open(&packed[..at]));
                let mut spoilt = packed.clone();
                spoilt[at] ^= 0x55;
                drop(open(&spoilt));
            }
        }
    }

    #[test]
    fn what_is_wrapped_but_no_core_is_named() {
        let text = open(&gzip(b"hello, world\n")).unwrap_err();
        assert!(text.to_string().ends_with("it looks like gzip data that hold text"), "{text}");
        let twice = open(&gzip(&gzip(b"hello"))).unwrap_err().to_string();
        assert!(twice.contains("gzip data that hold gzip data; unpack it once"), "{twice}");
        let empty = open(&gzip(b"")).unwrap_err().to_string();
        assert!(empty.contains("nothing inside"), "{empty}");
        let mut program = core();
        program[16] = 3;
        assert!(matches!(open(&gzip(&program)), Err(OpenError::NotACore { e_type: 3, .. })));
    }

    #[test]
    fn garbage_behind_a_magic_is_an_error_that_names_the_container() {
        for container in ALL {
            let mut packed = pack(container, &core());
            packed.truncate(if container == Container::Apport { 60 } else { 7 });
            packed.extend([0xa5; 500]);
            let error = open(&packed).unwrap_err();
            assert!(matches!(error, OpenError::Container { .. }), "{container:?}: {error}");
        }
    }

    #[test]
    fn a_decompression_bomb_stops_at_the_limit() {
        // Headers that promise all of it: nothing but the limit ends it.
        let builder = CoreBuilder::x86_64().signal(11).thread(42, &[("rsp", 0x1_0000)]);
        let mut core = builder.promised_segment(0x1_0000, 64 << 20, 64 << 20).build();
        core.resize(64 << 20, 0);
        let limits = Limits { core_bytes: 1 << 20, ..Limits::default() };
        for container in [Container::Zstd, Container::Apport] {
            let file = CoreFile::new(&pack(container, &core));
            let dump = Dump::open(file.path(), &limits).unwrap();
            assert_eq!(dump.bytes.len(), 1 << 20);
            let limit = 1 << 20;
            let notice = Notice::LimitReached { what: "bytes of the unpacked core", limit };
            assert!(dump.notices.contains(&notice));
        }
    }

    #[test]
    fn concatenated_frames_are_one_core() {
        let core = core();
        let (head, tail) = core.split_at(300_000);
        for container in [Container::Zstd, Container::Gzip, Container::Lz4, Container::Bzip2] {
            let packed = [pack(container, head), pack(container, tail)].concat();
            let dump = open(&packed).unwrap();
            assert_eq!(dump.bytes.len(), core.len() as u64, "{container:?}");
        }
    }
}
