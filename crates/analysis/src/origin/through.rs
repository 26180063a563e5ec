//! The pointer through which a bad value was loaded.

use super::body::Slot;
use super::trace::{End, Place, Trace};
use super::{Source, Through};
use obit_corefile::addr::Avma;

impl Trace<'_> {
    /// The pointer that led to what `end` loaded, before anything was added to it, where that
    /// is known; and where it came from, if from elsewhere.
    pub(super) fn led_by(&self, end: &End) -> (Option<Avma>, Option<Through>) {
        self.pointer_of(end).unwrap_or_default()
    }

    fn pointer_of(&self, end: &End) -> Option<(Option<Avma>, Option<Through>)> {
        let names = (self.names)(end.activation)?;
        let base = end.operand?.base?;
        let value = names.moment.part(base, end.at).map(|known| known.value);
        let start = Place {
            activation: end.activation,
            at: end.at,
            slot: Slot::Register(base.register),
            value,
        };
        let from = self.follow(start)?;
        let first = if from.is_part { from.value } else { from.value.or(value) };
        let first = first.filter(|_| !from.is_index).map(Avma);
        Some((first, self.named(end, &from, base.register)))
    }

    /// What holds the pointer where it was used and where it came from, if these are two.
    fn named(
        &self,
        end: &End,
        from: &End,
        register: obit_corefile::arch::Register,
    ) -> Option<Through> {
        let pointer = (self.names)(end.activation)?.register(end.at, register)?;
        let expression = from.expression.clone()?;
        let at = (self.names)(from.activation)?.moment.body.steps.get(from.at)?.address;
        let is_reported = expression != pointer.text
            && matches!(from.source, Source::Loaded { .. } | Source::Returned { .. });
        is_reported.then_some(Through {
            name: pointer.text,
            frame: self.place(from.activation, at, from.depth)?.0,
            expression,
        })
    }
}
