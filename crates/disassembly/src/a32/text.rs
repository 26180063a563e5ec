//! A32 and Thumb instructions as the GNU assembler writes them.

use super::operation::{
    ALWAYS, Block, Change, Data, Instruction, Offset, Operand, Operation, PC, Place, Plain, Right,
    SP, Set, Shift, Transfer, VectorChange, VectorForm, VectorTransfer, Way, registers_of,
};
use super::vector::structure_name;

const NAMES: [&str; 16] = [
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "sl", "fp", "ip", "sp", "lr", "pc",
];
const CONDITIONS: [&str; 15] =
    ["eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", ""];

fn r(number: u32) -> &'static str {
    usize::try_from(number).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or("?")
}

fn condition(number: u32) -> &'static str {
    usize::try_from(number).ok().and_then(|at| CONDITIONS.get(at)).copied().unwrap_or("")
}

/// The instruction in words.
pub(super) fn text(instruction: &Instruction) -> String {
    let when = condition(instruction.condition);
    let is_thumb = instruction.set == Set::Thumb;
    // The assembler's marks of the length of a Thumb instruction.
    let (wide, narrow) = match (is_thumb, instruction.len) {
        (true, 4) => (".w", ""),
        (true, _) => ("", ".n"),
        _ => ("", ""),
    };
    match instruction.operation {
        Operation::Data { kind, flags, to, left, right } => {
            data(instruction, kind, flags, (to, left, right))
        }
        Operation::Half { is_top, to, value } => {
            let name = if is_top { "movt" } else { "movw" };
            format!("{name}{when} {}, #{value}", r(to))
        }
        Operation::Near { to, at } => format!("adr{when}{wide} {}, {:#x}", r(to), at.0),
        Operation::Transfer(of) => {
            let is_single = of.second.is_none() && of.place.offset != Offset::None;
            let is_marked = is_single && !of.name.ends_with("ex");
            transfer(instruction, &of, if is_marked { wide } else { "" })
        }
        Operation::Block(of) => block(instruction, &of, when, wide),
        Operation::Jump { to, links, exchanges } => {
            let name = match (links, exchanges) {
                (true, true) => "blx",
                (true, false) => "bl",
                (false, _) => "b",
            };
            let width = if links {
                ""
            } else if narrow.is_empty() {
                wide
            } else {
                narrow
            };
            format!("{name}{when}{width} {:#x}", to.0)
        }
        Operation::ZeroJump { register, is_zero, to } => {
            let name = if is_zero { "cbz" } else { "cbnz" };
            format!("{name} {}, {:#x}", r(register), to.0)
        }
        Operation::RegisterJump { name, register, .. } => format!("{name}{when} {}", r(register)),
        Operation::Table { base, index, size } => {
            let (name, shift) = if size == 1 { ("tbb", "") } else { ("tbh", ", lsl #1") };
            format!("{name}{when} [{}, {}{shift}]", r(base), r(index))
        }
        Operation::IfThen { first, mask } => if_then(first, mask),
        Operation::Trap { name, number } => match (name, is_thumb) {
            ("bkpt", _) => format!("{name} 0x{number:04x}"),
            _ => format!("{name}{when}{} #{number}", if name == "udf" { wide } else { "" }),
        },
        Operation::SystemCall { number } if is_thumb => format!("svc{when} {number}"),
        Operation::SystemCall { number } => format!("svc{when} 0x{number:08x}"),
        Operation::Privileged { name } => format!("{name}{when}"),
        Operation::VectorTransfer(of) => vectors(&of, when),
        Operation::Plain(of) => plain(&of, when, wide),
        Operation::Vector { .. } => "<vector instruction>".to_owned(),
    }
}

fn name_of(kind: Data) -> &'static str {
    match kind {
        Data::And => "and",
        Data::Eor => "eor",
        Data::Sub => "sub",
        Data::Rsb => "rsb",
        Data::Add => "add",
        Data::Adc => "adc",
        Data::Sbc => "sbc",
        Data::Rsc => "rsc",
        Data::Tst => "tst",
        Data::Teq => "teq",
        Data::Cmp => "cmp",
        Data::Cmn => "cmn",
        Data::Orr => "orr",
        Data::Mov => "mov",
        Data::Bic => "bic",
        Data::Mvn => "mvn",
        Data::Orn => "orn",
    }
}

