//! Which values of a program are keys, and their bytes: a report hides them, a scrubbed core
//! loses them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::values::Whose;
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::memory::AddressSpace;
use obit_process::process::Process;
use obit_process::value::{Scalar, State, TextOrigin, Value};
use obit_redact::{Kind, Named, Object, Reason, Redactor};

/// Numbers of the shortest list that is one.
const LEAST: usize = 4;
/// Bytes of a list that are read; of a longer one the rest is no longer looked at.
const LONGEST: u64 = 1 << 14;
/// Bytes that are read where a pointer says that a key is there, and not how long.
const BEHIND_POINTER: usize = 64;
/// Letters in a row that are a text, and hardly ever a part of a key.
const TEXT: usize = 8;
/// The same before the zero that ends one.
const TEXT_END: usize = 6;
/// The smallest number that is taken for a part of a key by itself.
const LARGE: u128 = 1 << 32;
/// Variables that are searched for what `obit print` must not show.
pub(crate) const MOST_VALUES: usize = 1000;
/// Bytes of a stack that are searched for keys, and of all stacks.
const STACK: usize = 64 << 10;
const STACKS: usize = 2 << 20;
/// Bytes below a stack pointer that its function may use (System V ABI AMD64 3.2.2).
const RED_ZONE: u64 = 128;
/// Digits of the numbers that have check digits.
const DIGITS: std::ops::RangeInclusive<usize> = 12..=20;

/// An object that is hidden as a whole.
#[derive(Debug)]
pub(crate) struct KeyObject {
    /// As what.
    pub(crate) kind: Kind,
    /// Why.
    pub(crate) reason: Reason,
    /// What of it may be anywhere else: one part for each list or large number.
    pub(crate) parts: Vec<Vec<u8>>,
    /// Where it lies.
    pub(crate) places: Vec<AvmaRange>,
}

impl KeyObject {
    /// All parts, one behind the other.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.parts.concat()
    }
}

/// Judges `value`, which `named` describes. `is_in_key` is whether something around it is
/// called a key.
pub(crate) fn judge(
    value: &Value,
    named: &Named<'_>,
    is_in_key: bool,
    memory: Option<&AddressSpace>,
    redactor: &Redactor,
) -> Option<KeyObject> {
    // Text is judged as text.
    let is_text = value
        .text
        .as_ref()
        .is_some_and(|text| text.origin == TextOrigin::Data && !text.text.contains("\\x"));
    if !matches!(value.state, State::Aggregate) || is_text {
        return None;
    }
    if value.members.is_empty() && value.elements.is_empty() {
        return None;
    }
    if let Some(address) = public_address(value, memory, redactor) {
        return Some(address);
    }
    let list = list(value, memory);
    let digits = digits(value, list.as_ref());
    let object = Object {
        list: list.as_ref().map(|list| &*list.bytes),
        digits: digits.as_deref(),
        is_in_key,
    };
    let (kind, reason) = redactor.judge_object(named, object)?;
    let mut found = KeyObject { kind, reason, parts: Vec::new(), places: Vec::new() };
    match list {
        Some(list) => {
            found.places.extend(list.place);
            found.parts.push(list.bytes);
        }
        None => add_parts(value, memory, &mut found),
    }
    Some(found)
}

/// An address of the Internet that is not kept for private use: `struct in_addr`, `in6_addr`,
/// Rust's `Ipv4Addr`, Go's `net.IP`.
fn public_address(
    value: &Value,
    memory: Option<&AddressSpace>,
    redactor: &Redactor,
) -> Option<KeyObject> {
    let name = value.type_name.as_deref()?.trim_start_matches("struct ");
    let size = match name.rsplit([':', '/']).next()? {
        "in_addr" | "Ipv4Addr" => 4,
        "in6_addr" | "Ipv6Addr" => 16,
        "net.IP" => 0,
        _ => return None,
    };
    let bytes = match (size, value.address) {
        (0, _) => list(value, memory)?.bytes,
        (size, Some(at)) => memory?.peek_up_to(at, size),
        (_, None) => return None,
    };
    let text = match (<[u8; 4]>::try_from(&*bytes), <[u8; 16]>::try_from(&*bytes)) {
        (Ok(octets), _) => Ipv4Addr::from(octets).to_string(),
        (_, Ok(octets)) => Ipv6Addr::from(octets).to_string(),
        _ => return None,
    };
    let at = value.address.filter(|_| size > 0);
    let places = at.map(|start| AvmaRange::from_len(start, size as u64)).into_iter().collect();
    let found = KeyObject { kind: Kind::Ip, reason: Reason::Type, parts: vec![bytes], places };
    redactor.is_public_address(&text).then_some(found)
}

/// A list of numbers.
struct List {
    bytes: Vec<u8>,
    place: Option<AvmaRange>,
}

fn numbers_of(value: &Value) -> &[Value] {
    if value.elements.is_empty() { &value.members } else { &value.elements }
}

