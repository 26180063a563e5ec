//! Exceptions of C++ as they lie in memory: Itanium C++ ABI, "Exception Handling", § 2.2.1,
//! as libstdc++ and libc++abi lay it out on 64-bit machines.

use super::what::returned_text;
use super::{c_text, text_at};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Machine;
use obit_corefile::memory::AddressSpace;

/// Bytes from `exceptionType` of the header to the object.
const HEADER: u64 = 112;
/// Bytes from `exceptionType` to `unwindHeader.exception_class`.
const CLASS: u64 = 80;
/// `GNUCC++\0` and `GNUCC++\x01`: an exception, and one that stands for another.
const GNU: u64 = 0x474e_5543_432b_2b00;
/// `CLNGC++\0` and `CLNGC++\x01`.
const CLANG: u64 = 0x434c_4e47_432b_2b00;
/// Bytes from `exceptionType` to `nextException`.
const NEXT: u64 = 32;
/// Bytes from where a list points to `exceptionType`: libc++abi has two words before it, or
/// one (before LLVM 10), libstdc++ none.
const INTO_RECORD: [u64; 3] = [0, 16, 8];
/// Exceptions handled within one another that are told.
const MOST: usize = 8;
/// Bases within bases that are followed, and bases of one class.
const BASES: usize = 16;
/// Bytes of a type's mangled name.
const NAME_BYTES: usize = 4096;

/// An exception that was thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thrown {
    /// Its type: what `std::type_info::name` returns.
    pub(super) mangled: String,
    /// What it says, where that is sure.
    pub(super) text: Option<String>,
}

/// The symbol that holds an address, and bytes from its start.
pub(super) type SymbolAt<'s> = dyn Fn(Avma) -> Option<(String, u64)> + 's;

/// Where exceptions are looked for.
pub(super) struct Exceptions<'s> {
    pub(super) memory: &'s AddressSpace,
    pub(super) symbol_at: &'s SymbolAt<'s>,
    pub(super) machine: Machine,
}

/// Of a `std::type_info`: which classes it may be one of.
enum TypeInfo {
    /// No class, or one without bases.
    Plain,
    /// `__si_class_type_info`: one base at offset 0.
    Single,
    /// `__vmi_class_type_info`: several, or virtual ones.
    Multiple,
}

