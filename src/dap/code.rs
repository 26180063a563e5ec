//! Memory and instructions.

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::debuggee::{Debuggee, arguments, no_answer};
use super::text::{optional, plain};
use super::wire::Failed;
use crate::session::{Answer, CodeLine, MOST_INSTRUCTIONS, Place, Question};
use obit_report::answer::MemoryDump;

/// Bytes of one answer, and of one question.
const MOST_BYTES: u64 = 64 << 10;
const CHUNK: u64 = 4096;
/// Bytes of an instruction, at most: to know where one is by its distance in bytes.
const MOST_OFFSET: i64 = 1 << 40;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadMemory {
    memory_reference: String,
    #[serde(default)]
    offset: i64,
    count: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disassemble {
    memory_reference: String,
    #[serde(default)]
    offset: i64,
    #[serde(default)]
    instruction_offset: i64,
    instruction_count: i64,
    #[serde(default)]
    resolve_symbols: bool,
}

impl Debuggee {
    /// Bytes from an address on. Those that may not be shown cannot be read, like those that the
    /// core lacks.
    pub(super) fn read_memory(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: ReadMemory = arguments(given)?;
        let start = address(&wanted.memory_reference, wanted.offset)?;
        let count = u64::try_from(wanted.count)
            .map_err(|_| Failed::because("`count` is a number of bytes"))?;
        let shown = format!("{start:#x}");
        if count == 0 {
            return Ok(json!({ "address": shown, "data": "" }));
        }
        let end = start.saturating_add(count.min(MOST_BYTES));
        let mut bytes = Vec::new();
        let (mut at, mut unreadable) = (start, 0_u64);
        while at < end {
            let size = CHUNK.min(end - at);
            let chunk = self.chunk(at, size)?;
            let readable = chunk.iter().take_while(|byte| byte.is_some()).count() as u64;
            // Behind the first gap a client reads with another request.
            if unreadable == 0 {
                bytes.extend(chunk.iter().map_while(|byte| *byte));
            }
            let is_whole = readable == size;
            if unreadable == 0 && !is_whole {
                let gap = chunk.iter().skip_while(|byte| byte.is_some());
                unreadable = gap.take_while(|byte| byte.is_none()).count() as u64;
                // It may go on behind this part.
                if readable + unreadable < size {
                    break;
                }
            } else if unreadable > 0 {
                let gap = chunk.iter().take_while(|byte| byte.is_none()).count() as u64;
                unreadable += gap;
                if gap < size {
                    break;
                }
            }
            at = at.saturating_add(size);
        }
        let mut body = json!({ "address": shown, "data": BASE64.encode(&bytes) });
        if let (true, Some(fields)) = (unreadable > 0, body.as_object_mut()) {
            fields.insert("unreadableBytes".to_owned(), unreadable.into());
        }
        Ok(body)
    }

    /// `size` bytes from `at` on, each if it can be read and may be shown.
    fn chunk(&mut self, at: u64, size: u64) -> Result<Vec<Option<u8>>, Failed> {
        let mut bytes = vec![None; usize::try_from(size).unwrap_or(0)];
        let mut done = 0_u64;
        while done < size {
            let from = at.saturating_add(done);
            let question = Question::Memory {
                at: Place::default(),
                examine: format!("x/{}xb", size - done),
                address: format!("{from:#x}"),
            };
            let Answer::Memory(found) = self.ask(&question)? else { return Err(no_answer()) };
            let read = bytes_of(&found.memory);
            if read.is_empty() {
                // Byte by byte would take too long where nothing is.
                done += gap_at(from).min(size - done);
                continue;
            }
            for (place, byte) in
                bytes.iter_mut().skip(usize::try_from(done).unwrap_or(0)).zip(&read)
            {
                *place = *byte;
            }
            done += read.len() as u64;
        }
        Ok(bytes)
    }

    /// Instructions around an address: as many as were asked for, those that are not known in
    /// their places.
    pub(super) fn disassemble(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Disassemble = arguments(given)?;
        let start = address(&wanted.memory_reference, wanted.offset)?;
        let most = i64::try_from(MOST_INSTRUCTIONS).unwrap_or(i64::MAX);
        if !(0..=most).contains(&wanted.instruction_count)
            || !(-most..=most).contains(&wanted.instruction_offset)
        {
            let problem = format!("at most {most} instructions are shown at once");
            return Err(Failed::Refused(problem));
        }
        let before = wanted.instruction_offset.min(0).unsigned_abs();
        let ahead = wanted.instruction_offset.saturating_add(wanted.instruction_count).max(0);
        let ahead = u64::try_from(ahead).unwrap_or(0);
        let question = Question::Code { address: start, before, count: ahead };
        let Answer::Code(found) = self.ask(&question)? else { return Err(no_answer()) };
        let mut lines: Vec<Value> = Vec::new();
        let lacking = before.saturating_sub(found.before.len() as u64);
        let first = found.before.first().map_or(start, |line| line.address.0);
        let why = optional(found.no_more_before.as_ref()).unwrap_or_default();
        lines.extend((1..=lacking).rev().map(|back| unknown(first.wrapping_sub(back), &why)));
        let shown = |line: &CodeLine| instruction(line, wanted.resolve_symbols);
        lines.extend(found.before.iter().chain(&found.after).map(shown));
        let lacking = ahead.saturating_sub(found.after.len() as u64);
        let last = found.after.last().map_or(start.wrapping_sub(1), |line| {
            let length = line.bytes.as_ref().map_or(1, |bytes| bytes.len().div_ceil(3) as u64);
            line.address.0.wrapping_add(length.saturating_sub(1))
        });
        let why = optional(found.no_more_after.as_ref()).unwrap_or_default();
        lines.extend((1..=lacking).map(|ahead| unknown(last.wrapping_add(ahead), &why)));
        // Those between the address and a positive offset are not wanted.
        let skip = usize::try_from(wanted.instruction_offset.max(0)).unwrap_or(usize::MAX);
        let take = usize::try_from(wanted.instruction_count).unwrap_or(0);
        let lines: Vec<_> = lines.into_iter().skip(skip).take(take).collect();
        Ok(json!({ "instructions": lines }))
    }
}

fn instruction(line: &CodeLine, with_symbol: bool) -> Value {
    let mut shown = json!({
        "address": line.address.to_string(),
        "instruction": plain(&line.text),
    });
    if let Some(fields) = shown.as_object_mut() {
        if let Some(bytes) = &line.bytes {
            fields.insert("instructionBytes".to_owned(), bytes.as_str().into());
        }
        if let Some(symbol) = line.symbol.as_ref().filter(|_| with_symbol) {
            fields.insert("symbol".to_owned(), plain(symbol).into());
        }
    }
    shown
}

/// A line where no instruction is known.
fn unknown(address: u64, why: &str) -> Value {
    json!({
        "address": format!("{address:#x}"),
        "instruction": format!("<unknown: {why}>"),
        "presentationHint": "invalid",
    })
}

/// A reference of ours, some bytes away.
fn address(reference: &str, offset: i64) -> Result<u64, Failed> {
    let digits = reference.trim().strip_prefix("0x");
    let address = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    let address = address.ok_or_else(|| {
        Failed::because("`memoryReference` is an address such as 0x7ffd1000, as answers have it")
    })?;
    let moved = address.checked_add_signed(offset).filter(|_| offset.abs() <= MOST_OFFSET);
    moved.ok_or_else(|| Failed::because("`offset` leads out of the address space"))
}

/// The bytes of a dump, each if it may be shown, up to what could not be read.
fn bytes_of(memory: &MemoryDump) -> Vec<Option<u8>> {
    let values = memory.rows.iter().flat_map(|row| &row.values);
    let byte = |text: &str| u8::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    values.map(|value| byte(value.as_str())).collect()
}

/// Bytes from an address to the next place where memory may begin.
fn gap_at(at: u64) -> u64 {
    const PAGE: u64 = 4096;
    PAGE - at % PAGE
}
