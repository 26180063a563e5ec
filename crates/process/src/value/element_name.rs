//! What the elements of arrays are called.

use std::sync::Arc;

use super::integer::number_type;
use super::object::{Object, Scene, TypeRef};
use obit_dwarf::types::Encoding;
use obit_dwarf::{Language, TypeKind};

/// Stands for an index that is still open.
const OPEN: char = ':';

/// What the element of `array` with this index is called: `[3]`. In column-major arrays the
/// indices are written as the source writes them, which is the reverse of how the elements
/// nest: `[:,3]`, and in that `[1,3]`. Ada's enumerations are written by name. `parent` is what `array` is called.
pub(super) fn element_name<'d>(
    array: &Object<'d>,
    parent: Option<&str>,
    index: i64,
    scene: Scene<'d>,
) -> Arc<str> {
    let ty = array.resolved(scene);
    let plain = || format!("[{index}]");
    let name = match &ty.get().kind {
        TypeKind::Array(known) if known.is_column_major => {
            let open = match array.dimensions_taken {
                0 => Some(format!("[{}]", vec![":"; known.dimensions.len()].join(","))),
                _ => parent.filter(|name| name.starts_with("[:")).map(str::to_owned),
            };
            // The last index that is open is the outermost.
            let split = open.as_deref().and_then(|open| open.rsplit_once(OPEN));
            split.map_or_else(plain, |(before, after)| format!("{before}{index}{after}"))
        }
        TypeKind::Array(known) if ty.get().language == Language::Ada => {
            let dimension = known.dimensions.get(array.dimensions_taken);
            let named = dimension.and_then(|dimension| {
                let lower = array.lower_bound(scene);
                value_of_ada(ty.other(dimension.index?), lower, index.checked_sub(lower)?, scene)
            });
            named.map_or_else(plain, |name| format!("[{name}]"))
        }
        _ => plain(),
    };
    name.into()
}

/// The value `nth` places behind the one with the number `first` in an enumeration of Ada,
/// as the source writes it; `None` for numbers.
fn value_of_ada<'d>(index: TypeRef<'d>, first: i64, nth: i64, scene: Scene<'d>) -> Option<String> {
    let ty = number_type(index, scene);
    match &ty.get().kind {
        TypeKind::Enumeration(enumeration) => {
            let known = &enumeration.enumerators;
            let start = known.iter().position(|(_, value)| *value == i128::from(first))?;
            let (name, _) = known.get(start.checked_add(usize::try_from(nth).ok()?)?)?;
            Some(name.to_string())
        }
        TypeKind::Base(base) => {
            let number = first.checked_add(nth)?;
            match base.encoding {
                Encoding::UnsignedChar | Encoding::Utf => {
                    let c = char::from_u32(u32::try_from(number).ok()?)?;
                    (!c.is_control()).then(|| format!("'{c}'"))
                }
                Encoding::Boolean if (0..=1).contains(&number) => Some((number == 1).to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::value::test_stage::Stage;
    use crate::value::{Budget, tree};
    use obit_dwarf::sample_types::{array, base, id, named};
    use obit_dwarf::types::{Encoding, Enumeration};
    use obit_dwarf::{Language, Type, TypeKind};

    fn indexed(index: u32, bounds: (i64, i64)) -> Type {
        let mut ty = array(0, &[bounds]);
        if let TypeKind::Array(array) = &mut ty.kind {
            array.dimensions[0].index = Some(id(index));
        }
        ty
    }

    #[test]
    fn elements_of_ada_are_named_by_the_values_of_their_index() {
        let enumerators = vec![("red".into(), 1), ("green".into(), 5), ("blue".into(), 9)];
        let color =
            Enumeration { enumerators, underlying: None, is_class: false, is_declaration: false };
        let mut types = vec![
            base("byte", 1, Encoding::Unsigned),
            named("color", 1, TypeKind::Enumeration(color)),
            base("character", 1, Encoding::UnsignedChar),
            base("boolean", 1, Encoding::Boolean),
            // Two elements: `green` and `blue`.
            indexed(1, (5, 6)),
            indexed(2, (97, 98)),
            indexed(3, (0, 1)),
            indexed(0, (0, 1)),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::Ada);
        Stage::new(types, &[(0x1000, &[7, 8])]).ask(|play| {
            let names = |ty| {
                let value = tree(&play.object(ty, 0x1000), None, play.scene, &Budget::default());
                value.members.iter().map(|member| member.name.clone().unwrap()).collect::<Vec<_>>()
            };
            assert_eq!(names(4), ["[green]".into(), "[blue]".into()]);
            assert_eq!(names(5), ["['a']".into(), "['b']".into()]);
            assert_eq!(names(6), ["[false]".into(), "[true]".into()]);
            assert_eq!(names(7), ["[0]".into(), "[1]".into()]);
        });
    }
}
