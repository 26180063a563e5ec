//! Where variables are said to be (DWARF 5 § 2.5, 2.6), and what a frame must answer for
//! an expression to be evaluated.

use std::sync::Arc;

use thiserror::Error;

use crate::model::keys::DieKey;
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::Register;
use obit_corefile::memory::ReadError;

/// A DWARF expression and the unit it must be read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    pub(crate) bytes: Arc<[u8]>,
    /// Any entry of the unit: says how to read addresses, base types, references.
    pub(crate) unit: DieKey,
}

impl Expression {
    /// `bytes`, read in the unit of the entry `unit`.
    pub(crate) fn new(bytes: &[u8], unit: DieKey) -> Self {
        Self { bytes: Arc::from(bytes), unit }
    }

    /// Where the value lies that the expression loads as its last step, `size` bytes and
    /// thus more than § 2.5.1.3 allows: LLVM writes so of a spilled vector register. The
    /// variable is the first bytes of it.
    pub(crate) fn place_of_loaded(&self, size: u8) -> Option<Self> {
        use gimli::constants::{DW_OP_deref_size, DW_OP_stack_value};
        let loaded = [DW_OP_deref_size.0, size, DW_OP_stack_value.0];
        let bytes = self.bytes.strip_suffix(&loaded).filter(|bytes| !bytes.is_empty())?;
        Some(Self { bytes: bytes.into(), unit: self.unit })
    }

    /// The same, its result a value and not a place.
    pub(crate) fn as_value(&self) -> Self {
        let bytes = self.bytes.iter().copied().chain([gimli::constants::DW_OP_stack_value.0]);
        Self { bytes: bytes.collect(), unit: self.unit }
    }
}

/// A bound of an array's dimension (§ 2.19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Known when it was compiled.
    Constant(i64),
    /// Computed when the program ran.
    Expression(Expression),
    /// The value of a variable, often one without a name.
    Variable(VariableId),
    /// An unsigned number of so many bytes that is stored somewhere.
    Stored(Location, u8),
    /// The value of a member of the record that the array is a member of.
    Member(MemberBound),
    /// It is not known.
    Unknown,
}

/// Where the member is that holds the bound of another: a discriminant of Ada.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberBound {
    /// Bytes from the start of the record.
    pub offset: u64,
    /// Its size in bytes, at most 8.
    pub size: u8,
    /// Whether it has a sign.
    pub is_signed: bool,
}

/// An entry of a variable or parameter of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VariableId(pub(crate) DieKey);

/// Where a variable is said to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Nothing says where: the compiler kept it nowhere.
    OptimizedOut,
    /// `DW_AT_const_value`: its bytes.
    Constant(Arc<[u8]>),
    /// `DW_AT_const_value`: a number, of the type's size.
    Number(i128),
    /// At one place as long as its scope lives.
    Expression(Expression),
    /// At places that depend on the pc (§ 2.6.2).
    List(LocationList),
}

/// A location list, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationList {
    /// An entry of the unit it is read in.
    pub(crate) unit: DieKey,
    /// Offset in the section, or index (`DW_FORM_loclistx`).
    pub(crate) at: ListAt,
}

/// How a location list is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListAt {
    Offset(u64),
    Index(u64),
}

/// A part of a variable, or the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its size in bits; `None` for the only piece: as large as the variable.
    pub bits: Option<u64>,
    /// Bits to skip in the place before it begins.
    pub bit_offset: u64,
    /// Where it is.
    pub place: Place,
}

/// Where (a piece of) a variable is, at one pc (§ 2.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory.
    Memory(Avma),
    /// In a register.
    Register(Register),
    /// Nowhere, but this is its value: little- or big-endian as the machine is.
    Bytes(Arc<[u8]>),
    /// It is a pointer that does not exist, `offset` bytes into a variable that has a
    /// value (`DW_OP_implicit_pointer`).
    ImplicitPointer {
        /// What it would point at.
        target: VariableId,
        /// Bytes from its start.
        offset: i64,
    },
    /// Kept nowhere.
    OptimizedOut,
}

