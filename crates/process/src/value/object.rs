//! A typed place in a process: what members, elements and pointees are taken from.

use std::sync::Arc;

use thiserror::Error;

use crate::value::readable::UserFormatters;
use obit_corefile::addr::Avma;
use obit_corefile::limits::Limits;
use obit_corefile::memory::{AddressSpace, ReadError};
use obit_dwarf::{
    Bound, DebugInfo, Expression, Language, NoPlace, Type, TypeId, TypeKind, VariableId,
};

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
    pub fn get(self) -> &'d Type {
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

    /// The type without typedefs and qualifiers, and its definition if this one is only
    /// declared.
    #[must_use]
    pub fn resolved(self, scene: Scene<'d>) -> Self {
        let plain = self.without_names();
        let is_declaration = match &plain.get().kind {
            TypeKind::Record(record) => record.is_declaration,
            TypeKind::Enumeration(enumeration) => enumeration.is_declaration,
            _ => false,
        };
        let definition = is_declaration.then(|| scene.around.definition_of(plain)).flatten();
        definition.map_or(plain, Self::without_names)
    }

    /// The type without typedefs and qualifiers. What names `void` stays as it is.
    pub(super) fn without_names(self) -> Self {
        let mut plain = self;
        for _ in 0..TYPE_DEPTH {
            match plain.get().kind {
                TypeKind::Typedef(Some(target))
                | TypeKind::Qualified { target: Some(target), .. } => plain = plain.other(target),
                _ => break,
            }
        }
        plain
    }
}

/// Types within one another that are followed where nothing is nested in memory:
/// typedefs of typedefs, arrays of arrays.
pub(super) const TYPE_DEPTH: usize = 64;

impl std::fmt::Debug for TypeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:?})", self.name(), self.id)
    }
}

/// Why a value or a part of it cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Absence {
    /// It has no location; why.
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
    /// An allocatable object of Fortran that is not allocated.
    #[error("not allocated")]
    NotAllocated,
    /// A pointer of Fortran that is not associated.
    #[error("not associated")]
    NotAssociated,
    /// An array whose descriptor is in registers.
    #[error("its descriptor is not in memory")]
    DescriptorNotInMemory,
    /// A string of unknown length.
    #[error("its length is not known")]
    UnknownLength,
    /// An array section, where its bytes as a whole are wanted.
    #[error("its elements are not contiguous")]
    NotContiguous,
}

/// Where the bytes of an object are.
#[derive(Clone, Debug)]
pub enum Contents<'d> {
    /// In memory.
    Memory(Avma),
    /// In parts, one after the other: registers, constants, memory, holes.
    Parts(Arc<[ObjectPart<'d>]>),
    /// Absent, for one reason.
    Absent(Absence),
}

/// A part of an object.
#[derive(Clone, Debug)]
pub struct ObjectPart<'d> {
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
    /// Of an array, how many of its dimensions were indexed away: `a[1]` of `int a[2][3]`
    /// has the type of `a`, and 1 here.
    pub dimensions_taken: usize,
    /// The address that bounds and strides are computed for, where that is not where
    /// `contents` is: of an array that was reached through its descriptor the descriptor's,
    /// of a part of an array that of the whole.
    pub descriptor: Option<Avma>,
}

