//! What the program's own types and names say of the bytes that are kept: which are
//! numbers, which are text, and which a report would hide.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::report::key_objects::{KeyObject, Search};
use crate::report::values::{self, Whose};
use crate::report::{BuildOptions, judged};
use obit_corefile::addr::{Avma, AvmaRange};
use obit_corefile::arch::Register;
use obit_dwarf::Place;
use obit_process::process::{FrameView, Process};
use obit_process::value::{Budget, Scalar, State, Text, TextOrigin, Value, tree};
use obit_redact::memory::{Hidden, Places, is_text_of_all};
use obit_redact::{Kind, Level, Named, Origin, Redactor, Whole};

/// Hidden numbers that are looked for in all of the core; one program has a few.
const MOST_VALUES: usize = 4096;
/// Below this a hidden number is masked where its variable is, not wherever it is: too
/// many numbers are as small.
const LEAST_VALUE: u64 = 1 << 8;
/// Digits of the shortest number that is recognizable by itself: a card's.
const LEAST_DIGITS: usize = 12;
/// Bytes of the longest number.
const LONGEST_NUMBER: u64 = 16;
/// Characters of text that is not known as such by its bytes.
const SHORT_TEXT: usize = 4;
/// Bytes of a vector register that every processor has, and that notes hold in one place.
const VECTOR: usize = 16;

/// What is known of single places.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// What they say of places in memory.
    pub(super) places: Places,
    /// Registers of threads (by their ids) that hold a hidden number.
    pub(super) registers: HashSet<(i64, Register)>,
    /// Vector registers of threads that hold numbers, and how many bytes of each do.
    pub(super) vectors: BTreeMap<(i64, Register), usize>,
    /// All that was read.
    pub(super) reads: Vec<AvmaRange>,
}

/// Reads the variables of all threads as a report on them would.
pub(super) fn learn(process: &Process, options: &BuildOptions) -> Typed {
    // Scrubbing hides, whatever reports are asked to show.
    let level = if options.redaction == Level::Off { Level::Default } else { options.redaction };
    let mut learner = Learner {
        process,
        redactor: Redactor::without_key(level).with_rules(options.rules.clone()),
        budget: Budget::default().with(options.max_depth, options.max_elements),
        typed: Typed::default(),
    };
    process.memory.take_reads();
    for (at, thread) in process.threads.iter().enumerate() {
        for frame in 0..thread.frames.len() {
            if let Some(view) = process.frame_view(at, frame) {
                learner.frame(&view, thread.tid);
            }
        }
    }
    let mut typed = learner.typed;
    typed.places.keys.add_all(learner.redactor.keys());
    for places in [&mut typed.places.numbers, &mut typed.places.texts] {
        places.sort_unstable();
        places.dedup();
    }
    typed.places.hidden.sort_unstable();
    typed.places.hidden.dedup();
    typed
}

struct Learner<'p> {
    process: &'p Process,
    redactor: Redactor,
    budget: Budget,
    typed: Typed,
}

/// What a value is a part of.
#[derive(Clone, Copy, Default)]
struct Within {
    /// Another member lies at the same place.
    is_overlaid: bool,
    /// It is a letter of a text.
    is_text: bool,
}

/// What one variable turned out to be made of.
#[derive(Default)]
struct Parts {
    /// Whether a number in it is hidden.
    hides: bool,
    /// The bytes of its floating-point numbers, one after the other.
    floats: Vec<u8>,
    /// Short texts: nothing in their bytes says that they are.
    short: Vec<Vec<u8>>,
}