/// Why a variable has no place. None of these is a fault of obit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoPlace {
    /// No entry of its location list covers this pc, or the expression is empty.
    #[error("optimized out")]
    OptimizedOut,
    /// The expression names a register this frame cannot recover.
    #[error("{0} was clobbered by a call")]
    RegisterLost(String),
    /// The expression reads memory that is not there.
    #[error("{0}")]
    Memory(#[from] ReadError),
    /// The value at entry is wanted, and the caller does not show it.
    #[error("the value at entry is not known: {0}")]
    NoEntryValue(&'static str),
    /// Thread-local storage that cannot be found.
    #[error("thread-local storage: {0}")]
    Tls(&'static str),
    /// There is no frame to ask: a variable of a function, asked for from outside.
    #[error("it needs a frame of its function")]
    NoFrame,
    /// The expression cannot be read or has no sense.
    #[error("malformed location: {0}")]
    Malformed(String),
    /// The expression does not end.
    #[error("the location takes more than {0} steps")]
    TooLong(u32),
}

/// What an expression may ask of the frame it is evaluated for. The answers of a bare
/// image, which has no frame, are all "no".
pub trait Surroundings {
    /// A general register of the frame, as a number; `None` where it is not known.
    fn register(&self, register: Register) -> Option<u64>;
    /// What a register is called.
    fn register_name(&self, register: Register) -> String;
    /// The bytes of any register, vector registers too.
    fn register_bytes(&self, register: Register) -> Option<Vec<u8>>;
    /// Fills `buf` from memory.
    ///
    /// # Errors
    /// Names the first absent byte.
    fn read(&self, at: Avma, buf: &mut [u8]) -> Result<(), ReadError>;
    /// Where the byte the image states at `at` lay.
    fn to_avma(&self, at: Svma) -> Avma;
    /// The canonical frame address.
    fn cfa(&self) -> Option<Avma>;
    /// `DW_AT_frame_base` of the function.
    fn frame_base(&self) -> Option<&Location>;
    /// The address of the byte at `offset` of the image's thread-local storage.
    ///
    /// # Errors
    /// Why it is not known.
    fn thread_local(&self, offset: u64) -> Result<Avma, NoPlace>;
    /// The value that the expression `wanted` had when the function was entered
    /// (`DW_OP_entry_value`): usually a register's.
    ///
    /// # Errors
    /// Why the caller does not show it.
    fn entry_value(&self, wanted: EntryValue) -> Result<u64, NoPlace>;
    /// The address of the object that the expression is about (`DW_OP_push_object_address`).
    fn object(&self) -> Option<Avma> {
        None
    }
    /// The pc to look up in location lists, as the image states it.
    fn lookup_pc(&self) -> Option<Svma>;
    /// Where execution goes on: past the call, if the frame was left by one.
    fn pc(&self) -> Option<Svma> {
        self.lookup_pc()
    }
    /// Called before a location is computed: whether the compiler says that it is still valid
    /// after the call by which the frame was left. Then no function called from here clobbers
    /// a register that it names (gcc's `-fipa-ra` makes sure of that), and the innermost frame
    /// has this frame's value in it.
    fn survives_call(&self, _survives: bool) {}
    /// Whether a location that is valid only at some view of the instruction counts: for callers
    /// that ask which variable a register was when the instruction began, not what it holds.
    fn sees_views(&self) -> bool {
        false
    }
}

/// What of the state at a function's entry is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryValue {
    /// A register's content.
    Register(Register),
    /// What the register pointed at: the parameter was passed by reference.
    Pointee {
        /// The register that held the address.
        register: Register,
        /// Bytes that are read.
        size: u8,
    },
    /// A stack slot, by its offset from the CFA of the function entered.
    Stack(i64),
    /// A parameter of the function itself (`DW_OP_GNU_parameter_ref`).
    Parameter(VariableId),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::keys::{DwarfPart, List};

    #[test]
    fn what_is_loaded_last_lies_where_it_is_loaded_from() {
        let unit = DieKey { part: DwarfPart::Main, list: List::Info, unit: 0, offset: 0 };
        let place = |bytes: &[u8]| {
            let place = Expression::new(bytes, unit).place_of_loaded(16)?;
            Some(place.bytes.to_vec())
        };
        // breg7 16; deref_size 16; stack_value.
        assert_eq!(place(&[0x77, 16, 0x94, 16, 0x9f]), Some(vec![0x77, 16]));
        assert_eq!(place(&[0x77, 16, 0x94, 16]), None);
        assert_eq!(place(&[0x94, 16, 0x9f]), None);
        assert_eq!(place(&[0x77, 16, 0x94, 8, 0x9f]), None);
    }
}
