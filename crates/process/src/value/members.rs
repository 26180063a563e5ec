//! The members of records: bases, data members, and of the variants the active one.

use std::sync::Arc;

use super::integer::sign_extended;
use super::object::{Absence, Object, Scene, TypeRef};
use obit_dwarf::types::{
    DimensionEnd, Member, MemberOffset, MemberRole, Record, Variant, VariantPart,
};
use obit_dwarf::{Bound, TypeKind};

/// Bases and anonymous members within one another that are searched for a name.
const SEARCH_DEPTH: usize = 16;
/// Records looked into for one name: multiple inheritance may branch at every step.
const SEARCHED_RECORDS: usize = 1024;

impl<'d> Object<'d> {
    /// The data member called `name`, of this record or of a base or anonymous member of
    /// it, or of the active variant.
    pub fn member(&self, scene: Scene<'d>, name: &str) -> Option<Self> {
        let mut level = vec![self.clone()];
        let mut searched = 0_usize;
        // Level by level: a member hides those of the same name in bases.
        for _ in 0..SEARCH_DEPTH {
            let mut deeper = Vec::new();
            for object in level {
                searched = searched.saturating_add(1);
                if searched > SEARCHED_RECORDS {
                    return None;
                }
                for (role, found, member) in object.parts_of_record(scene) {
                    let is_base = role != MemberRole::Field;
                    if !is_base && found.as_deref() == Some(name) {
                        return Some(member);
                    }
                    if is_base || found.is_none() {
                        deeper.push(member);
                    }
                }
            }
            level = deeper;
        }
        None
    }

    /// Bases, data members and the active variant's, in order, each with its name. A base
    /// is called as its type is, without the scopes around it.
    pub fn members(&self, scene: Scene<'d>) -> Vec<(Option<Arc<str>>, Self)> {
        let parts = self.parts_of_record(scene).into_iter();
        parts.map(|(_, name, member)| (name, member)).collect()
    }

    /// The bases among [`Object::members`].
    pub fn bases(&self, scene: Scene<'d>) -> Vec<Self> {
        let parts = self.parts_of_record(scene).into_iter();
        let bases = parts.filter(|(role, ..)| *role != MemberRole::Field);
        bases.map(|(_, _, base)| base).collect()
    }

    /// Why it is not known which variant of this record is active, if it has any and the
    /// discriminant is absent.
    pub fn unknown_variant(&self, scene: Scene<'d>) -> Option<Absence> {
        let ty = self.resolved(scene);
        let TypeKind::Record(record) = &ty.get().kind else { return None };
        record.variant_parts.iter().find_map(|part| self.active_variant(scene, ty, part).err())
    }

    fn parts_of_record(&self, scene: Scene<'d>) -> Vec<(MemberRole, Option<Arc<str>>, Self)> {
        let ty = self.resolved(scene);
        let entry = ty.get();
        let TypeKind::Record(record) = &entry.kind else { return Vec::new() };
        let members = record.members.iter().chain(self.active_members(scene, ty, record));
        let named = members.filter_map(|member| {
            let object = self.member_object(scene, ty, member)?;
            let name = match member.role {
                MemberRole::Field => member.name.clone(),
                MemberRole::Base | MemberRole::VirtualBase => {
                    let base = ty.other(member.ty?);
                    base.get().name.clone().or_else(|| base.resolved(scene).get().name.clone())
                }
            };
            Some((member.role, name, object))
        });
        named.collect()
    }

