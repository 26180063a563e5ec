//! Names that a process or a system chose: of the command, of libraries, of notes. They are
//! data, whatever is in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;

use obit_corefile::testkit::{CoreBuilder, CoreFile};
use serde_json::Value;

use crate::fixture::{Case, run, stderr, stdout};

/// `AT_PHDR` and `AT_EXECFN` (`include/uapi/linux/auxvec.h`).
const PHDR: u64 = 3;
const EXECFN: u64 = 31;

/// Replaces the bytes at each place where `old` is, filled up with NULs.
fn replaced(core: &mut [u8], old: &[u8], new: &[u8]) -> usize {
    let places: Vec<usize> = (0..core.len().saturating_sub(old.len()))
        .filter(|at| core[*at..].starts_with(old))
        .collect();
    for at in &places {
        core[*at..at + old.len()].fill(0);
        core[*at..at + new.len()].copy_from_slice(new);
    }
    places.len()
}

/// Scrubs `core` beside the program of `case`, and says how that went.
fn scrubbed(case: &Case, core: &[u8]) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("core"), directory.path().join("small"));
    fs::write(&from, core).unwrap();
    let program = case.program();
    let words = ["scrub", "-e"].map(Into::into);
    let files = [program.into_os_string(), from.into(), "-o".into(), to.clone().into()];
    let out = run(words.into_iter().chain(files));
    assert!(out.status.code() != Some(0) || to.exists());
    (out.status.code(), stderr(&out))
}

#[test]
fn a_name_in_the_linkers_list_that_is_no_library_is_masked_like_any_text() {
    let case = Case::named("inlines");
    for name in [&b"\0../../../.obit-hostile/secret"[..], b"\0/tmp/.obit-hostile/fifo"] {
        let mut core = case.plain_core();
        // In the list; the mapped file keeps its name.
        let old = b"\0/lib/x86_64-linux-gnu/libc.so.6\0";
        assert_eq!(replaced(&mut core, old, name), 1);
        // The same text is on the stack, where it is masked.
        let started_as = b"./prog\0./prog\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let with_text = b"./prog\0./prog\0say .obit-hostile/";
        assert!(replaced(&mut core, started_as, with_text) > 0);
        let (exit, said) = scrubbed(&case, &core);
        assert!(!said.contains("please report"), "{said}");
        assert_eq!(exit, Some(0), "{said}");
    }
}

#[test]
fn a_command_that_is_cut_within_a_character_gives_the_same_id_on_the_scrubbed_core() {
    let case = Case::named("inlines");
    let mut core = case.plain_core();
    let old = b"prog\0\0\0\0\0\0\0\0\0\0\0\0";
    assert!(replaced(&mut core, old, b"fourteen-bytes\xc3") > 0);
    let (exit, said) = scrubbed(&case, &core);
    assert_eq!(exit, Some(0), "{said}");
    assert!(said.contains("the report on the scrubbed core is the same"), "{said}");
}

#[test]
fn the_command_is_in_the_title_where_the_program_has_no_name() {
    let program = 0x40_0000;
    let core = CoreBuilder::x86_64()
        .signal(11)
        .thread(42, &[("rsp", 0x7ffd_0000_0800), ("rip", program + 0x10)])
        .process(42, "server", "")
        .auxv(&[(PHDR, program + 0x40), (EXECFN, 0x7ffd_0000_0000)])
        .segment_with(program, &[0x90; 0x1000], 0x1000, "r-x")
        .segment(0x7ffd_0000_0000, &[0; 0x1000], 0x1000)
        .write();
    let path = core.path().to_str().unwrap();
    let brief = stdout(&run([path, "--format", "brief"]));
    assert!(brief.starts_with("server: SIGSEGV"), "{brief}");
    let page = stdout(&run([path]));
    assert!(page.contains("server, pid 42"), "{page}");
    let report: Value = serde_json::from_slice(&run([path, "--json"]).stdout).unwrap();
    assert_ne!(report["process"]["exe"], "");
}

#[test]
fn a_core_of_another_system_is_refused_by_its_name() {
    let core = |owner: &[u8]| -> CoreFile {
        let builder = CoreBuilder::x86_64().segment(0x1000, &[0; 16], 16);
        builder.note(owner, 1, &[0; 160]).note(owner, 33, &[0; 200]).write()
    };
    for (owner, said) in [
        (&b"NetBSD-CORE"[..], "a core of NetBSD; obit reads those of Linux"),
        (b"NetBSD-CORE@1", "a core of NetBSD; obit reads those of Linux"),
        (b"DragonFly", "a core of DragonFly BSD; obit reads those of Linux"),
        (b"Haiku", "its notes are those of `Haiku`, not of Linux"),
    ] {
        let core = core(owner);
        let out = run([core.path()]);
        assert_eq!(out.status.code(), Some(2));
        assert!(stderr(&out).contains(said), "{}", stderr(&out));
    }
}

#[test]
fn a_core_whose_thread_notes_are_cut_off_is_not_scrubbed_and_the_reason_is_named() {
    let case = Case::named("null-field");
    let mut core = case.plain_core();
    let number = |core: &[u8], at: usize, size: usize| {
        core[at..at + size].iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    // The ELF header's e_phoff and e_phnum; then p_type and p_filesz of PT_NOTE.
    let (table, count) = (number(&core, 32, 8), number(&core, 56, 2));
    let note = (0..count).map(|i| table + 56 * i).find(|at| number(&core, *at, 4) == 4).unwrap();
    core[note + 32..note + 40].copy_from_slice(&320_u64.to_le_bytes());
    let (code, said) = scrubbed(&case, &core);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the notes of the threads are cut off"), "{said}");
}
