//! Which types are characters of Unicode, though to the machine they may be plain integers.

use super::object::{Scene, TYPE_DEPTH, TypeRef};
use obit_dwarf::{Language, TypeKind};

/// Names of C and C++ for code units, and the prefixes of their literals.
const PREFIXES: [(&str, &str); 4] =
    [("wchar_t", "L"), ("char8_t", "u8"), ("char16_t", "u"), ("char32_t", "U")];

/// `L` for `wchar_t`: how literals of this type begin; `None` if it has no such name. In C
/// the names are typedefs of integers.
pub(super) fn literal_prefix<'d>(ty: TypeRef<'d>, scene: Scene<'d>) -> Option<&'static str> {
    let mut ty = ty;
    for _ in 0..TYPE_DEPTH {
        let entry = ty.get();
        let name = entry.name.as_deref().unwrap_or_default();
        let is_number = || matches!(ty.resolved(scene).get().kind, TypeKind::Base(_));
        if let Some((_, prefix)) = PREFIXES.iter().find(|(known, _)| *known == name)
            && matches!(entry.language, Language::C | Language::Cpp | Language::Unknown)
            && is_number()
        {
            return Some(prefix);
        }
        ty = match entry.kind {
            TypeKind::Typedef(Some(target)) | TypeKind::Qualified { target: Some(target), .. } => {
                ty.other(target)
            }
            _ => return None,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::test_stage::Stage;
    use crate::value::{Budget, Scalar, State, tree};
    use obit_dwarf::Type;
    use obit_dwarf::sample_types::{array, base, id, named, pointer};
    use obit_dwarf::types::{Encoding, Qualifier};

    fn types() -> Vec<Type> {
        let qualifier = Qualifier::Const;
        vec![
            base("int", 4, Encoding::Signed),
            named("wchar_t", None, TypeKind::Typedef(Some(id(0)))),
            named("", None, TypeKind::Qualified { qualifier, target: Some(id(1)) }),
            base("char16_t", 2, Encoding::Utf),
            base("unsigned char", 1, Encoding::UnsignedChar),
            named("char8_t", None, TypeKind::Typedef(Some(id(4)))),
            named("wchar_t", None, TypeKind::Typedef(Some(id(7)))),
            pointer(0),
            pointer(2),
            array(1, &[(0, 3)]),
            pointer(3),
            pointer(5),
        ]
    }

    #[test]
    fn a_character_is_called_so_by_its_type_or_a_typedef_of_it() {
        Stage::new(types(), &[]).ask(|play| {
            let prefix = |n| literal_prefix(play.ty(n), play.scene);
            assert_eq!([0, 1, 2, 3].map(prefix), [None, Some("L"), Some("L"), Some("u")]);
            assert_eq!([4, 5, 6].map(prefix), [None, Some("u8"), None]);
        });
    }

    #[test]
    fn wide_strings_of_c_are_text() {
        let wide: Vec<u8> =
            "a\u{17c}!\0".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let utf16: Vec<u8> = "hé\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut pointers = 0x1000_u64.to_le_bytes().to_vec();
        pointers.extend(0x2000_u64.to_le_bytes());
        pointers.extend(0x3000_u64.to_le_bytes());
        let chunks: [(u64, &[u8]); 4] =
            [(0x1000, &wide), (0x2000, &utf16), (0x3000, b"\xc5\xbc\0"), (0x4000, &pointers)];
        Stage::new(types(), &chunks).ask(|play| {
            let at = |n, at| {
                let value = tree(&play.object(n, at), None, play.scene, &Budget::default());
                (value.text_prefix, value.text.map(|text| text.text).unwrap_or_default())
            };
            assert_eq!(at(9, 0x1000), ("L", "a\u{17c}!".to_owned()));
            assert_eq!(at(8, 0x4000), ("L", "a\u{17c}!".to_owned()));
            assert_eq!(at(10, 0x4008), ("u", "hé".to_owned()));
            assert_eq!(at(11, 0x4010), ("u8", "\u{17c}".to_owned()));
            let letter = tree(&play.object(2, 0x1004), None, play.scene, &Budget::default());
            let expected = Scalar::Character { code: 0x17c, character: Some('\u{17c}') };
            assert!(matches!(&letter.state, State::Scalar(scalar) if *scalar == expected));
            assert_eq!(letter.text_prefix, "L");
            // An integer stays one.
            assert_eq!(at(7, 0x4000), ("", String::new()));
        });
    }
}
