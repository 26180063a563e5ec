//! From a descriptor to the data it describes (DWARF 5 § 5.18): Fortran's allocatable
//! arrays, pointers and assumed shapes.

use std::borrow::Cow;

use super::object::{Absence, Contents, Object, PartSource, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::types::Descriptor;
use obit_dwarf::{Bound, TypeKind};

impl<'d> Object<'d> {
    /// The data, if this is a descriptor of it; else the object itself.
    pub fn located(&self, scene: Scene<'d>) -> Cow<'_, Self> {
        if self.descriptor.is_some() || matches!(self.contents, Contents::Absent(_)) {
            return Cow::Borrowed(self);
        }
        let ty = self.resolved(scene);
        let described = match &ty.get().kind {
            TypeKind::Array(array) => &array.descriptor,
            TypeKind::String(string) => &string.descriptor,
            _ => return Cow::Borrowed(self),
        };
        if described.is_empty() {
            return Cow::Borrowed(self);
        }
        Cow::Owned(match self.data(ty, described, scene) {
            Ok((descriptor, at)) => {
                let contents = Contents::Memory(at);
                Self { contents, bit_offset: 0, descriptor: Some(descriptor), ..self.clone() }
            }
            Err(why) => Self { contents: Contents::Absent(why), ..self.clone() },
        })
    }

    /// Where the descriptor and the data are.
    fn data(
        &self,
        ty: TypeRef<'d>,
        described: &Descriptor,
        scene: Scene<'d>,
    ) -> Result<(Avma, Avma), Absence> {
        let Some(descriptor) = self.address() else { return Err(self.why_not_in_memory()) };
        let is_zero = |state: &Option<Bound>| {
            let state = state.as_ref();
            state.and_then(|state| scene.around.bound(ty, state, Some(descriptor))) == Some(0)
        };
        if is_zero(&described.allocated) {
            return Err(Absence::NotAllocated);
        }
        if is_zero(&described.associated) {
            return Err(Absence::NotAssociated);
        }
        let Some(location) = &described.data_location else { return Ok((descriptor, descriptor)) };
        Ok((descriptor, scene.around.data_address(ty, location, descriptor)?))
    }

    fn why_not_in_memory(&self) -> Absence {
        let Contents::Parts(parts) = &self.contents else { return Absence::DescriptorNotInMemory };
        let absent = parts.iter().find_map(|part| match &part.source {
            PartSource::Absent(why) => Some(why.clone()),
            _ => None,
        });
        absent.unwrap_or(Absence::DescriptorNotInMemory)
    }
}
