//! What is taken of archives, and what is not.

use std::io::Write as _;

use super::*;
use crate::testkit::{CoreBuilder, CoreFile as TestFile};

/// Keeps what it is handed.
#[derive(Default)]
struct Taken(Vec<TakenFile>);

/// Path, kind, content, and what the archive says of it.
type TakenFile = (String, &'static str, Vec<u8>, Vec<(String, String)>);

impl Sink for Taken {
    fn room(&mut self) -> io::Result<File> {
        crate::dump::CoreFile::room()
    }

    fn take(&mut self, member: Member) -> io::Result<()> {
        let bytes = |file: File| {
            let length = identity_of(&file).unwrap().len;
            CoreBytes::new(file, length).read_vec(0, u64::MAX)
        };
        let (kind, bytes) = match member.content {
            Content::Core(file) => ("core", bytes(file)),
            Content::Image(file) => ("image", bytes(file)),
            Content::Text(text) => ("text", text),
        };
        self.0.push((member.path.display().to_string(), kind, bytes, member.facts));
        Ok(())
    }
}

fn core() -> Vec<u8> {
    let core = CoreBuilder::x86_64().signal(11).thread(42, &[("rsp", 0x1_0000)]);
    core.segment(0x1_0000, &[7; 600_000], 600_000).build()
}

fn program() -> Vec<u8> {
    let mut program = core();
    program[16] = 3;
    program.truncate(4000);
    program
}

/// A tar archive of files, and of entries of other types.
fn tar(files: &[(&str, &[u8])], others: &[(&str, tar::EntryType)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let append = |builder: &mut tar::Builder<Vec<u8>>, name: &str, kind, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        // By hand: the crate refuses the names that are to be refused here.
        let field = &mut header.as_old_mut().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mtime(1_773_146_096);
        header.set_cksum();
        builder.append(&header, content).unwrap();
    };
    for (name, kind) in others {
        append(&mut builder, name, *kind, b"");
    }
    for (name, content) in files {
        append(&mut builder, name, tar::EntryType::Regular, content);
    }
    builder.into_inner().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = ::zip::write::SimpleFileOptions::default()
            .compression_method(::zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn unpacked_with(bytes: &[u8], limits: &Limits) -> (Result<Unpacked, ArchiveError>, Taken) {
    let file = TestFile::new(bytes);
    let mut taken = Taken::default();
    let file = File::open(file.path()).unwrap();
    (unpack(file, Duration::from_secs(60), limits, &mut taken), taken)
}

fn unpacked(bytes: &[u8]) -> (Unpacked, Taken) {
    let (unpacked, taken) = unpacked_with(bytes, &Limits::default());
    (unpacked.unwrap(), taken)
}

fn names(taken: &Taken) -> Vec<(&str, &str)> {
    taken.0.iter().map(|(name, kind, ..)| (name.as_str(), *kind)).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[test]
fn the_cores_programs_and_texts_of_an_archive_are_taken_byte_for_byte() {
    let packed = zstd::encode_all(&core()[..], 1).unwrap();
    let (core, program) = (core(), program());
    let noise: Vec<u8> = (0..9000_u32).map(|n| (n % 251) as u8).collect();
    let files: [(&str, &[u8]); 5] = [
        ("./case/core.1", &core),
        ("case/prog", &program),
        ("case/packed", &packed),
        ("case/main.c", b"int main;"),
        ("case/photo", &noise),
    ];
    let tar = tar(&files, &[("case/", tar::EntryType::Directory)]);
    let archives = [tar.clone(), gzip(&tar), zstd::encode_all(&tar[..], 1).unwrap(), zip(&files)];
    for archive in archives {
        let (unpacked, taken) = unpacked(&archive);
        assert_eq!(unpacked.left_out, LeftOut::default());
        let wanted = [
            ("case/core.1", "core"),
            ("case/prog", "image"),
            ("case/packed", "core"),
            ("case/main.c", "text"),
        ];
        assert_eq!(names(&taken), wanted);
        assert!(taken.0[0].2 == core && taken.0[1].2 == program && taken.0[2].2 == packed);
        assert_eq!(taken.0[3].2, b"int main;");
    }
}

#[test]
fn links_devices_and_names_that_lead_out_are_left_out_and_counted() {
    let core = core();
    let (unpacked, taken) = unpacked(&tar(
        &[("/etc/core", &core), ("../core", &core), ("a/../../core", &core), ("a/core", &core)],
        &[
            ("link", tar::EntryType::Symlink),
            ("hard", tar::EntryType::Link),
            ("tty", tar::EntryType::Char),
            ("fifo", tar::EntryType::Fifo),
        ],
    ));
    assert_eq!(names(&taken), [("a/core", "core")]);
    assert_eq!((unpacked.left_out.links, unpacked.left_out.outside), (4, 3));
    let (unpacked, taken) = self::unpacked(&zip(&[("../core", &core), ("/core", &core)]));
    assert_eq!((taken.0.len(), unpacked.left_out.outside), (0, 2));
}

/// An entry of a tar archive: its header, as `change` leaves it, and its content.
fn entry(
    name: &str,
    kind: tar::EntryType,
    content: &[u8],
    change: impl FnOnce(&mut tar::Header),
) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    change(&mut header);
    header.set_cksum();
    let mut entry = [header.as_bytes(), content].concat();
    entry.resize(entry.len().next_multiple_of(512), 0);
    entry
}

/// A record of a pax header.
fn pax(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

const FILE: tar::EntryType = tar::EntryType::Regular;
const LONG_NAME: tar::EntryType = tar::EntryType::GNULongName;
const PAX: tar::EntryType = tar::EntryType::XHeader;
const SPARSE: tar::EntryType = tar::EntryType::GNUSparse;

#[test]
fn long_names_pax_headers_large_sizes_and_prefixes_of_tar_are_understood() {
    let core = core();
    let deep = format!("{}/core", "d".repeat(200));
    let archive = [
        entry("././@LongLink", tar::EntryType::GNULongLink, b"target\0", |_| {}),
        entry("././@LongLink", LONG_NAME, format!("{deep}\0").as_bytes(), |_| {}),
        entry("dddd", FILE, &core, |_| {}),
        entry("global", tar::EntryType::XGlobalHeader, &pax("comment", "x"), |_| {}),
        entry("pax", PAX, &[pax("path", "pax/core"), pax("mtime", "1.5")].concat(), |_| {}),
        entry("short", FILE, &core, |_| {}),
        // As of a file of 8 GiB or more: its header has no size.
        entry("pax", PAX, &pax("size", &core.len().to_string()), |_| {}),
        entry("size/core", FILE, &core, |header| header.set_size(0)),
        entry("binary/core", FILE, &core, |header| {
            let field = &mut header.as_old_mut().size;
            *field = [0; 12];
            field[0] = 0x80;
            field[4..].copy_from_slice(&(core.len() as u64).to_be_bytes());
        }),
        entry("core", FILE, &core, |header| {
            let ustar = tar::Header::new_ustar();
            header.as_mut_bytes()[257..265].copy_from_slice(&ustar.as_bytes()[257..265]);
            header.as_ustar_mut().unwrap().prefix[..6].copy_from_slice(b"prefix");
        }),
        vec![0; 1024],
    ];
    let (unpacked, taken) = unpacked(&archive.concat());
    assert_eq!((unpacked.files, unpacked.left_out), (5, LeftOut::default()));
    let wanted = [&deep, "pax/core", "size/core", "binary/core", "prefix/core"];
    assert_eq!(names(&taken), wanted.map(|name| (name, "core")));
    assert!(taken.0.iter().all(|file| file.2 == core));
}

#[test]
fn sparse_files_are_left_out_and_what_follows_them_is_read() {
    let core = core();
    let mut map = entry("sparse", SPARSE, b"", |header| {
        header.set_size(1000);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.isextended = [1];
        gnu.realsize = *b"77777777777\0";
    });
    // Two blocks more of the map, of which the first has a successor.
    map.extend([0; 504].iter().chain(&[1]).chain(&[0; 7]).chain(&[0; 512]));
    map.extend([7; 1024]);
    let archive = [
        map,
        entry("small", SPARSE, &core, |_| {}),
        entry("pax", PAX, &pax("GNU.sparse.major", "1"), |_| {}),
        entry("core.1", FILE, &core, |_| {}),
        entry("core.2", FILE, &core, |_| {}),
    ];
    let (unpacked, taken) = unpacked(&archive.concat());
    assert_eq!(names(&taken), [("core.2", "core")]);
    assert_eq!(unpacked.left_out, LeftOut { unreadable: 3, ..LeftOut::default() });
}

#[test]
fn names_and_headers_that_are_too_long_cost_their_file_and_no_other() {
    let core = core();
    let archive = [
        entry("././@LongLink", LONG_NAME, &[b'n'; 5000], |_| {}),
        entry("core.1", FILE, &core, |_| {}),
        entry("././@LongLink", LONG_NAME, &[b'n'; 1025], |_| {}),
        entry("core.2", FILE, &core, |_| {}),
        entry("pax", PAX, &pax("comment", &"c".repeat(70_000)), |_| {}),
        entry("core.3", FILE, &core, |_| {}),
        entry("core.4", FILE, &core, |_| {}),
    ];
    let (unpacked, taken) = unpacked(&archive.concat());
    assert_eq!(names(&taken), [("core.4", "core")]);
    let wanted = LeftOut { too_long: 2, unreadable: 1, ..LeftOut::default() };
    assert_eq!(unpacked.left_out, wanted);
}

#[test]
fn a_tar_archive_of_endless_headers_ends_with_the_bytes_that_are_read() {
    let limits = Limits { archive_bytes: 1 << 20, ..Limits::default() };
    let name = entry("././@LongLink", LONG_NAME, b"", |header| header.set_size(3 << 30));
    let map = entry("s", SPARSE, b"", |header| {
        header.as_gnu_mut().unwrap().isextended = [1];
    });
    let mut block = [0; 512];
    block[504] = 1;
    for (start, block) in [(name, [b'n'; 512]), (map, block)] {
        let archive = gzip(&[start, block.repeat(20_000)].concat());
        let (unpacked, taken) = unpacked_with(&archive, &limits);
        assert_eq!(taken.0.len(), 0);
        assert!(unpacked.unwrap().left_out.ended.unwrap().contains("larger"));
    }
}

#[test]
fn a_core_for_which_there_is_no_room_is_left_out_and_not_taken_for_an_empty_one() {
    let mut noise = CoreBuilder::x86_64().thread(1, &[]);
    let bytes: Vec<u8> = (0..4 << 20_u32).map(|n| (n % 251) as u8 + 1).collect();
    noise = noise.segment(0x1000, &bytes, bytes.len() as u64);
    let core = noise.build();
    let mut taken = Taken::default();
    let limits = Limits { spill_bytes: 0, ..Limits::default() };
    let mut extractor = Extractor::new(&limits, &mut taken);
    extractor.keep_nothing_in_memory();
    let source = extract::Source {
        name: b"core",
        size: core.len() as u64,
        modified: None,
        facts: Vec::new(),
    };
    extractor.take(source, &mut &core[..]).unwrap();
    let left_out = extractor.finish(ArchiveFormat::Tar).left_out;
    assert_eq!((taken.0.len(), left_out.too_large), (0, 1));
}

#[test]
fn a_core_of_a_journal_keeps_its_number_if_the_name_would_be_too_long() {
    let core = core();
    for (pid, wanted) in [("7".repeat(200), true), ("7".repeat(300), false)] {
        let (_, taken) = unpacked(&journal(&[(&pid, &core)], ""));
        let name = if wanted { format!("core.shop.{pid}.1") } else { "core.1".to_owned() };
        assert_eq!(names(&taken), [(name.as_str(), "core")]);
    }
}

#[test]
fn what_follows_a_core_in_its_member_is_not_stored() {
    let mut with_tail = core();
    let length = with_tail.len();
    with_tail.resize(length + (40 << 20), 0);
    let (_, taken) = unpacked(&gzip(&tar(&[("core", &with_tail)], &[])));
    assert_eq!(taken.0[0].2.len(), length);
}

#[test]
fn an_archive_that_is_larger_or_has_more_files_than_is_allowed_ends_there() {
    let core = core();
    let files: Vec<(String, &[u8])> = (0..9).map(|n| (format!("core.{n}"), &core[..])).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, core)| (&name[..], *core)).collect();
    for archive in [tar(&files, &[]), zip(&files)] {
        let limits = Limits { archive_entries: 3, ..Limits::default() };
        let (unpacked, taken) = unpacked_with(&archive, &limits);
        assert_eq!(taken.0.len(), 3);
        assert!(unpacked.unwrap().left_out.ended.unwrap().contains("more than 3 files"));
        let limits = Limits { archive_files: 2, ..Limits::default() };
        let (unpacked, taken) = unpacked_with(&archive, &limits);
        assert_eq!((taken.0.len(), unpacked.unwrap().left_out.too_large), (2, 7));
        let limits = Limits { archive_bytes: 1 << 20, ..Limits::default() };
        let (unpacked, taken) = unpacked_with(&archive, &limits);
        assert!(taken.0.len() <= 2);
        assert!(unpacked.unwrap().left_out.ended.unwrap().contains("larger"));
    }
}

#[test]
fn an_archive_that_ends_early_gives_what_came_before() {
    let core = core();
    let tar = tar(&[("a", &core), ("b", &core)], &[]);
    let (unpacked, taken) = unpacked(&tar[..core.len() + 100_000]);
    assert_eq!(names(&taken), [("a", "core"), ("b", "core")]);
    assert!(taken.0[1].2.len() < core.len());
    assert!(unpacked.left_out.ended.is_some() || taken.0[1].2.len() < core.len());
    // Of a zip the directory is gone.
    let zip = zip(&[("a", &core)]);
    let (unpacked, _) = unpacked_with(&zip[..zip.len() / 2], &Limits::default());
    assert!(matches!(unpacked, Err(ArchiveError::Damaged { format: "ZIP", .. })));
}

#[test]
fn spoiling_or_cutting_an_archive_anywhere_never_panics() {
    let core = CoreBuilder::x86_64().thread(1, &[]).segment(0x1000, &[7; 300], 300).build();
    let files: [(&str, &[u8]); 2] = [("core", &core), ("x.c", b"text")];
    let export = journal(&[("1", &core)], "");
    for archive in [tar(&files, &[]), gzip(&tar(&files, &[])), zip(&files), export] {
        for at in (0..archive.len()).step_by(3) {
            drop(unpacked_with(&archive[..at], &Limits::default()));
            let mut spoilt = archive.clone();
            spoilt[at] ^= 0x55;
            drop(unpacked_with(&spoilt, &Limits::default()));
        }
    }
}

#[test]
fn what_is_not_an_archive_is_said_to_be_none() {
    for bytes in [&b"hello"[..], &core(), &gzip(&core()), b"", &gzip(b"")] {
        let (unpacked, taken) = unpacked_with(bytes, &Limits::default());
        assert!(matches!(unpacked, Err(ArchiveError::NotAnArchive)));
        assert_eq!(taken.0.len(), 0);
    }
}

/// An export with an entry for each core.
fn journal(cores: &[(&str, &[u8])], more: &str) -> Vec<u8> {
    let mut export = Vec::new();
    for (pid, core) in cores {
        export.extend(b"__CURSOR=s=1\n_TRANSPORT=journal\nCOREDUMP\n");
        export.extend((core.len() as u64).to_le_bytes());
        export.extend(*core);
        export.extend(format!("\nCOREDUMP_PID={pid}\nCOREDUMP_EXE=/usr/bin/shop\n").bytes());
        export.extend(format!("COREDUMP_UNIT=shop.service\n{more}\n").bytes());
    }
    export
}

#[test]
fn each_core_of_a_journal_has_the_fields_of_its_entry() {
    let core = core();
    let export = journal(&[("17", &core), ("18", &core)], "");
    for export in [export.clone(), gzip(&export)] {
        let (unpacked, taken) = unpacked(&export);
        assert_eq!(unpacked.format, ArchiveFormat::Journal);
        let wanted = [("core.shop.17.1", "core"), ("core.shop.18.2", "core")];
        assert_eq!(names(&taken), wanted);
        assert!(taken.0[1].2 == core);
        let facts: Vec<_> =
            taken.0[1].3.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let wanted = [("pid", "18"), ("executable", "/usr/bin/shop"), ("unit", "shop.service")];
        assert_eq!(facts, wanted);
    }
}

#[test]
fn a_core_in_an_entry_that_someone_else_sent_is_left_out() {
    let core = core();
    let own = "_UID=0\n_SYSTEMD_UNIT=systemd-coredump@1-2-0.service\n";
    let (unpacked, taken) = unpacked(&journal(&[("1", &core)], own));
    assert_eq!((taken.0.len(), unpacked.left_out.not_of_collector), (1, 0));
    let forged = "_UID=1000\n_SYSTEMD_UNIT=user@1000.service\n";
    let (unpacked, taken) = self::unpacked(&journal(&[("1", &core)], forged));
    assert_eq!((taken.0.len(), unpacked.left_out.not_of_collector), (0, 1));
}

#[test]
fn a_core_that_is_cut_or_claims_any_length_in_a_journal_is_read_as_far_as_it_goes() {
    let core = core();
    let export = journal(&[("17", &core)], "");
    let (_, taken) = unpacked(&export[..300_000]);
    assert_eq!(names(&taken), [("core.1", "core")]);
    let mut huge = b"__CURSOR=x\nCOREDUMP\n".to_vec();
    huge.extend(u64::MAX.to_le_bytes());
    huge.extend(&core);
    let (_, taken) = unpacked(&huge);
    assert!(taken.0[0].2 == core);
}
