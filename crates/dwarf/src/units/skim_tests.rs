//! The walk against gimli's reader, over units made by hand.

use gimli::{RunTimeEndian, constants as dw};

use super::*;
use crate::sections::sources::Dwarf;

/// Values of each form, in little endian, for DWARF 5 with offsets of 4 bytes.
const FORMS: &[(DwForm, &[u8])] = &[
    (dw::DW_FORM_addr, &[1; 8]),
    (dw::DW_FORM_block1, &[2, 9, 9]),
    (dw::DW_FORM_block2, &[2, 0, 9, 9]),
    (dw::DW_FORM_block4, &[1, 0, 0, 0, 9]),
    (dw::DW_FORM_block, &[0x82, 0x00, 9, 9]),
    (dw::DW_FORM_exprloc, &[1, 0x9c]),
    (dw::DW_FORM_data1, &[1]),
    (dw::DW_FORM_data2, &[1; 2]),
    (dw::DW_FORM_data4, &[1; 4]),
    (dw::DW_FORM_data8, &[1; 8]),
    (dw::DW_FORM_data16, &[1; 16]),
    (dw::DW_FORM_udata, &[0xff, 0xff, 0x03]),
    (dw::DW_FORM_sdata, &[0x7f]),
    (dw::DW_FORM_string, b"text\0"),
    (dw::DW_FORM_strp, &[0; 4]),
    (dw::DW_FORM_line_strp, &[0; 4]),
    (dw::DW_FORM_strp_sup, &[0; 4]),
    (dw::DW_FORM_strx, &[0x80, 0x01]),
    (dw::DW_FORM_strx1, &[0]),
    (dw::DW_FORM_strx2, &[0; 2]),
    (dw::DW_FORM_strx3, &[0; 3]),
    (dw::DW_FORM_strx4, &[0; 4]),
    (dw::DW_FORM_addrx, &[5]),
    (dw::DW_FORM_addrx1, &[0]),
    (dw::DW_FORM_addrx2, &[0; 2]),
    (dw::DW_FORM_addrx3, &[0; 3]),
    (dw::DW_FORM_addrx4, &[0; 4]),
    (dw::DW_FORM_flag, &[1]),
    (dw::DW_FORM_flag_present, &[]),
    (dw::DW_FORM_ref1, &[1]),
    (dw::DW_FORM_ref2, &[1, 0]),
    (dw::DW_FORM_ref4, &[1, 0, 0, 0]),
    (dw::DW_FORM_ref8, &[1, 0, 0, 0, 0, 0, 0, 0]),
    (dw::DW_FORM_ref_udata, &[1]),
    (dw::DW_FORM_ref_addr, &[1, 0, 0, 0]),
    (dw::DW_FORM_ref_sig8, &[1; 8]),
    (dw::DW_FORM_ref_sup4, &[1, 0, 0, 0]),
    (dw::DW_FORM_ref_sup8, &[1, 0, 0, 0, 0, 0, 0, 0]),
    (dw::DW_FORM_sec_offset, &[0; 4]),
    (dw::DW_FORM_loclistx, &[0x85, 0x01]),
    (dw::DW_FORM_rnglistx, &[0]),
    (dw::DW_FORM_GNU_ref_alt, &[0; 4]),
    (dw::DW_FORM_GNU_strp_alt, &[0; 4]),
    (dw::DW_FORM_GNU_addr_index, &[1]),
    (dw::DW_FORM_GNU_str_index, &[1]),
    (dw::DW_FORM_indirect, &[0x0b, 1]),
    (dw::DW_FORM_indirect, &[0x16, 0x08, b'x', 0]),
];

const ROOT: u8 = 1;
const LEAF: u8 = 2;
const ALL: u8 = 3;
const BLOCK: u8 = 4;

