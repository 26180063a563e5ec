//! `std::chrono`: spans and points of time, with their unit.

use super::form_result::{FormResult, Trouble};
use super::layout;
use super::object::CppObject;
use crate::value::readable::{Readable, date};
use crate::value::{Object, Scene, Text, TextOrigin, TypeRef};
use obit_dwarf::TypeKind;
use obit_dwarf::types::Encoding;

/// A `duration`: so many `numerator / denominator` seconds.
struct Span {
    ticks: Ticks,
    numerator: i128,
    denominator: i128,
}

enum Ticks {
    Whole(i64),
    Fraction(f64),
}

/// `std::chrono::duration`.
pub(super) fn duration<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let span = Span::of(&view.object, view.scene)?;
    Ok(Readable { text: Some(spelled(span.with_unit())), ..view.summarized("") })
}

/// `std::chrono::time_point`: since the epoch of a clock, which is known for
/// `system_clock` only.
pub(super) fn time_point<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let inner = view.fields.first().ok_or(Trouble::Unfamiliar)?;
    let span = Span::of(&view.part(inner), view.scene)?;
    let clock = view.argument(0).and_then(layout::own_name);
    let clock = clock.ok_or(Trouble::Unfamiliar)?;
    let date = (&*clock == "system_clock").then(|| span.since_1970()).flatten();
    let text = date.unwrap_or_else(|| format!("{} since the clock's epoch", span.with_unit()));
    Ok(Readable { text: Some(spelled(text)), ..view.summarized(&format!(" of {clock}")) })
}

fn spelled(text: String) -> Text {
    Text { text, origin: TextOrigin::Number, left_out: Some(0) }
}

impl Span {
    fn of<'d>(object: &Object<'d>, scene: Scene<'d>) -> Result<Self, Trouble> {
        let ty = object.resolved(scene);
        let fields = layout::fields(ty, scene);
        let ticks = fields.first().ok_or(Trouble::Unfamiliar)?;
        let arguments = layout::type_arguments(ty, scene);
        let period = arguments.get(1).copied().map(layout::value_arguments);
        let [numerator, denominator] =
            <[i128; 2]>::try_from(period.unwrap_or_default()).map_err(|_| Trouble::Unfamiliar)?;
        if numerator <= 0 || denominator <= 0 {
            return Err(Trouble::Unfamiliar);
        }
        let number = ticks.of(object);
        let ticks = match is_float(ticks.ty) {
            true => Ticks::Fraction(float(&number.bytes(scene)?)?),
            false => Ticks::Whole(number.signed(scene)?),
        };
        Ok(Self { ticks, numerator, denominator })
    }

    fn with_unit(&self) -> String {
        let ticks = match self.ticks {
            Ticks::Whole(ticks) => ticks.to_string(),
            Ticks::Fraction(ticks) => ticks.to_string(),
        };
        let unit = match (self.numerator, self.denominator) {
            (1, 1) => "s",
            (1, 1_000) => "ms",
            (1, 1_000_000) => "us",
            (1, 1_000_000_000) => "ns",
            (60, 1) => "min",
            (3_600, 1) => "h",
            (86_400, 1) => "d",
            (numerator, 1) => return format!("{ticks} [{numerator}]s"),
            (numerator, denominator) => return format!("{ticks} [{numerator}/{denominator}]s"),
        };
        format!("{ticks} {unit}")
    }

    /// The date, of ticks since the start of 1970 (UTC).
    fn since_1970(&self) -> Option<String> {
        let Ticks::Whole(ticks) = self.ticks else { return None };
        let scaled = i128::from(ticks).checked_mul(self.numerator)?;
        let seconds = i64::try_from(scaled.checked_div_euclid(self.denominator)?).ok()?;
        let rest = scaled.checked_rem_euclid(self.denominator)?;
        let nanos = rest.checked_mul(1_000_000_000)?.checked_div(self.denominator)?;
        date::utc(seconds, u64::try_from(nanos).ok()?)
    }
}

fn is_float(ty: TypeRef<'_>) -> bool {
    matches!(ty.get().kind, TypeKind::Base(base) if base.encoding == Encoding::Float)
}

fn float(bytes: &[u8]) -> Result<f64, Trouble> {
    match bytes.len() {
        4 => Ok(f64::from(f32::from_le_bytes(bytes.try_into().map_err(|_| Trouble::Unfamiliar)?))),
        8 => Ok(f64::from_le_bytes(bytes.try_into().map_err(|_| Trouble::Unfamiliar)?)),
        _ => Err(Trouble::Unfamiliar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(ticks: i64, numerator: i128, denominator: i128) -> Span {
        Span { ticks: Ticks::Whole(ticks), numerator, denominator }
    }

    #[test]
    fn a_span_has_the_unit_of_its_period() {
        assert_eq!(span(1500, 1, 1000).with_unit(), "1500 ms");
        assert_eq!(span(45, 1, 30).with_unit(), "45 [1/30]s");
        assert_eq!(span(2, 604_800, 1).with_unit(), "2 [604800]s");
    }

    #[test]
    fn a_date_has_the_fraction_of_its_clock() {
        let date = |ticks, denominator| span(ticks, 1, denominator).since_1970().unwrap();
        assert_eq!(date(-1, 1), "1969-12-31T23:59:59Z");
        assert_eq!(date(1_700_000_000_250, 1000), "2023-11-14T22:13:20.25Z");
        assert_eq!(date(-250, 1000), "1969-12-31T23:59:59.75Z");
    }

    #[test]
    fn the_farthest_times_do_not_overflow() {
        for ticks in [i64::MIN, i64::MAX] {
            assert_eq!(span(ticks, 1, 1).since_1970(), None);
            assert_eq!(span(ticks, i128::MAX, 1).since_1970(), None);
            assert!(span(ticks, 1, 1_000_000_000).since_1970().is_some());
        }
    }
}
