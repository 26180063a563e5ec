//! Running a DWARF expression (DWARF 5 § 2.5, 2.6) for one frame.

use std::sync::Arc;

use gimli::{
    DieReference, Evaluation, EvaluationResult, Operation, Reader, UnitOffset, ValueType,
    constants as dw,
};

use crate::model::keys::List;
use crate::model::language::Language;
use crate::model::location::{
    EntryValue, Expression, Location, NoPlace, Piece, Place, Surroundings, VariableId,
};
use crate::sections::sources::Slice;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::variables::location;
use obit_corefile::addr::{Avma, Svma};
use obit_corefile::arch::Register;

/// Frame bases may be described by expressions, these by others; honest ones are not.
const DEEPEST: usize = 4;

/// Bytes of an expression that are run; compilers stay below a few hundred.
const LONGEST: usize = 64 << 10;

/// The pieces of a variable.
pub(crate) fn locate<'d>(
    root: &DwarfFile<'d>,
    location: &Location,
    around: &dyn Surroundings,
) -> Result<Vec<Piece>, NoPlace> {
    Evaluator { root, around, depth: 0 }.location(location)
}

/// The number an expression leaves on the stack, as `DW_AT_upper_bound` and
/// `DW_AT_data_member_location` want it. `pushed` is on the stack before it begins.
pub(crate) fn number<'d>(
    root: &DwarfFile<'d>,
    expression: &Expression,
    pushed: Option<u64>,
    around: &dyn Surroundings,
) -> Result<u64, NoPlace> {
    let run = Evaluator { root, around, depth: 0 };
    let pieces = run.pieces(expression, pushed).or_else(|error| match error {
        // What is left on the stack may be a floating-point number, which is no place.
        NoPlace::Malformed(_) => run.pieces(&expression.as_value(), pushed).map_err(|_| error),
        error => Err(error),
    })?;
    run.number_of(&pieces)
}

struct Evaluator<'x, 'd> {
    root: &'x DwarfFile<'d>,
    around: &'x dyn Surroundings,
    depth: usize,
}

fn malformed(error: gimli::Error) -> NoPlace {
    NoPlace::Malformed(error.to_string())
}

impl<'x, 'd> Evaluator<'x, 'd> {
    fn deeper(&self) -> Result<Self, NoPlace> {
        let depth = self.depth.saturating_add(1);
        if depth > DEEPEST {
            return Err(NoPlace::Malformed("locations refer to each other".to_owned()));
        }
        Ok(Self { depth, ..*self })
    }

    fn lost(&self, register: Register) -> NoPlace {
        NoPlace::RegisterLost(self.around.register_name(register))
    }

    fn location(&self, location: &Location) -> Result<Vec<Piece>, NoPlace> {
        match location {
            Location::OptimizedOut => Err(NoPlace::OptimizedOut),
            Location::Constant(bytes) => Ok(whole(Place::Bytes(Arc::clone(bytes)))),
            Location::Number(value) => {
                let bytes = match self.root.is_little_endian() {
                    true => value.to_le_bytes(),
                    false => value.to_be_bytes(),
                };
                Ok(whole(Place::Bytes(Arc::from(bytes))))
            }
            Location::Expression(expression) => self.pieces(expression, None),
            Location::List(list) => {
                let at = self.around.lookup_pc().ok_or(NoPlace::NoFrame)?;
                let with_views = self.around.sees_views();
                let found = location::at_pc(self.root, list, at, with_views)?;
                let found = found.ok_or(NoPlace::OptimizedOut)?;
                // A frame base that outlives the call says nothing of the variable.
                if self.depth == 0 {
                    let pc = self.around.pc();
                    let reaches = pc.is_some_and(|pc| at < pc && pc < found.end);
                    self.around.survives_call(reaches && self.promises(&found.expression));
                }
                self.pieces(&found.expression, None)
            }
        }
    }

    /// Whether a range of the unit's location lists that goes on behind a call says that the
    /// location is still good there. Go's ranges end where the variable is set anew; no
    /// function of Go keeps a register.
    fn promises(&self, expression: &Expression) -> bool {
        let entry = Entry::at(self.root, expression.unit);
        entry.is_none_or(|entry| entry.unit.language != Language::Go)
    }