fn number(value: &Value) -> Option<u128> {
    match &value.state {
        State::Scalar(Scalar::Unsigned(number)) => Some(*number),
        State::Scalar(Scalar::Signed(number)) => Some(number.cast_unsigned()),
        State::Scalar(Scalar::Character { code, .. }) => Some(i128::from(*code).cast_unsigned()),
        _ => None,
    }
}

/// The bytes of a list of numbers of one size: what memory has, of elements that are not in the
/// tree, too.
fn list(value: &Value, memory: Option<&AddressSpace>) -> Option<List> {
    let numbers = numbers_of(value);
    let (first, last) = (numbers.first()?, numbers.last()?);
    // A structure's members have names of their own.
    let is_element = |value: &Value| {
        value.name.as_deref().is_none_or(|name| name.starts_with('[')) && number(value).is_some()
    };
    if numbers.len() < LEAST || !numbers.iter().all(is_element) {
        return None;
    }
    let size = size_of(first);
    let mut bytes: Vec<u8> = Vec::new();
    for one in numbers {
        let number = number(one)?.to_le_bytes();
        bytes.extend(number.get(..size).unwrap_or(&number));
    }
    let shown = (numbers.len() as u64).saturating_mul(size as u64);
    let whole = (size as u64).saturating_mul(value.omitted).saturating_add(shown).min(LONGEST);
    let place = first.span.zip(last.span).and_then(|(first, last)| {
        let is_dense = last.end.0.checked_sub(first.start.0) == Some(shown);
        let end = first.start.0.checked_add(whole)?;
        is_dense.then_some(AvmaRange { start: first.start, end: Avma(end) })
    });
    if let (Some(place), Some(memory)) = (place, memory) {
        let size = usize::try_from(place.len()).unwrap_or(0);
        let read = memory.peek_up_to(place.start, size);
        if read.len() >= bytes.len() {
            bytes = read;
        }
    }
    Some(List { bytes, place })
}

/// Bytes of a number, of which those in registers do not say.
fn size_of(value: &Value) -> usize {
    if let Some(size) = value.span.and_then(|span| usize::try_from(span.len()).ok()) {
        return size.clamp(1, 16);
    }
    let name = value.type_name.as_deref().unwrap_or_default();
    let sizes = [(&["64", "long"][..], 8), (&["32", "int"], 4), (&["16", "short"], 2)];
    let known = sizes.iter().find(|(words, _)| words.iter().any(|word| name.contains(word)));
    known.map_or(1, |(_, size)| *size)
}

/// The digits of a list of them, or of a number in binary-coded decimals.
fn digits(value: &Value, list: Option<&List>) -> Option<String> {
    let list = list?;
    let numbers = numbers_of(value);
    let digit = |value: &Value| u32::try_from(number(value)?).ok();
    if value.omitted == 0 && DIGITS.contains(&numbers.len()) {
        let digits: Option<String> =
            numbers.iter().map(|one| char::from_digit(digit(one)?, 10)).collect();
        if digits.is_some() {
            return digits;
        }
    }
    let is_bytes = list.bytes.len() == numbers.len();
    let pairs: Option<String> = list
        .bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from_digit(half.into(), 10))
        .collect();
    pairs.filter(|pairs| is_bytes && DIGITS.contains(&pairs.len()))
}

/// Adds what lists and large numbers there are in an object that is hidden.
fn add_parts(value: &Value, memory: Option<&AddressSpace>, found: &mut KeyObject) {
    if let Some(list) = list(value, memory) {
        found.places.extend(list.place);
        found.parts.push(list.bytes);
        return;
    }
    if let Some(number) = number(value) {
        found.places.extend(value.span);
        if number >= LARGE {
            let bytes = number.to_le_bytes();
            found.parts.push(bytes.get(..size_of(value)).unwrap_or(&bytes).to_vec());
        }
    }
    for part in value.members.iter().chain(&value.elements).chain(value.pointee.as_deref()) {
        add_parts(part, memory, found);
    }
}

/// Whether `value` is an element of a map: its key and its value, under one name.
pub(crate) fn is_entry(value: &Value) -> bool {
    let names = value.elements.iter().map(|part| part.name.as_deref());
    value.type_name.is_none() && names.eq([Some("key"), Some("value")])
}

/// A search for keys in the values of one variable.
pub(crate) struct Search<'s, 'w> {
    pub(crate) whose: Whose<'w>,
    pub(crate) memory: &'s AddressSpace,
    pub(crate) redactor: &'s mut Redactor,
}

impl Search<'_, '_> {
    /// Calls `found` with the keys in `value`, and remembers them.
    pub(crate) fn run(&mut self, value: &Value, found: &mut dyn FnMut(&KeyObject)) {
        self.part(value, &mut String::new(), (false, false), found);
    }

