//! Line programs of the usual kind, run without keeping their rows: marks say from where to run
//! one again for an address.

use std::ops::Range;

use crate::sections::context::Meter;
use crate::sections::sources::Slice;
use crate::units::line_rows::{Mark, MarkedSequence, Marks, Row, Rules};

/// Bytes of a program between two marks, at least.
const STRIDE: usize = 512;

/// And at most: what finding one row may take.
const LONGEST_STRIDE: usize = 16 << 10;

/// Rows that are counted together.
const ROWS_AT_A_TIME: usize = 1024;

/// A sequence that has not ended yet.
struct Open {
    start: u64,
    first_mark: usize,
    /// The address of the last row.
    last: u64,
    marked_at: usize,
}

impl Marks {
    /// Runs the program of `header`, which is `program` of `section`. `None` if it is not of the
    /// usual kind: sequences of rising addresses that do not overlap, no instruction that no
    /// compiler writes, nothing that is an error. Its rows are then to be kept.
    pub(crate) fn read(
        header: &gimli::LineProgramHeader<Slice<'_>>,
        section: &[u8],
        program: Range<usize>,
        is_little_endian: bool,
        meter: &mut Meter<'_>,
    ) -> Option<Self> {
        let rules = Rules {
            opcode_base: header.opcode_base(),
            line_base: header.line_base(),
            line_range: header.line_range(),
            least_instruction: header.minimum_instruction_length(),
            starts_statement: header.default_is_stmt(),
            address_size: header.address_size(),
            is_little_endian,
        };
        let is_usual = header.maximum_operations_per_instruction() == 1
            && matches!(rules.address_size, 4 | 8)
            && rules.opcode_base > 0
            && rules.line_range > 0;
        let mut machine = Machine::new(&rules, section.get(program.clone())?);
        let mut found = Self { program, rules, sequences: Vec::new(), marks: Vec::new() };
        (is_usual && found.run(&mut machine, meter)).then_some(())?;
        found.sequences.sort_by_key(|sequence| sequence.addresses.start);
        let mut pairs = found.sequences.windows(2);
        let disjoint = pairs.all(|pair| match pair {
            [before, after] => before.addresses.end <= after.addresses.start,
            _ => true,
        });
        if !disjoint {
            return None;
        }
        // Of functions without code. They begin where the next one does.
        found.sequences.retain(|sequence| !sequence.addresses.is_empty());
        Some(found)
    }

    /// Whether the program is of the usual kind.
    fn run(&mut self, machine: &mut Machine<'_>, meter: &mut Meter<'_>) -> bool {
        // What linkers leave of sequences whose code they threw away: addresses that do not rise,
        // and the one from which they should.
        let mut dead_at: Option<u64> = None;
        let mut is_dropped = false;
        let mut open: Option<Open> = None;
        let mut rows = 0_usize;
        while !machine.has_ended() {
            if rows >= ROWS_AT_A_TIME && !meter.steps(std::mem::take(&mut rows)) {
                return false;
            }
            let Some(event) = machine.step() else { return false };
            match event {
                Event::None => {}
                Event::Address(address) => {
                    let before = dead_at.unwrap_or(machine.mark.address);
                    if address >= before && address < machine.last_address().saturating_sub(1) {
                        // Code that is there, behind code of the sequence that is not.
                        if is_dropped {
                            return false;
                        }
                        dead_at = None;
                        machine.mark.address = address;
                        continue;
                    }
                    dead_at = Some(before);
                    if let Some(dropped) = open.take() {
                        if dropped.start != 0 {
                            return false;
                        }
                        self.marks.truncate(dropped.first_mark);
                        is_dropped = true;
                    }
                }
                Event::Row => {
                    rows = rows.saturating_add(1);
                    let is_skipped = is_dropped || dead_at.is_some();
                    if !is_skipped && !self.add(&machine.mark, &mut open) {
                        return false;
                    }
                }
                Event::End => {
                    rows = rows.saturating_add(1);
                    let is_skipped = is_dropped || dead_at.is_some();
                    if !is_skipped && !self.end(&machine.mark, open.take()) {
                        return false;
                    }
                    (dead_at, is_dropped) = (None, false);
                    machine.reset();
                }
            }
        }
        if let Some(open) = open {
            self.marks.truncate(open.first_mark);
        }
        meter.steps(rows)
    }