impl Learner<'_> {
    fn frame(&mut self, view: &FrameView<'_>, tid: i64) {
        let file = values::file_of(self.process, view.frame());
        let whose = Whose::of(self.process, view.frame(), file.as_deref());
        // Only the registers of the interrupted function are those of the notes.
        let places = if view.frame().activation == 0 { view.places() } else { Vec::new() };
        for (variable, object) in view.variables() {
            let Some(object) = object else { continue };
            let value = tree(&object, variable.name.clone(), view.scene(), &self.budget);
            let mut parts = Parts::default();
            let mut path = String::new();
            self.keys(&value, whose, &mut parts);
            self.part(&value, &whose, &mut path, Within::default(), &mut parts);
            let reads = self.process.memory.take_reads();
            self.short_texts(&parts.short, &reads);
            self.typed.reads.extend(reads);
            let pieces = places.iter().find(|(other, _)| other.id == variable.id);
            for piece in pieces.into_iter().flat_map(|(_, pieces)| pieces) {
                let Place::Register(register) = piece.place else { continue };
                if parts.hides {
                    self.typed.registers.insert((tid, register));
                } else if piece.bit_offset == 0 {
                    let bytes = view.register(register).unwrap_or_default();
                    let size = piece.bits.map_or(parts.floats.len(), |bits| (bits / 8) as usize);
                    self.vector(tid, register, bytes.get(..size).unwrap_or(&[]), &parts);
                }
            }
        }
    }

    /// Objects that are keys: as wholes, and wherever their bytes are.
    fn keys(&mut self, value: &Value, whose: Whose<'_>, parts: &mut Parts) {
        let memory = &self.process.memory;
        let places = &mut self.typed.places;
        let mut found = |object: &KeyObject| {
            parts.hides |= object.places.is_empty();
            let ranges = object.places.iter().filter(|place| !place.is_empty());
            places.hidden.extend(ranges.map(|it| (it.start.0, it.len(), Hidden::Other)));
            for part in &object.parts {
                let number = part.as_slice().try_into().ok().map(u32::from_le_bytes);
                places.values.extend(number.map(u64::from).filter(|_| object.kind == Kind::Ip));
            }
        };
        Search { whose, memory, redactor: &mut self.redactor }.run(value, &mut found);
    }

    /// A register of which these bytes are a variable's.
    fn vector(&mut self, tid: i64, register: Register, bytes: &[u8], parts: &Parts) {
        let is_number = !bytes.is_empty()
            && bytes.len() <= VECTOR
            && parts.floats.windows(bytes.len()).any(|floats| floats == bytes);
        if is_number && !is_text_of_all(bytes) {
            let known = self.typed.vectors.entry((tid, register)).or_default();
            *known = bytes.len().max(*known);
        }
    }

    /// Whatever `value` is made of. `path` is its way from the variable.
    fn part(
        &mut self,
        value: &Value,
        whose: &Whose<'_>,
        path: &mut String,
        within: Within,
        parts: &mut Parts,
    ) {
        let before = path.len();
        if let Some(name) = value.name.as_deref().filter(|name| !name.starts_with('[')) {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
        let named = Named {
            name: path.as_str(),
            type_name: value.type_name.as_deref(),
            function: whose.function,
            module: whose.module,
        };
        if let Whole::Hidden(..) = judged::whole(value, &named, &mut self.redactor) {
            self.hide(value, parts);
            path.truncate(before);
            return;
        }
        if let State::Scalar(scalar) = &value.state {
            let is_letter = matches!(scalar, Scalar::Character { .. });
            if !(is_letter && within.is_text) {
                self.scalar(value, scalar, &named, parts);
            }
        }
        let text = value.text.as_ref().filter(|text| text.origin == TextOrigin::Data);
        if let Some(text) = text {
            self.text(value, text, &named, within, parts);
        }
        let overlaid = overlaid(&value.members);
        for member in &value.members {
            let is_overlaid = member.address.is_some_and(|at| overlaid.contains(&at));
            let inner = Within { is_overlaid, is_text: text.is_some() };
            self.part(member, whose, path, inner, parts);
        }
        for element in &value.elements {
            let inner = Within { is_overlaid: false, is_text: text.is_some() };
            self.part(element, whose, path, inner, parts);
        }
        if let Some(pointee) = &value.pointee {
            self.part(pointee, whose, path, Within::default(), parts);
        }
        path.truncate(before);
    }

    /// Hides all that `value` is made of.
    fn hide(&mut self, value: &Value, parts: &mut Parts) {
        parts.hides |= value.address.is_none() && value.span.is_none();
        let text = value.text.as_ref().filter(|text| text.origin == TextOrigin::Data);
        if let Some(range) = text.and_then(|_| range_of_text(value)) {
            self.typed.places.hidden.push((range.0, range.1, Hidden::Text));
        } else if let Some(span) = value.span {
            self.typed.places.hidden.push((span.start.0, span.len(), Hidden::Other));
        }
        if let (Some(text), State::Scalar(Scalar::Address(at))) = (text, &value.state) {
            self.typed.places.hidden.push((*at, text.text.len() as u64, Hidden::Text));
        }
        let inner = value.members.iter().chain(&value.elements).chain(value.pointee.as_deref());
        for part in inner {
            self.hide(part, parts);
        }
    }

    fn scalar(&mut self, value: &Value, scalar: &Scalar, named: &Named<'_>, parts: &mut Parts) {
        let (digits, bits) = match scalar {
            Scalar::Signed(number) => (number.to_string(), Some(*number as u64)),
            Scalar::Unsigned(number) => (number.to_string(), Some(*number as u64)),
            Scalar::Float(float) => {
                let size = (float.format.bits() / 8) as usize;
                parts.floats.extend(float.bits.to_le_bytes().get(..size).unwrap_or(&[]));
                (float.text(), None)
            }
            _ => (String::new(), None),
        };
        if !digits.is_empty() && self.is_hidden(named, &digits) {
            // What lies in memory is no register's, though one may point to it.
            parts.hides |= value.address.is_none() && value.span.is_none();
            // Smaller ones are looked for as numbers.
            if let Scalar::Unsigned(number) = scalar
                && u64::try_from(*number).is_err()
            {
                self.redactor.learn_key(&number.to_le_bytes());
            }
            if let Some(span) = value.span {
                let is_whole = value.address.is_some() && bits.is_some();
                let what = if is_whole { Hidden::Integer } else { Hidden::Other };
                self.typed.places.hidden.push((span.start.0, span.len(), what));
            }
            let found = bits.filter(|bits| *bits >= LEAST_VALUE && bits.wrapping_neg() >= 256);
            self.typed
                .places
                .values
                .extend(found.filter(|_| self.typed.places.values.len() < MOST_VALUES));
        } else if let Some(span) = value.span
            && span.len() <= LONGEST_NUMBER
        {
            self.typed.places.numbers.push((span.start.0, span.len()));
        }
    }

    /// Whether a report hides the number, or would if it were in a text.
    fn is_hidden(&mut self, named: &Named<'_>, digits: &str) -> bool {
        self.redactor.hide_number(named, digits).is_some()
            || (digits.len() >= LEAST_DIGITS
                && !digits.contains('.')
                && self.redactor.show(Origin::VariableText, digits).as_str() != digits)
    }

    fn text(
        &mut self,
        value: &Value,
        text: &Text,
        named: &Named<'_>,
        within: Within,
        parts: &mut Parts,
    ) {
        if let Some(range) = range_of_text(value) {
            let shown = self.redactor.show_value(Origin::VariableText, named, &text.text);
            if shown.as_str() != text.text {
                self.typed.places.hidden.push((range.0, range.1, Hidden::Text));
            } else if !within.is_overlaid {
                self.typed.places.texts.push(range);
            }
            return;
        }
        let is_letter = matches!(value.state, State::Scalar(Scalar::Character { .. }));
        if is_letter || text.text.is_empty() || text.text.len() >= SHORT_TEXT {
            return;
        }
        match value.state {
            State::Scalar(Scalar::Address(at)) => {
                self.typed.places.texts.push((at, text.text.len() as u64));
            }
            _ => parts.short.push(text.text.as_bytes().to_vec()),
        }
    }

    /// Where short texts of strings lie: they were read.
    fn short_texts(&mut self, texts: &[Vec<u8>], reads: &[AvmaRange]) {
        for text in texts {
            let fits = reads.iter().filter(|read| read.len() == text.len() as u64);
            for read in fits {
                if self.process.memory.read_up_to(read.start, text.len()) == *text {
                    self.typed.places.texts.push((read.start.0, read.len()));
                }
            }
        }
        self.process.memory.take_reads();
    }
}

/// Where the text of an array of characters lies, or that of a string of a stated length.
fn range_of_text(value: &Value) -> Option<(u64, u64)> {
    if value.members.is_empty() {
        let span = value.span.filter(|_| matches!(value.state, State::Aggregate))?;
        return Some((span.start.0, span.len()));
    }
    let spans = || value.members.iter().map(|member| member.span);
    let (first, last) = (spans().next().flatten()?, spans().next_back().flatten()?);
    let behind = first.len().saturating_mul(value.omitted);
    let end = last.end.0.saturating_add(behind);
    Some((first.start.0, end.saturating_sub(first.start.0)))
}

/// Places where two members lie: of a union the bytes may be either.
fn overlaid(members: &[Value]) -> BTreeSet<Avma> {
    let mut seen = BTreeSet::new();
    members.iter().filter_map(|member| member.address).filter(|at| !seen.insert(*at)).collect()
}
