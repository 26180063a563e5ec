//! From entries to [`Type`]s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::entry::Entry;
use super::types::{Type, TypeId, TypeKind};
use super::units::{DieKey, DwarfFile};

/// The types of one image that were asked about, each under a number of its own.
#[derive(Default)]
pub(super) struct TypeTable {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<DieKey, TypeId>,
    slots: Vec<Arc<Slot>>,
}

/// What is known of one type.
struct Slot {
    entry: DieKey,
    ty: OnceLock<Arc<Type>>,
    name: OnceLock<Arc<str>>,
}

impl TypeTable {
    /// The number of the type at `entry`.
    pub(super) fn intern(&self, entry: DieKey) -> TypeId {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = known.numbers.get(&entry) {
            return *id;
        }
        let id = TypeId(u32::try_from(known.slots.len()).unwrap_or(u32::MAX));
        known.slots.push(Arc::new(Slot { entry, ty: OnceLock::new(), name: OnceLock::new() }));
        known.numbers.insert(entry, id);
        id
    }

    fn slot(&self, id: TypeId) -> Option<Arc<Slot>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.slots.get(usize::try_from(id.0).ok()?).cloned()
    }

    /// The type with this number.
    pub(super) fn get<'d>(&self, root: &DwarfFile<'d>, id: TypeId) -> Arc<Type> {
        todo!()
    }

    /// Its name as a programmer would write it.
    pub(super) fn name<'d>(&self, root: &DwarfFile<'d>, id: TypeId) -> Arc<str> {
        todo!()
    }
}
