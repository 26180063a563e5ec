//! The compact protocol of Thrift, as far as the metadata of Parquet needs it
//! (<https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>).

/// Structures within structures that are read.
const DEEPEST: usize = 16;

/// Types of fields and elements.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;

/// Writes one structure.
#[derive(Debug, Default)]
pub(crate) struct Struct {
    bytes: Vec<u8>,
    last: i16,
}

impl Struct {
    fn header(&mut self, id: i16, kind: u8) {
        match id.checked_sub(self.last) {
            Some(step @ 1..=15) => self.bytes.push((step as u8) << 4 | kind),
            _ => {
                self.bytes.push(kind);
                push_signed(&mut self.bytes, i64::from(id));
            }
        }
        self.last = id;
    }

    pub(crate) fn boolean(&mut self, id: i16, value: bool) {
        self.header(id, if value { TRUE } else { FALSE });
    }

    pub(crate) fn i32(&mut self, id: i16, value: i32) {
        self.header(id, I32);
        push_signed(&mut self.bytes, i64::from(value));
    }

    pub(crate) fn i64(&mut self, id: i16, value: i64) {
        self.header(id, I64);
        push_signed(&mut self.bytes, value);
    }

    pub(crate) fn text(&mut self, id: i16, value: &str) {
        self.header(id, BINARY);
        push_text(&mut self.bytes, value);
    }

    pub(crate) fn structure(&mut self, id: i16, value: Self) {
        self.header(id, STRUCT);
        self.bytes.extend(value.finish());
    }

    pub(crate) fn structures(&mut self, id: i16, values: impl IntoIterator<Item = Self>) {
        let values: Vec<Self> = values.into_iter().collect();
        self.list(id, STRUCT, values.len());
        for value in values {
            self.bytes.extend(value.finish());
        }
    }

    pub(crate) fn texts(&mut self, id: i16, values: &[&str]) {
        self.list(id, BINARY, values.len());
        values.iter().for_each(|value| push_text(&mut self.bytes, value));
    }

    pub(crate) fn i32s(&mut self, id: i16, values: &[i32]) {
        self.list(id, I32, values.len());
        values.iter().for_each(|value| push_signed(&mut self.bytes, i64::from(*value)));
    }

    fn list(&mut self, id: i16, kind: u8, count: usize) {
        self.header(id, LIST);
        match count {
            0..=14 => self.bytes.push((count as u8) << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                push_number(&mut self.bytes, count as u64);
            }
        }
    }

    /// Its bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn push_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn push_signed(to: &mut Vec<u8>, number: i64) {
    push_number(to, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn push_text(to: &mut Vec<u8>, text: &str) {
    push_number(to, text.len() as u64);
    to.extend_from_slice(text.as_bytes());
}

/// A value that was read. What Parquet has no use for here is skipped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'b> {
    Boolean(bool),
    Number(i64),
    Bytes(&'b [u8]),
    List(Vec<Self>),
    Struct(Fields<'b>),
    Other,
}

/// The fields of a structure, by their numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fields<'b>(Vec<(i16, Value<'b>)>);

impl<'b> Fields<'b> {
    /// Reads the structure that `bytes` begins with; and what follows it. `None` if it is cut
    /// or is none.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<(Self, &'b [u8])> {
        let mut rest = Rest(bytes);
        let fields = rest.fields(DEEPEST)?;
        Some((fields, rest.0))
    }

    pub(crate) fn get(&self, id: i16) -> Option<&Value<'b>> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, value)| value)
    }

    pub(crate) fn number(&self, id: i16) -> Option<i64> {
        match self.get(id)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self, id: i16) -> Option<&'b str> {
        match self.get(id)? {
            Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    pub(crate) fn fields(&self, id: i16) -> Option<&Self> {
        match self.get(id)? {
            Value::Struct(fields) => Some(fields),
            _ => None,
        }
    }

    /// The structures of a list; none if there is no such list.
    pub(crate) fn list(&self, id: i16) -> impl Iterator<Item = &Self> {
        let list = match self.get(id) {
            Some(Value::List(list)) => list.as_slice(),
            _ => &[],
        };
        list.iter().filter_map(|value| match value {
            Value::Struct(fields) => Some(fields),
            _ => None,
        })
    }
}

struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    fn fields(&mut self, depth: usize) -> Option<Fields<'b>> {
        let depth = depth.checked_sub(1)?;
        let mut fields = Vec::new();
        let mut last: i16 = 0;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(Fields(fields));
            }
            let kind = header & 0x0f;
            last = match header >> 4 {
                0 => i16::try_from(self.signed()?).ok()?,
                step => last.checked_add(i16::from(step))?,
            };
            let value = match kind {
                TRUE => Value::Boolean(true),
                FALSE => Value::Boolean(false),
                kind => self.value(kind, depth)?,
            };
            fields.push((last, value));
        }
    }

    /// A value that is no truth value of a field.
    fn value(&mut self, kind: u8, depth: usize) -> Option<Value<'b>> {
        Some(match kind {
            TRUE | FALSE => Value::Boolean(self.byte()? == TRUE),
            BYTE => {
                self.byte()?;
                Value::Other
            }
            I16 | I32 | I64 => Value::Number(self.signed()?),
            DOUBLE => {
                self.take(8)?;
                Value::Other
            }
            BINARY => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            LIST | SET => {
                let depth = depth.checked_sub(1)?;
                let header = self.byte()?;
                let count = match header >> 4 {
                    15 => self.number()?,
                    count => u64::from(count),
                };
                let mut list = Vec::new();
                // Each takes a byte at least, so a count that is too large ends early.
                for _ in 0..count {
                    list.push(self.value(header & 0x0f, depth)?);
                }
                Value::List(list)
            }
            MAP => {
                let depth = depth.checked_sub(1)?;
                let count = self.number()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.value(kinds >> 4, depth)?;
                    self.value(kinds & 0x0f, depth)?;
                }
                Value::Other
            }
            STRUCT => Value::Struct(self.fields(depth)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_is_read_as_it_was_written() {
        let mut inner = Struct::default();
        inner.text(3, "x");
        let mut outer = Struct::default();
        outer.boolean(1, true);
        outer.i32(2, -7);
        outer.i64(40, i64::MIN);
        outer.structures(
            41,
            (0..20).map(|at| {
                let mut one = Struct::default();
                one.i32(1, at);
                one
            }),
        );
        outer.structure(42, inner);
        let mut bytes = outer.finish();
        bytes.push(99);
        let (fields, rest) = Fields::read(&bytes).unwrap();
        assert_eq!(rest, [99]);
        assert_eq!(fields.get(1), Some(&Value::Boolean(true)));
        assert_eq!((fields.number(2), fields.number(40)), (Some(-7), Some(i64::MIN)));
        let numbers: Vec<_> = fields.list(41).filter_map(|one| one.number(1)).collect();
        assert_eq!(numbers, (0..20).collect::<Vec<i64>>());
        assert_eq!(fields.fields(42).unwrap().text(3), Some("x"));
        for end in 0..bytes.len() - 1 {
            assert_eq!(Fields::read(&bytes[..end]), None, "{end}");
        }
    }

    #[test]
    fn deep_or_endless_structures_are_refused() {
        assert_eq!(Fields::read(&[0x1c; 100_000]), None);
        assert_eq!(Fields::read(&[0x19; 100_000]), None);
        // A list of 2^63 elements in ten bytes.
        let long = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert_eq!(Fields::read(&long), None);
    }
}