    fn active_members<'r>(
        &self,
        scene: Scene<'d>,
        ty: TypeRef<'d>,
        record: &'r Record,
    ) -> Vec<&'r Member> {
        let active = record.variant_parts.iter().filter_map(|part| {
            let variant = self.active_variant(scene, ty, part).ok().flatten()?;
            Some(variant.members.iter())
        });
        active.flatten().collect()
    }

    /// The variant that the discriminant selects; `None` if it selects none.
    fn active_variant<'r>(
        &self,
        scene: Scene<'d>,
        ty: TypeRef<'d>,
        part: &'r VariantPart,
    ) -> Result<Option<&'r Variant>, Absence> {
        let default = || part.variants.iter().find(|variant| variant.selectors.is_empty());
        let Some(member) = &part.discriminant else {
            return Ok(default().or(part.variants.first()));
        };
        let object = self.member_object(scene, ty, member);
        let object = object.ok_or(Absence::Malformed("a discriminant without a type"))?;
        let (_, bits) = object.number(scene)?;
        let value = object.integer(scene)?;
        let selected = part.variants.iter().find(|variant| {
            variant.selectors.iter().any(|selector| is_selected(value, bits, *selector))
        });
        Ok(selected.or_else(default))
    }

    fn member_object(&self, scene: Scene<'d>, ty: TypeRef<'d>, member: &Member) -> Option<Self> {
        let member_type = ty.other(member.ty?);
        Some(match &member.offset {
            MemberOffset::Bits(bits) => {
                let part = self.part_at(member_type, i128::from(*bits), member.bit_size);
                // Bounds that are members of this record are found from its start.
                let descriptor = self.address().filter(|_| ends_at_member(&part, scene));
                Self { descriptor, ..part }
            }
            MemberOffset::Computed(offset) => {
                let Some(at) = self.address() else {
                    let why = self.why_no_address(scene);
                    return Some(Self::absent(member_type, why));
                };
                match scene.around.member_address(ty, offset, at) {
                    Ok(at) => Self::at(member_type, at),
                    Err(why) => Self::absent(member_type, why.into()),
                }
            }
        })
    }

    /// Why an object without an address has none.
    fn why_no_address(&self, scene: Scene<'d>) -> Absence {
        let unknown = Absence::Malformed("a computed offset in what is not in memory");
        self.bytes(scene).err().unwrap_or(unknown)
    }
}

/// Whether an array has a bound that is another member of the record it is in.
fn ends_at_member<'d>(part: &Object<'d>, scene: Scene<'d>) -> bool {
    let ty = part.resolved(scene);
    let TypeKind::Array(array) = &ty.get().kind else { return false };
    let is_member = |bound: &Bound| matches!(bound, Bound::Member(_));
    array.dimensions.iter().any(|dimension| {
        is_member(&dimension.lower)
            || match &dimension.end {
                DimensionEnd::Upper(bound) | DimensionEnd::Count(bound) => is_member(bound),
                DimensionEnd::Open => false,
            }
    })
}

