//! What a call passed: the call site entries of DWARF (DWARF 5 § 3.4), by which values at
//! a function's entry are computed in its caller's frame.

use gimli::constants as dw;

use crate::code::callee;
use crate::model::call::{Call, CallTarget, Passed};
use crate::model::location::{Expression, VariableId};
use crate::sections::sources::Value;
use crate::units::entry::Entry;
use crate::units::file::DwarfFile;
use crate::units::functions::Functions;
use crate::units::split;
use crate::variables::evaluate;
use obit_corefile::addr::Svma;

/// Parameters of one call that are read.
const MOST_PARAMETERS: usize = 256;

/// The call that returns to `return_pc`.
pub(crate) fn call<'d>(root: &DwarfFile<'d>, return_pc: u64) -> Option<Call> {
    let inside = return_pc.checked_sub(1)?;
    root.units_at(inside).find_map(|unit| {
        let (file, unit) = split::whole(root, unit);
        let function = Functions::at(file, unit, inside)?;
        let calls = &function.body(file, unit).calls;
        let site = calls.iter().find(|site| site.return_pc == return_pc)?;
        Some(read(Entry::new(root, file, unit, site.offset)))
    })
}

fn read(site: Entry<'_, '_>) -> Call {
    let mut call = Call { target: CallTarget::Unknown, parameters: Vec::new() };
    let mut read = || {
        let mut entries = site.unit.inner.entries_raw(Some(site.offset))?;
        let mut origin = None;
        let Some(abbreviation) = entries.read_abbreviation()? else { return Ok(()) };
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification)?;
            match (attribute.name(), attribute.value()) {
                (dw::DW_AT_call_target | dw::DW_AT_GNU_call_site_target, value) => {
                    let found = expression(&site, value);
                    call.target = found.map_or(CallTarget::Unknown, CallTarget::Computed);
                }
                (dw::DW_AT_call_origin | dw::DW_AT_abstract_origin, value) => {
                    origin = site.follow(value);
                }
                _ => {}
            }
        }
        if let (CallTarget::Unknown, Some(origin)) = (&call.target, origin) {
            call.target = target(&origin);
        }
        if !abbreviation.has_children() {
            return Ok(());
        }
        while !entries.is_empty() && entries.next_depth() > 0 {
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let is_parameter = matches!(
                abbreviation.tag(),
                dw::DW_TAG_call_site_parameter | dw::DW_TAG_GNU_call_site_parameter
            );
            if !is_parameter || call.parameters.len() >= MOST_PARAMETERS {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let mut passed = Passed { place: None, parameter: None, value: None, pointee: None };
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                let expression = expression(&site, attribute.value());
                match attribute.name() {
                    dw::DW_AT_location => {
                        let place = expression.and_then(|e| evaluate::passed_in(&e, site.root));
                        passed.place = place;
                    }
                    dw::DW_AT_call_value | dw::DW_AT_GNU_call_site_value => {
                        passed.value = expression;
                    }
                    dw::DW_AT_call_data_value | dw::DW_AT_GNU_call_site_data_value => {
                        passed.pointee = expression;
                    }
                    dw::DW_AT_call_parameter | dw::DW_AT_abstract_origin => {
                        let parameter = site.follow(attribute.value());
                        passed.parameter = parameter.map(|found| VariableId(found.key()));
                    }
                    _ => {}
                }
            }
            call.parameters.push(passed);
        }
        Ok(())
    };
    if let Err(error) = read() {
        site.file.context().report("a call site", error);
    }
    call
}

/// DWARF 2 and 3 have no form of their own for expressions: GCC writes these attributes as
/// blocks there.
fn expression(site: &Entry<'_, '_>, value: Value<'_>) -> Option<Expression> {
    let code = match value {
        gimli::AttributeValue::Exprloc(found) => found.0,
        gimli::AttributeValue::Block(found) => found,
        _ => return None,
    };
    Some(Expression::new(code.slice(), site.key()))
}

fn target(origin: &Entry<'_, '_>) -> CallTarget {
    match callee::declared_name(origin.file, origin.die()) {
        Some(name) => CallTarget::Named(name.to_string_lossy().into_owned()),
        None => callee::entry_pc(origin.file, origin.die())
            .map_or(CallTarget::Unknown, |at| CallTarget::Function(Svma(at))),
    }
}
