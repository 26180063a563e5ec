//! What `obit print` answers: values as trees, memory in gdb's rows, types line by line.

use std::io;

use super::values::write_variable;
use crate::PageOptions;
use crate::name;
use crate::style::Style;
use crate::visible::visible;
use obit_report::Variable;
use obit_report::answer::{Answer, MemoryDump, MemoryRow, Printed};

/// Writes one answer.
///
/// # Errors
/// Those of `out`.
pub fn write_printed(
    out: &mut dyn io::Write,
    printed: &Printed,
    options: &PageOptions,
) -> io::Result<()> {
    match &printed.answer {
        Answer::Value(variable) => write_variable(out, variable, options),
        Answer::Memory(dump) => write_memory(out, dump, options),
        Answer::Type(text) => {
            let mut lead = "type = ";
            for line in &text.declaration {
                writeln!(out, "{lead}{}", name::shown(line))?;
                lead = "";
            }
            Ok(())
        }
    }
}

fn write_memory(
    out: &mut dyn io::Write,
    dump: &MemoryDump,
    options: &PageOptions,
) -> io::Result<()> {
    // The instruction that execution stopped at is marked, so the others are indented.
    let is_code = dump.rows.iter().any(|row| row.instruction.is_some());
    for row in &dump.rows {
        let mark = match (is_code, row.current) {
            (false, _) => "",
            (true, false) => "   ",
            (true, true) => "=> ",
        };
        writeln!(out, "{mark}{}", row_text(row))?;
    }
    if dump.omitted > 0 {
        let text = format!("\u{2026} {} more not shown", dump.omitted);
        writeln!(out, "{}", options.color.paint(Style::Doubt, &text))?;
    }
    Ok(())
}

/// `0x404040 <words+16>:\t1\t0`.
fn row_text(row: &MemoryRow) -> String {
    let mut text = row.address.to_string();
    if let Some(symbol) = &row.symbol {
        text += &format!(" <{}>", name::shown(symbol));
    }
    text.push(':');
    let values = row.values.iter().chain(&row.instruction);
    for value in values {
        text.push('\t');
        text += &name::shown(value);
    }
    if let Some(string) = &row.text {
        let string =
            Variable { text: Some(string.clone()), text_cut: row.text_cut, ..Variable::default() };
        text.push('\t');
        text += &visible(&string.whole_words());
    }
    if let Some(why) = &row.unavailable {
        text += &format!("\t<unavailable: {}>", name::shown(why));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::text;
    use obit_report::Hex;
    use obit_report::answer::TypeText;

    fn page(answer: Answer) -> String {
        let mut out = Vec::new();
        let printed = Printed { thread: 1, frame: 0, answer };
        write_printed(&mut out, &printed, &PageOptions::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn row(address: u64) -> MemoryRow {
        MemoryRow { address: Hex(address), ..MemoryRow::default() }
    }

    #[test]
    fn memory_is_laid_out_as_gdb_does() {
        let units = MemoryRow {
            symbol: Some(text("words+16")),
            values: vec![text("0x01"), text("0xff")],
            ..row(0x40)
        };
        let end =
            MemoryRow { unavailable: Some(text("memory at 0x42 is not mapped")), ..row(0x42) };
        let dump = MemoryDump { rows: vec![units, end], omitted: 6, ..MemoryDump::default() };
        assert_eq!(
            page(Answer::Memory(dump)),
            "0x40 <words+16>:\t0x01\t0xff\n\
             0x42:\t<unavailable: memory at 0x42 is not mapped>\n\
             \u{2026} 6 more not shown\n"
        );
    }

    #[test]
    fn the_instruction_that_was_executing_is_marked() {
        let code = |address, current, what| MemoryRow {
            current,
            instruction: Some(text(what)),
            ..row(address)
        };
        let rows = vec![code(0x10, true, "nop"), code(0x11, false, "ret")];
        let dump = MemoryDump { rows, ..MemoryDump::default() };
        assert_eq!(page(Answer::Memory(dump)), "=> 0x10:\tnop\n   0x11:\tret\n");
    }

    #[test]
    fn nothing_in_a_string_or_a_name_reaches_the_terminal_raw() {
        let string = MemoryRow { text: Some(text("a\u{1b}[2J\n")), text_cut: true, ..row(0) };
        let dump = MemoryDump { rows: vec![string], ..MemoryDump::default() };
        assert_eq!(page(Answer::Memory(dump)), "0x0:\t\"a\\x1b[2J\\n\"\u{2026}\n");
        let declaration = vec![text("struct a\nb {"), text("}")];
        let ty = TypeText { declaration, ..TypeText::default() };
        assert_eq!(page(Answer::Type(ty)), "type = struct a\\nb {\n}\n");
    }
}
