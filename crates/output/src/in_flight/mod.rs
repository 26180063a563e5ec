//! The request or the statement that the crashed thread was working on: texts that its variables,
//! its frames and the objects these point to lead to, recognised by their grammar.

mod near;
mod recognise;

pub use recognise::{Recognised, RequestKind, recognise};

use std::collections::{HashMap, HashSet};

use obit_corefile::addr::Avma;
use obit_corefile::memory::Cursor;
use obit_dwarf::Language;
use obit_process::process::{Process, Thread};

/// Frames of the thread that are looked at.
const MOST_FRAMES: usize = 128;
/// Words of the stack that are looked at, the innermost first.
const MOST_WORDS: usize = 1 << 16;
/// Objects that are looked into, at each distance from the thread.
const MOST_OBJECTS: [usize; 2] = [4096, 8192];
/// Bytes of an object that are looked into.
const OBJECT: usize = 1536;
/// Bytes of a variable that are looked into.
const VARIABLE: usize = 256;
/// Requests that are kept.
const MOST: usize = 64;
/// Bytes that decide whether a text is read in full.
const FIRST: usize = 64;

/// A request that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// What it is.
    pub request: Recognised,
    /// How it was found.
    pub trust: Trust,
    /// The frame of the crashed thread that leads to it.
    pub frame: Option<usize>,
    /// The variable there.
    pub variable: Option<String>,
    /// Where its text is.
    pub at: Avma,
    /// Pointers that lead to it.
    pub pointers: usize,
    /// Objects on the way to it.
    pub objects: usize,
}

/// How a request was found; the most trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// A variable of a frame points to it.
    Variable,
    /// A register or a word of a frame points to it, or it lies in the frame.
    Frame,
    /// An object that a frame points to points to it, directly or by one more object.
    Object,
    /// It is somewhere in memory, and nothing of the thread leads to it.
    Memory,
}

/// The requests in flight on the crashed thread, the likeliest first; and whether some of what
/// leads to them was not looked at.
pub fn in_flight(process: &Process) -> (Vec<InFlight>, bool) {
    let Some(number) = process.threads.iter().position(|thread| thread.crashed) else {
        return (Vec::new(), false);
    };
    let Some(thread) = process.threads.get(number) else { return (Vec::new(), false) };
    let mut search = Search::new(process);
    search.variables(number, thread);
    search.frames(thread);
    search.objects();
    let is_cut = search.is_cut;
    let mut found: Vec<InFlight> = search.found.into_values().collect();
    if found.is_empty() {
        found = near::requests(process);
    }
    found.sort_by(|a, b| {
        let key = |one: &InFlight| {
            (one.trust, one.objects, std::cmp::Reverse(one.pointers), one.frame, one.at)
        };
        key(a).cmp(&key(b))
    });
    // Copies of one text are one request.
    let mut known = HashSet::new();
    found.retain(|one| known.insert((one.request.kind, one.request.text.clone())));
    let is_cut = is_cut || found.len() > MOST;
    found.truncate(MOST);
    (found, is_cut)
}

/// Where a pointer was found.
#[derive(Clone)]
struct Lead {
    trust: Trust,
    frame: Option<usize>,
    variable: Option<String>,
    /// Texts of this frame end by their length.
    has_length: bool,
    /// Objects on the way from the frame.
    objects: usize,
}

struct Search<'p> {
    process: &'p Process,
    cursor: Cursor<'p>,
    /// By the address of the text.
    found: HashMap<u64, InFlight>,
    /// Addresses that are no text.
    known: HashSet<u64>,
    /// Objects to look into, and what led to them.
    objects: Vec<(u64, Lead)>,
    queued: HashSet<u64>,
    is_cut: bool,
}

impl<'p> Search<'p> {
    fn new(process: &'p Process) -> Self {
        Self {
            process,
            cursor: process.memory.cursor(),
            found: HashMap::new(),
            known: HashSet::new(),
            objects: Vec::new(),
            queued: HashSet::new(),
            is_cut: false,
        }
    }

    /// What the variables of the frames hold.
    fn variables(&mut self, number: usize, thread: &Thread) {
        for frame in 0..thread.frames.len().min(MOST_FRAMES) {
            let Some(view) = self.process.frame_view(number, frame) else { continue };
            let language = view.frame().language;
            for (variable, object) in view.variables() {
                let scene = view.scene();
                let Some(object) = object else { continue };
                let size = object.size(scene).unwrap_or(0);
                if size == 0 || size > VARIABLE as u64 {
                    continue;
                }
                let Ok(bytes) = object.bytes(scene) else { continue };
                let from = Lead {
                    trust: Trust::Variable,
                    frame: Some(frame),
                    variable: variable.name.as_deref().map(ToOwned::to_owned),
                    has_length: has_length(language),
                    objects: 0,
                };
                self.words(&bytes, &from);
            }
        }
        self.is_cut |= thread.frames.len() > MOST_FRAMES;
    }

    /// What the registers and the stack of the frames hold.
    fn frames(&mut self, thread: &Thread) {
        let Some(facts) = self.process.dump.machine.facts() else { return };
        let mut left = MOST_WORDS;
        let mut end: Option<u64> = None;
        for (frame, activation) in thread.stack.frames.iter().enumerate().take(MOST_FRAMES) {
            let shown = thread.frames.iter().position(|shown| shown.activation == frame);
            let language = shown.and_then(|at| thread.frames.get(at)?.language);
            let from = Lead {
                trust: Trust::Frame,
                frame: shown,
                variable: None,
                has_length: has_length(language),
                objects: 0,
            };
            for (register, _) in facts.names {
                if let Some(value) = activation.registers.get(*register) {
                    self.pointer(value, None, &from);
                }
            }
            let start = end.or_else(|| activation.registers.get(facts.sp));
            let (Some(start), Some(cfa)) = (start, activation.cfa) else { continue };
            end = Some(cfa.0);
            let size = cfa.0.saturating_sub(start);
            let word = self.process.memory.word();
            let size = usize::try_from(size).unwrap_or(usize::MAX).min(left.saturating_mul(word));
            let bytes = self.process.memory.read_up_to(Avma(start), size);
            left = left.saturating_sub(bytes.len().checked_div(word).unwrap_or(0));
            self.words(&bytes, &from);
            self.texts(start, &bytes, &from);
            if left == 0 {
                self.is_cut = true;
                break;
            }
        }
    }

