//! Associative arrays of D, `int[string]`: druntime's `rt.aaA`, as it is since 2.071. Debug
//! information has an untyped pointer only, so the types are found by their names, and
//! taken if they have the sizes that the array states.

use super::{Readable, extent, form};
use crate::value::{Object, Scene, TypeRef};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// Buckets looked at: an array may be almost empty.
const BUCKETS: u64 = 1 << 18;
/// Types of one name that are compared.
const CANDIDATES: usize = 64;

/// The members of `rt.aaA.Impl` that matter, as they lie on any machine: two words of
/// `buckets`, `used` and `deleted` (32 bits each), a pointer, `firstUsed`, `keysz`,
/// `valsz`, `valoff` (32 bits each).
struct Header {
    buckets: u64,
    first: Avma,
    count: u64,
    key_size: u64,
    value_size: u64,
    value_at: u64,
}

/// The associative array that `object` is, if it is one.
pub(super) fn readable<'d>(
    object: &Object<'d>,
    ty: TypeRef<'d>,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let TypeKind::Record(record) = &ty.get().kind else { return None };
    let [only] = record.members.as_slice() else { return None };
    if only.name.as_deref() != Some("ptr") {
        return None;
    }
    let name = ty.get().name.clone()?;
    let (value, key) = value_and_key(&name)?;
    let at = object.member(scene, "ptr")?.unsigned(scene).ok()?;
    if at == 0 {
        return Some(Readable::counted(&format!("{name} map"), 0));
    }
    let header = Header::read(Avma(at), scene)?;
    let key = type_of_size(ty, key, header.key_size, scene)?;
    let value = type_of_size(ty, value, header.value_size, scene)?;
    let word = scene.memory.word() as u64;
    let wanted = extent::wanted(header.count, limit).end;
    let mut found = Readable {
        summary: Some(form::counted(&format!("{name} map"), header.count)),
        total: Some(header.count),
        ..Readable::default()
    };
    for index in 0..header.buckets.min(BUCKETS) {
        if found.elements.len() as u64 >= wanted {
            break;
        }
        let bucket = header.first.checked_add(index.checked_mul(word)?.checked_mul(2)?)?;
        let hash = scene.memory.read_word(bucket).ok()?;
        // The hash of an element has its highest bit set (`HASH_FILLED_MARK`).
        let shift = u32::try_from(word.checked_mul(8)?.checked_sub(1)?).ok()?;
        if hash.checked_shr(shift)? == 0 {
            continue;
        }
        let entry = Avma(scene.memory.read_word(bucket.checked_add(word)?).ok()?);
        found.keys.push(Object::at(key, entry));
        let value = Object::at(value, entry.checked_add(header.value_at)?);
        found.elements.push((extent::element_name(found.elements.len() as u64), value));
    }
    // All buckets were looked at, and some elements are not there.
    let is_short = header.buckets <= BUCKETS && (found.elements.len() as u64) < wanted;
    (!is_short).then_some(found)
}

impl Header {
    fn read(at: Avma, scene: Scene<'_>) -> Option<Self> {
        let word = scene.memory.word() as u64;
        let words = |count: u64| at.checked_add(word.checked_mul(count)?);
        let half = |from: Avma, index: u64| {
            let mut bytes = [0; 4];
            let place = from.checked_add(index.checked_mul(4)?)?;
            scene.memory.read(place, &mut bytes).ok()?;
            Some(scene.memory.unsigned(&bytes))
        };
        let buckets = scene.memory.read_word(at).ok()?;
        let first = Avma(scene.memory.read_word(words(1)?).ok()?);
        let counts = words(2)?;
        let sizes = counts.checked_add(8)?.checked_add(word)?;
        let (used, deleted) = (half(counts, 0)?, half(counts, 1)?);
        let len = buckets.checked_mul(word.checked_mul(2)?)?;
        let is_sound = buckets.is_power_of_two() && used <= buckets;
        if !is_sound || !extent::is_mapped(scene, first, len) {
            return None;
        }
        Some(Self {
            buckets,
            first,
            count: used.checked_sub(deleted)?,
            key_size: half(sizes, 1)?,
            value_size: half(sizes, 2)?,
            value_at: half(sizes, 3)?,
        })
    }
}

/// `V` and `K` of `V[K]`; `None` for a slice and for an array of constant length, which
/// have other members.
fn value_and_key(name: &str) -> Option<(&str, &str)> {
    let inner = name.strip_suffix(']')?;
    let mut depth = 0_usize;
    for (at, c) in inner.char_indices().rev() {
        match c {
            ']' => depth = depth.checked_add(1)?,
            '[' if depth > 0 => depth = depth.checked_sub(1)?,
            '[' => {
                let (value, key) = inner.split_at_checked(at)?;
                let key = key.strip_prefix('[').filter(|key| !key.is_empty())?;
                return Some((value, key));
            }
            _ => {}
        }
    }
    None
}

/// The type called `name` if it has this size. An object of a class is a pointer.
fn type_of_size<'d>(
    of: TypeRef<'d>,
    name: &str,
    size: u64,
    scene: Scene<'d>,
) -> Option<TypeRef<'d>> {
    let plain = ["const(", "immutable(", "shared("]
        .iter()
        .find_map(|modifier| name.strip_prefix(modifier)?.strip_suffix(')'));
    let named = [Some(name), plain].into_iter().flatten();
    let mut types = named
        .flat_map(|name| of.debug.types_named(name).into_iter().take(CANDIDATES))
        .map(|id| of.other(id));
    types.find(|ty| extent::size_of(*ty, scene) == Some(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::test_stage::Stage;

    fn header(buckets: u64, used: u64, deleted: u64) -> Vec<u8> {
        // `used` and `deleted`, `entryTI`, `firstUsed` and `keysz`, `valsz` and `valoff`.
        let words = [buckets, 0x2000, used | deleted << 32, 0, 16 << 32, 4 | 16 << 32].into_iter();
        words.flat_map(u64::to_le_bytes).collect()
    }

    #[test]
    fn the_header_states_how_many_elements_there_are_and_where_they_lie() {
        let buckets = [0_u8; 128];
        let chunks: [(u64, &[u8]); 4] = [
            (0x1000, &header(8, 3, 1)),
            (0x1100, &header(7, 3, 1)),
            (0x1200, &header(1 << 40, 3, 1)),
            (0x2000, &buckets),
        ];
        Stage::new(Vec::new(), &chunks).ask(|play| {
            let found = Header::read(Avma(0x1000), play.scene).unwrap();
            assert_eq!((found.buckets, found.first, found.count), (8, Avma(0x2000), 2));
            assert_eq!((found.key_size, found.value_size, found.value_at), (16, 4, 16));
            // The number of buckets is a power of 2, and no more than fit the memory.
            assert!(Header::read(Avma(0x1100), play.scene).is_none());
            assert!(Header::read(Avma(0x1200), play.scene).is_none());
        });
    }

    #[test]
    fn the_key_is_in_the_last_brackets() {
        assert_eq!(value_and_key("int[string]"), Some(("int", "string")));
        assert_eq!(value_and_key("int[][string]"), Some(("int[]", "string")));
        assert_eq!(value_and_key("bool[int[char]]"), Some(("bool", "int[char]")));
        assert_eq!(value_and_key("int[]"), None);
        assert_eq!(value_and_key("int"), None);
    }
}
