//! The machine code around a place that has no source.

use super::{Flavor, Hex, InstructionReport};
use obit_corefile::addr::Avma;
use obit_corefile::arch::{Decoder, Machine, Registers};
use obit_disassembly::{Instruction, around, fixed_length};
use obit_dwarf::SymbolAt;
use obit_process::process::{Frame, Process};
use obit_redact::{Named, Origin, Redactor, Shown};

/// Bytes of code from the start of a function to a place in it that are decoded. Longer
/// functions are decoded from the place on.
const LONGEST_FUNCTION: u64 = 1 << 20;
/// The longest instruction of any machine, in bytes.
const LONGEST_INSTRUCTION: u64 = 16;
/// In the place of a number that may not be shown.
const HIDDEN: &str = "<redacted>";

/// Reads code of a crashed process.
pub(crate) struct Code<'p> {
    pub(crate) process: &'p Process,
    pub(crate) flavor: Flavor,
}

impl Code<'_> {
    /// The instruction at the pc of the crashed thread's innermost `frame`, with at most
    /// `before` and `after` others of the same function. Empty where the memory is not
    /// available or the machine's code is not known.
    pub(super) fn around(
        &self,
        frame: &Frame,
        before: usize,
        after: usize,
        redactor: &mut Redactor,
    ) -> Vec<InstructionReport> {
        let pc = frame.pc;
        let Some(decoder) = self.process.decoder_at(pc) else { return Vec::new() };
        let function = self.symbol(pc).map(|(_, offset)| offset);
        let back = match (fixed_length(decoder), function) {
            (_, Some(offset)) if offset <= LONGEST_FUNCTION => offset,
            (Some(length), _) => length.saturating_mul(before as u64),
            // Instructions of differing lengths cannot be read backwards.
            (None, _) => 0,
        };
        let back = match fixed_length(decoder) {
            Some(length) => back.min(length.saturating_mul(before as u64)),
            None => back,
        };
        let start = Avma(pc.0.wrapping_sub(back));
        let ahead = (after as u64).saturating_add(1).saturating_mul(LONGEST_INSTRUCTION);
        let size = usize::try_from(back.saturating_add(ahead)).unwrap_or(0);
        let code = self.process.memory.read_up_to(start, size);
        let name = |at| self.symbol(at).map(|(name, _)| name);
        let is_same_function = |at| at <= pc || name(at) == name(pc);
        // None where it gets out of step: data among the code, or no function starts there.
        let shown =
            around(decoder, self.flavor, (start, &code), pc, (before, after), is_same_function);
        shown.iter().map(|instruction| self.report(instruction, pc, redactor)).collect()
    }

    fn report(
        &self,
        instruction: &Instruction,
        pc: Avma,
        redactor: &mut Redactor,
    ) -> InstructionReport {
        let current = instruction.address == pc;
        let text = self.text(instruction);
        let registers = self.process.crashed().map(|thread| &thread.registers);
        let note = registers.filter(|_| current).and_then(|registers| {
            let held = held(&instruction.text, self.process.dump.machine, registers);
            (!held.is_empty()).then(|| held.join(", "))
        });
        let place = self.place(instruction.address);
        let place = place.map(|place| redactor.show(Origin::SymbolName, &place));
        let mut show = |text: &str| redactor.show(Origin::Code, text);
        InstructionReport {
            address: Hex(instruction.address.0),
            place,
            text: show(&text),
            current,
            note: note.as_deref().map(show),
        }
    }

    /// What it does, with the name of what it refers to.
    pub(crate) fn text(&self, instruction: &Instruction) -> String {
        let text = instruction.text.clone();
        let Some((target, name)) =
            instruction.target.and_then(|target| Some((target, self.place(target)?)))
        else {
            return text;
        };
        // As in gdb: of a branch the place is all there is to say.
        let hex = Hex(target.0).to_string();
        match text.ends_with(&hex) {
            true => format!("{text} <{name}>"),
            false => format!("{text}  # {hex} <{name}>"),
        }
    }

    /// The same as it may be shown: without numbers that are hidden elsewhere, which a program may
    /// have in its code, too.
    pub(crate) fn shown(&self, instruction: &Instruction, redactor: &mut Redactor) -> Shown {
        let text = self.text(instruction);
        let (mut open, mut rest) = (String::new(), text.as_str());
        while let Some(at) = rest.find("0x") {
            let (before, number) = rest.split_at_checked(at).unwrap_or((rest, ""));
            let digits = number.get(2..).unwrap_or_default();
            let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
            let (digits, after) = digits.split_at_checked(end).unwrap_or((digits, ""));
            let value = u64::from_str_radix(digits, 16).ok();
            // A pointer is no number of anyone.
            let value = value.filter(|value| self.process.memory.region_at(Avma(*value)).is_none());
            let hidden =
                value.and_then(|value| redactor.hide_number(&Named::default(), &value.to_string()));
            open.push_str(before);
            match hidden {
                Some(_) => open.push_str(HIDDEN),
                None => {
                    open.push_str("0x");
                    open.push_str(digits);
                }
            }
            rest = after;
        }
        open.push_str(rest);
        redactor.show(Origin::Code, &open)
    }

    pub(crate) fn place(&self, at: Avma) -> Option<String> {
        let (name, offset) = self.symbol(at)?;
        Some(if offset == 0 { name } else { format!("{name}+{offset}") })
    }

    /// The function that holds the address, and the distance from its start.
    fn symbol(&self, at: Avma) -> Option<(String, u64)> {
        let symbol = self.symbol_before(at)?;
        let is_inside = symbol.size == 0 || symbol.offset < symbol.size;
        is_inside.then_some((symbol.name, symbol.offset))
    }

    /// The last function that begins at the address or before it.
    pub(crate) fn symbol_before(&self, at: Avma) -> Option<SymbolAt> {
        let modules = &self.process.modules;
        let index = modules.index_at(at)?;
        let module = modules.get(index)?;
        modules.debug(index)?.symbol_at(module.to_svma(at))
    }
}