    /// What the objects hold that were pointed to.
    fn objects(&mut self) {
        for most in MOST_OBJECTS {
            let objects = std::mem::take(&mut self.objects);
            self.is_cut |= objects.len() > most;
            for (at, from) in objects.into_iter().take(most) {
                let bytes = self.read(at, OBJECT);
                let objects = from.objects.saturating_add(1);
                let from = Lead { trust: Trust::Object, objects, ..from };
                self.words(&bytes, &from);
            }
        }
    }

    /// Each aligned word that may be a pointer.
    fn words(&mut self, bytes: &[u8], from: &Lead) {
        let memory = &self.process.memory;
        let word = memory.word();
        let mut words = bytes.chunks_exact(word).map(|word| memory.unsigned(word)).peekable();
        while let Some(value) = words.next() {
            self.pointer(value, words.peek().copied(), from);
        }
    }

    /// Texts that lie in a frame.
    fn texts(&mut self, start: u64, bytes: &[u8], from: &Lead) {
        for (at, two) in bytes.windows(2).enumerate() {
            let [before, byte] = two else { continue };
            let begins = matches!(before, 0 | b'\n')
                && (byte.is_ascii_alphabetic() || b"*{/".contains(byte));
            if begins {
                let address = start.saturating_add(at as u64).saturating_add(1);
                self.text(address, None, from);
            }
        }
    }

    /// `next` is the word after it, which may be the length of the text.
    fn pointer(&mut self, value: u64, next: Option<u64>, from: &Lead) {
        const LEAST: u64 = 1 << 16;
        if value < LEAST {
            return;
        }
        let Some(region) = self.process.memory.region_at(Avma(value)) else { return };
        if region.permissions.execute {
            return;
        }
        let is_object = region.permissions.write;
        if self.text(value, next, from) || !is_object || from.trust > Trust::Object {
            return;
        }
        if self.queued.len() < MOST_OBJECTS[0].saturating_add(MOST_OBJECTS[1]).saturating_mul(4)
            && self.queued.insert(value)
        {
            self.objects.push((value, from.clone()));
        }
    }

    /// Takes the text at an address, if it is a request.
    fn text(&mut self, at: u64, next: Option<u64>, from: &Lead) -> bool {
        if let Some(known) = self.found.get_mut(&at) {
            known.pointers = known.pointers.saturating_add(1);
            return true;
        }
        if self.known.contains(&at) {
            return false;
        }
        let found = self.recognised(at, next, from.has_length);
        let is_used = |found: &Recognised| !self.is_constant(at) || may_be_constant(found, from);
        let Some(request) = found.filter(is_used) else {
            self.known.insert(at);
            return false;
        };
        let Lead { trust, frame, variable, objects, .. } = from.clone();
        let (at_text, pointers) = (Avma(at), 1);
        let found = InFlight { request, trust, frame, variable, at: at_text, pointers, objects };
        self.found.insert(at, found);
        true
    }

    /// Whether a text there is a part of a file, as of the program, that nothing can have changed.
    fn is_constant(&self, at: u64) -> bool {
        let region = self.process.memory.region_at(Avma(at));
        region.is_some_and(|region| !region.permissions.write && region.name.is_some())
    }

    fn recognised(&mut self, at: u64, next: Option<u64>, has_length: bool) -> Option<Recognised> {
        let first = self.read(at, FIRST);
        // Most are no text at all.
        let looks_like_text = first.iter().take(6).filter(|byte| byte.is_ascii_graphic()).count()
            >= 4
            || matches!(first.first(), Some(b'Q' | b'P' | b'*' | b' ' | b'\n' | b'\t'))
            || matches!(first.get(4), Some(3 | 22));
        if !looks_like_text {
            return None;
        }
        let mut bytes = self.read(at, recognise::LONGEST);
        let length = next.and_then(|next| usize::try_from(next).ok());
        if let Some(length) = length.filter(|length| has_length && *length <= bytes.len()) {
            bytes.truncate(length);
            let mut found = recognise(&bytes)?;
            found.is_cut &= found.kind != RequestKind::Sql || found.text.len() < length;
            return Some(found);
        }
        recognise(&bytes)
    }

    fn read(&mut self, at: u64, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most.min(FIRST)];
        if most <= FIRST && self.cursor.read(Avma(at), &mut bytes).is_ok() {
            return bytes;
        }
        self.process.memory.peek_up_to(Avma(at), most)
    }
}

/// Whether a text that is a part of the program counts. Tables, templates and messages look like
/// requests, too: an object leads to them by chance, and a request of HTTP that was received is
/// never there.
fn may_be_constant(found: &Recognised, from: &Lead) -> bool {
    match from.trust {
        Trust::Variable => true,
        Trust::Frame => found.kind != RequestKind::Http,
        Trust::Object | Trust::Memory => false,
    }
}

/// Whether a text of this language is a pointer and a length.
fn has_length(language: Option<Language>) -> bool {
    matches!(language, Some(Language::Rust | Language::Go))
}
