//! The crashes that inputs start from: small ones of several machines, which need no library.

use std::sync::OnceLock;

use obit::elf::{ElfImage, ImageBytes};
use obit::limits::Limits;

use crate::layout::Layout;
use crate::script::Script;

/// A crash of `tests/fixtures`.
#[derive(Debug)]
pub struct Base {
    /// Its directory.
    pub name: &'static str,
    /// The core, unpacked.
    pub core: Vec<u8>,
    /// What of it may change.
    pub core_layout: Layout,
    /// The program.
    pub program: Vec<u8>,
    /// What of it may change.
    pub program_layout: Layout,
    /// Its source file.
    pub source: &'static [u8],
}

macro_rules! fixture {
    ($name:literal, $source:literal) => {
        (
            $name,
            &include_bytes!(concat!("../../tests/fixtures/", $name, "/core.zst"))[..],
            &include_bytes!(concat!("../../tests/fixtures/", $name, "/prog"))[..],
            &include_bytes!(concat!("../../tests/fixtures/", $source))[..],
        )
    };
}

/// All of them. A finding names its base by its place here: new ones go to the end.
pub fn bases() -> &'static [Base] {
    static BASES: OnceLock<Vec<Base>> = OnceLock::new();
    let all = [
        fixture!("aarch64", "aarch64/parcel.c"),
        fixture!("assert-libstdcxx", "assert-libstdcxx/check.cc"),
        fixture!("s390x", "aarch64/parcel.c"),
        fixture!("riscv64", "aarch64/parcel.c"),
        fixture!("mips", "aarch64/parcel.c"),
        fixture!("jit", "jit/code.c"),
        fixture!("inlines", "inlines/route.c"),
        fixture!("rust", "rust/index.rs"),
        fixture!("containers-own", "use-after-free/depot.c"),
        fixture!("cpp", "cpp/ledger.cc"),
    ];
    BASES.get_or_init(|| {
        let base = |(name, core, program, source): (_, &[u8], &[u8], _)| {
            let core = zstd::decode_all(core).expect("the fixture is whole");
            let (core_layout, program_layout) = (Layout::of(&core), Layout::of(program));
            Base { name, core, core_layout, program: program.to_vec(), program_layout, source }
        };
        all.into_iter().map(base).collect()
    })
}

/// The image that `data` is: a file, or changes to the program of a base.
pub fn program_image(data: &[u8], limits: &Limits) -> Option<ElfImage> {
    let bytes = match data.starts_with(b"\x7fELF") {
        true => data.to_vec(),
        false => {
            let script = Script::of(data);
            script.program(script.base())
        }
    };
    ElfImage::parse(ImageBytes::Memory(bytes), limits).ok()
}

impl Script {
    /// The crash it starts from.
    pub fn base(&self) -> &'static Base {
        let bases = bases();
        &bases[usize::from(self.base) % bases.len()]
    }
}
