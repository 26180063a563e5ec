//! Which tags name something, and which are scopes of what does.

use gimli::constants as dw;

use crate::index::name_scan::Subject;

/// Whether it is the root of a unit.
pub(crate) fn is_unit(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_compile_unit
            | dw::DW_TAG_partial_unit
            | dw::DW_TAG_type_unit
            | dw::DW_TAG_skeleton_unit
    )
}

/// Whether what is below may have names of its own.
pub(crate) fn is_scope(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_namespace
            | dw::DW_TAG_module
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_union_type
    )
}

/// Whether it is a structure or a class, each of which may be declared as the other.
pub(crate) fn is_class(tag: gimli::DwTag) -> bool {
    matches!(tag, dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_interface_type)
}

/// Whether an entry may have a name that can be asked for, or is a scope of those that do.
pub(crate) fn counts(
    subject: Subject,
    tag: gimli::DwTag,
    attributes: &[gimli::AttributeSpecification],
) -> bool {
    let has = |name| attributes.iter().any(|specification| specification.name() == name);
    if is_scope(tag) {
        return true;
    }
    match (subject, tag) {
        (Subject::Functions, tag) => {
            tag == dw::DW_TAG_subprogram && (has(dw::DW_AT_low_pc) || has(dw::DW_AT_ranges))
        }
        (Subject::Data, dw::DW_TAG_member) => has(dw::DW_AT_const_value),
        (
            Subject::Data,
            dw::DW_TAG_base_type
            | dw::DW_TAG_unspecified_type
            | dw::DW_TAG_typedef
            | dw::DW_TAG_template_alias
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_variable,
        ) => true,
        (
            Subject::Data,
            dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_array_type
            | dw::DW_TAG_subroutine_type
            | dw::DW_TAG_subrange_type,
        ) => has(dw::DW_AT_name),
        (Subject::Data, _) => false,
    }
}
