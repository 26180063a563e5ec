//! From the entries of a unit to its functions, and from the entries of a function to
//! what lies inside.

use std::sync::OnceLock;

use gimli::{UnitOffset, constants as dw};

use crate::sections::context::Meter;
use crate::sections::sources::{Slice, Value};
use crate::units::file::DwarfFile;
use crate::units::functions::{
    Block, Body, CallSite, Function, Functions, Inline, StatedTarget, nth,
};
use crate::units::range_attributes::RangeAttributes;
use crate::units::range_map::RangeMap;
use crate::units::skim::Walk;
use crate::units::unit::Unit;

impl Functions {
    /// The functions of `unit` as kept in `cell`: `unit.shallow` for those that compilers
    /// put at the top, `unit.deep` for all, nested ones as well.
    pub(crate) fn of<'x, 'd>(
        file: &DwarfFile<'d>,
        unit: &'x Unit<'d>,
        cell: &'x OnceLock<Self>,
    ) -> &'x Self {
        cell.get_or_init(|| {
            let mut found = Self { map: RangeMap::default(), all: Vec::new() };
            let mut ranges = Vec::new();
            let deep = std::ptr::eq(cell, &unit.deep);
            if unit.has_code
                && let Err(error) = found.index(file, unit, deep, &mut ranges)
            {
                file.context().report("the entries of a unit", error);
            }
            found.map = RangeMap::new(ranges);
            found
        })
    }

    /// The function that holds `at`.
    pub(crate) fn at<'x, 'd>(
        file: &DwarfFile<'d>,
        unit: &'x Unit<'d>,
        at: u64,
    ) -> Option<&'x Function> {
        let in_one = |cell| {
            let functions = Self::of(file, unit, cell);
            let rank = functions.map.find(at)?;
            let number = if unit.has_scattered { rank } else { u32::MAX.saturating_sub(rank) };
            functions.all.get(usize::try_from(number).ok()?)
        };
        in_one(&unit.shallow).or_else(|| in_one(&unit.deep))
    }

    fn index<'d>(
        &mut self,
        file: &DwarfFile<'d>,
        unit: &Unit<'d>,
        deep: bool,
        ranges: &mut Vec<(u64, u64, u32)>,
    ) -> gimli::Result<()> {
        let mut walk = Walk::new(&unit.inner)?;
        let mut meter = Meter::new(file.context(), file.context().limits.entries_per_lookup);
        let note = |tag, attributes: &[gimli::AttributeSpecification]| {
            let mut names = attributes.iter().map(gimli::AttributeSpecification::name);
            let has_code = names.any(|name| matches!(name, dw::DW_AT_low_pc | dw::DW_AT_ranges));
            (tag, tag == dw::DW_TAG_subprogram && has_code)
        };
        while let Some(head) = walk.next(note)? {
            if !meter.step() {
                break;
            }
            let (tag, is_function) = head.note;
            // The entries inside namespaces are wanted, those inside others are not,
            // unless the first try found nothing.
            let skips = !deep
                && head.has_children
                && !matches!(
                    tag,
                    dw::DW_TAG_namespace
                        | dw::DW_TAG_module
                        | dw::DW_TAG_compile_unit
                        | dw::DW_TAG_partial_unit
                );
            let sibling = if is_function {
                let mut covers = RangeAttributes::default();
                let mut sibling = None;
                walk.read(head.offset, |attribute| {
                    match (attribute.name(), attribute.raw_value()) {
                        (dw::DW_AT_sibling, gimli::AttributeValue::UnitRef(to)) => {
                            sibling = Some(to.0);
                        }
                        (name @ (dw::DW_AT_low_pc | dw::DW_AT_high_pc | dw::DW_AT_ranges), _) => {
                            covers.note(name, attribute.value());
                        }
                        _ => {}
                    }
                })?;
                if !self.add(file, unit, head.offset, &covers, ranges) {
                    break;
                }
                sibling
            } else {
                walk.pass()?.sibling
            };
            if skips && let Some(to) = sibling {
                walk.jump(to, head.depth);
            }
        }
        Ok(())
    }

    /// Adds the function at `offset` if it has code; `false` if there are too many.
    fn add<'d>(
        &mut self,
        file: &DwarfFile<'d>,
        unit: &Unit<'d>,
        offset: UnitOffset,
        covers: &RangeAttributes<'d>,
        ranges: &mut Vec<(u64, u64, u32)>,
    ) -> bool {
        if covers.is_empty() {
            return true;
        }
        let own = file.ranges(unit, covers);
        if let Some((entry, _)) = own.first() {
            let Ok(number) = u32::try_from(self.all.len()) else { return false };
            // Of functions with the very same code gdb shows the first where some code of
            // the unit is scattered, else the last: so it takes `clone3` of `__clone3`,
            // `__GI___clone3`, `clone3`.
            let rank = if unit.has_scattered { number } else { u32::MAX.saturating_sub(number) };
            ranges.extend(own.iter().map(|(start, end)| (*start, *end, rank)));
            let (name, body) = (OnceLock::new(), OnceLock::new());
            self.all.push(Function { offset, entry: *entry, name, body });
        }
        true
    }
}

