//! Values of a row whose columns are not known: what they look like.

use std::ops::Range;

use super::super::judge::is_organisation;
use crate::field_name::Sureness;
use crate::find::field::value::{Separator, Value};
use crate::find::plausible::date::is_iso_date;
use crate::find::plausible::person_name::is_name;
use crate::find::plausible::place::is_address;
use crate::find::text::{Text, number};
use crate::kind::Kind;
use crate::word_set::WordSet;

/// What `range` looks like; `is_of_person` says that other values of its row are a person's.
pub(super) fn kind_by_looks(
    text: Text<'_>,
    range: Range<usize>,
    is_of_person: bool,
) -> Option<Kind> {
    let bytes = text.slice(range.clone());
    // Beside a person, any number behind a word is of a house.
    let separator = if is_of_person { Separator::Cell } else { Separator::Blank };
    let value = Value { range, is_delimited: true, separator };
    if is_name(&value, bytes, Sureness::Maybe) && !is_organisation(bytes) && !has_status(bytes) {
        return Some(Kind::Name);
    }
    if is_address(&value, bytes, Sureness::Maybe) {
        return Some(Kind::Address);
    }
    // The day alone, of a year long ago.
    let year = bytes.get(..4).and_then(number).unwrap_or(0);
    if bytes.len() == 10 && is_iso_date(Text(bytes), 0) && (1900..2012).contains(&year) {
        return Some(Kind::Birth);
    }
    let groups = |at: usize| bytes.get(at) == Some(&b'-');
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if bytes.len() == 11 && digits == 9 && groups(3) && groups(6) {
        return Some(Kind::NationalId);
    }
    let is_written = bytes.iter().all(|byte| byte.is_ascii_digit() || b"+-() ".contains(byte));
    let is_dialled = matches!(bytes.first(), Some(b'0' | b'+' | b'('));
    if is_of_person && is_written && is_dialled && (9..=15).contains(&digits) {
        return Some(Kind::Phone);
    }
    (is_of_person && is_capitalised(bytes)).then_some(Kind::Name)
}

/// One word as a name is written: `Ann`.
pub(super) fn is_capitalised(bytes: &[u8]) -> bool {
    let mut letters = bytes.iter();
    (3..=20).contains(&bytes.len())
        && letters.next().is_some_and(u8::is_ascii_uppercase)
        && letters.all(|byte| byte.is_ascii_lowercase() || *byte >= 0x80)
        && !STATES.has(bytes)
}

fn has_status(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b' ').any(|word| STATES.has(word))
}

/// Capitalised values that are no names.
static STATES: WordSet<512> = WordSet::new(&[
    b"active",
    b"inactive",
    b"pending",
    b"open",
    b"closed",
    b"paid",
    b"unpaid",
    b"new",
    b"old",
    b"draft",
    b"done",
    b"failed",
    b"success",
    b"error",
    b"true",
    b"false",
    b"null",
    b"none",
    b"yes",
    b"no",
    b"male",
    b"female",
    b"admin",
    b"user",
    b"guest",
    b"default",
    b"unknown",
    b"shipped",
    b"cancelled",
    b"canceled",
    b"complete",
    b"completed",
    b"approved",
    b"rejected",
    b"enabled",
    b"disabled",
    b"low",
    b"medium",
    b"high",
    b"basic",
    b"premium",
    b"standard",
    b"free",
    b"monthly",
    b"yearly",
    b"daily",
    b"weekly",
    b"red",
    b"green",
    b"blue",
    b"black",
    b"white",
    b"small",
    b"large",
    b"monday",
    b"tuesday",
    b"wednesday",
    b"thursday",
    b"friday",
    b"saturday",
    b"sunday",
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
    b"invoice",
    b"order",
    b"payment",
    b"credit",
    b"debit",
    b"card",
    b"transfer",
    b"widget",
    b"gadget",
    b"product",
    b"item",
    b"chair",
    b"table",
    b"cable",
    b"adapter",
    b"english",
    b"german",
    b"french",
    b"spanish",
    b"europe",
    b"asia",
    b"africa",
    b"america",
    b"warning",
    b"info",
    b"debug",
    b"trace",
    b"fatal",
    b"created",
    b"updated",
    b"deleted",
    b"started",
    b"stopped",
    b"in",
    b"progress",
    b"priority",
    b"review",
    b"delivery",
    b"on",
    b"hold",
    b"of",
    b"office",
    b"garden",
    b"home",
    b"kitchen",
    b"total",
    b"request",
    b"requested",
    b"required",
    b"not",
    b"applicable",
    b"available",
    b"out",
    b"sold",
    b"stock",
    b"sales",
    b"billing",
    b"shipping",
    b"general",
    b"regular",
    b"special",
    b"running",
    b"queued",
    b"processing",
    b"internal",
    b"external",
    b"public",
    b"private",
]);

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(value: &str) -> Option<Kind> {
        kind_by_looks(Text(value.as_bytes()), 0..value.len(), true)
    }

    #[test]
    fn what_looks_like_a_persons_is_one() {
        for (value, wanted) in [
            ("Ann Lee", Kind::Name),
            ("Ann", Kind::Name),
            ("9 High Street", Kind::Address),
            ("1980-02-03", Kind::Birth),
            ("078-05-1120", Kind::NationalId),
            ("01353 555012", Kind::Phone),
            ("Hauptstr. 5", Kind::Address),
        ] {
            assert_eq!(kind(value), Some(wanted), "{value}");
        }
    }

    #[test]
    fn states_stamps_and_numbers_are_no_ones() {
        for value in [
            "42",
            "Active",
            "ACTIVE",
            "eur",
            "2026-01-02",
            "2026-01-02 09:30:00+00",
            "t",
            "Payment Pending",
            "Acme Ltd",
        ] {
            assert_eq!(kind(value), None, "{value}");
        }
    }
}