fn way_of(way: Way) -> &'static str {
    match way {
        Way::Left => "lsl",
        Way::Right => "lsr",
        Way::Arithmetic => "asr",
        Way::Rotate => "ror",
        Way::Extend => "rrx",
    }
}

/// `, lsl #2`
fn shifted(shift: Shift) -> String {
    match shift {
        Shift::NONE => String::new(),
        Shift { way: Way::Extend, .. } => ", rrx".to_owned(),
        Shift { way, by } => format!(", {} #{by}", way_of(way)),
    }
}

/// A computation: its result and its two operands.
fn data(
    instruction: &Instruction,
    kind: Data,
    flags: bool,
    (to, left, right): (u32, u32, Right),
) -> String {
    let is_thumb = instruction.set == Set::Thumb;
    let is_short = instruction.len == 2;
    let when = condition(instruction.condition);
    let is_test = super::flow::is_test(kind);
    let (sets, name) = (if flags && !is_test { "s" } else { "" }, name_of(kind));
    // Of these there is no short form with such operands, so the long one has no mark.
    let only_long = matches!(kind, Data::Orn | Data::Teq | Data::Rsb);
    let wide = if is_thumb && !is_short && !only_long { ".w" } else { "" };
    let operand = match right {
        // Thumb's numbers have no sign.
        Right::Number(number) if is_thumb => format!("#{number}"),
        Right::Number(number) => format!("#{}", number.cast_signed()),
        Right::Rotated(number, by) => format!("#{number}, {by}"),
        Right::Register(register, shift) => format!("{}{}", r(register), shifted(shift)),
        Right::ByRegister(register, way, by) => {
            format!("{}, {} {}", r(register), way_of(way), r(by))
        }
    };
    let two = |name: &str, sets: &str| format!("{name}{sets}{when}{wide} {}, {operand}", r(to));
    match kind {
        Data::Mov if instruction.bits & 0x0fff_ffff == 0x01a0_0000 && !is_thumb => {
            format!("nop{when}")
        }
        Data::Tst | Data::Teq | Data::Cmp | Data::Cmn => {
            // The old form that also sets the mode.
            let sets = if to == PC && !is_thumb { "p" } else { "" };
            format!("{name}{sets}{when}{wide} {}, {operand}", r(left))
        }
        Data::Mov => match right {
            Right::Register(register, shift @ Shift { way, by })
                if shift != Shift::NONE && (!is_thumb || is_short) =>
            {
                match way {
                    Way::Extend => format!("rrx{sets}{when} {}, {}", r(to), r(register)),
                    _ => format!("{}{sets}{when} {}, {}, #{by}", way_of(way), r(to), r(register)),
                }
            }
            Right::Register(register, Shift { way: Way::Extend, .. }) => {
                format!("rrx{sets}{when} {}, {}", r(to), r(register))
            }
            Right::ByRegister(_, way, by) if is_short => {
                format!("{}{sets}{when} {}, {}", way_of(way), r(to), r(by))
            }
            Right::ByRegister(register, way, by) => {
                let way = way_of(way);
                format!("{way}{sets}{when}{wide} {}, {}, {}", r(to), r(register), r(by))
            }
            _ => two(name, sets),
        },
        Data::Mvn => two(name, sets),
        Data::Rsb if is_short => format!("neg{sets}{when} {}, {}", r(to), r(left)),
        _ => {
            // With a number of eight bits, of two low registers, of the stack pointer.
            let top = instruction.bits >> 13;
            let is_two = is_short && to == left && top != 0;
            let left = if is_two { String::new() } else { format!(" {},", r(left)) };
            format!("{name}{sets}{when}{wide} {},{left} {operand}", r(to))
        }
    }
}

