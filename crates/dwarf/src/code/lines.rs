//! From addresses to source lines: the line number program of a unit (DWARF 5 § 6.2).

use std::sync::{Arc, OnceLock};

use gimli::{DebugLineOffset, Section};

use crate::model::code::{SourceContent, SourceLocation};
use crate::sections::context::Meter;
use crate::sections::sources::{Dwarf, Slice};
use crate::units::file::DwarfFile;
use crate::units::line_rows::{File, Lines, Marks, Row, Rows};
use crate::units::unit::Unit;

/// Bytes of embedded sources that are kept of one table: entries may all name one text.
const EMBEDDED_BYTES: usize = 64 << 20;

impl Lines {
    /// The table of `unit`, read once.
    pub(crate) fn of<'x, 'd>(file: &DwarfFile<'d>, unit: &'x Unit<'d>) -> &'x Self {
        unit.lines.get_or_init(|| {
            let mut lines = Self::default();
            if let Some(offset) = unit.line_program
                && let Err(error) = lines.read(file, unit, offset)
            {
                file.context().report("a line number program", error);
            }
            lines
        })
    }

    fn read<'d>(
        &mut self,
        file: &DwarfFile<'d>,
        unit: &Unit<'d>,
        offset: DebugLineOffset<usize>,
    ) -> gimli::Result<()> {
        let dwarf = file.dwarf_of(unit);
        let (directory, name) = (unit.inner.comp_dir, unit.inner.name);
        let size = unit.inner.header.address_size();
        let program = dwarf.debug_line.program(offset, size, directory, name)?;
        let header = program.header();
        self.first_file = if header.version() >= 5 { 0 } else { 1 };
        let text = |value| file.string(unit, value).map(|text: Slice<'d>| text.slice().to_vec());
        let has_md5 = header.file_has_md5();
        let mut left = EMBEDDED_BYTES;
        for entry in header.file_names() {
            if !file.context().spend(1) {
                break;
            }
            let directory = entry.directory(header).and_then(text).unwrap_or_default();
            let name = text(entry.path_name()).unwrap_or_default();
            // An empty text says that there is none.
            let embedded = entry.source().and_then(|value| file.string(unit, value));
            let embedded = embedded.map(|text: Slice<'d>| text.slice());
            let embedded = embedded.filter(|text| !text.is_empty() && text.len() <= left);
            left = left.saturating_sub(embedded.map_or(0, <[u8]>::len));
            let content = SourceContent {
                md5: has_md5.then(|| *entry.md5()).filter(|md5| *md5 != [0; 16]),
                embedded: embedded.map(Arc::from),
            };
            self.files.push(File { directory, name, path: OnceLock::new(), content });
        }
        if let Some(marks) = marks(file, header, dwarf) {
            self.rows = Rows::Marked(marks);
            return Ok(());
        }
        let (rows, result) = all_rows(file, program);
        self.rows = Rows::All(rows);
        result
    }

    /// The place in the source of the instruction at `at`.
    pub(crate) fn find<'d>(
        &self,
        file: &DwarfFile<'d>,
        unit: &Unit<'d>,
        at: u64,
    ) -> Option<SourceLocation> {
        let row = match &self.rows {
            Rows::All(rows) => {
                let after = rows.partition_point(|row| row.address <= at);
                *rows.get(after.checked_sub(1)?)?
            }
            Rows::Marked(marks) => {
                marks.find(file.dwarf_of(unit).debug_line.reader().slice(), at)?
            }
        };
        if row.line == 0 {
            return None;
        }
        self.location(file, unit, u64::from(row.file), row.line, row.column)
    }

    /// A place in file number `number` of the table; `None` if there is no such file.
    pub(crate) fn location<'d>(
        &self,
        file: &DwarfFile<'d>,
        unit: &Unit<'d>,
        number: u64,
        line: u32,
        column: u32,
    ) -> Option<SourceLocation> {
        let known = self.files.get(usize::try_from(number.checked_sub(self.first_file)?).ok()?)?;
        let comp_dir = unit.inner.comp_dir.map_or(&[][..], |directory| directory.slice());
        let limit = file.context().limits.name_bytes;
        let path = known.path.get_or_init(|| {
            let mut path = Vec::new();
            for part in [comp_dir, &known.directory, &known.name] {
                let part = part.get(..limit).unwrap_or(part);
                if part.starts_with(b"/") {
                    path.clear();
                } else if !path.is_empty() && !part.is_empty() && !path.ends_with(b"/") {
                    path.push(b'/');
                }
                path.extend_from_slice(part);
            }
            String::from_utf8_lossy(&path).into_owned()
        });
        Some(SourceLocation {
            file: path.clone(),
            directory: (!comp_dir.is_empty())
                .then(|| String::from_utf8_lossy(comp_dir).into_owned()),
            line: (line != 0).then_some(line),
            column: (column != 0).then_some(column),
            content: known.content.clone(),
        })
    }
}

