//! The types of one image, each under a number of its own.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::{Arc, Mutex, OnceLock};

use crate::model::keys::DieKey;
#[cfg(any(test, feature = "testkit"))]
use crate::model::keys::{DwarfPart, List};
use crate::model::language::Language;
use crate::model::types::{Type, TypeId};
use crate::units::attributes::{Attributes, Reference};
use crate::units::entry::Entry;

/// The types of one image that were asked about, each under a number of its own.
pub(crate) struct TypeTable {
    numbers: Mutex<HashMap<TypeKey, TypeId>>,
    pub(crate) slots: Slots,
    pub(crate) unknown: Type,
}

impl Default for TypeTable {
    fn default() -> Self {
        Self { numbers: Mutex::default(), slots: Slots::default(), unknown: Type::unknown() }
    }
}

/// A type's entry and, if its unit states no language, that of the entry that led to it: C
/// and C++ units share types in the files of dwz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TypeKey {
    pub(crate) entry: DieKey,
    pub(crate) referrer: Language,
}

impl From<DieKey> for TypeKey {
    fn from(entry: DieKey) -> Self {
        Self { entry, referrer: Language::Unknown }
    }
}

impl From<Entry<'_, '_>> for TypeKey {
    fn from(entry: Entry<'_, '_>) -> Self {
        Self { entry: entry.key(), referrer: entry.referrer }
    }
}

/// What is known of one type.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) entry: OnceLock<TypeKey>,
    pub(crate) ty: OnceLock<Box<Type>>,
    pub(crate) name: OnceLock<Arc<str>>,
}

/// Slots by their number. They stay where they are, so that a type is borrowed without a
/// lock: values ask for types more often than for anything else. Each block is twice as
/// long as the one before.
#[derive(Default)]
pub(crate) struct Slots {
    blocks: [OnceLock<Box<[Slot]>>; BLOCKS],
}

const BLOCKS: usize = 26;

const FIRST_BLOCK: u32 = 64;

impl Slots {
    /// The block of a number, and the place in it.
    #[inline]
    fn place(number: u32) -> Option<(usize, usize)> {
        let from_first = number.checked_add(FIRST_BLOCK)?;
        let block = from_first.ilog2().checked_sub(FIRST_BLOCK.ilog2())?;
        let place = from_first.checked_sub(FIRST_BLOCK.checked_shl(block)?)?;
        Some((usize::try_from(block).ok()?, usize::try_from(place).ok()?))
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<&Slot> {
        let (block, place) = Self::place(number)?;
        self.blocks.get(block)?.get()?.get(place)
    }

    /// The slot, and the block around it if it is the first there.
    fn make(&self, number: u32) -> Option<&Slot> {
        let (block, place) = Self::place(number)?;
        let length = usize::try_from(FIRST_BLOCK).ok()?.checked_shl(u32::try_from(block).ok()?)?;
        let slots = self
            .blocks
            .get(block)?
            .get_or_init(|| std::iter::repeat_with(Slot::default).take(length).collect());
        slots.get(place)
    }
}

impl TypeTable {
    /// The number of the type at `entry`.
    pub(crate) fn intern(&self, entry: impl Into<TypeKey>) -> TypeId {
        let entry = entry.into();
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = numbers.get(&entry) {
            return *id;
        }
        let number = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        if let Some(slot) = self.slots.make(number) {
            slot.entry.get_or_init(|| entry);
        }
        let id = TypeId(number);
        numbers.insert(entry, id);
        id
    }

    /// The number of the type that `name` (`DW_AT_type` and its like) of an entry refers
    /// to. A reference that leads nowhere is to a type of which nothing is known; none at
    /// all is `void`.
    pub(crate) fn referred(&self, of: &Attributes<'_, '_>, name: gimli::DwAt) -> Option<TypeId> {
        Some(match of.reference(name)? {
            Reference::To(entry) => self.intern(entry),
            // No entry starts where its unit does.
            Reference::Broken => self.intern(DieKey { offset: 0, ..of.at.key() }),
        })
    }

    /// The entry of the type with this number.
    pub(crate) fn entry(&self, id: TypeId) -> Option<TypeKey> {
        self.slots.get(id.0)?.entry.get().copied()
    }

    /// The type with this number, if it was read before.
    #[inline]
    pub(crate) fn known(&self, id: TypeId) -> Option<&Type> {
        self.slots.get(id.0)?.ty.get().map(|ty| &**ty)
    }

    /// Stands for what cannot be read.
    pub(crate) fn unknown(&self) -> &Type {
        &self.unknown
    }

    /// The name of the type with this number, if it was spelled before.
    pub(crate) fn known_name(&self, id: TypeId) -> Option<Arc<str>> {
        self.slots.get(id.0)?.name.get().cloned()
    }

    /// These types, numbered in their order, each called by its own name.
    #[cfg(any(test, feature = "testkit"))]
    #[allow(clippy::unwrap_used)]
    pub(crate) fn of(types: Vec<Type>) -> Self {
        let table = Self::default();
        for (offset, ty) in types.into_iter().enumerate() {
            let (part, list) = (DwarfPart::Main, List::Info);
            let id = table.intern(DieKey { part, list, unit: u32::MAX, offset });
            let slot = table.slots.get(id.0).unwrap();
            slot.name.set(ty.name.clone().unwrap_or_default()).unwrap();
            slot.ty.set(Box::new(ty)).unwrap();
        }
        table
    }
}
