//! Instructions around an address, and the source file of a frame.

use super::opened::Opened;
use crate::report::{Code, source_file};
use obit_corefile::addr::Avma;
use obit_corefile::arch::Decoder;
use obit_disassembly::{Instruction, disassemble, fixed_length};
use obit_redact::{Level, Origin, Shown};
use obit_report::Hex;
use obit_session::{CodeAnswer, CodeLine, FileAnswer, MOST_INSTRUCTIONS, Place, Problem};

/// Bytes from the start of a function to a place in it that are decoded.
const LONGEST_FUNCTION: u64 = 1 << 20;
/// Functions before the one of the address that are decoded.
const MOST_FUNCTIONS: usize = 64;
/// The longest instruction of any machine, in bytes.
const LONGEST_INSTRUCTION: u64 = 16;

impl Opened {
    /// At most `before` instructions before `address`, and `count` from it on.
    pub(super) fn code(&self, address: Avma, before: u64, count: u64) -> CodeAnswer {
        let (before, count) = (before.min(MOST_INSTRUCTIONS), count.min(MOST_INSTRUCTIONS));
        let code = Code { process: &self.process, flavor: self.build.flavor };
        let mut answer = CodeAnswer::default();
        let decoder = match self.decoder_of_code(address) {
            Ok(decoder) => decoder,
            Err(why) => {
                answer.no_more_before = Some(Shown::own(why));
                answer.no_more_after = Some(Shown::own(why));
                return answer;
            }
        };
        let size = usize::try_from(count.saturating_mul(LONGEST_INSTRUCTION)).unwrap_or(0);
        let after = self.instructions(decoder, address, size);
        let earlier = self.before(&code, address, decoder, before);
        let wanted = usize::try_from(before).unwrap_or(usize::MAX);
        let skipped = earlier.len().saturating_sub(wanted);
        answer.before = self.code_lines(&code, earlier.get(skipped..).unwrap_or_default());
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        answer.after =
            self.code_lines(&code, after.get(..wanted.min(after.len())).unwrap_or_default());
        if (answer.before.len() as u64) < before {
            let why = "where instructions begin before this is not known";
            answer.no_more_before = Some(Shown::own(why));
        }
        if (answer.after.len() as u64) < count {
            answer.no_more_after = Some(Shown::own("the code behind this is not in the core"));
        }
        answer
    }

    /// What decodes the code at an address. Data that is shown as instructions would be shown
    /// as it is.
    fn decoder_of_code(&self, at: Avma) -> Result<Decoder, &'static str> {
        let region =
            self.process.memory.region_at(at).ok_or("nothing is mapped at this address")?;
        if !region.permissions.execute && self.build.redaction != Level::Off {
            return Err("this is not executable memory; memory is read as bytes");
        }
        self.process.decoder_at(at).ok_or("obit cannot disassemble this code")
    }

    fn instructions(&self, decoder: Decoder, start: Avma, size: usize) -> Vec<Instruction> {
        let mut bytes = self.process.memory.read_up_to(start, size);
        if self.build.redaction != Level::Off {
            // Memory behind it may be data.
            let end = self.process.memory.range_at(start).map_or(start.0, |range| range.end.0);
            let room = usize::try_from(end.saturating_sub(start.0)).unwrap_or(usize::MAX);
            bytes.truncate(room);
        }
        disassemble(decoder, self.build.flavor, start, &bytes)
    }

    /// Instructions before `address`, in order: at least `wanted`, or as many as are known. Where
    /// instructions differ in length, the start of a function is where one begins; if they do not
    /// lead to the address, nothing is known.
    fn before(
        &self,
        code: &Code<'_>,
        address: Avma,
        decoder: Decoder,
        wanted: u64,
    ) -> Vec<Instruction> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let mut found: Vec<Instruction> = Vec::new();
        let mut end = address;
        for _ in 0..MOST_FUNCTIONS {
            if found.len() >= wanted {
                break;
            }
            let missing = (wanted - found.len()) as u64;
            let last = Avma(end.0.wrapping_sub(1));
            if self.decoder_of_code(last) != Ok(decoder) {
                break;
            }
            let back = match (fixed_length(decoder), code.symbol_before(last)) {
                (Some(length), _) => length.saturating_mul(missing),
                (None, Some(symbol)) => symbol.offset.saturating_add(1),
                (None, None) => break,
            };
            if back > LONGEST_FUNCTION {
                break;
            }
            let start = Avma(end.0.saturating_sub(back));
            let size = usize::try_from(end.0.saturating_sub(start.0)).unwrap_or(0);
            let mut some = self.instructions(decoder, start, size);
            let reached = some.last().map(|last| last.address.0.saturating_add(last.len as u64));
            if reached != Some(end.0) {
                break;
            }
            some.append(&mut found);
            found = some;
            end = start;
        }
        found
    }

    fn code_lines(&self, code: &Code<'_>, all: &[Instruction]) -> Vec<CodeLine> {
        let line = |instruction: &Instruction| {
            let text = code.text(instruction);
            let symbol = code.place(instruction.address);
            let bytes = self.code_bytes(instruction);
            self.judged(&[], |judge| {
                let redactor = judge.redactor();
                let shown = code.shown(instruction, redactor);
                CodeLine {
                    address: Hex(instruction.address.0),
                    // They say what a text that is hidden does.
                    bytes: bytes.filter(|_| shown.as_str() == text),
                    symbol: symbol.map(|name| redactor.show(Origin::SymbolName, &name)),
                    text: shown,
                }
            })
        };
        all.iter().map(line).collect()
    }

    /// The bytes of an instruction in memory that the program cannot write.
    fn code_bytes(&self, instruction: &Instruction) -> Option<String> {
        let region = self.process.memory.region_at(instruction.address)?;
        if region.permissions.write && self.build.redaction != Level::Off {
            return None;
        }
        let bytes = self.process.memory.read_up_to(instruction.address, instruction.len);
        let all: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(all.join(" "))
    }

    /// The source file of a frame, and its lines if they are wanted.
    pub(super) fn file(&self, at: Place, whole: bool) -> Result<FileAnswer, Problem> {
        let at = self.place(at)?;
        let found = self.judged(&[at.thread], |judge| {
            source_file(&self.process, (at.thread, at.frame), whole, judge.redactor())
        });
        let Some(file) = found else {
            let doubt = Some(Shown::own("no line information for this frame"));
            return Ok(FileAnswer { doubt, ..FileAnswer::default() });
        };
        let doubt = match (file.path.is_some(), file.is_cut) {
            (false, _) => Some(Shown::own("the source file was not found")),
            (true, true) => Some(Shown::own("the file is longer: its end is left out")),
            (true, false) => file.place.doubt,
        };
        let compiled = Some(file.place.file);
        Ok(FileAnswer { found: file.path, compiled, lines: file.lines, doubt })
    }
}