/// What values are read against.
#[derive(Clone, Copy)]
pub struct Scene<'d> {
    /// The memory of the process.
    pub memory: &'d AddressSpace,
    /// What cannot be known from a type and memory alone.
    pub around: &'d dyn Surroundings<'d>,
    /// What the input may cost.
    pub limits: &'d Limits,
    /// How to read the user's own types.
    pub formatters: &'d UserFormatters,
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

    /// The type whose runtime type (Go's `runtime._type`) lies at `at`.
    fn go_type(&self, at: Avma) -> Option<TypeRef<'d>> {
        let _ = at;
        None
    }

    /// An array's bound, for the object that lies at `object`.
    fn bound(&self, of: TypeRef<'d>, bound: &Bound, object: Option<Avma>) -> Option<i64>;

    /// Where the data is of an object whose descriptor lies at `descriptor`.
    fn data_address(
        &self,
        of: TypeRef<'d>,
        location: &Expression,
        descriptor: Avma,
    ) -> Result<Avma, NoPlace>;

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
        Self::new(ty, Contents::Memory(at))
    }

    /// The object of type `ty` with these contents.
    pub fn new(ty: TypeRef<'d>, contents: Contents<'d>) -> Self {
        let (bit_offset, bit_size, dimensions_taken, descriptor) = (0, None, 0, None);
        Self { ty, contents, bit_offset, bit_size, dimensions_taken, descriptor }
    }

    /// An object of type `ty` that is absent, and why.
    pub fn absent(ty: TypeRef<'d>, why: Absence) -> Self {
        Self::new(ty, Contents::Absent(why))
    }

    /// The same bytes, read as another type.
    #[must_use]
    pub fn cast(&self, ty: TypeRef<'d>) -> Self {
        let descriptor = self.descriptor.filter(|_| ty.id == self.ty.id);
        Self { ty, bit_size: None, dimensions_taken: 0, descriptor, ..self.clone() }
    }

    /// Where it lies, if in memory at a whole byte.
    pub fn address(&self) -> Option<Avma> {
        let Contents::Memory(start) = self.contents else { return None };
        let is_whole = self.bit_size.is_none() && self.bit_offset.is_multiple_of(8);
        is_whole.then(|| Avma(start.0.wrapping_add(self.bit_offset / 8)))
    }

    /// The type without typedefs and qualifiers, and its definition if this one is only
    /// declared.
    pub fn resolved(&self, scene: Scene<'d>) -> TypeRef<'d> {
        self.ty.resolved(scene)
    }

    /// The name of its type as a programmer would write it.
    pub fn type_name(&self, scene: Scene<'d>) -> Arc<str> {
        let mut name = match self.dimensions_taken {
            0 => self.ty.name(),
            // A typedef names the whole array.
            _ => self.resolved(scene).name(),
        };
        let is_fortran = self.ty.get().language == Language::Fortran;
        for _ in 0..self.dimensions_taken {
            let inner = match is_fortran {
                true => without_fortran_dimension(&name),
                false => without_dimension(&name),
            };
            name = inner.unwrap_or_default().into();
        }
        name
    }

    /// The object `bytes` bytes after this one, as another type.
    #[must_use]
    pub fn moved(&self, ty: TypeRef<'d>, bytes: i64) -> Self {
        self.part_at(ty, i128::from(bytes).saturating_mul(8), None)
    }

    /// The object `bits` bits after this one, as another type.
    pub(super) fn part_at(&self, ty: TypeRef<'d>, bits: i128, bit_size: Option<u64>) -> Self {
        let at = i128::from(self.bit_offset).saturating_add(bits);
        let place = match &self.contents {
            // Whole bytes go into the address: an offset in bits would overflow.
            Contents::Memory(start) => {
                let bytes = at.div_euclid(8);
                let rest = u64::try_from(at.rem_euclid(8)).unwrap_or(0);
                // Addresses wrap, so the low 64 bits are all that counts.
                Some((Contents::Memory(Avma(start.0.wrapping_add(bytes as u64))), rest))
            }
            other => u64::try_from(at).ok().map(|at| (other.clone(), at)),
        };
        let outside = || (Contents::Absent(Absence::Malformed("it lies outside of its object")), 0);
        let (contents, bit_offset) = place.unwrap_or_else(outside);
        Self { ty, contents, bit_offset, bit_size, dimensions_taken: 0, descriptor: None }
    }
}

/// `integer(kind=4) (2)` for `integer(kind=4) (2,3)`: the last index of Fortran is the
/// outermost dimension in memory.
fn without_fortran_dimension(name: &str) -> Option<String> {
    let (element, shape) = name.strip_suffix(')')?.rsplit_once(" (")?;
    let (left, _) = shape.rsplit_once(',')?;
    Some(format!("{element} ({left})"))
}

/// `int [3]` for `int [2][3]`: an array's name without its outermost dimension.
fn without_dimension(name: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut open = None;
    for (at, c) in name.char_indices() {
        match c {
            // Brackets among template arguments belong to these.
            '<' => depth = depth.saturating_add(1),
            '>' => depth = depth.saturating_sub(1),
            '[' if depth == 0 => {
                open = Some(at);
                break;
            }
            _ => {}
        }
    }
    let (before, rest) = name.split_at_checked(open?)?;
    let (_, after) = rest.split_once(']')?;
    Some(format!("{before}{after}"))
}

#[cfg(test)]
mod tests {
    use super::{without_dimension, without_fortran_dimension};

    #[test]
    fn an_inner_array_of_fortran_is_named_without_its_last_dimension() {
        let inner = |name| without_fortran_dimension(name);
        assert_eq!(inner("integer(kind=4) (2,0:3)").as_deref(), Some("integer(kind=4) (2)"));
        assert_eq!(inner("integer(kind=4) (2)"), None);
    }

    #[test]
    fn an_inner_array_is_named_by_the_dimensions_left() {
        let inner = |name| without_dimension(name);
        assert_eq!(inner("int [2][3]").as_deref(), Some("int [3]"));
        assert_eq!(inner("box<int [4]> [2][3]").as_deref(), Some("box<int [4]> [3]"));
        assert_eq!(inner("int (*[2][3])(void)").as_deref(), Some("int (*[3])(void)"));
        assert_eq!(inner("matrix"), None);
    }
}
