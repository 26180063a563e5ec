//! Which row of a line table counts, by gdb's rules, read with gimli alone.

use std::path::Path;

/// The reader of all sections.
pub(crate) type Slice = gimli::EndianSlice<'static, gimli::RunTimeEndian>;

/// The rows of all line tables of one file, sequence by sequence.
pub(crate) struct Rows {
    sequences: Vec<Vec<Row>>,
}

#[derive(Clone)]
struct Row {
    address: u64,
    file: String,
    line: u32,
    is_stmt: bool,
}

impl Rows {
    pub(crate) fn read(dwarf: &gimli::Dwarf<Slice>) -> Self {
        let mut sequences = Vec::new();
        let mut units = dwarf.units();
        while let Some(header) = units.next().unwrap() {
            let unit = dwarf.unit(header).unwrap();
            let Some(program) = unit.line_program.clone() else { continue };
            let mut rows = program.rows();
            let mut sequence = Vec::new();
            while let Some((header, row)) = rows.next_row().unwrap() {
                let name = row.file(header).map(gimli::FileEntry::path_name);
                let name = name.map(|name| dwarf.attr_string(&unit, name).unwrap());
                let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let file = Path::new(&name).file_name().unwrap_or_default();
                let file = file.to_string_lossy().into_owned();
                let line = row.line().map_or(0, |line| u32::try_from(line.get()).unwrap());
                let is_stmt = row.is_stmt();
                sequence.push(Row { address: row.address(), file, line, is_stmt });
                if row.end_sequence() {
                    sequences.push(std::mem::take(&mut sequence));
                }
            }
        }
        Self { sequences }
    }

    /// The place gdb takes for `at`: a row without a line is as if it were not there
    /// (`lnp_state_machine::record_line`); of rows at one address the last counts, unless
    /// it begins no statement and one before it does (`find_pc_sect_line`).
    pub(crate) fn by_gdb(&self, at: u64) -> Option<(String, u32)> {
        let covers = |rows: &&Vec<Row>| {
            rows.first().is_some_and(|row| row.address != 0 && row.address <= at)
                && rows.last().is_some_and(|end| at < end.address)
        };
        let rows = self.sequences.iter().find(covers)?;
        let (_end, rows) = rows.split_last()?;
        let rows: Vec<&Row> = rows.iter().filter(|row| row.line != 0).collect();
        let last = rows.iter().rposition(|row| row.address <= at)?;
        let same = rows[..=last].iter().rev().take_while(|row| row.address == rows[last].address);
        let row = same.clone().find(|row| row.is_stmt).or(same.clone().next())?;
        Some((row.file.clone(), row.line))
    }
}