/// The abbreviations: a unit, an entry without attributes, one with every form, and one with
/// children and a sibling.
fn abbreviations() -> Vec<u8> {
    let mut bytes = vec![ROOT, 0x11, 1, 0, 0, LEAF, 0x34, 0, 0, 0];
    bytes.extend([ALL, 0x34, 0]);
    for (form, _) in FORMS {
        // DW_AT_name does not decide how the value is read.
        bytes.push(0x03);
        let form = form.0;
        if form < 0x80 {
            bytes.push(u8::try_from(form).unwrap());
        } else {
            let parts = [form & 0x7f | 0x80, form >> 7 & 0x7f | 0x80, form >> 14];
            bytes.extend(parts.map(|part| u8::try_from(part).unwrap()));
        }
    }
    bytes.extend([0, 0, BLOCK, 0x0b, 1, 0x01, 0x13, 0, 0, 0]);
    bytes
}

fn sections(entries: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let length = u32::try_from(entries.len() + 8).unwrap();
    let mut info = length.to_le_bytes().to_vec();
    // DWARF 5, a compilation unit, addresses of 8 bytes, abbreviations at 0.
    info.extend([5, 0, 1, 8, 0, 0, 0, 0]);
    info.extend(entries);
    (abbreviations(), info)
}

fn with_unit<T>(entries: &[u8], ask: impl FnOnce(&gimli::Unit<Slice<'_>>) -> T) -> T {
    let (abbreviations, info) = sections(entries);
    let load = |id| {
        let bytes: &[u8] = match id {
            gimli::SectionId::DebugAbbrev => &abbreviations,
            gimli::SectionId::DebugInfo => &info,
            _ => &[],
        };
        Ok::<_, gimli::Error>(Slice::new(bytes, RunTimeEndian::Little))
    };
    let dwarf = Dwarf::load(load).unwrap();
    let header = dwarf.units().next().unwrap().unwrap();
    ask(&dwarf.unit(header).unwrap())
}

/// Offsets and depths of the entries.
fn passed(unit: &gimli::Unit<Slice<'_>>) -> gimli::Result<Vec<(usize, isize)>> {
    let mut walk = Walk::new(unit)?;
    let mut found = Vec::new();
    while let Some(head) = walk.next(|tag, _| tag)? {
        found.push((head.offset.0, head.depth));
        walk.pass()?;
    }
    Ok(found)
}

#[test]
fn entries_with_every_form_end_where_gimli_says() {
    let mut entries = vec![ROOT, ALL];
    entries.extend(FORMS.iter().flat_map(|(_, value)| *value));
    entries.extend([LEAF, BLOCK, 0x20, 0, 0, 0, LEAF, 0, LEAF, 0]);
    with_unit(&entries, |unit| {
        let mut expected = Vec::new();
        let mut raw = unit.entries_raw(None).unwrap();
        while !raw.is_empty() {
            let at = (raw.next_offset().0, raw.next_depth());
            let Some(abbreviation) = raw.read_abbreviation().unwrap() else { continue };
            raw.skip_attributes(abbreviation.attributes()).unwrap();
            expected.push(at);
        }
        assert_eq!(expected.len(), 6);
        assert_eq!(passed(unit).unwrap(), expected);
    });
}

#[test]
fn a_walk_goes_on_at_a_sibling_and_never_backwards() {
    // The block is at 13, its sibling at 20: behind the zero that ends the block.
    with_unit(&[ROOT, BLOCK, 20, 0, 0, 0, LEAF, 0, LEAF, 0], |unit| {
        let mut walk = Walk::new(unit).unwrap();
        let mut depths = Vec::new();
        while let Some(head) = walk.next(|tag, _| tag).unwrap() {
            depths.push(head.depth);
            if let Some(sibling) = walk.pass().unwrap().sibling {
                assert!(!walk.jump(14, head.depth));
                assert!(walk.jump(sibling, head.depth));
            }
        }
        assert_eq!(depths, [0, 1, 1]);
    });
}

#[test]
fn an_entry_that_is_cut_short_is_an_error() {
    for entries in [&[ROOT, BLOCK, 1, 0][..], &[ROOT, 9], &[ROOT, 0x80]] {
        with_unit(entries, |unit| assert!(passed(unit).is_err(), "{entries:?}"));
    }
    with_unit(&[ROOT, LEAF, 0, LEAF, 0], |unit| assert_eq!(passed(unit).unwrap().len(), 2));
}