    fn part(
        &mut self,
        value: &Value,
        path: &mut String,
        (is_in_key, is_in_entry): (bool, bool),
        found: &mut dyn FnMut(&KeyObject),
    ) {
        let before = path.len();
        let name = value.name.as_deref().filter(|name| !name.starts_with('['));
        if let Some(name) = name.filter(|name| !(is_in_entry && *name == "key")) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
        self.judge(value, path, (is_in_key, is_in_entry), found);
        path.truncate(before);
    }

    fn judge(
        &mut self,
        value: &Value,
        path: &mut String,
        (is_in_key, is_in_entry): (bool, bool),
        found: &mut dyn FnMut(&KeyObject),
    ) {
        let Whose { function, module, .. } = self.whose;
        let type_name = value.type_name.as_deref();
        let named = Named { name: path.as_str(), type_name, function, module };
        let is_key = is_in_entry && value.name.as_deref() == Some("key");
        let within = is_in_key && !is_key;
        if let Some(object) = judge(value, &named, within, Some(self.memory), self.redactor) {
            for part in &object.parts {
                self.redactor.learn_key(&without_addresses(part, self.memory));
            }
            found(&object);
            return;
        }
        let is_leaf = value.members.is_empty() && value.elements.is_empty();
        if is_leaf && value.pointee.is_none() && value.text.is_none() && !is_pointer(value) {
            return;
        }
        let names_key = !is_key && self.redactor.names_key(path);
        if names_key && let Some(bytes) = behind(value, self.memory) {
            self.redactor.learn_key(&bytes);
        }
        let inner = (names_key || within, is_entry(value));
        for part in value.members.iter().chain(&value.elements) {
            self.part(part, path, inner, found);
        }
        if let Some(pointee) = &value.pointee {
            self.part(pointee, path, inner, found);
        }
    }
}

/// Remembers keys that the stacks of a process show by their structure.
pub(crate) fn learn_stacks(process: &Process, redactor: &mut Redactor) {
    let Some(facts) = process.dump.machine.facts() else { return };
    let mut left = STACKS;
    for thread in &process.threads {
        let Some(at) = thread.registers.get(facts.sp) else { continue };
        let size = STACK.min(left);
        left -= size;
        // Round keys are aligned to their words.
        let start = Avma((at & !7).saturating_sub(RED_ZONE));
        let bytes = process.memory.peek_up_to(start, size);
        for range in redactor.key_ranges(&bytes) {
            redactor.learn_key(bytes.get(range).unwrap_or_default());
        }
    }
}

fn is_pointer(value: &Value) -> bool {
    matches!(value.state, State::Scalar(Scalar::Address(_)))
}

/// What a pointer to bytes points at.
fn behind(value: &Value, memory: &AddressSpace) -> Option<Vec<u8>> {
    const BYTES: &[&str] = &["char", "u8", "uint8", "int8", "byte", "void", "Byte", "BYTE"];
    let State::Scalar(Scalar::Address(at)) = value.state else { return None };
    let name = value.type_name.as_deref().unwrap_or_default();
    let is_bytes = BYTES.iter().any(|word| name.contains(word));
    if !is_bytes {
        return None;
    }
    let mut bytes = without_addresses(&memory.peek_up_to(Avma(at), BEHIND_POINTER), memory);
    // A text is judged as such; its parts are in paths and messages, too.
    let is_letter = |byte: &u8| matches!(byte, 0x20..=0x7e);
    for text in bytes.split_mut(|byte| !is_letter(byte)).filter(|text| text.len() >= TEXT) {
        text.fill(0);
    }
    // Where the next block of a heap or another variable begins.
    let mut words = bytes.chunks_exact(memory.word());
    let is_other = |word: &[u8]| word.iter().filter(|byte| **byte == 0).count() * 2 > word.len();
    let end = words.position(is_other).map_or(bytes.len(), |nth| nth * memory.word());
    bytes.get(..end).map(<[u8]>::to_vec)
}

/// `bytes` with zeros in place of words that are addresses, and of the ends of texts: those are
/// in many places, and no part of a key. The unused room of a string has such.
fn without_addresses(bytes: &[u8], memory: &AddressSpace) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    clear_ends_of_texts(&mut bytes);
    for word in bytes.chunks_exact_mut(memory.word()) {
        if memory.region_at(Avma(memory.unsigned(word))).is_some() {
            word.fill(0);
        }
    }
    bytes
}

/// Clears letters before a zero.
pub(crate) fn clear_ends_of_texts(bytes: &mut [u8]) {
    for text in bytes.split_inclusive_mut(|byte| *byte == 0) {
        let letters = text.iter().rev().skip(1);
        let count = letters.take_while(|byte| matches!(byte, 0x20..=0x7e)).count();
        let end = text.len().saturating_sub(1);
        if count >= TEXT_END && text.last() == Some(&0) {
            text.get_mut(end - count..end).unwrap_or_default().fill(0);
        }
    }
}
