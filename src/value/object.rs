//! A typed place in a dead process: what members, elements and pointees are taken from.

use std::sync::Arc;

use thiserror::Error;

use crate::addr::Avma;
use crate::debuginfo::{Bound, DebugInfo, Expression, NoPlace, Type, TypeId, VariableId};
use crate::limits::Limits;
use crate::memory::{AddressSpace, ReadError};

/// A type and the debug information that knows it.
#[derive(Clone, Copy)]
pub struct TypeRef<'d> {
    /// Of one image.
    pub debug: &'d DebugInfo,
    /// The type there.
    pub id: TypeId,
}

impl<'d> TypeRef<'d> {
    /// What it is.
    pub fn get(self) -> Arc<Type> {
        self.debug.type_at(self.id)
    }

    /// Its name as a programmer would write it.
    pub fn name(self) -> Arc<str> {
        self.debug.type_name(self.id)
    }

    /// Another type of the same image.
    #[must_use]
    pub fn other(self, id: TypeId) -> Self {
        Self { id, ..self }
    }
}

impl std::fmt::Debug for TypeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?})", self.name(), self.id)
    }
}

/// Why a value or a part of it cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Absence {
    /// Where it should be.
    #[error("{0}")]
    NoPlace(#[from] NoPlace),
    /// The memory is not there.
    #[error("{0}")]
    Memory(#[from] ReadError),
    /// The pointer was optimised away.
    #[error("the pointer was optimized away")]
    ImplicitPointer,
    /// The type has no size: it was never defined where it can be found.
    #[error("the type is not defined in the debug information")]
    Incomplete,
    /// The type makes no sense.
    #[error("malformed type: {0}")]
    Malformed(&'static str),
    /// It is larger than obit reads.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
}

/// Where the bytes of an object are.
#[derive(Clone, Debug)]
pub enum Contents<'d> {
    /// In memory.
    Memory(Avma),
    /// In parts, one after the other: registers, constants, memory, holes.
    Parts(Arc<[Part<'d>]>),
    /// Nowhere, for one reason.
    Absent(Absence),
}

/// A part of an object.
#[derive(Clone, Debug)]
pub struct Part<'d> {
    /// Its size in bits.
    pub bits: u64,
    /// Bits to skip in `source`.
    pub bit_offset: u64,
    /// Its content.
    pub source: PartSource<'d>,
}

/// What a part is made of.
#[derive(Clone, Debug)]
pub enum PartSource<'d> {
    /// Memory.
    Memory(Avma),
    /// These bytes, in memory order.
    Bytes(Arc<[u8]>),
    /// A pointer that does not exist, into a variable that has a value; `None` where that
    /// could not be found either.
    ImplicitPointer(Option<Arc<Object<'d>>>),
    /// Nothing.
    Absent(Absence),
}

/// A typed place: a variable, a member, what a pointer points at.
#[derive(Clone, Debug)]
pub struct Object<'d> {
    /// Its type.
    pub ty: TypeRef<'d>,
    /// Where it is.
    pub contents: Contents<'d>,
    /// Bits from the start of `contents`.
    pub bit_offset: u64,
    /// Bits, if it is a bit-field.
    pub bit_size: Option<u64>,
}

/// What values are read against.
#[derive(Clone, Copy)]
pub struct Scene<'d> {
    /// The dead memory.
    pub memory: &'d AddressSpace,
    /// What cannot be told from a type and memory alone.
    pub around: &'d dyn Surroundings<'d>,
    /// What the input may cost.
    pub limits: &'d Limits,
}

/// What a value may ask of the process around it.
pub trait Surroundings<'d> {
    /// The function or variable that holds the address: its name for people, and bytes
    /// from its start.
    fn symbol_at(&self, at: Avma) -> Option<(String, u64)>;

    /// The definition of a type that its own image only declares.
    fn definition_of(&self, declared: TypeRef<'d>) -> Option<TypeRef<'d>>;

    /// The class whose vtable (its address point) lies at `vtable`; the bytes from the
    /// start of the complete object to the subobject that points there; of Rust's `dyn`
    /// the concrete type.
    fn class_of_vtable(&self, vtable: Avma) -> Option<(TypeRef<'d>, i64)>;

    /// An array's bound, for the object that lies at `object`.
    fn bound(&self, of: TypeRef<'d>, bound: &Bound, object: Option<Avma>) -> Option<i64>;

    /// Where a member lies whose offset is computed: the address, for the object at
    /// `object`.
    fn member_address(
        &self,
        of: TypeRef<'d>,
        offset: &Expression,
        object: Avma,
    ) -> Result<Avma, NoPlace>;

    /// What the variable `of` an image is, in the same frame: the target of an implicit
    /// pointer.
    fn variable(&self, of: &'d DebugInfo, id: VariableId) -> Option<Object<'d>>;
}

impl<'d> Object<'d> {
    /// The object of type `ty` at `at`.
    pub fn at(ty: TypeRef<'d>, at: Avma) -> Self {
        Self { ty, contents: Contents::Memory(at), bit_offset: 0, bit_size: None }
    }

    /// The same bytes, read as another type.
    #[must_use]
    pub fn cast(&self, ty: TypeRef<'d>) -> Self {
        Self { ty, bit_size: None, ..self.clone() }
    }

    /// Where it lies, if in memory at a whole byte.
    pub fn address(&self) -> Option<Avma> {
        todo!()
    }

    /// The type without typedefs and qualifiers, and its definition where this one is
    /// but declared.
    pub fn resolved(&self, scene: Scene<'d>) -> TypeRef<'d> {
        todo!()
    }

    /// Its size in bytes; `None` for an incomplete type.
    pub fn size(&self, scene: Scene<'d>) -> Option<u64> {
        todo!()
    }

    /// Its bytes in memory order, a bit-field's bits moved to the low end.
    ///
    /// # Errors
    /// The first part that is absent.
    pub fn bytes(&self, scene: Scene<'d>) -> Result<Vec<u8>, Absence> {
        todo!()
    }

    /// The data member called `name`, of this record or of a base or anonymous member of
    /// it, or of the active variant.
    pub fn member(&self, scene: Scene<'d>, name: &str) -> Option<Self> {
        todo!()
    }

    /// Bases, data members and the active variant's, in order, each with its name.
    pub fn members(&self, scene: Scene<'d>) -> Vec<(Option<Arc<str>>, Self)> {
        todo!()
    }

    /// Element number `index` of an array, counted from 0 whatever its lower bound; not
    /// checked against its end. Of a pointer, the element it points at.
    pub fn index(&self, scene: Scene<'d>, index: i64) -> Option<Self> {
        todo!()
    }

    /// Elements of an array's outermost dimension; `None` where its end is not known.
    pub fn length(&self, scene: Scene<'d>) -> Option<u64> {
        todo!()
    }

    /// What a pointer or reference points at.
    ///
    /// # Errors
    /// The pointer's own value is absent.
    pub fn pointee(&self, scene: Scene<'d>) -> Result<Self, Absence> {
        todo!()
    }

    /// A pointer's or an integer's value as a number, zero-extended.
    ///
    /// # Errors
    /// It is absent.
    pub fn unsigned(&self, scene: Scene<'d>) -> Result<u64, Absence> {
        todo!()
    }

    /// An integer's value, sign-extended if its type is signed.
    ///
    /// # Errors
    /// It is absent.
    pub fn signed(&self, scene: Scene<'d>) -> Result<i64, Absence> {
        todo!()
    }
}