impl Function {
    /// What lies inside, read once.
    pub(crate) fn body<'d>(&self, file: &DwarfFile<'d>, unit: &Unit<'d>) -> &Body {
        self.body.get_or_init(|| {
            let mut walk = BodyReader {
                file,
                unit,
                body: Body::default(),
                open: Vec::new(),
                ranges: Vec::new(),
            };
            if let Err(error) = walk.run(self.offset) {
                file.context().report("the entries of a function", error);
            }
            walk.finish()
        })
    }
}

/// One pass over the entries of a function. No recursion: they may nest without end.
struct BodyReader<'x, 'd> {
    file: &'x DwarfFile<'d>,
    unit: &'x Unit<'d>,
    body: Body,
    /// The blocks around the current entry, with their depths.
    open: Vec<(isize, u32)>,
    /// Ranges of blocks; the values are places in `body.blocks`.
    ranges: Vec<(u64, u64, u32)>,
}

impl<'d> BodyReader<'_, 'd> {
    fn run(&mut self, offset: UnitOffset) -> gimli::Result<()> {
        let mut entries = self.unit.inner.entries_raw(Some(offset))?;
        self.function(&mut entries)?;
        let context = self.file.context();
        let mut meter = Meter::new(context, context.limits.entries_per_lookup);
        // Entries deeper than this are of no interest.
        let mut ignored_below = isize::MAX;
        while !entries.is_empty() && entries.next_depth() > 0 && meter.step() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if depth > ignored_below {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            ignored_below = isize::MAX;
            self.close(depth);
            let enter = match abbreviation.tag() {
                dw::DW_TAG_lexical_block
                | dw::DW_TAG_try_block
                | dw::DW_TAG_catch_block
                | dw::DW_TAG_with_stmt => {
                    self.block(&mut entries, abbreviation, offset, false, depth)?
                }
                dw::DW_TAG_inlined_subroutine => {
                    self.block(&mut entries, abbreviation, offset, true, depth)?
                }
                dw::DW_TAG_call_site | dw::DW_TAG_GNU_call_site => {
                    self.call_site(&mut entries, abbreviation, offset)?;
                    false
                }
                _ => {
                    entries.skip_attributes(abbreviation.attributes())?;
                    false
                }
            };
            if !enter {
                ignored_below = depth;
            }
        }
        Ok(())
    }

    fn function(&mut self, entries: &mut Entries<'_, 'd>) -> gimli::Result<()> {
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification)?;
            if let (
                dw::DW_AT_call_all_calls
                | dw::DW_AT_call_all_tail_calls
                | dw::DW_AT_GNU_all_call_sites
                | dw::DW_AT_GNU_all_tail_call_sites,
                gimli::AttributeValue::Flag(true),
            ) = (attribute.name(), attribute.value())
            {
                self.body.lists_tail_calls = true;
            }
        }
        Ok(())
    }

    /// A block or an inlined call that starts here, at `offset`. `false`
    /// when it claims no address and what is inside does not count.
    fn block(
        &mut self,
        entries: &mut Entries<'_, 'd>,
        abbreviation: &gimli::Abbreviation,
        offset: UnitOffset,
        is_inline: bool,
        depth: isize,
    ) -> gimli::Result<bool> {
        let inline = is_inline.then_some(offset);
        let mut covers = RangeAttributes::default();
        let (mut call_file, mut call_line, mut call_column) = (None, None, 0);
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute_inline(*specification)?;
            let value = attribute.value();
            match attribute.name() {
                dw::DW_AT_call_file => call_file = Some(number(value)),
                dw::DW_AT_call_line => call_line = Some(number(value)),
                dw::DW_AT_call_column => call_column = number(value),
                name => covers.note(name, value),
            }
        }
        let own = self.file.ranges(self.unit, &covers);
        if inline.is_some() && own.is_empty() {
            return Ok(false);
        }
        // DWARF 2 has no attribute for the line of an inlined call: its caller would be
        // shown without a line. As in gdb the code counts as its caller's own.
        let (call_file, call_line) = match (call_file, call_line) {
            (Some(file), Some(line)) => (file, line),
            _ if inline.is_some() => return Ok(false),
            _ => (0, 0),
        };
        let Ok(place) = u32::try_from(self.body.blocks.len()) else { return Ok(false) };
        let inline = inline.and_then(|offset| {
            let number = u32::try_from(self.body.inlines.len()).ok()?;
            let name = OnceLock::new();
            self.body.inlines.push(Inline { offset, call_file, call_line, call_column, name });
            Some(number)
        });
        let parent = self.open.last().map(|open| open.1);
        self.body.blocks.push(Block { offset, parent, inline });
        self.ranges.extend(own.into_iter().map(|(start, end)| (start, end, place)));
        self.open.push((depth, place));
        Ok(true)
    }

    fn call_site(
        &mut self,
        entries: &mut Entries<'_, 'd>,
        abbreviation: &gimli::Abbreviation,
        offset: UnitOffset,
    ) -> gimli::Result<()> {
        let (mut return_pc, mut is_tail) = (None, false);
        let (mut computed, mut origin) = (false, false);
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute_inline(*specification)?;
            match attribute.name() {
                dw::DW_AT_call_return_pc | dw::DW_AT_low_pc => return_pc = Some(attribute.value()),
                dw::DW_AT_call_tail_call | dw::DW_AT_GNU_tail_call => {
                    is_tail = attribute.value() == gimli::AttributeValue::Flag(true);
                }
                dw::DW_AT_call_target | dw::DW_AT_GNU_call_site_target => computed = true,
                dw::DW_AT_call_origin | dw::DW_AT_abstract_origin => origin = true,
                _ => {}
            }
        }
        let return_pc = return_pc.and_then(|value| self.file.address(self.unit, value));
        if let Some(return_pc) = return_pc {
            let target = if origin && !computed {
                StatedTarget::Origin(offset)
            } else {
                StatedTarget::Computed
            };
            let goes_to = OnceLock::new();
            self.body.calls.push(CallSite { offset, return_pc, is_tail, target, goes_to });
        }
        Ok(())
    }

    /// Ends the blocks that an entry at `depth` is not inside of.
    fn close(&mut self, depth: isize) {
        while let Some((_, place)) = self.open.pop_if(|open| open.0 >= depth) {
            self.body.ended.push(place);
        }
    }

    fn finish(mut self) -> Body {
        self.close(isize::MIN);
        let mut turns = vec![0_u32; self.body.blocks.len()];
        for (turn, place) in (0_u32..).zip(&self.body.ended) {
            let turn_of = usize::try_from(*place).ok().and_then(|place| turns.get_mut(place));
            if let Some(turn_of) = turn_of {
                *turn_of = turn;
            }
        }
        let ranges = self
            .ranges
            .iter()
            .filter_map(|(start, end, place)| Some((*start, *end, *nth(&turns, *place)?)));
        self.body.map = RangeMap::new(ranges.collect());
        self.body
    }
}

type Entries<'x, 'd> = gimli::EntriesRaw<'x, Slice<'d>>;

/// An unsigned constant or a file's number; 0 for anything else.
fn number(value: Value<'_>) -> u64 {
    match value {
        gimli::AttributeValue::FileIndex(index) => index,
        value => value.udata_value().unwrap_or(0),
    }
}
