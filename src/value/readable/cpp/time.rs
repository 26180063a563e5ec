//! `std::chrono`: spans and points of time, with their unit.

use super::layout;
use super::view::View;
use super::{Told, Trouble};
use crate::debuginfo::{Encoding, TypeKind};
use crate::value::readable::Readable;
use crate::value::{Object, Scene, Text, TextOrigin, TypeRef};

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
pub(super) fn duration<'d>(view: &View<'d>) -> Told<'d> {
    let span = Span::of(&view.object, view.scene)?;
    Ok(Readable { text: Some(spelled(span.with_unit())), ..view.told("") })
}

/// `std::chrono::time_point`: since the epoch of a clock, which is known of
/// `system_clock` alone.
pub(super) fn time_point<'d>(view: &View<'d>) -> Told<'d> {
    let inner = view.fields.first().ok_or(Trouble::Unfamiliar)?;
    let span = Span::of(&view.part(inner), view.scene)?;
    let clock = view.argument(0).and_then(layout::own_name);
    let clock = clock.ok_or(Trouble::Unfamiliar)?;
    let date = (&*clock == "system_clock").then(|| span.since_1970()).flatten();
    let text = date.unwrap_or_else(|| format!("{} since the clock's epoch", span.with_unit()));
    Ok(Readable { text: Some(spelled(text)), ..view.told(&format!(" of {clock}")) })
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
        let fraction = match nanos {
            0 => String::new(),
            nanos => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
        };
        let day = seconds.checked_div_euclid(86_400)?;
        let second = seconds.checked_rem_euclid(86_400)?;
        let (year, month, day) = date_of(day)?;
        let (hour, minute) = (second.checked_div(3_600)?, second.checked_div(60)?.checked_rem(60)?);
        let second = second.checked_rem(60)?;
        Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z"))
    }
}

/// Year, month and day of the proleptic Gregorian calendar, of days since 1970-01-01.
/// Years are counted from March here, so that the day a leap year adds is the last.
fn date_of(days: i64) -> Option<(i64, i64, i64)> {
    const ERA: i64 = 146_097; // days of 400 years
    let days = days.checked_add(719_468)?; // since 0000-03-01
    let era = days.checked_div_euclid(ERA)?;
    let day_of_era = days.checked_rem_euclid(ERA)?;
    let leap_days = day_of_era
        .checked_div(36_524)? // centuries
        .checked_sub(day_of_era.checked_div(1_460)?)? // fours of years
        .checked_sub(day_of_era.checked_div(ERA.checked_sub(1)?)?)?;
    let year_of_era = day_of_era.checked_add(leap_days)?.checked_div(365)?;
    let before = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.checked_div(4)?)?
        .checked_sub(year_of_era.checked_div(100)?)?;
    let day_of_year = day_of_era.checked_sub(before)?;
    let month = day_of_year.checked_mul(5)?.checked_add(2)?.checked_div(153)?;
    let start_of_month = month.checked_mul(153)?.checked_add(2)?.checked_div(5)?;
    let day = day_of_year.checked_sub(start_of_month)?.checked_add(1)?;
    let is_before_march = month >= 10;
    let month = if is_before_march { month.checked_sub(9)? } else { month.checked_add(3)? };
    let year = era.checked_mul(400)?.checked_add(year_of_era)?;
    Some((year.checked_add(i64::from(is_before_march))?, month, day))
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
    fn dates_are_right_around_leap_days_and_before_the_epoch() {
        let date = |seconds| span(seconds, 1, 1).since_1970().unwrap();
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(-1), "1969-12-31T23:59:59Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(date(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(
            span(1_700_000_000_250, 1, 1000).since_1970().unwrap(),
            "2023-11-14T22:13:20.25Z"
        );
    }

    #[test]
    fn the_farthest_times_do_not_overflow() {
        for ticks in [i64::MIN, i64::MAX] {
            assert!(span(ticks, 1, 1).since_1970().is_some());
            assert!(span(ticks, 604_800, 1).since_1970().is_none());
        }
    }
}