/// Whether a discriminant of `bits` bits is in the range. Compilers differ in how they
/// write a single value with its highest bit set, so there signs do not count.
fn is_selected(value: i128, bits: u32, (first, last): (i128, i128)) -> bool {
    if first == last {
        let plain = |number: i128| sign_extended(number as u128, bits);
        return plain(first) == plain(value);
    }
    (first..=last).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::test_stage::{Play, Stage};
    use obit_dwarf::sample_types::{base, field, id, named, record};
    use obit_dwarf::types::Encoding;

    const BYTE: u32 = 0;

    fn base_of(ty: u32, at: u64) -> Member {
        Member { role: MemberRole::Base, ..field("", ty, at) }
    }

    fn numbers<'d>(play: Play<'d>, object: &Object<'d>) -> Vec<(Option<String>, i64)> {
        let members = object.members(play.scene).into_iter();
        let named = members.map(|(name, member)| {
            (name.as_deref().map(str::to_owned), member.signed(play.scene).unwrap())
        });
        named.collect()
    }

    #[test]
    fn a_member_is_found_in_bases_and_anonymous_members_its_own_first() {
        let types = vec![
            base("byte", 1, Encoding::Unsigned),
            record("Base", 2, vec![field("x", BYTE, 0), field("hidden", BYTE, 1)]),
            record("", 1, vec![field("inner", BYTE, 0)]),
            record("Derived", 4, vec![base_of(1, 0), field("", 2, 2), field("hidden", BYTE, 3)]),
        ];
        Stage::new(types, &[(0x1000, &[1, 2, 3, 4])]).ask(|play| {
            let object = play.object(3, 0x1000);
            let member = |name| object.member(play.scene, name)?.unsigned(play.scene).ok();
            assert_eq!(member("x"), Some(1));
            assert_eq!(member("inner"), Some(3));
            assert_eq!(member("hidden"), Some(4));
            assert_eq!(member("Base"), None);
            let names: Vec<_> =
                object.members(play.scene).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, [Some("Base".into()), None, Some("hidden".into())]);
        });
    }

    fn variant(selectors: &[(i128, i128)], name: &str) -> Variant {
        Variant { selectors: selectors.to_vec(), members: vec![field(name, BYTE, 1)] }
    }

    fn sum(discriminant: Option<Member>, variants: Vec<Variant>) -> TypeKind {
        let variant_parts = vec![VariantPart { discriminant, variants }];
        TypeKind::Record(Record { variant_parts, ..Record::default() })
    }

    #[test]
    fn the_discriminant_selects_the_variant() {
        let variants = || {
            vec![
                variant(&[(1, 1), (5, 7)], "some"),
                variant(&[], "other"),
                // Stated as signed by the compiler, as unsigned by its type.
                variant(&[(-1, -1)], "last"),
            ]
        };
        let types = vec![
            base("u8", 1, Encoding::Unsigned),
            named("sum", 2, sum(Some(field("", BYTE, 0)), variants())),
            named("single", 2, sum(None, vec![variant(&[(3, 3)], "only")])),
        ];
        let active = |discriminant: u8| {
            Stage::new(types.clone(), &[(0x1000, &[discriminant, 42])]).ask(|play| {
                let found = numbers(play, &play.object(1, 0x1000));
                assert_eq!(found.len(), 1);
                assert_eq!(found[0].1, 42);
                found[0].0.clone().unwrap()
            })
        };
        assert_eq!([1, 5, 7].map(active), ["some", "some", "some"]);
        assert_eq!([0, 4, 8].map(active), ["other", "other", "other"]);
        assert_eq!(active(255), "last");
        Stage::new(types.clone(), &[(0x1000, &[9, 42])]).ask(|play| {
            let single = play.object(2, 0x1000);
            assert_eq!(single.member(play.scene, "only").unwrap().unsigned(play.scene), Ok(42));
        });
    }

    #[test]
    fn without_the_discriminant_no_variant_is_guessed() {
        let types = vec![
            base("u8", 1, Encoding::Unsigned),
            named("sum", 2, sum(Some(field("", BYTE, 0)), vec![variant(&[], "a")])),
        ];
        Stage::new(types, &[]).ask(|play| {
            let object = play.object(1, 0x1000);
            assert!(object.members(play.scene).is_empty());
            assert!(matches!(object.unknown_variant(play.scene), Some(Absence::Memory(_))));
        });
    }

    #[test]
    fn a_declared_class_has_the_members_of_its_definition() {
        let declared = Record { is_declaration: true, ..Record::default() };
        let types = vec![
            base("u8", 1, Encoding::Unsigned),
            named("Opaque", None, TypeKind::Record(declared)),
            record("Opaque", 1, vec![field("x", BYTE, 0)]),
            named("Alias", None, TypeKind::Typedef(Some(id(1)))),
        ];
        let stage = Stage::new(types, &[(0x1000, &[7])]).definition(1, 2);
        stage.ask(|play| {
            let found = numbers(play, &play.object(3, 0x1000));
            assert_eq!(found, [(Some("x".to_owned()), 7)]);
        });
    }

    #[test]
    fn a_class_that_is_its_own_base_ends() {
        let own = record("A", 1, vec![base_of(1, 0), base_of(1, 0), field("", 1, 0)]);
        let types = vec![base("u8", 1, Encoding::Unsigned), own];
        Stage::new(types, &[(0x1000, &[7])]).ask(|play| {
            assert!(play.object(1, 0x1000).member(play.scene, "none").is_none());
        });
    }
}
