//! The attributes of an entry, read as they are: nothing is looked up before it is
//! asked for. Also the entries below one.

use std::sync::Arc;

use gimli::constants as dw;

use crate::model::location::Expression;
use crate::sections::context::Meter;
use crate::sections::sources::{Slice, Value};
use crate::units::entry::Entry;

/// An entry's tag and attributes.
pub(crate) struct Attributes<'x, 'd> {
    /// The entry.
    pub(crate) at: Entry<'x, 'd>,
    inner: gimli::DebuggingInformationEntry<Slice<'d>>,
}

/// Where a reference leads.
pub(crate) enum Reference<'x, 'd> {
    /// To this entry.
    To(Entry<'x, 'd>),
    /// To what is not there: a type unit that was left out, a supplement not found.
    Broken,
}

/// A constant as its form states it (DWARF 5 § 7.5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    /// Sign-extended where the form is a signed one, else zero-extended.
    value: i128,
    /// Bits of a form that has no sign of its own: `DW_FORM_data1` and its like.
    form_bits: Option<u32>,
}

/// How integers of a type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IntegerType {
    pub(crate) is_signed: bool,
    pub(crate) bits: u32,
}

impl<'x, 'd> Attributes<'x, 'd> {
    /// Those of the entry `at`; `None` if it cannot be read, which is reported.
    pub(crate) fn read(at: Entry<'x, 'd>) -> Option<Self> {
        let mut inner = gimli::DebuggingInformationEntry::null();
        let mut read = || at.unit.inner.entries_raw(Some(at.offset))?.read_entry(&mut inner);
        match read() {
            Ok(true) => Some(Self { at, inner }),
            Ok(false) => None,
            Err(error) => {
                at.file.context().report("an entry", error);
                None
            }
        }
    }

    pub(crate) fn tag(&self) -> gimli::DwTag {
        self.inner.tag()
    }

    pub(crate) fn has_children(&self) -> bool {
        self.inner.has_children()
    }

    /// The value of an attribute in its form.
    pub(crate) fn value(&self, name: gimli::DwAt) -> Option<Value<'d>> {
        let found = self.inner.attrs().iter().find(|attribute| attribute.name() == name);
        found.map(gimli::Attribute::raw_value)
    }

    pub(crate) fn has(&self, name: gimli::DwAt) -> bool {
        self.inner.attrs().iter().any(|attribute| attribute.name() == name)
    }

    pub(crate) fn flag(&self, name: gimli::DwAt) -> bool {
        self.value(name) == Some(gimli::AttributeValue::Flag(true))
    }

    pub(crate) fn number(&self, name: gimli::DwAt) -> Option<Number> {
        Number::read(self.value(name)?)
    }

    /// A constant that is no negative number.
    pub(crate) fn unsigned(&self, name: gimli::DwAt) -> Option<u64> {
        u64::try_from(self.number(name)?.value).ok()
    }

    /// The bytes of a string, not empty.
    pub(crate) fn bytes(&self, name: gimli::DwAt) -> Option<Slice<'d>> {
        let text = self.at.string(self.value(name)?)?;
        (!gimli::Reader::is_empty(&text)).then_some(text)
    }

    /// A string that is not empty, as text.
    pub(crate) fn text(&self, name: gimli::DwAt) -> Option<Arc<str>> {
        let text = self.bytes(name)?;
        let limit = self.at.file.context().limits.name_bytes;
        let bytes = text.slice();
        Some(String::from_utf8_lossy(bytes.get(..limit).unwrap_or(bytes)).into())
    }

    pub(crate) fn reference(&self, name: gimli::DwAt) -> Option<Reference<'x, 'd>> {
        let value = self.value(name)?;
        Some(self.at.follow(value).map_or(Reference::Broken, Reference::To))
    }

    /// A DWARF expression.
    pub(crate) fn expression(&self, name: gimli::DwAt) -> Option<Expression> {
        let bytes = match self.value(name)? {
            gimli::AttributeValue::Exprloc(expression) => expression.0,
            gimli::AttributeValue::Block(bytes) => bytes,
            _ => return None,
        };
        Some(Expression { bytes: bytes.slice().into(), unit: self.at.key() })
    }
}

