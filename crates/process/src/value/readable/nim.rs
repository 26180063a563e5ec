//! Strings and sequences of Nim, which is compiled by way of C: what its garbage collectors
//! `refc` and `markAndSweep` point at (`TGenericSeq`, then the data), and what `arc` and
//! `orc` store (`len`, and a pointer to the capacity with the data behind it).

use super::Readable;
use super::extent::{contiguous, text};
use crate::value::{Object, Scene, TypeRef};
use obit_dwarf::{TypeId, TypeKind};

/// The string or sequence that `object` is, if it is one.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let (length, data) = match &ty.get().kind {
        TypeKind::Pointer { target: Some(target), .. } => {
            // Nothing is looked up for a type that is only declared: this is asked of every
            // pointer of C.
            let target = ty.other(*target).without_names();
            let [(header, head), (data, _)] = members(target)?;
            let head = target.other(head?).resolved(scene);
            let is_sequence = head.get().name.as_deref() == Some("TGenericSeq");
            if !is_sequence || header != "Sup" || data != "data" {
                return None;
            }
            let sequence = object.pointee(scene).ok()?;
            (sequence.member(scene, "Sup")?.member(scene, "len")?, sequence)
        }
        TypeKind::Record(_) => {
            let name = ty.get().name.as_deref()?;
            if name != "NimStringV2" && !name.starts_with("tySequence__") {
                return None;
            }
            let [(length, _), (payload, _)] = members(ty)?;
            if length != "len" || payload != "p" {
                return None;
            }
            let length = object.member(scene, "len")?;
            if length.signed(scene) == Ok(0) {
                // Without a payload.
                return Some(Readable::counted(what(ty), 0));
            }
            (length, object.member(scene, "p")?.pointee(scene).ok()?)
        }
        _ => return None,
    };
    let length = u64::try_from(length.signed(scene).ok()?).ok()?;
    let data = data.member(scene, "data")?;
    let TypeKind::Array(array) = &data.resolved(scene).get().kind else { return None };
    let element = data.resolved(scene).other(array.element?);
    let start = data.address()?;
    let is_string = element.name().as_ref() == "NIM_CHAR";
    let found =
        contiguous(if is_string { "string" } else { "seq" }, element, start, length, scene, limit)?;
    if !is_string {
        return Some(found);
    }
    let text = text(start, length, scene).filter(|_| length > 0);
    Some(Readable { text, elements: Vec::new(), total: None, ..found })
}

fn what(ty: TypeRef<'_>) -> &'static str {
    if ty.get().name.as_deref() == Some("NimStringV2") { "string" } else { "seq" }
}

/// The two members of a record of so many, by name and type.
fn members(ty: TypeRef<'_>) -> Option<[(&str, Option<TypeId>); 2]> {
    let TypeKind::Record(record) = &ty.get().kind else { return None };
    let [first, second] = record.members.as_slice() else { return None };
    Some([(first.name.as_deref()?, first.ty), (second.name.as_deref()?, second.ty)])
}

#[cfg(test)]
mod tests {
    use crate::value::readable;
    use crate::value::test_stage::Stage;
    use obit_dwarf::sample_types::{array, base, field, id, named, pointer, record};
    use obit_dwarf::types::{DimensionEnd, Encoding};
    use obit_dwarf::{Language, Type, TypeKind};

    fn open(element: u32) -> Type {
        let mut ty = array(element, &[(0, 0)]);
        if let TypeKind::Array(array) = &mut ty.kind {
            array.dimensions[0].end = DimensionEnd::Open;
        }
        ty
    }

    fn types() -> Vec<Type> {
        let header = vec![field("len", 0, 0), field("reserved", 0, 8)];
        let mut types = vec![
            base("long", 8, Encoding::Signed),
            base("char", 1, Encoding::SignedChar),
            named("NIM_CHAR", None, TypeKind::Typedef(Some(id(1)))),
            record("TGenericSeq", 16, header),
            open(2),
            record("NimStringDesc", 16, vec![field("Sup", 3, 0), field("data", 4, 16)]),
            // 6: a string of refc.
            pointer(5),
            open(0),
            record("tySequence__x", 16, vec![field("Sup", 3, 0), field("data", 7, 16)]),
            // 9: a sequence of refc.
            pointer(8),
            record("NimStrPayload", 8, vec![field("cap", 0, 0), field("data", 4, 8)]),
            pointer(10),
            // 12: a string of orc.
            record("NimStringV2", 16, vec![field("len", 0, 0), field("p", 11, 8)]),
            record("tySequence__x_Content", 8, vec![field("cap", 0, 0), field("data", 7, 8)]),
            pointer(13),
            // 15: a sequence of orc.
            record("tySequence__x", 16, vec![field("len", 0, 0), field("p", 14, 8)]),
        ];
        types.iter_mut().for_each(|ty| ty.language = Language::C);
        types
    }

    fn words(words: &[i64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn a_sequence_of_refc_is_a_pointer_to_its_length_with_the_data_behind_it() {
        let string = [words(&[5, 1 << 62 | 7]), b"hello\0".to_vec()].concat();
        let chunks: [(u64, &[u8]); 4] = [
            (0x1000, &words(&[0x2000])),
            (0x1100, &words(&[0x3000])),
            (0x2000, &string),
            (0x3000, &words(&[2, 4, 30, -40, 50])),
        ];
        Stage::new(types(), &chunks).ask(|play| {
            let found = readable::readable(&play.object(6, 0x1000), play.scene, 9).unwrap();
            assert_eq!(found.summary.as_deref(), Some("string of 5"));
            assert_eq!(found.text.unwrap().text, "hello");
            let found = readable::readable(&play.object(9, 0x1100), play.scene, 9).unwrap();
            assert_eq!(found.summary.as_deref(), Some("seq of 2"));
            let last = &found.elements[1].1;
            assert_eq!((found.elements.len(), last.signed(play.scene)), (2, Ok(-40)));
        });
    }

    #[test]
    fn a_sequence_of_orc_has_its_length_beside_a_pointer_to_the_data() {
        let payload = [words(&[5]), b"hello\0".to_vec()].concat();
        let chunks: [(u64, &[u8]); 6] = [
            (0x1000, &words(&[5, 0x2000])),
            (0x1100, &words(&[2, 0x3000])),
            (0x1200, &words(&[0, 0])),
            (0x1300, &words(&[-1, 0x3000])),
            (0x2000, &payload),
            (0x3000, &words(&[4, 30, -40, 50])),
        ];
        Stage::new(types(), &chunks).ask(|play| {
            let found = readable::readable(&play.object(12, 0x1000), play.scene, 9).unwrap();
            assert_eq!(found.text.unwrap().text, "hello");
            let found = readable::readable(&play.object(15, 0x1100), play.scene, 9).unwrap();
            let last = &found.elements[1].1;
            assert_eq!((found.elements.len(), last.signed(play.scene)), (2, Ok(-40)));
            let empty = readable::readable(&play.object(12, 0x1200), play.scene, 9).unwrap();
            assert_eq!(empty.summary.as_deref(), Some("string, empty"));
            assert!(readable::readable(&play.object(15, 0x1300), play.scene, 9).is_none());
        });
    }
}
