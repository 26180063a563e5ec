//! The image of the process that Go made.

use std::sync::Arc;

use obit_corefile::addr::Avma;
use obit_corefile::elf::ElfImage;
use obit_dwarf::DebugInfo;
use obit_process::module::Module;
use obit_process::process::Process;

/// Begins `.go.buildinfo` (debug/buildinfo).
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Where the flags are, and the one that says that texts follow: from Go 1.18 on.
const FLAGS: usize = 15;
const IS_INLINE: u8 = 2;
/// Where the version is: its length and its bytes.
const VERSION: usize = 32;
/// The longest version that is believed.
const LONGEST_VERSION: usize = 127;

/// The image with the runtime of Go.
pub(super) struct GoImage<'p> {
    pub(super) process: &'p Process,
    pub(super) module: &'p Module,
    pub(super) index: usize,
    pub(super) image: Arc<ElfImage>,
    /// As the linker noted it.
    pub(super) version: Option<String>,
}

impl<'p> GoImage<'p> {
    /// The first image that Go's linker made.
    pub(super) fn of(process: &'p Process) -> Option<Self> {
        if process.memory.word() != 8 || !process.memory.is_little_endian() {
            return None;
        }
        let mut all = process.modules.list().iter().enumerate();
        all.find_map(|(index, module)| {
            let image = module.image.as_ref()?;
            let section = image.section(".go.buildinfo")?;
            let bytes = image.raw_section_bytes(section)?;
            if !bytes.starts_with(MAGIC) {
                return None;
            }
            let (image, version) = (Arc::clone(image), version(bytes));
            Some(Self { process, module, index, image, version })
        })
    }

    pub(super) fn debug(&self) -> Option<&'p DebugInfo> {
        self.process.modules.debug(self.index)
    }

    /// Where the symbol of the runtime with this name is.
    pub(super) fn symbol(&self, name: &str) -> Option<Avma> {
        Some(self.module.to_avma(self.debug()?.datum_named(name)?))
    }

    /// The name of the function that is entered at or before `at`, and how far before.
    pub(super) fn function_at(&self, at: Avma) -> Option<(String, u64)> {
        let index = self.process.modules.index_at(at)?;
        let module = self.process.modules.get(index)?;
        let symbol = self.process.modules.debug(index)?.symbol_at(module.to_svma(at))?;
        Some((symbol.name, symbol.offset))
    }
}

/// The version in the bytes of `.go.buildinfo`.
fn version(bytes: &[u8]) -> Option<String> {
    if bytes.get(FLAGS)? & IS_INLINE == 0 {
        return None;
    }
    let (length, rest) = bytes.get(VERSION..)?.split_first()?;
    let length = usize::from(*length);
    let text = rest.get(..length).filter(|_| length <= LONGEST_VERSION)?;
    let text = std::str::from_utf8(text).ok()?;
    text.starts_with("go").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(flags: u8, text: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, flags]);
        bytes.resize(VERSION, 0);
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend(text);
        bytes
    }

    #[test]
    fn the_version_is_what_the_linker_noted() {
        assert_eq!(version(&note(IS_INLINE, b"go1.22.10")).as_deref(), Some("go1.22.10"));
        // Before Go 1.18 there were pointers.
        assert_eq!(version(&note(0, b"go1.17")), None);
        assert_eq!(version(&note(IS_INLINE, b"\xff\xfe")), None);
        assert_eq!(version(&note(IS_INLINE, b"go1.22.10")[..36]), None);
        assert_eq!(version(MAGIC), None);
    }
}