impl Exceptions<'_> {
    /// The exception whose header (its `exceptionType`) lies at `header`; `None` if there
    /// is no such header.
    pub(super) fn with_header(&self, header: u64) -> Option<Thrown> {
        if self.memory.word() != 8 {
            return None;
        }
        let class = self.word(header.checked_add(CLASS)?)?;
        let object = match class {
            GNU | CLANG => header.checked_add(HEADER)?,
            // The object is another's: libstdc++ has its address in place of the type.
            _ if class == GNU | 1 => self.word(header)?,
            _ if class == CLANG | 1 => self.word(header.checked_sub(8)?)?,
            _ => return None,
        };
        let own = object.checked_sub(HEADER)?;
        if self.word(own.checked_add(CLASS)?)? != class & !1 {
            return None;
        }
        let type_info = self.word(own)?;
        let mangled = self.type_name(type_info)?;
        let text = self.text(object, type_info, &mangled);
        Some(Thrown { mangled, text })
    }

    /// The exceptions in the list that begins with the record at `record`; empty if there is
    /// no exception.
    pub(super) fn chain(&self, record: u64) -> Vec<Thrown> {
        let mut found = Vec::new();
        let mut next = Some(record);
        while let Some(record) = next.filter(|record| *record != 0 && found.len() < MOST) {
            let thrown = INTO_RECORD.iter().find_map(|into| {
                let header = record.checked_add(*into)?;
                let is_there = self.with_header(header)?;
                Some((header, is_there))
            });
            let Some((header, thrown)) = thrown else { break };
            found.push(thrown);
            next = header.checked_add(NEXT).and_then(|at| self.word(at));
        }
        found
    }

    /// What an exception says: the text of an object that is one, or of one whose `what`
    /// is known to return the text it holds.
    fn text(&self, object: u64, type_info: u64, mangled: &str) -> Option<String> {
        match mangled {
            "PKc" | "Pc" => return c_text(self.memory, Avma(self.word(object)?)),
            "NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE" => {
                let length = self.word(object.checked_add(8)?)?;
                return text_at(self.memory, Avma(self.word(object)?), length);
            }
            "NSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEE" => {
                return self.libcxx_string(object);
            }
            _ => {}
        }
        self.kept_text(object, type_info).or_else(|| self.own_text(object, type_info))
    }

    /// The text of a `what` of the class's own, where that does nothing but hand it out.
    fn own_text(&self, object: u64, type_info: u64) -> Option<String> {
        // The vtable of the object itself, which names its type and has `what` third.
        let vtable = self.word(object)?;
        if self.word(vtable.checked_sub(8)?)? != type_info {
            return None;
        }
        let what = Avma(self.word(vtable.checked_add(16)?)?);
        let (name, offset) = (self.symbol_at)(what)?;
        let is_what = name.starts_with("_ZNK") && name.ends_with("4whatEv") && offset == 0;
        let machine = self.machine;
        is_what.then(|| returned_text(self.memory, machine, what, object)).flatten()
    }

    /// The text that the standard library's own classes keep.
    fn kept_text(&self, object: u64, type_info: u64) -> Option<String> {
        let base = object.checked_add(self.message_base(type_info, BASES)?)?;
        // The destructors come first: Itanium C++ ABI § 2.5.2.
        let what = self.word(self.word(base)?.checked_add(16)?)?;
        let (name, offset) = (self.symbol_at)(Avma(what))?;
        let is_plain =
            matches!(name.as_str(), "_ZNKSt13runtime_error4whatEv" | "_ZNKSt11logic_error4whatEv");
        if !is_plain || offset != 0 {
            return None;
        }
        c_text(self.memory, Avma(self.word(base.checked_add(8)?)?))
    }

    /// A `std::string` of libc++ in its usual layout on little-endian machines: its lowest
    /// bit says that it is long (`__long`: capacity, length, address), else the first byte
    /// is twice the length and the text follows.
    fn libcxx_string(&self, object: u64) -> Option<String> {
        let mut first = [0];
        self.memory.read(Avma(object), &mut first).ok()?;
        let [first] = first;
        if first & 1 == 0 {
            return text_at(self.memory, Avma(object.checked_add(1)?), u64::from(first >> 1));
        }
        let length = self.word(object.checked_add(8)?)?;
        text_at(self.memory, Avma(self.word(object.checked_add(16)?)?), length)
    }

    /// Bytes from the start of an object to its `std::runtime_error` or `std::logic_error`.
    fn message_base(&self, type_info: u64, depth: usize) -> Option<u64> {
        if matches!(self.type_name(type_info)?.as_str(), "St13runtime_error" | "St11logic_error") {
            return Some(0);
        }
        let depth = depth.checked_sub(1)?;
        match self.kind(type_info)? {
            TypeInfo::Plain => None,
            TypeInfo::Single => self.message_base(self.word(type_info.checked_add(16)?)?, depth),
            // The first base alone: what lies behind it is rare and costs an exponential
            // walk among hostile types.
            TypeInfo::Multiple => {
                let flags = self.word(type_info.checked_add(32)?)?;
                // Bit 0: virtual, its place is in the vtable; above bit 8 the offset.
                let is_first = flags & 1 == 0 && flags >> 8 == 0;
                let first = self.word(type_info.checked_add(24)?)?;
                if is_first { self.message_base(first, depth) } else { None }
            }
        }
    }

    /// What a `std::type_info` calls its type; `None` if at `type_info` there is none.
    fn type_name(&self, type_info: u64) -> Option<String> {
        self.kind(type_info)?;
        let name = self.word(type_info.checked_add(8)?)?;
        let name = self.memory.read_c_string(Avma(name), NAME_BYTES)?;
        let name = String::from_utf8(name).ok()?;
        // An asterisk says that pointers do not tell whether two are the same.
        let name = name.strip_prefix('*').unwrap_or(&name);
        let is_mangled = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        is_mangled.then(|| name.to_owned())
    }

    /// Which class of the runtime a `std::type_info` is of, by its vtable.
    fn kind(&self, type_info: u64) -> Option<TypeInfo> {
        let (vtable, offset) = (self.symbol_at)(Avma(self.word(type_info)?))?;
        let class = vtable.strip_prefix("_ZTVN10__cxxabiv1").filter(|_| offset == 16)?;
        match class.trim_start_matches(|c: char| c.is_ascii_digit()).strip_suffix('E')? {
            "__si_class_type_info" => Some(TypeInfo::Single),
            "__vmi_class_type_info" => Some(TypeInfo::Multiple),
            name => name.ends_with("_type_info").then_some(TypeInfo::Plain),
        }
    }

    fn word(&self, at: u64) -> Option<u64> {
        self.memory.read_word(Avma(at)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::memory;
    use super::*;

    const HEAP: u64 = 0x1000;
    const OBJECT: u64 = HEAP + HEADER;
    const TYPES: u64 = 0x2000;
    const TEXTS: u64 = 0x3000;
    const WHAT: u64 = 0x4000;

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    fn symbol_at(at: Avma) -> Option<(String, u64)> {
        let name = match at.0 {
            0x10 => "_ZTVN10__cxxabiv117__class_type_infoE",
            0x20 => "_ZTVN10__cxxabiv120__si_class_type_infoE",
            0x30 => "_ZTVN10__cxxabiv119__pointer_type_infoE",
            WHAT => return Some(("_ZNKSt13runtime_error4whatEv".to_owned(), 0)),
            0x4100 => return Some(("_ZNK5Other4whatEv".to_owned(), 0)),
            _ => return None,
        };
        Some((name.to_owned(), 16))
    }

    /// An exception of a class derived from `std::runtime_error` that has `what` as its
    /// function; its header has this class.
    fn thrown(class: u64, type_info: u64, what: u64) -> Option<Thrown> {
        let mut header = vec![0; 14];
        header[0] = type_info;
        header[10] = class;
        // The object: its vtable, then its message.
        header.extend([TYPES + 0x80, TEXTS]);
        let types = [0x20, TEXTS + 0x20, TYPES + 0x40, 0, 0, 0, 0, 0];
        let base = [0x10, TEXTS + 0x30, 0, 0, 0, 0, 0, 0];
        let vtable = [0, 0, what];
        let types = [types.as_slice(), &base, &vtable].concat();
        let mut texts = b"no digit at 2\0".to_vec();
        texts.resize(0x20, 0);
        texts.extend(b"10ParseError\0");
        texts.resize(0x30, 0);
        texts.extend(b"St13runtime_error\0");
        let memory = memory(&[(HEAP, &words(&header)), (TYPES, &words(&types)), (TEXTS, &texts)]);
        Exceptions { memory: &memory, symbol_at: &symbol_at, machine: Machine::X86_64 }
            .with_header(HEAP)
    }

    #[test]
    fn an_exception_says_what_its_runtime_error_holds() {
        let found = thrown(GNU, TYPES, WHAT).unwrap();
        assert_eq!(found.mangled, "10ParseError");
        assert_eq!(found.text.as_deref(), Some("no digit at 2"));
        assert_eq!(thrown(CLANG, TYPES, WHAT), Some(found));
    }

    #[test]
    fn a_what_of_its_own_leaves_the_text_untold() {
        let found = thrown(GNU, TYPES, 0x4100).unwrap();
        assert_eq!((found.mangled.as_str(), found.text), ("10ParseError", None));
    }

    #[test]
    fn what_is_no_header_or_has_no_type_is_no_exception() {
        assert_eq!(thrown(GNU ^ 0x100, TYPES, WHAT), None);
        assert_eq!(thrown(GNU, TEXTS, WHAT), None);
        assert_eq!(thrown(GNU | 1, OBJECT, WHAT), None);
    }

    #[test]
    fn exceptions_handled_within_one_another_are_a_list_of_records() {
        let record = |next: u64, class: u64| {
            // libc++abi: two words, then what both have.
            let mut record = vec![0; 16];
            record[2] = TYPES;
            record[2 + 4] = next;
            record[2 + 10] = class;
            record.push(TEXTS + 0x10);
            words(&record)
        };
        let types = words(&[0x30, TEXTS]);
        let texts = b"PKc\0............late\0";
        let list = |next| {
            let (outer, inner) = (record(0, CLANG), record(next, CLANG));
            let memory =
                memory(&[(HEAP, &inner), (0x5000, &outer), (TYPES, &types), (TEXTS, texts)]);
            Exceptions { memory: &memory, symbol_at: &symbol_at, machine: Machine::X86_64 }
                .chain(HEAP)
                .len()
        };
        assert_eq!(list(0), 1);
        assert_eq!(list(0x5000), 2);
        // A list that bites its tail.
        assert_eq!(list(HEAP), MOST);
        assert_eq!(list(TEXTS), 1);
    }

    #[test]
    fn a_string_of_libcxx_is_told_short_and_long() {
        let text = |object: &[u8]| {
            let memory = memory(&[(HEAP, object), (TEXTS, b"a text that is long\0")]);
            Exceptions { memory: &memory, symbol_at: &symbol_at, machine: Machine::X86_64 }
                .libcxx_string(HEAP)
        };
        assert_eq!(text(b"\x08late\0").as_deref(), Some("late"));
        assert_eq!(text(&words(&[0x21, 19, TEXTS])).as_deref(), Some("a text that is long"));
    }

    #[test]
    fn an_exception_that_stands_for_another_is_that_one() {
        const OTHER: u64 = 0x5000;
        let mut header = vec![0; 14];
        header[0] = TYPES;
        header[10] = GNU;
        header.push(TEXTS + 0x10);
        let mut dependent = vec![0; 14];
        dependent[0] = OBJECT;
        dependent[10] = GNU | 1;
        let types = [0x30, TEXTS];
        let texts = b"PKc\0............late\0";
        let memory = memory(&[
            (HEAP, &words(&header)),
            (TYPES, &words(&types)),
            (TEXTS, texts),
            (OTHER, &words(&dependent)),
        ]);
        let found = Exceptions { memory: &memory, symbol_at: &symbol_at, machine: Machine::X86_64 }
            .with_header(OTHER);
        let late = Thrown { mangled: "PKc".to_owned(), text: Some("late".to_owned()) };
        assert_eq!(found, Some(late));
    }
}