/// The marks of the program of `header`, if it is of the usual kind.
fn marks<'d>(
    file: &DwarfFile<'d>,
    header: &gimli::LineProgramHeader<Slice<'d>>,
    dwarf: &Dwarf<'d>,
) -> Option<Marks> {
    let section = *dwarf.debug_line.reader();
    let instructions = header.raw_program_buf();
    let start = gimli::Reader::offset_from(&instructions, &section);
    let program = start..start.checked_add(instructions.len())?;
    let mut meter = Meter::new(file.context(), file.context().limits.line_rows);
    if !meter.steps(work_of(instructions.len())) {
        return None;
    }
    Marks::read(header, section.slice(), program, file.is_little_endian(), &mut meter)
}

/// What running a program of so many bytes counts as beside its rows: instructions need not make
/// any.
fn work_of(bytes: usize) -> usize {
    bytes / 16
}

/// All rows that count, by address, up to the first error.
pub(super) fn all_rows<'d>(
    file: &DwarfFile<'d>,
    mut program: gimli::IncompleteLineProgram<Slice<'d>>,
) -> (Vec<Row>, gimli::Result<()>) {
    let mut sequences: Vec<Vec<Row>> = Vec::new();
    let mut sequence = Sequence::default();
    let header = program.header().clone();
    let mut instructions = header.instructions();
    let mut row = gimli::LineRow::new(&header);
    // Whether this is what a linker left of code that it threw away, as gimli decides.
    let mut is_dead = false;
    let unused = 64_u32.saturating_sub(u32::from(header.address_size()).saturating_mul(8));
    let lowest_dead = u64::MAX.checked_shr(unused).unwrap_or(0).saturating_sub(1);
    let mut meter = Meter::new(file.context(), file.context().limits.line_rows);
    if !meter.steps(work_of(header.raw_program_buf().len())) {
        return (Vec::new(), Ok(()));
    }
    let result = loop {
        let instruction = match instructions.next_instruction(&header) {
            Ok(Some(instruction)) => instruction,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        if let gimli::LineInstruction::SetAddress(address) = instruction {
            let was_dead =
                std::mem::replace(&mut is_dead, address < row.address() || address >= lowest_dead);
            if is_dead && !was_dead {
                // What came before is of code that is there.
                keep(&mut sequences, std::mem::take(&mut sequence).end(row.address()));
            }
        }
        match row.execute(instruction, &mut program) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(error) => break Err(error),
        }
        if !meter.step() {
            break Ok(());
        }
        if is_dead {
            is_dead = !row.end_sequence();
            row.reset(&header);
            continue;
        }
        if row.end_sequence() {
            keep(&mut sequences, std::mem::take(&mut sequence).end(row.address()));
        } else {
            sequence.push(&row);
        }
        row.reset(&header);
    };
    sequences.sort_by_key(|rows| rows.first().map(|first| first.address));
    let mut rows = sequences.concat();
    // Sequences do not overlap in honest files; a search needs order in others too.
    if !rows.is_sorted_by_key(|row| row.address) {
        rows.sort_by_key(|row| row.address);
    }
    (rows, result)
}

/// What starts at 0 was thrown away by the linker.
fn keep(sequences: &mut Vec<Vec<Row>>, ended: Vec<Row>) {
    if ended.first().is_some_and(|first| first.address != 0) {
        sequences.push(ended);
    }
}

/// The rows of one sequence, reduced as gdb's `record_line` reduces them: one row per
/// address.
#[derive(Default)]
struct Sequence {
    rows: Vec<Row>,
    /// Rows were given out of order, which only damaged or hand-written programs do.
    unsorted: bool,
}

impl Sequence {
    /// Several rows of one address: the last one of another file than the one before
    /// replaces them; within a file the last statement does. A row that starts no
    /// statement does not displace one that does.
    fn push(&mut self, from: &gimli::LineRow) {
        let Some(line) = from.line().and_then(|line| u32::try_from(line.get()).ok()) else {
            // Line 0 is no line of its own: the one before goes on, as in gdb.
            return;
        };
        let column = match from.column() {
            gimli::ColumnType::LeftEdge => 0,
            gimli::ColumnType::Column(column) => u32::try_from(column.get()).unwrap_or(0),
        };
        let Ok(file) = u32::try_from(from.file_index()) else { return };
        let row = Row { address: from.address(), line, column, file, is_stmt: from.is_stmt() };
        match self.rows.last_mut() {
            Some(last) if last.address == row.address => {
                if row.is_stmt || !last.is_stmt {
                    *last = row;
                }
            }
            last => {
                self.unsorted |= last.is_some_and(|last| last.address > row.address);
                self.rows.push(row);
            }
        }
    }

    fn end(mut self, address: u64) -> Vec<Row> {
        if self.unsorted {
            self.rows.sort_by_key(|row| row.address);
        }
        if let Some(last) = self.rows.last() {
            let ends = Row { address, line: 0, ..*last };
            while self.rows.pop_if(|row| row.address >= address).is_some() {}
            self.rows.push(ends);
        }
        self.rows
    }
}
