//! Variables in a state on a way: numbers and pointers.

use super::bits::{low, signed};
use super::chain::Chain;
use super::of_process::OfProcess;
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::Register;
use obit_corefile::memory::{Absent, ReadError};
use obit_dwarf::{
    DebugInfo, EntryValue, Location, NoPlace, Piece, Place, Surroundings, TypeId, TypeKind,
    Variable,
};

/// Variables of one function that are looked at.
const MOST: usize = 64;
/// Typedefs and qualifiers of a type.
const MOST_NAMES: usize = 32;

/// A variable whose value is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// Which of those of this name, the innermost first.
    pub nth: usize,
    /// Its value.
    pub value: String,
    /// The same before the line, if that is known.
    pub before: Option<String>,
    /// Whether the value is certain.
    pub is_proved: bool,
}

/// The function of an instruction in the state before it.
struct Frame<'f> {
    world: &'f OfProcess<'f>,
    chain: &'f Chain,
    step: usize,
    cfa: Option<u64>,
    pc: Svma,
    bias: u64,
    base: Option<&'f Location>,
}

/// What the function of the instruction `step` steps before the end has in variables: before it,
/// or, of those that lie at one place in memory, after it.
pub(super) fn held(world: &OfProcess<'_>, chain: &Chain, step: usize, is_after: bool) -> Vec<Held> {
    let Some(link) = chain.link(step) else { return Vec::new() };
    let modules = &world.process.modules;
    let Some(index) = modules.index_at(Avma(link.address)) else { return Vec::new() };
    let Some((module, debug)) = modules.get(index).zip(modules.debug(index)) else {
        return Vec::new();
    };
    let pc = module.to_svma(Avma(link.address));
    let scopes = debug.scopes_at(pc);
    let Some(scope) = scopes.frames.first() else { return Vec::new() };
    // The return address lies where the stack pointer was at the entry, the CFA behind it.
    let cfa = link.moved.and_then(|moved| {
        let sp = chain.register(step, 7)?;
        Some(sp.wrapping_sub(moved.cast_unsigned()).wrapping_add(8))
    });
    let frame = Frame {
        world,
        chain,
        step,
        cfa,
        pc,
        bias: link.address.wrapping_sub(pc.0),
        base: scopes.frame_base.as_ref(),
    };
    let mut found: Vec<Held> = Vec::new();
    for variable in scope.variables.iter().take(MOST) {
        let Some(name) = variable.name.as_deref() else { continue };
        let Some(value) = frame.value(debug, variable, is_after) else { continue };
        let nth = found.iter().filter(|other| other.name == name).count();
        let (name, before) = (name.to_owned(), None);
        found.push(Held { name, nth, value, before, is_proved: false });
    }
    found
}

impl Frame<'_> {
    fn value(&self, debug: &DebugInfo, variable: &Variable, is_after: bool) -> Option<String> {
        let (size, is_signed, is_pointer) = number(debug, variable.ty?)?;
        let pieces = debug.locate(&variable.location, self).ok()?;
        let [Piece { bits: None, bit_offset: 0, place }] = pieces.as_slice() else { return None };
        let value = match place {
            Place::Memory(at) => {
                let is_fixed = matches!(variable.location, Location::Expression(_));
                let later = usize::from(is_after && is_fixed);
                self.chain.read(at.0, size, self.step.checked_sub(later)?, self.world)?
            }
            Place::Register(register) => low(self.register(*register)?, size),
            Place::Bytes(bytes) => {
                let mut whole = [0; 8];
                for (to, from) in whole.iter_mut().zip(bytes.iter()) {
                    *to = *from;
                }
                low(u64::from_le_bytes(whole), size)
            }
            _ => return None,
        };
        Some(match (is_pointer, is_signed) {
            (true, _) => format!("{value:#x}"),
            (false, true) => signed(value, size).cast_signed().to_string(),
            (false, false) => value.to_string(),
        })
    }
}

/// The size of a number or pointer, whether it has a sign, and whether it is a pointer.
fn number(debug: &DebugInfo, mut ty: TypeId) -> Option<(u64, bool, bool)> {
    use obit_dwarf::types::Encoding;
    for _ in 0..MOST_NAMES {
        let found = debug.type_at(ty);
        let size = found.byte_size.filter(|size| matches!(size, 1 | 2 | 4 | 8));
        ty = match &found.kind {
            TypeKind::Typedef(target) | TypeKind::Qualified { target, .. } => (*target)?,
            TypeKind::Pointer { .. } => return Some((size?, false, true)),
            TypeKind::Enumeration(_) => return Some((size?, false, false)),
            TypeKind::Base(base) if base.bit_size.is_none() && base.big_endian.is_none() => {
                let is_signed = match base.encoding {
                    Encoding::Signed | Encoding::SignedChar => true,
                    Encoding::Unsigned | Encoding::UnsignedChar | Encoding::Boolean => false,
                    _ => return None,
                };
                return Some((size?, is_signed, false));
            }
            _ => return None,
        };
    }
    None
}

impl Surroundings for Frame<'_> {
    fn register(&self, register: Register) -> Option<u64> {
        let number = usize::from(register.0);
        (number < super::REGISTERS).then(|| self.chain.register(self.step, number)).flatten()
    }

    fn register_name(&self, register: Register) -> String {
        format!("register {}", register.0)
    }

    fn register_bytes(&self, register: Register) -> Option<Vec<u8>> {
        self.register(register).map(|value| value.to_le_bytes().to_vec())
    }

    fn read(&self, at: Avma, buf: &mut [u8]) -> Result<(), ReadError> {
        for (from, byte) in (at.0..).zip(buf.iter_mut()) {
            let value = self.chain.read(from, 1, self.step, self.world);
            let absent = ReadError { at: Avma(from), reason: Absent::NotDumped };
            *byte = u8::try_from(value.ok_or(absent)?).unwrap_or_default();
        }
        Ok(())
    }

    fn to_avma(&self, at: Svma) -> Avma {
        Avma(at.0.wrapping_add(self.bias))
    }

    fn cfa(&self) -> Option<Avma> {
        self.cfa.map(Avma)
    }

    fn frame_base(&self) -> Option<&Location> {
        self.base
    }

    fn thread_local(&self, _: u64) -> Result<Avma, NoPlace> {
        Err(NoPlace::Tls("not looked up on the way back"))
    }

    fn entry_value(&self, _: EntryValue) -> Result<u64, NoPlace> {
        Err(NoPlace::NoEntryValue("not looked up on the way back"))
    }

    fn lookup_pc(&self) -> Option<Svma> {
        Some(self.pc)
    }
}