fn transfer(instruction: &Instruction, of: &Transfer, wide: &str) -> String {
    let when = condition(instruction.condition);
    let stack = match (of.is_load, of.place) {
        (true, Place { base: SP, offset, change: Change::After }) => Some(("pop", offset, false)),
        (false, Place { base: SP, offset, change: Change::Before }) => Some(("push", offset, true)),
        _ => None,
    };
    if let Some((name, Offset::Number { by: 4, is_negative }, is_down)) = stack
        && is_negative == is_down
        && of.size == 4
        && instruction.set == Set::A32
    {
        return format!("{name}{when} {{{}}}", r(of.register));
    }
    // Short forms always have a number.
    let is_explicit = instruction.len == 2;
    let status = of.status.map(|status| format!("{}, ", r(status))).unwrap_or_default();
    // Of A32 the second is the next one.
    let second = of.second.filter(|_| instruction.set == Set::Thumb);
    let second = second.map(|second| format!("{}, ", r(second))).unwrap_or_default();
    let place = place(of.place, is_explicit);
    format!("{}{when}{wide} {status}{}, {second}{place}", of.name, r(of.register))
}

/// A place in memory.
fn place(of: Place, is_explicit: bool) -> String {
    let base = r(of.base);
    let offset = match of.offset {
        Offset::None => String::new(),
        Offset::Number { by: 0, is_negative: false }
            if of.change == Change::Never && !is_explicit && of.base != PC =>
        {
            String::new()
        }
        Offset::Number { by, is_negative } => {
            format!(", #{}{by}", if is_negative { "-" } else { "" })
        }
        Offset::Register { register, shift, is_negative } => {
            let sign = if is_negative { "-" } else { "" };
            format!(", {sign}{}{}", r(register), shifted(shift))
        }
    };
    match of.change {
        Change::Never => format!("[{base}{offset}]"),
        Change::Before => format!("[{base}{offset}]!"),
        Change::After => format!("[{base}]{offset}"),
    }
}

/// `{r4, r5, pc}`
fn list(registers: u32) -> String {
    let names: Vec<&str> = registers_of(registers).map(r).collect();
    format!("{{{}}}", names.join(", "))
}

fn block(instruction: &Instruction, of: &Block, when: &str, wide: &str) -> String {
    let is_push = !of.is_load && of.is_before && !of.is_up;
    let is_pop = of.is_load && !of.is_before && of.is_up;
    let is_stack = of.base == SP && of.changes && !of.is_users && (is_push || is_pop);
    let is_short = instruction.set == Set::Thumb && instruction.len == 2;
    let is_a32 = instruction.set == Set::A32;
    let registers = list(of.list);
    // One register alone is what a load or a store has in Thumb.
    if is_stack && (is_short || is_a32 && of.count() > 1) {
        return format!("{}{when} {registers}", if is_pop { "pop" } else { "push" });
    }
    let mode = match (of.is_up, of.is_before) {
        (true, false) if is_a32 && is_stack => "fd",
        (true, false) if is_a32 && (of.is_load || !of.changes) => "",
        (true, false) => "ia",
        (true, true) => "ib",
        (false, false) => "da",
        (false, true) if is_a32 && is_stack => "fd",
        (false, true) => "db",
    };
    let name = if of.is_load { "ldm" } else { "stm" };
    let wide = if of.is_up { wide } else { "" };
    let (moved, users) = (if of.changes { "!" } else { "" }, if of.is_users { "^" } else { "" });
    format!("{name}{mode}{when}{wide} {}{moved}, {registers}{users}", r(of.base))
}

/// `itte ne`
fn if_then(first: u32, mask: u32) -> String {
    let len = 4_u32.saturating_sub(mask.trailing_zeros());
    let letters: String = (1..len)
        .map(|nth| {
            let bit = mask.checked_shr(4_u32.saturating_sub(nth)).unwrap_or(0) & 1;
            if bit == first & 1 { 't' } else { 'e' }
        })
        .collect();
    let when = if first == ALWAYS { "al" } else { condition(first) };
    format!("it{letters} {when}")
}

