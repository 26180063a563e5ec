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
/// Exceptions handled within one another that are reported.
const MOST: usize = 8;
/// Bases within bases that are followed, and bases of one class.
const BASES: usize = 16;
/// Bytes of a type's mangled name.
const NAME_BYTES: usize = 4096;

/// `std::nested_exception`, and the classes that `std::throw_with_nested` throws: of
/// libstdc++ and of libc++.
const NESTED: &str = "St16nested_exception";
const NESTING: [&str; 2] = ["St17_Nested_exceptionI", "NSt3__18__nestedI"];
/// Functions that return the text which `std::runtime_error` or `std::logic_error` holds.
const PLAIN: [&str; 5] = [
    "_ZNKSt13runtime_error4whatEv",
    "_ZNKSt11logic_error4whatEv",
    "_ZNKSt12future_error4whatEv",
    "_ZNKSt13__ios_failure4whatEv",
    "_ZNKSt8ios_base7failureB5cxx114whatEv",
];

/// An exception that was thrown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Thrown {
    /// Its type: what `std::type_info::name` returns.
    pub(super) mangled: String,
    /// What it says, where that is sure.
    pub(super) text: Option<String>,
    /// The exception that it was thrown for: `std::throw_with_nested`.
    pub(super) nested: Option<Box<Thrown>>,
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
        self.thrown(header, MOST)
    }

    /// The same with at most `depth` exceptions nested in one another.
    fn thrown(&self, header: u64, depth: usize) -> Option<Thrown> {
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
        let bases = self.bases(type_info);
        let of_nested = bases.iter().find(|(_, name, _)| name == NESTED);
        let nested = of_nested.filter(|_| depth > 0).and_then(|(_, _, offset)| {
            // `std::nested_exception`: its vtable, then a `std::exception_ptr`, which is the
            // address of the object.
            let held = self.word(object.checked_add(*offset)?.checked_add(8)?)?;
            self.thrown(held.checked_sub(HEADER)?, depth - 1).map(Box::new)
        });
        // The class that the library makes of the program's and of its own.
        let is_made = NESTING.iter().any(|start| mangled.starts_with(start));
        let own = bases.into_iter().next().filter(|_| is_made && nested.is_some());
        let mangled = own.map_or(mangled, |(_, name, _)| name);
        Some(Thrown { mangled, text, nested })
    }

    /// The bases of a class that has several, virtual ones left out: type, name and offset.
    fn bases(&self, type_info: u64) -> Vec<(u64, String, u64)> {
        let Some(TypeInfo::Multiple) = self.kind(type_info) else { return Vec::new() };
        // `__base_count` is an `unsigned int` behind `__flags` (Itanium C++ ABI § 2.9.5).
        let count = type_info.checked_add(16).and_then(|at| self.word(at)).unwrap_or(0) >> 32;
        let base = |nth: u64| {
            let at = type_info.checked_add(24)?.checked_add(nth.checked_mul(16)?)?;
            let (base, flags) = (self.word(at)?, self.word(at.checked_add(8)?)?);
            let name = self.type_name(base).filter(|_| flags & 1 == 0)?;
            Some((base, name, flags >> 8))
        };
        (0..count.min(BASES as u64)).filter_map(base).collect()
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
            "i" | "j" | "l" | "m" | "x" | "y" => return self.number(object, mangled),
            "NSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEE" => {
                return self.libcxx_string(object);
            }
            _ => {}
        }
        self.kept_text(object, type_info).or_else(|| self.own_text(object, type_info))
    }

    /// An integer of C++ that is an exception by itself, by its mangled type.
    fn number(&self, object: u64, mangled: &str) -> Option<String> {
        let size = if matches!(mangled, "i" | "j") { 4 } else { 8 };
        let mut bytes = [0; 8];
        self.memory.read(Avma(object), bytes.get_mut(..size)?).ok()?;
        let value = self.memory.unsigned(bytes.get(..size)?);
        Some(match mangled {
            "i" => u32::try_from(value).ok()?.cast_signed().to_string(),
            "l" | "x" => value.cast_signed().to_string(),
            _ => value.to_string(),
        })
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
        if !PLAIN.contains(&name.as_str()) || offset != 0 {
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
        // An asterisk says that pointers do not show whether two are the same.
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
            0x40 => "_ZTVN10__cxxabiv121__vmi_class_type_infoE",
            0x50 => "_ZTVN10__cxxabiv123__fundamental_type_infoE",
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
    fn a_nested_exception_is_named_with_the_one_it_was_thrown_for() {
        const INNER: u64 = 0x5000;
        let header = |type_info: u64, object: &[u64]| {
            let mut header = vec![0; 14];
            header[0] = type_info;
            header[10] = GNU;
            header.extend(object);
            words(&header)
        };
        // _Nested_exception<runtime_error>: its text, then the nested_exception.
        let outer = header(TYPES, &[TYPES + 0x80, TEXTS, 0, INNER + HEADER]);
        let inner = header(TYPES + 0x60, &[42]);
        let bases = [TYPES + 0x40, 2, TYPES + 0x50, 2 | 16 << 8];
        let nesting = [&[0x40, TEXTS + 0x20, 2 << 32], bases.as_slice(), &[0]].concat();
        // std::runtime_error, std::nested_exception, int, then the vtable of the object.
        let rest = [0x10, TEXTS + 0x50, 0x10, TEXTS + 0x70, 0x50, TEXTS + 0x90, 0, 0, 0, 0, WHAT];
        let mut texts = b"cannot load\0".to_vec();
        for (at, name) in [
            (0x20, &b"St17_Nested_exceptionISt13runtime_errorE\0"[..]),
            (0x50, b"St13runtime_error\0"),
            (0x70, b"St16nested_exception\0"),
            (0x90, b"i\0"),
        ] {
            texts.resize(at, 0);
            texts.extend(name);
        }
        let types = words(&[nesting.as_slice(), &rest].concat());
        let memory = memory(&[(HEAP, &outer), (INNER, &inner), (TYPES, &types), (TEXTS, &texts)]);
        let found = Exceptions { memory: &memory, symbol_at: &symbol_at, machine: Machine::X86_64 }
            .with_header(HEAP)
            .unwrap();
        assert_eq!(
            (found.mangled.as_str(), found.text.as_deref()),
            ("St13runtime_error", Some("cannot load"))
        );
        let nested = found.nested.unwrap();
        assert_eq!((nested.mangled.as_str(), nested.text.as_deref()), ("i", Some("42")));
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
    fn a_string_of_libcxx_is_read_short_and_long() {
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
        let late =
            Thrown { mangled: "PKc".to_owned(), text: Some("late".to_owned()), nested: None };
        assert_eq!(found, Some(late));
    }
}