impl Number {
    /// The constant in `value`; `None` if it is none or has more than 128 bits.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        let of = |value: i128, bits| Some(Self { value, form_bits: Some(bits) });
        match value {
            gimli::AttributeValue::Data1(value) => of(value.into(), 8),
            gimli::AttributeValue::Data2(value) => of(value.into(), 16),
            gimli::AttributeValue::Data4(value) => of(value.into(), 32),
            gimli::AttributeValue::Data8(value) => of(value.into(), 64),
            gimli::AttributeValue::Data16(value) => of(value.cast_signed(), 128),
            gimli::AttributeValue::Sdata(value) => {
                Some(Self { value: value.into(), form_bits: None })
            }
            gimli::AttributeValue::Udata(value) => {
                Some(Self { value: value.into(), form_bits: None })
            }
            // What gimli takes for an offset: in DWARF 2 and 3 a constant of 4 bytes has the
            // same form as one. No compiler writes a location list there.
            gimli::AttributeValue::SecOffset(value) => {
                Some(Self { value: i128::try_from(value).ok()?, form_bits: None })
            }
            gimli::AttributeValue::Block(block) => {
                let is_big = gimli::Endianity::is_big_endian(gimli::Reader::endian(&block));
                let bytes = block.slice();
                if bytes.is_empty() || bytes.len() > 16 {
                    return None;
                }
                let fold = |sum: u128, byte: &u8| sum << 8 | u128::from(*byte);
                let value = match is_big {
                    true => bytes.iter().fold(0, fold),
                    false => bytes.iter().rev().fold(0, fold),
                };
                of(value.cast_signed(), u32::try_from(bytes.len()).ok()?.saturating_mul(8))
            }
            _ => None,
        }
    }

    /// As its form alone states it.
    pub(crate) fn plain(self) -> i128 {
        self.value
    }

    /// The value of a type that is read as `ty`. A form as wide as the type has the
    /// type's sign; a narrower one was chosen because the value fits it without.
    pub(crate) fn of_type(self, ty: Option<IntegerType>) -> i128 {
        let Some(ty) = ty else { return self.value };
        let Some(unused) = 128_u32.checked_sub(ty.bits) else { return self.value };
        let high = self.value.checked_shl(unused).unwrap_or(0);
        if ty.is_signed {
            let fills = self.form_bits.is_some_and(|bits| bits >= ty.bits);
            if fills { high.checked_shr(unused).unwrap_or(0) } else { self.value }
        } else if self.value < 0 {
            high.cast_unsigned().checked_shr(unused).unwrap_or(0).cast_signed()
        } else {
            self.value
        }
    }

    /// The value of a type that is read as `ty`, whose sign a narrower form shares.
    pub(crate) fn sharing_sign(self, ty: Option<IntegerType>) -> i128 {
        match (ty, self.form_bits) {
            (Some(IntegerType { is_signed: true, .. }), Some(bits)) => {
                self.of_type(Some(IntegerType { is_signed: true, bits }))
            }
            _ => self.of_type(ty),
        }
    }
}

/// Walks the entries right below one, in order; what is below those is jumped over.
pub(crate) struct Children<'x, 'd> {
    entries: gimli::EntriesRaw<'x, Slice<'d>>,
    meter: Meter<'x>,
    current: Attributes<'x, 'd>,
    /// The depth of the children, as `entries` counts.
    depth: isize,
}