fn plain(of: &Plain, when: &str, wide: &str) -> String {
    let sets = if of.flags { "s" } else { "" };
    let wide = if of.is_wide { wide } else { "" };
    let operands: Vec<String> = of.operands.iter().filter_map(|of| operand(*of)).collect();
    // The condition comes before the type: `vaddne.f32`.
    let name = match of.name.split_once('.') {
        Some((name, kind)) => format!("{name}{sets}{when}.{kind}"),
        None => format!("{}{sets}{when}{wide}", of.name),
    };
    match operands.is_empty() {
        true => name,
        false => format!("{name} {}", operands.join(", ")),
    }
}

fn operand(of: Operand) -> Option<String> {
    Some(match of {
        Operand::None => return None,
        Operand::Register(register) => r(register).to_owned(),
        Operand::Number(number) => format!("#{number}"),
        Operand::Shifted(register, shift) => format!("{}{}", r(register), shifted(shift)),
        Operand::Bare(number) => number.to_string(),
        Operand::Control(number) => format!("cr{number}"),
        Operand::Braced(number) => format!("{{{number}}}"),
        Operand::Word(word) => word.to_owned(),
        Operand::Single(number) => format!("s{number}"),
        Operand::Double(number) => format!("d{number}"),
        Operand::Lane(number, lane) => format!("d{number}[{lane}]"),
        Operand::Place(of) => place(of, false),
    })
}

fn vectors(of: &VectorTransfer, when: &str) -> String {
    let letter = if of.is_double { 'd' } else { 's' };
    let last = of.first.saturating_add(of.count.saturating_sub(1));
    let base = r(of.base);
    match of.form {
        VectorForm::One => {
            let name = if of.is_load { "vldr" } else { "vstr" };
            let offset = match of.displacement {
                0 if of.base != PC => String::new(),
                number => format!(", #{number}"),
            };
            format!("{name}{when} {letter}{}, [{base}{offset}]", of.first)
        }
        VectorForm::Many => {
            let registers = match of.count {
                1 => format!("{{{letter}{}}}", of.first),
                _ => format!("{{{letter}{}-{letter}{last}}}", of.first),
            };
            let is_down = of.displacement < 0;
            let is_changed = of.change != VectorChange::Never;
            if of.base == SP && is_changed && of.is_load != is_down {
                let name = if of.is_load { "vpop" } else { "vpush" };
                return format!("{name}{when} {registers}");
            }
            let name = if of.is_load { "vldm" } else { "vstm" };
            let mode = if is_down { "db" } else { "ia" };
            let moved = if is_changed { "!" } else { "" };
            format!("{name}{mode}{when} {base}{moved}, {registers}")
        }
        VectorForm::Structures { fields, bits, step, align } => {
            let registers = match (of.count, step) {
                (1, _) => format!("{{d{}}}", of.first),
                (_, 1) => format!("{{d{}-d{last}}}", of.first),
                _ => numbered(of, step, ""),
            };
            let name = structure_name(of.is_load, fields);
            format!("{name}.{bits} {registers}, {}", structure_place(of, align))
        }
        VectorForm::Lane { fields, bits, step, lane, align } => {
            let lane = lane.map(|lane| lane.to_string()).unwrap_or_default();
            let name = structure_name(of.is_load, fields);
            let registers = numbered(of, step, &format!("[{lane}]"));
            format!("{name}.{bits} {registers}, {}", structure_place(of, align))
        }
    }
}

/// `{d0[1], d2[1]}`
fn numbered(of: &VectorTransfer, step: u32, lane: &str) -> String {
    let numbers = (0..of.count).map(|nth| of.first.saturating_add(nth.saturating_mul(step)));
    let names: Vec<String> = numbers.map(|number| format!("d{number}{lane}")).collect();
    format!("{{{}}}", names.join(", "))
}

fn structure_place(of: &VectorTransfer, align: u32) -> String {
    let align = if align == 0 { String::new() } else { format!(" :{align}") };
    let moved = match of.change {
        VectorChange::Never => String::new(),
        VectorChange::Number(_) => "!".to_owned(),
        VectorChange::Register(register) => format!(", {}", r(register)),
    };
    format!("[{}{align}]{moved}", r(of.base))
}