    fn pieces(&self, expression: &Expression, pushed: Option<u64>) -> Result<Vec<Piece>, NoPlace> {
        // gimli calls an empty expression a stack underflow; it means that there is
        // nothing (§ 2.6.1.1.4).
        if expression.bytes.is_empty() {
            return Err(NoPlace::OptimizedOut);
        }
        if expression.bytes.len() > LONGEST {
            return Err(NoPlace::Malformed("the expression is too long".to_owned()));
        }
        let entry = Entry::at(self.root, expression.unit);
        let entry = entry.ok_or_else(|| NoPlace::Malformed("its unit is unreadable".to_owned()))?;
        let bytes = Slice::new(&expression.bytes, self.root.endian());
        let encoding = entry.unit.inner.encoding();
        let mut evaluation = gimli::Expression(bytes).evaluation(encoding);
        if let Some(pushed) = pushed {
            evaluation.set_initial_value(pushed);
        }
        if let Some(object) = self.around.object() {
            evaluation.set_object_address(object.0);
        }
        let steps = self.root.context().limits.expression_steps;
        evaluation.set_max_iterations(steps);
        let mut state = evaluation.evaluate();
        loop {
            state = match state {
                Ok(EvaluationResult::Complete) => break,
                Ok(request) => self.answer(&entry, &mut evaluation, request)?,
                Err(gimli::Error::TooManyIterations) => return Err(NoPlace::TooLong(steps)),
                Err(gimli::Error::InvalidDerefSize(size)) => {
                    let place = expression.place_of_loaded(size);
                    let place = place.filter(|_| self.root.is_little_endian());
                    let place = place.ok_or(gimli::Error::InvalidDerefSize(size));
                    return self.deeper()?.pieces(&place.map_err(malformed)?, pushed);
                }
                Err(error) => return Err(malformed(error)),
            };
        }
        let word = encoding.address_size;
        evaluation.as_result().iter().map(|piece| self.piece(&entry, piece, word)).collect()
    }

