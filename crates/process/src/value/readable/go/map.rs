//! Maps up to Go 1.23 (`runtime.hmap`): an array of buckets of eight elements, each with a
//! chain of further ones. While a map grows, the old array still holds what was not moved.

use super::entries::{Entries, LookedAt};
use super::object::GoObject;
use crate::value::Object;
use crate::value::readable::Readable;
use obit_corefile::addr::Avma;

/// Buckets looked at: a map may be almost empty.
const BUCKETS: u64 = 1 << 18;
/// Set in `flags` while a map moves to an array of the same size.
const SAME_SIZE_GROW: u64 = 8;
/// The lowest hash of an element; below are marks of empty and moved ones
/// (`runtime/map.go`).
const LEAST_HASH: u8 = 5;
/// Marks of a bucket whose elements were moved.
const MOVED: std::ops::RangeInclusive<u8> = 2..=4;
/// Arrays of more buckets than two to this fit no memory.
const LARGEST: u32 = 48;

/// A map, of which this is the `hmap`.
pub(super) fn readable<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    let count = view.count("count")?;
    let log = u32::try_from(view.number("B")?).ok().filter(|log| *log < LARGEST)?;
    let buckets = 1_u64.checked_shl(log)?;
    let mut search = BucketReader { view, entries: Entries::new(count, view), left: BUCKETS };
    if let Some(array) = view.pointee("buckets") {
        search.array(&array, buckets, Array::Current)?;
    }
    if let Some(old) = view.pointee("oldbuckets") {
        let is_same_size = view.number("flags")? & SAME_SIZE_GROW != 0;
        let count = if is_same_size { buckets } else { buckets / 2 };
        search.array(&old, count, Array::Old)?;
    }
    let looked_at = if search.left == 0 { LookedAt::Part } else { LookedAt::All };
    search.entries.into_readable(count, looked_at)
}

/// Which array of buckets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Array {
    Current,
    /// That a map grows out of.
    Old,
}

struct BucketReader<'v, 'd> {
    view: &'v GoObject<'d>,
    entries: Entries<'d>,
    /// Buckets that may still be looked at.
    left: u64,
}

impl<'d> BucketReader<'_, 'd> {
    /// Adds the elements of `count` buckets that begin with `first`.
    fn array(&mut self, first: &Object<'d>, count: u64, array: Array) -> Option<()> {
        let size = first.size(self.view.scene)?;
        let start = first.address()?;
        for index in 0..count {
            if self.left == 0 || self.entries.is_full() {
                break;
            }
            let at = start.checked_add(index.checked_mul(size)?)?;
            self.chain(Object::at(first.ty, at), array)?;
        }
        Some(())
    }

    /// Adds the elements of a bucket and of those behind it.
    fn chain(&mut self, first: Object<'d>, array: Array) -> Option<()> {
        let scene = self.view.scene;
        let hashes = first.member(scene, "tophash")?.bytes(scene).ok()?;
        if array == Array::Old && MOVED.contains(hashes.first()?) {
            return Some(());
        }
        let mut bucket = first;
        while let Some(left) = self.left.checked_sub(1).filter(|_| !self.entries.is_full()) {
            self.left = left;
            self.bucket(&bucket)?;
            let next = bucket.member(scene, "overflow")?.unsigned(scene).ok()?;
            if next == 0 {
                break;
            }
            bucket = Object::at(bucket.ty, Avma(next));
        }
        Some(())
    }

    fn bucket(&mut self, bucket: &Object<'d>) -> Option<()> {
        let scene = self.view.scene;
        let hashes = bucket.member(scene, "tophash")?.bytes(scene).ok()?;
        let keys = bucket.member(scene, "keys")?;
        let values = bucket.member(scene, "values")?;
        for (index, hash) in (0_i64..).zip(hashes) {
            if hash >= LEAST_HASH && !self.entries.is_full() {
                let (key, value) = (keys.index(scene, index)?, values.index(scene, index)?);
                self.entries.push(self.view, "hash<", key, value)?;
            }
        }
        Some(())
    }
}
