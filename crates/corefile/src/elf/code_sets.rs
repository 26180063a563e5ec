//! Which of the instruction sets of 32-bit Arm a piece of an image is in.

use super::symbol_rows::RawSymbol;
use crate::addr::Svma;

/// What code is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeSet {
    /// Words of four bytes.
    A32,
    /// Thumb.
    Thumb,
}

/// The places where the set changes: by mapping symbols (`$a`, `$t`; ELF for the Arm
/// Architecture § 5.5.5), else by the symbols of functions, of which bit 0 says Thumb.
#[derive(Debug, Default)]
pub(super) struct CodeSets {
    /// By address.
    changes: Vec<Change>,
    /// The functions, which are all there is in a table without mapping symbols.
    functions: Vec<Change>,
}

#[derive(Clone, Copy, Debug)]
struct Change {
    address: u64,
    /// Bytes it is known for; 0 where a symbol does not say.
    size: u64,
    section: u16,
    set: CodeSet,
}

/// Functions before an address that are asked whether they hold it.
const MOST_NESTED: usize = 8;

impl CodeSets {
    /// Takes in a symbol of a function, or one with a name of mapping symbols.
    pub(super) fn add(&mut self, symbol: &RawSymbol, name: &[u8]) {
        let change =
            |address, set| Change { address, size: symbol.size, section: symbol.section, set };
        match (symbol.is_function(), symbol.binding, name) {
            (true, ..) => {
                let set = if symbol.address & 1 == 1 { CodeSet::Thumb } else { CodeSet::A32 };
                self.functions.push(change(symbol.address & !1, set));
            }
            (_, 0, [b'$', b'a', 0 | b'.', ..] | [b'$', b'a']) => {
                self.changes.push(change(symbol.address, CodeSet::A32));
            }
            (_, 0, [b'$', b't', 0 | b'.', ..] | [b'$', b't']) => {
                self.changes.push(change(symbol.address, CodeSet::Thumb));
            }
            _ => {}
        }
    }

    pub(super) fn sort(&mut self) {
        self.changes.sort_by_key(|change| change.address);
        self.functions.sort_by_key(|change| change.address);
    }

    /// The set at `at`, which is in `section` if that is known. `None` where no symbol says.
    pub(super) fn at(&self, at: Svma, section: Option<u16>) -> Option<CodeSet> {
        let before = |changes: &[Change]| {
            let end = changes.partition_point(|change| change.address <= at.0);
            let start = end.saturating_sub(MOST_NESTED);
            let near = changes.get(start..end).unwrap_or_default().to_vec();
            let is_near =
                move |change: &Change| section.is_none_or(|section| section == change.section);
            near.into_iter().rev().filter(is_near)
        };
        let holds =
            |change: &Change| change.size == 0 || at.0.wrapping_sub(change.address) < change.size;
        let mapped = before(&self.changes).next();
        let function = || before(&self.functions).find(holds);
        Some(mapped.or_else(function)?.set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(address: u64, size: u64, kind: u8) -> RawSymbol {
        RawSymbol { address, size, name: 0, section: 1, binding: 0, kind, index: 0 }
    }

    #[test]
    fn mapping_symbols_say_where_the_set_changes() {
        let mut sets = CodeSets::default();
        sets.add(&symbol(0x1000, 0, 0), b"$a");
        sets.add(&symbol(0x1020, 0, 0), b"$t.3");
        sets.add(&symbol(0x1040, 0, 0), b"$d");
        sets.add(&symbol(0x1044, 0, 0), b"$table");
        sets.sort();
        let at = |address| sets.at(Svma(address), Some(1));
        assert_eq!(
            [at(0xfff), at(0x1000), at(0x101c)],
            [None, Some(CodeSet::A32), Some(CodeSet::A32)]
        );
        // Data do not change what the code around them is in.
        assert_eq!([at(0x1020), at(0x1050)], [Some(CodeSet::Thumb); 2]);
        assert_eq!(sets.at(Svma(0x1030), Some(2)), None, "of another section");
    }

    #[test]
    fn without_them_functions_say_it_for_themselves() {
        let mut sets = CodeSets::default();
        sets.add(&symbol(0x1001, 0x20, 2), b"short");
        sets.add(&symbol(0x1040, 0x20, 2), b"long");
        sets.sort();
        let at = |address| sets.at(Svma(address), None);
        assert_eq!(
            [at(0x1000), at(0x101e), at(0x1020)],
            [Some(CodeSet::Thumb), Some(CodeSet::Thumb), None]
        );
        assert_eq!([at(0x1040), at(0x1060)], [Some(CodeSet::A32), None]);
    }
}