    /// Gives `evaluation` what it asks for and lets it go on.
    fn answer<'b>(
        &self,
        entry: &Entry<'_, 'd>,
        evaluation: &mut Evaluation<Slice<'b>>,
        request: EvaluationResult<Slice<'b>>,
    ) -> Result<gimli::Result<EvaluationResult<Slice<'b>>>, NoPlace>
    where
        'd: 'b,
    {
        use EvaluationResult as Request;
        Ok(match request {
            Request::Complete => return Err(NoPlace::Malformed("no request".to_owned())),
            Request::RequiresMemory { address, size, space: None, base_type } => {
                let mut bytes = [0; 16];
                let bytes = bytes.get_mut(..usize::from(size)).ok_or_else(too_wide)?;
                self.around.read(Avma(address), bytes)?;
                evaluation.resume_with_memory(self.typed(entry, base_type, bytes)?)
            }
            Request::RequiresRegister { register, base_type } => {
                let register = Register(register.0);
                let value = if base_type.0 == 0 {
                    let known = self.around.register(register);
                    gimli::Value::Generic(known.ok_or_else(|| self.lost(register))?)
                } else {
                    let bytes = self.around.register_bytes(register);
                    let bytes = bytes.ok_or_else(|| self.lost(register))?;
                    self.typed(entry, base_type, &bytes)?
                };
                evaluation.resume_with_register(value)
            }
            Request::RequiresFrameBase => evaluation.resume_with_frame_base(self.frame_base()?),
            Request::RequiresTls(offset) => {
                evaluation.resume_with_tls(self.around.thread_local(offset)?.0)
            }
            Request::RequiresCallFrameCfa => {
                let cfa = self.around.cfa();
                let unknown = || NoPlace::Malformed("the frame's CFA is not known".to_owned());
                evaluation.resume_with_call_frame_cfa(cfa.ok_or_else(unknown)?.0)
            }
            Request::RequiresAtLocation(reference) => {
                evaluation.resume_with_at_location(self.called(entry, reference)?)
            }
            Request::RequiresEntryValue(wanted) => {
                let (wanted, base_type) = entry_value(wanted, entry)?;
                let value = self.around.entry_value(wanted)?;
                let bytes = match self.root.is_little_endian() {
                    true => value.to_le_bytes(),
                    false => value.to_be_bytes(),
                };
                evaluation.resume_with_entry_value(self.typed(entry, base_type, &bytes)?)
            }
            Request::RequiresParameterRef(offset) => {
                let parameter = VariableId(entry.sibling(offset).key());
                let value = self.around.entry_value(EntryValue::Parameter(parameter))?;
                evaluation.resume_with_parameter_ref(value)
            }
            Request::RequiresRelocatedAddress(at) => {
                evaluation.resume_with_relocated_address(self.around.to_avma(Svma(at)).0)
            }
            Request::RequiresIndexedAddress { index, relocate } => {
                let dwarf = entry.file.dwarf_of(entry.unit);
                let at = dwarf.address(&entry.unit.inner, index).map_err(malformed)?;
                let at = if relocate { self.around.to_avma(Svma(at)).0 } else { at };
                evaluation.resume_with_indexed_address(at)
            }
            Request::RequiresBaseType(offset) => {
                evaluation.resume_with_base_type(self.base_type(entry, offset)?)
            }
            Request::RequiresMemory { space: Some(_), .. } => {
                return Err(NoPlace::Malformed("memory of another address space".to_owned()));
            }
            Request::RequiresWasmLocal { .. }
            | Request::RequiresWasmGlobal { .. }
            | Request::RequiresWasmStack { .. } => {
                return Err(NoPlace::Malformed("a place of WebAssembly".to_owned()));
            }
        })
    }

    fn typed(
        &self,
        entry: &Entry<'_, 'd>,
        base_type: UnitOffset,
        bytes: &[u8],
    ) -> Result<gimli::Value, NoPlace> {
        let endian = self.root.endian();
        if base_type.0 == 0 {
            let mut padded = [0; 8];
            let wide = bytes.len().min(8);
            let from = if self.root.is_little_endian() { 0 } else { 8_usize.saturating_sub(wide) };
            for (to, byte) in padded.iter_mut().skip(from).zip(bytes) {
                *to = *byte;
            }
            let value = Slice::new(&padded, endian).read_u64().map_err(malformed)?;
            return Ok(gimli::Value::Generic(value));
        }
        let ty = self.base_type(entry, base_type)?;
        gimli::Value::parse(ty, Slice::new(bytes, endian)).map_err(malformed)
    }

    fn base_type(&self, entry: &Entry<'_, 'd>, offset: UnitOffset) -> Result<ValueType, NoPlace> {
        if offset.0 == 0 {
            return Ok(ValueType::Generic);
        }
        let die = entry.unit.inner.entry(offset).map_err(malformed)?;
        let (mut encoding, mut size) = (None, None);
        for attribute in die.attrs() {
            match (attribute.name(), attribute.value()) {
                (dw::DW_AT_encoding, gimli::AttributeValue::Encoding(found)) => {
                    encoding = Some(found);
                }
                (dw::DW_AT_byte_size, value) => size = value.udata_value(),
                _ => {}
            }
        }
        let found = encoding.zip(size).and_then(|(e, s)| ValueType::from_encoding(e, s));
        found.ok_or_else(|| NoPlace::Malformed("arithmetic on an unknown type".to_owned()))
    }

    fn frame_base(&self) -> Result<u64, NoPlace> {
        let location = self.around.frame_base();
        let location = location.ok_or_else(|| NoPlace::Malformed("no frame base".to_owned()))?;
        let inner = self.deeper()?;
        inner.number_of(&inner.location(location)?)
    }

    /// The expression of the entry that `DW_OP_call*` names.
    fn called<'b>(
        &self,
        entry: &Entry<'_, 'd>,
        reference: DieReference<usize>,
    ) -> Result<Slice<'b>, NoPlace>
    where
        'd: 'b,
    {
        let value = match reference {
            DieReference::UnitRef(offset) => gimli::AttributeValue::UnitRef(offset),
            DieReference::DebugInfoRef(offset) => gimli::AttributeValue::DebugInfoRef(offset),
        };
        let die =
            entry.follow(value).and_then(|called| called.unit.inner.entry(called.offset).ok());
        let die = die.ok_or_else(|| NoPlace::Malformed("a call to no entry".to_owned()))?;
        let expression = die.attrs().iter().find_map(|attribute| match attribute.value() {
            gimli::AttributeValue::Exprloc(found) if attribute.name() == dw::DW_AT_location => {
                Some(found.0)
            }
            _ => None,
        });
        // Without a location the call has no effect (§ 2.5.1.5).
        Ok(expression.unwrap_or_else(|| Slice::new(&[], self.root.endian())))
    }

    fn piece(
        &self,
        entry: &Entry<'_, 'd>,
        piece: &gimli::Piece<Slice<'_>>,
        word: u8,
    ) -> Result<Piece, NoPlace> {
        let place = match &piece.location {
            gimli::Location::Empty => Place::OptimizedOut,
            gimli::Location::Register { register } => Place::Register(Register(register.0)),
            gimli::Location::Address { address } => Place::Memory(Avma(match word {
                4 => *address & 0xffff_ffff,
                _ => *address,
            })),
            gimli::Location::Value { value } => {
                Place::Bytes(Arc::from(bytes_of(*value, word, self.root.is_little_endian())))
            }
            gimli::Location::Bytes { value } => Place::Bytes(Arc::from(value.slice())),
            gimli::Location::ImplicitPointer { value, byte_offset } => {
                let list = match entry.unit.list {
                    List::Supplement => List::Supplement,
                    List::Info | List::Types => List::Info,
                };
                let die = entry.file.die_at(list, value.0);
                let die = die.ok_or_else(|| NoPlace::Malformed("a pointer to no entry".to_owned()));
                let target =
                    die.map(|die| Entry { unit: die.unit, offset: die.offset, ..*entry })?;
                Place::ImplicitPointer { target: VariableId(target.key()), offset: *byte_offset }
            }
        };
        let bit_offset = piece.bit_offset.unwrap_or(0);
        Ok(Piece { bits: piece.size_in_bits, bit_offset, place })
    }

    /// What one piece means as a number: an address as it is, a register's content.
    fn number_of(&self, pieces: &[Piece]) -> Result<u64, NoPlace> {
        match pieces {
            [Piece { place: Place::Memory(at), .. }] => Ok(at.0),
            [Piece { place: Place::Register(register), .. }] => {
                let known = self.around.register(*register);
                known.ok_or_else(|| self.lost(*register))
            }
            [Piece { place: Place::Bytes(bytes), .. }] => {
                let mut number = 0_u64;
                let word = bytes.iter().take(8);
                if self.root.is_little_endian() {
                    word.rev().for_each(|byte| number = (number << 8) | u64::from(*byte));
                } else {
                    word.for_each(|byte| number = (number << 8) | u64::from(*byte));
                }
                Ok(number)
            }
            [] | [Piece { place: Place::OptimizedOut, .. }] => Err(NoPlace::OptimizedOut),
            _ => Err(NoPlace::Malformed("a number in several pieces".to_owned())),
        }
    }
}