    #[inline]
    fn add(&mut self, mark: &Mark, open: &mut Option<Open>) -> bool {
        if !mark.counts() {
            return true;
        }
        let Mark { address, next, .. } = *mark;
        let Some(open) = open else {
            let first_mark = self.marks.len();
            self.marks.push(*mark);
            *open = Some(Open { start: address, first_mark, last: address, marked_at: next });
            return true;
        };
        if address <= open.last {
            return true;
        }
        open.last = address;
        let stride = next.saturating_sub(open.marked_at);
        if stride >= STRIDE {
            self.marks.push(*mark);
            open.marked_at = next;
        }
        stride <= LONGEST_STRIDE
    }

    fn end(&mut self, mark: &Mark, open: Option<Open>) -> bool {
        let Some(open) = open else { return true };
        let Mark { address: end, next, .. } = *mark;
        if end < open.start || next.saturating_sub(open.marked_at) > LONGEST_STRIDE {
            return false;
        }
        // What starts at 0 was thrown away by the linker.
        if open.start == 0 {
            self.marks.truncate(open.first_mark);
            return true;
        }
        let marks = open.first_mark..self.marks.len();
        self.sequences.push(MarkedSequence { addresses: open.start..end, marks });
        true
    }

    /// The row that speaks for `at`, of the program in `section`.
    pub(crate) fn find(&self, section: &[u8], at: u64) -> Option<Row> {
        let after = self.sequences.partition_point(|sequence| sequence.addresses.start <= at);
        let sequence = self.sequences.get(after.checked_sub(1)?)?;
        if at >= sequence.addresses.end {
            return None;
        }
        let marks = self.marks.get(sequence.marks.clone())?;
        let after = marks.partition_point(|mark| mark.address <= at);
        let mark = marks.get(after.checked_sub(1)?)?;
        let mut machine = Machine::new(&self.rules, section.get(self.program.clone())?);
        machine.mark = *mark;
        let mut last = machine.mark.row()?;
        loop {
            match machine.step()? {
                Event::None => {}
                Event::Address(address) => machine.mark.address = address,
                Event::End => return Some(last),
                Event::Row if machine.mark.address > at => return Some(last),
                Event::Row => {
                    if let Some(row) = machine.mark.row()
                        && (row.address != last.address || row.is_stmt || !last.is_stmt)
                    {
                        last = row;
                    }
                }
            }
        }
    }
}

impl Mark {
    /// Whether the row of the registers counts: line 0 is no line of its own, the one before
    /// goes on, as in gdb.
    #[inline]
    fn counts(&self) -> bool {
        const MOST: u64 = u32::MAX as u64;
        (1..=MOST).contains(&self.line) && self.file <= MOST
    }

    fn row(&self) -> Option<Row> {
        self.counts().then_some(())?;
        let (line, file) = (u32::try_from(self.line).ok()?, u32::try_from(self.file).ok()?);
        let column = u32::try_from(self.column).unwrap_or(0);
        Some(Row { address: self.address, line, column, file, is_stmt: self.is_stmt })
    }
}

/// What an instruction did.
enum Event {
    /// Nothing but to change registers.
    None,
    /// It asks for this address.
    Address(u64),
    Row,
    End,
}

/// A line program that is run.
struct Machine<'p> {
    program: &'p [u8],
    rules: &'p Rules,
    mark: Mark,
    /// By how much each special opcode advances line and address.
    special: [(i16, u16); 256],
}

impl<'p> Machine<'p> {
    fn new(rules: &'p Rules, program: &'p [u8]) -> Self {
        let mut special = [(0, 0); 256];
        let base = usize::from(rules.opcode_base);
        let (mut line, mut address) = (0_u8, 0_u16);
        for advance in special.iter_mut().skip(base) {
            let by = i16::from(rules.line_base).saturating_add(i16::from(line));
            *advance = (by, address);
            line = line.saturating_add(1);
            if line >= rules.line_range {
                line = 0;
                address = address.saturating_add(u16::from(rules.least_instruction));
            }
        }
        let mark = Mark { next: 0, address: 0, line: 1, column: 0, file: 1, is_stmt: false };
        let mut machine = Self { program, rules, mark, special };
        machine.reset();
        machine
    }

    /// What a sequence begins with.
    fn reset(&mut self) {
        let (next, is_stmt) = (self.mark.next, self.rules.starts_statement);
        self.mark = Mark { next, address: 0, line: 1, column: 0, file: 1, is_stmt };
    }

    fn has_ended(&self) -> bool {
        self.mark.next >= self.program.len()
    }

