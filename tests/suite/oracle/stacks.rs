//! Stacks by framehop.

use framehop::x86_64::{CacheX86_64, UnwindRegsX86_64, UnwinderX86_64};
use framehop::{ExplicitModuleSectionInfo, FrameAddress, Module, Unwinder};
use obit::addr::Avma;
use obit::arch::{Machine, Register};
use obit::process::Process;
use obit::unwind::{Activation, Left, Stack, Trust};

use super::{Tally, open};
use crate::fixture::Case;

const RBP: Register = Register(6);
const RSP: Register = Register(7);

#[test]
fn framehop_walks_the_same_stacks_with_the_files_beside_the_cores() {
    walk_all(false);
}

#[test]
fn framehop_walks_the_same_stacks_with_this_machines_files_too() {
    walk_all(true);
}

fn walk_all(with_this_machines: bool) {
    let mut all = Tally::default();
    let mut walked = 0;
    for case in Case::all() {
        let process = open(&case, with_this_machines);
        if process.dump.machine != Machine::X86_64 {
            continue;
        }
        walked += 1;
        let mut tally = Tally::default();
        let unwinder = unwinder(&process);
        for thread in &process.threads {
            let who = format!("{} {}", case.name, thread.tid);
            compare(&who, &process, &unwinder, &thread.stack, &mut tally);
        }
        tally.print(&case.name);
        let least = match case.name.as_str() {
            "recursion" => 95_317,
            "null-field" => 30,
            "sighandler" => 10,
            _ => 3,
        };
        assert!(tally.agreed >= least, "{}: only {} steps agree", case.name, tally.agreed);
        all.merge(tally);
    }
    all.print("all");
    assert!(walked >= 15, "only {walked} cases");
    assert!(all.unexplained.is_empty(), "\n{}", all.unexplained.join("\n"));
}

/// Lets framehop take each step of `stack`. It goes on from its own registers as long as
/// they are ours, and from ours after a difference.
fn compare(
    who: &str,
    process: &Process,
    unwinder: &UnwinderX86_64<Vec<u8>>,
    stack: &Stack,
    tally: &mut Tally,
) {
    let mut cache = CacheX86_64::<_>::new();
    let mut memory = process.memory.cursor();
    let mut read = |at| memory.read_word(Avma(at)).map_err(|_| ());
    let Some(first) = stack.frames.first() else { return };
    let mut registers = registers(first);
    for (index, frame) in stack.frames.iter().enumerate() {
        let next = stack.frames.get(index + 1);
        let step = unwinder.unwind_frame(address(frame), &mut registers, &mut cache, &mut read);
        let pc = step.as_ref().ok().copied().flatten();
        let sp = pc.map(|_| registers.sp());
        let same = match next {
            Some(next) => pc == Some(next.pc.0) && sp == next.registers.get(RSP),
            None => pc.is_none(),
        };
        let difference = (!same).then(|| {
            let ours = next.map(|next| (next.pc, next.registers.get(RSP), next.trust));
            let what = format!(
                "{who} #{index} {:?}: framehop {step:x?} {sp:x?}, obit {ours:x?}",
                frame.pc
            );
            (rule(process, frame, next, stack, (pc, sp)), what)
        });
        tally.add(difference);
        if let Some(next) = next {
            let known = next.registers.get(RBP);
            if !same || known.is_some_and(|known| known != registers.bp()) {
                registers = self::registers(next);
            }
        }
    }
}

/// Why framehop may differ at the step out of `frame`, if it is known.
fn rule(
    process: &Process,
    frame: &Activation,
    next: Option<&Activation>,
    stack: &Stack,
    (pc, sp): (Option<u64>, Option<u64>),
) -> Option<&'static str> {
    if frame.is_signal {
        return Some("framehop cannot leave a signal frame");
    }
    let module = process.modules.module_at(frame.lookup_pc());
    let is_without_tables = module.is_none_or(|module| module.image.is_none());
    let behind_rbp = frame.registers.get(RBP).and_then(|rbp| rbp.checked_add(16));
    match next {
        Some(next)
            if next.trust == Trust::CallFrameInfo
                && sp == behind_rbp
                && next.registers.get(RSP) > sp =>
        {
            Some("the frame was aligned anew; framehop takes its CFA to be rbp + 16")
        }
        Some(next) if is_without_tables && next.trust == Trust::CallSite => {
            Some("a call of nothing left its return address on top; framehop follows rbp")
        }
        Some(next) if is_without_tables && next.trust == Trust::Scan => {
            Some("without tables obit scans; framehop follows rbp")
        }
        None if stack.stopped.is_none() && pc.is_some_and(|pc| !is_code(process, pc)) => {
            Some("the first frame of Go's threads; framehop follows a word of data")
        }
        None if is_without_tables && stack.stopped.is_some() => {
            Some("without tables framehop follows rbp into nowhere")
        }
        _ => None,
    }
}

fn is_code(process: &Process, pc: u64) -> bool {
    process.memory.region_at(Avma(pc)).is_some_and(|region| region.permissions.execute)
}

fn registers(frame: &Activation) -> UnwindRegsX86_64 {
    let get = |register| frame.registers.get(register).unwrap_or(0);
    UnwindRegsX86_64::new(frame.pc.0, get(RSP), get(RBP))
}

fn address(frame: &Activation) -> FrameAddress {
    match frame.left {
        Left::Interrupted => FrameAddress::from_instruction_pointer(frame.pc.0),
        Left::Called => FrameAddress::from_return_address(frame.pc.0).unwrap(),
    }
}

/// framehop with the tables of all modules. It takes one kind of table of a module:
/// `.debug_frame` where there is one, which then covers all the code that matters.
fn unwinder(process: &Process) -> UnwinderX86_64<Vec<u8>> {
    let mut unwinder = UnwinderX86_64::new();
    for (index, module) in process.modules.list().iter().enumerate() {
        let Some(image) = &module.image else { continue };
        let range = |name: &str| {
            let section = image.section(name)?;
            Some(section.address.0..section.address.0 + section.size)
        };
        let bytes = |name: &str| image.raw_section(name).map(<[u8]>::to_vec);
        let debug_frame = process.modules.debug(index).and_then(|debug| debug.debug_frame());
        let mut sections = ExplicitModuleSectionInfo {
            text_svma: range(".text"),
            got_svma: range(".got"),
            debug_frame: debug_frame.map(<[u8]>::to_vec),
            ..Default::default()
        };
        if sections.debug_frame.is_none() {
            sections.eh_frame_svma = range(".eh_frame");
            sections.eh_frame = bytes(".eh_frame");
            sections.eh_frame_hdr_svma = range(".eh_frame_hdr");
            sections.eh_frame_hdr = bytes(".eh_frame_hdr");
        }
        let name = module.path.to_string_lossy().into_owned();
        let addresses = module.range.start.0..module.range.end.0;
        unwinder.add_module(Module::new(name, addresses, module.bias.0, sections));
    }
    unwinder
}