/// What the registers of an instruction held: those that make up an address in memory, or
/// all if there is none.
fn held(text: &str, machine: Machine, registers: &Registers) -> Vec<String> {
    let operands = text.split_once(' ').map_or("", |(_, operands)| operands);
    let inside = bracketed(operands);
    let operands = if inside.is_empty() { operands } else { &inside };
    let names = machine.facts().map(|facts| facts.names).unwrap_or_default();
    let mut held: Vec<String> = Vec::new();
    for word in operands.split(|c: char| !c.is_ascii_alphanumeric()) {
        let whole = whole_register(word, machine);
        let known = names.iter().find(|(_, name)| *name == whole);
        let value = known.and_then(|(register, _)| registers.get(*register));
        let Some(value) = value else { continue };
        let printed = format!("{whole} = {value:#x}");
        // The address of the code is known.
        if !matches!(&*whole, "rip" | "eip" | "pc") && !held.contains(&printed) {
            held.push(printed);
        }
    }
    held
}

/// What is in `(…)` and `[…]`.
fn bracketed(operands: &str) -> String {
    let mut inside = String::new();
    let mut depth = 0_usize;
    for c in operands.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            c if depth > 0 => inside.push(c),
            _ => {}
        }
        if depth == 0 {
            inside.push(' ');
        }
    }
    inside.trim().to_owned()
}

/// The register of which `name` is a part: `eax` of `rax`, `w3` of `x3`.
fn whole_register(name: &str, machine: Machine) -> String {
    const X86_64: Option<Decoder> = Some(Decoder::X86 { bits: 64 });
    let part = match machine.decoder() {
        X86_64 if name.len() == 3 && name.starts_with('e') => name.strip_prefix('e'),
        X86_64 if name.starts_with('r') => {
            let number = name.trim_end_matches(['d', 'w', 'b']);
            let is_numbered = number.get(1..).is_some_and(|rest| rest.parse::<u8>().is_ok());
            return if is_numbered { number.to_owned() } else { name.to_owned() };
        }
        Some(Decoder::Aarch64) => {
            let number = name.strip_prefix('w').filter(|rest| rest.parse::<u8>().is_ok());
            return number.map_or_else(|| name.to_owned(), |number| format!("x{number}"));
        }
        Some(Decoder::A32 | Decoder::Thumb) => {
            let numbered = match name {
                "sl" => "r10",
                "fp" => "r11",
                "ip" => "r12",
                name => name,
            };
            return numbered.to_owned();
        }
        Some(Decoder::Riscv | Decoder::X86 { .. }) | None => None,
    };
    part.map_or_else(|| name.to_owned(), |rest| format!("r{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers(known: &[(&str, u64)], machine: Machine) -> Registers {
        let mut registers = Registers::default();
        for (name, value) in known {
            let names = machine.facts().unwrap().names;
            let (register, _) = names.iter().find(|(_, known)| known == name).unwrap();
            registers.set(*register, Some(*value));
        }
        registers
    }

    #[test]
    fn an_address_in_memory_is_explained_by_its_registers() {
        let machine = Machine::X86_64;
        let known = registers(&[("rax", 0), ("rbx", 7), ("r8", 2), ("rip", 1)], machine);
        let held = |text: &str| held(text, machine, &known);
        assert_eq!(held("mov    0x8(%rax,%r8,4),%rbx"), ["rax = 0x0", "r8 = 0x2"]);
        assert_eq!(held("mov    rbx,[rax+8]"), ["rax = 0x0"]);
        assert_eq!(held("idiv   %ebx"), ["rbx = 0x7"]);
        assert_eq!(held("mov    0x10(%rip),%r8d"), [] as [&str; 0]);
        assert_eq!(held("ret"), [] as [&str; 0]);
    }

    #[test]
    fn half_a_register_is_shown_as_the_whole() {
        let machine = Machine::Aarch64;
        let known = registers(&[("x0", 16), ("x3", 3)], machine);
        assert_eq!(held("ldr x1, [x0, #0x8]", machine, &known), ["x0 = 0x10"]);
        assert_eq!(held("cbz w3, #0x40", machine, &known), ["x3 = 0x3"]);
    }
}