    /// The highest address there is.
    fn last_address(&self) -> u64 {
        if self.rules.address_size == 8 { u64::MAX } else { u64::from(u32::MAX) }
    }

    /// Runs one instruction. `None` at the end, and for what is not usual.
    #[inline(always)]
    fn step(&mut self) -> Option<Event> {
        let opcode = self.byte()?;
        if opcode >= self.rules.opcode_base {
            let (line, address) = *self.special.get(usize::from(opcode))?;
            self.advance_line(i64::from(line));
            self.advance(u64::from(address))?;
            return Some(Event::Row);
        }
        match gimli::DwLns(opcode) {
            gimli::DwLns(0) => return self.extended(),
            gimli::DW_LNS_copy => return Some(Event::Row),
            gimli::DW_LNS_advance_pc => {
                let operations = self.unsigned()?;
                let by = operations.checked_mul(u64::from(self.rules.least_instruction))?;
                self.advance(by)?;
            }
            gimli::DW_LNS_advance_line => {
                let by = self.signed()?;
                self.advance_line(by);
            }
            gimli::DW_LNS_set_file => self.mark.file = self.unsigned()?,
            gimli::DW_LNS_set_column => self.mark.column = self.unsigned()?,
            gimli::DW_LNS_negate_stmt => self.mark.is_stmt = !self.mark.is_stmt,
            gimli::DW_LNS_set_basic_block
            | gimli::DW_LNS_set_prologue_end
            | gimli::DW_LNS_set_epilogue_begin => {}
            gimli::DW_LNS_const_add_pc => {
                let (_, address) = *self.special.last()?;
                self.advance(u64::from(address))?;
            }
            gimli::DW_LNS_fixed_advance_pc => {
                let bytes = self.bytes(2)?;
                let by = self.number(bytes);
                self.advance(by)?;
            }
            gimli::DW_LNS_set_isa => {
                self.unsigned()?;
            }
            _ => return None,
        }
        Some(Event::None)
    }

    fn extended(&mut self) -> Option<Event> {
        let length = usize::try_from(self.unsigned()?).ok()?;
        let (opcode, operands) = self.bytes(length)?.split_first()?;
        match gimli::DwLne(*opcode) {
            gimli::DW_LNE_end_sequence => Some(Event::End),
            gimli::DW_LNE_set_address => {
                let address = operands.get(..usize::from(self.rules.address_size))?;
                Some(Event::Address(self.number(address)))
            }
            gimli::DW_LNE_set_discriminator => {
                // What is not read here must not be an error either.
                let ends = operands.iter().take(9).any(|byte| *byte < 0x80);
                ends.then_some(Event::None)
            }
            _ => None,
        }
    }

    #[inline]
    fn advance(&mut self, by: u64) -> Option<()> {
        let address = self.mark.address.checked_add(by)?;
        self.mark.address = Some(address).filter(|address| *address <= self.last_address())?;
        Some(())
    }

    #[inline]
    fn advance_line(&mut self, by: i64) {
        let line = self.mark.line;
        let size = by.unsigned_abs();
        self.mark.line = if by < 0 { line.saturating_sub(size) } else { line.wrapping_add(size) };
    }

    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.program.get(self.mark.next)?;
        self.mark.next = self.mark.next.saturating_add(1);
        Some(byte)
    }

    fn bytes(&mut self, count: usize) -> Option<&'p [u8]> {
        let end = self.mark.next.checked_add(count)?;
        let bytes = self.program.get(self.mark.next..end)?;
        self.mark.next = end;
        Some(bytes)
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
        match self.rules.is_little_endian {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        }
    }

    /// A LEB128 number of at most nine bytes, hence of less than 64 bits, and its bits.
    #[inline]
    fn leb128(&mut self) -> Option<(u64, u32)> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some((u64::from(first), 7));
        }
        let (mut value, mut shift) = (u64::from(first & 0x7f), 7_u32);
        while shift < 63 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            shift = shift.saturating_add(7);
            if byte < 0x80 {
                return Some((value, shift));
            }
        }
        None
    }

    #[inline]
    fn unsigned(&mut self) -> Option<u64> {
        Some(self.leb128()?.0)
    }

    #[inline]
    fn signed(&mut self) -> Option<i64> {
        let (value, bits) = self.leb128()?;
        let unused = 64_u32.saturating_sub(bits);
        Some((value << unused).cast_signed() >> unused)
    }
}