impl<'x, 'd> Children<'x, 'd> {
    /// Those of the entry `of`.
    pub(crate) fn of(of: &Attributes<'x, 'd>) -> Option<Self> {
        if !of.has_children() {
            return None;
        }
        let context = of.at.file.context();
        let read = || {
            let mut entries = of.at.unit.inner.entries_raw(Some(of.at.offset))?;
            if let Some(abbreviation) = entries.read_abbreviation()? {
                entries.skip_attributes(abbreviation.attributes())?;
            }
            Ok(entries)
        };
        let entries = read().map_err(|error| context.report("an entry", error)).ok()?;
        let inner = gimli::DebuggingInformationEntry::null();
        Some(Self {
            entries,
            meter: Meter::new(context, context.limits.entries_per_lookup),
            current: Attributes { at: of.at, inner },
            depth: 1,
        })
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Option<&Attributes<'x, 'd>> {
        let found = self.advance().unwrap_or_else(|error| {
            self.current.at.file.context().report("the entries below an entry", error);
            false
        });
        found.then_some(&self.current)
    }

    fn advance(&mut self) -> gimli::Result<bool> {
        self.jump()?;
        loop {
            if self.entries.is_empty()
                || self.entries.next_depth() < self.depth
                || !self.meter.step()
            {
                return Ok(false);
            }
            if self.entries.next_depth() > self.depth {
                if let Some(abbreviation) = self.entries.read_abbreviation()? {
                    self.entries.skip_attributes(abbreviation.attributes())?;
                }
                continue;
            }
            self.current.at.offset = self.entries.next_offset();
            if self.entries.read_entry(&mut self.current.inner)? {
                return Ok(true);
            }
        }
    }

    /// Skips what is below the current entry, if it says where that ends.
    fn jump(&mut self) -> gimli::Result<()> {
        if !self.current.has_children() {
            return Ok(());
        }
        if let Some(gimli::AttributeValue::UnitRef(to)) = self.current.value(dw::DW_AT_sibling)
            && to.0 >= self.entries.next_offset().0
        {
            self.entries = self.current.at.unit.inner.entries_raw(Some(to))?;
            self.depth = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Form = Value<'static>;

    const INT: Option<IntegerType> = Some(IntegerType { is_signed: true, bits: 32 });
    const SIGNED_BYTE: Option<IntegerType> = Some(IntegerType { is_signed: true, bits: 8 });
    const BYTE: Option<IntegerType> = Some(IntegerType { is_signed: false, bits: 8 });

    #[test]
    fn a_form_as_wide_as_the_type_has_its_sign_and_a_narrower_one_has_none() {
        let of = |form: Form, ty| Number::read(form).unwrap().of_type(ty);
        assert_eq!(of(Form::Data1(0xff), SIGNED_BYTE), -1);
        assert_eq!(of(Form::Data1(0xff), BYTE), 255);
        assert_eq!(of(Form::Data1(0xc8), INT), 200);
        assert_eq!(of(Form::Data4(0xffff_fffe), INT), -2);
        assert_eq!(of(Form::Data8(u64::MAX), None), i128::from(u64::MAX));
        assert_eq!(of(Form::Sdata(-3), INT), -3);
        assert_eq!(of(Form::Sdata(-1), BYTE), 255);
    }

    #[test]
    fn where_narrow_forms_share_the_sign_of_the_type_they_are_extended_by_it() {
        let of = |form: Form, ty| Number::read(form).unwrap().sharing_sign(ty);
        assert_eq!(of(Form::Data1(0xff), INT), -1);
        assert_eq!(of(Form::Data1(0xff), BYTE), 255);
        assert_eq!(of(Form::Data1(0x7f), INT), 127);
    }

    #[test]
    fn a_block_is_a_number_in_the_order_of_its_file() {
        let read = |bytes: &'static [u8], endian| {
            Number::read(Form::Block(Slice::new(bytes, endian))).map(Number::plain)
        };
        assert_eq!(read(&[1, 2], gimli::RunTimeEndian::Little), Some(0x201));
        assert_eq!(read(&[1, 2], gimli::RunTimeEndian::Big), Some(0x102));
        assert_eq!(read(&[], gimli::RunTimeEndian::Big), None);
        assert_eq!(read(&[0; 17], gimli::RunTimeEndian::Big), None);
    }
}