fn too_wide() -> NoPlace {
    NoPlace::Malformed("more than 16 bytes at once".to_owned())
}

fn whole(place: Place) -> Vec<Piece> {
    vec![Piece { bits: None, bit_offset: 0, place }]
}

/// The bytes of a value on the stack, in the machine's order.
fn bytes_of(value: gimli::Value, word: u8, little_endian: bool) -> Vec<u8> {
    let (bits, size) = match value {
        gimli::Value::Generic(value) => (value, usize::from(word)),
        gimli::Value::I8(value) => (value as u64, 1),
        gimli::Value::U8(value) => (u64::from(value), 1),
        gimli::Value::I16(value) => (value as u64, 2),
        gimli::Value::U16(value) => (u64::from(value), 2),
        gimli::Value::I32(value) => (value as u64, 4),
        gimli::Value::U32(value) => (u64::from(value), 4),
        gimli::Value::I64(value) => (value as u64, 8),
        gimli::Value::U64(value) => (value, 8),
        gimli::Value::F32(value) => (u64::from(value.to_bits()), 4),
        gimli::Value::F64(value) => (value.to_bits(), 8),
    };
    let mut bytes = bits.to_le_bytes().to_vec();
    bytes.truncate(size);
    if !little_endian {
        bytes.reverse();
    }
    bytes
}

/// What `DW_OP_entry_value` asks for: its operand is a block with one register location,
/// or a register that is dereferenced (§ 2.5.1.7, 3.4.2).
fn entry_value(
    wanted: gimli::Expression<Slice<'_>>,
    entry: &Entry<'_, '_>,
) -> Result<(EntryValue, UnitOffset), NoPlace> {
    let mut operations = wanted.operations(entry.unit.inner.encoding());
    let mut next = || operations.next().map_err(malformed);
    let odd = || NoPlace::NoEntryValue("it is asked for in a way obit does not know");
    match (next()?, next()?) {
        (Some(Operation::Register { register }), None) => {
            Ok((EntryValue::Register(Register(register.0)), UnitOffset(0)))
        }
        (Some(Operation::RegisterOffset { register, offset: 0, base_type }), None)
            if base_type.0 != 0 =>
        {
            Ok((EntryValue::Register(Register(register.0)), base_type))
        }
        (
            Some(Operation::RegisterOffset { register, offset: 0, .. }),
            Some(Operation::Deref { size, .. }),
        ) => Ok((EntryValue::Pointee { register: Register(register.0), size }, UnitOffset(0))),
        (Some(Operation::FrameOffset { offset }), None) => {
            Ok((EntryValue::Stack(offset), UnitOffset(0)))
        }
        _ => Err(odd()),
    }
}

/// The parameter a `DW_TAG_call_site_parameter` speaks of, by its `DW_AT_location`.
pub(crate) fn passed_in(location: &Expression, root: &DwarfFile<'_>) -> Option<EntryValue> {
    let entry = Entry::at(root, location.unit)?;
    let bytes = Slice::new(&location.bytes, root.endian());
    let mut operations = gimli::Expression(bytes).operations(entry.unit.inner.encoding());
    match (operations.next().ok()??, operations.next().ok()?) {
        (Operation::Register { register }, None) => {
            Some(EntryValue::Register(Register(register.0)))
        }
        // The slot is relative to the stack pointer before the call pushes its return
        // address: that is where the callee's CFA is.
        (Operation::RegisterOffset { offset, .. }, None) => Some(EntryValue::Stack(offset)),
        (Operation::FrameOffset { offset }, None) => Some(EntryValue::Stack(offset)),
        _ => None,
    }
}
