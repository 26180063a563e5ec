//! `time.Time`.

use super::object::GoObject;
use crate::value::readable::{Readable, date};
use crate::value::{Text, TextOrigin};

/// Set in `wall` if `ext` holds a monotonic clock reading, and `wall` holds seconds too.
const HAS_MONOTONIC: u64 = 1 << 63;
/// The low bits of `wall`: nanoseconds.
const NANOSECONDS: u64 = (1 << 30) - 1;
/// Seconds from 1970 back to the year 1, which `ext` counts from, and to 1885, which
/// `wall` does.
const YEAR_1: i64 = 62_135_596_800;
const YEAR_1885: i64 = 2_682_288_000;

/// A point in time.
pub(super) fn time<'d>(view: &GoObject<'d>) -> Option<Readable<'d>> {
    if &*view.object.ty.name() != "time.Time" {
        return None;
    }
    let wall = view.number("wall")?;
    let seconds = if wall & HAS_MONOTONIC != 0 {
        let seconds = (wall & !HAS_MONOTONIC) >> 30;
        i64::try_from(seconds).ok()?.checked_sub(YEAR_1885)?
    } else {
        view.member("ext")?.signed(view.scene).ok()?.checked_sub(YEAR_1)?
    };
    let text = date::utc(seconds, wall & NANOSECONDS)?;
    let text = Some(Text { text, origin: TextOrigin::Number, left_out: Some(0) });
    Some(Readable { text, ..Readable::default() })
}
