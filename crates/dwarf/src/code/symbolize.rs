//! From an address of an image to functions, inlined calls and source lines.

use crate::model::code::{SourceFrame, SourceLocation};
use crate::names::function_name;
use crate::units::file::DwarfFile;
use crate::units::functions::{FunctionName, Functions};
use crate::units::line_rows::Lines;
use crate::units::split;
use crate::units::unit::Die;

/// The functions at `at` by DWARF, the innermost first; empty if no unit describes it.
/// Where a unit gives no function, one frame with a line and no name remains.
pub(crate) fn frames<'d>(file: &DwarfFile<'d>, at: u64) -> Vec<SourceFrame> {
    let mut unnamed = None;
    for unit in file.units_at(at) {
        let lines = Lines::of(file, unit);
        let line = lines.find(file, unit, at);
        let (half, described) = split::whole(file, unit);
        if let Some(function) = Functions::at(half, described, at) {
            let body = function.body(half, described);
            let limits = &file.context().limits;
            // Where the function of this turn is: first by the line table, then by the
            // call that was inlined into it.
            let mut location = line.clone();
            let mut frames = Vec::new();
            for inline in body.inlined_at(at, limits.inline_depth) {
                let die = Die { unit: described, offset: inline.offset };
                let name = inline.name.get_or_init(|| function_name::name_of(half, die));
                // A function without a name is none (DWARF 5 § 3.3.1): its code, with all
                // that was inlined into it, counts as its caller's.
                if name.shown.is_none() {
                    frames.clear();
                    location = line.clone();
                    continue;
                }
                let number = |value: u64| u32::try_from(value).unwrap_or(0);
                let (call_line, column) = (number(inline.call_line), number(inline.call_column));
                let called = match call_line {
                    0 => None,
                    _ => lines.location(file, unit, inline.call_file, call_line, column),
                };
                frames.push(frame(name, std::mem::replace(&mut location, called), true));
            }
            let die = Die { unit: described, offset: function.offset };
            let name = function.name.get_or_init(|| function_name::name_of(half, die));
            frames.push(frame(name, location, false));
            return frames;
        }
        if line.is_some() {
            unnamed = unnamed.or(line);
        }
    }
    let unnamed = unnamed.map(|line| frame(&FunctionName::default(), Some(line), false));
    unnamed.into_iter().collect()
}

fn frame(name: &FunctionName, location: Option<SourceLocation>, is_inline: bool) -> SourceFrame {
    SourceFrame {
        function: name.shown.as_deref().map(str::to_owned),
        linkage_name: name.linkage.as_deref().map(str::to_owned),
        location,
        language: name.language,
        is_inline,
        from_symbol: false,
    }
}
