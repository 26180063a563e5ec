//! What Fortran calls its arrays and strings.

use gimli::constants as dw;

use crate::model::location::Bound;
use crate::model::types::{Dimension, DimensionEnd};
use crate::types::described::Described;

/// `(2,0:3,:)`: bounds as a declaration states them, in the order of the source.
pub(crate) fn shape(dimensions: &[Dimension]) -> String {
    let bounds: Vec<String> = dimensions.iter().map(bounds).collect();
    format!("({})", bounds.join(","))
}

fn bounds(of: &Dimension) -> String {
    let Bound::Constant(lower) = of.lower else { return ":".to_owned() };
    let upper = match of.end {
        DimensionEnd::Upper(Bound::Constant(upper)) => Some(upper),
        DimensionEnd::Count(Bound::Constant(count)) => {
            lower.checked_add(count).and_then(|end| end.checked_sub(1))
        }
        DimensionEnd::Open => return "*".to_owned(),
        DimensionEnd::Upper(_) | DimensionEnd::Count(_) => None,
    };
    match upper {
        None => ":".to_owned(),
        // Zero size.
        Some(upper) if lower == 1 => upper.max(0).to_string(),
        Some(upper) => format!("{lower}:{upper}"),
    }
}

/// `character(len=5)`.
pub(crate) fn string(it: &Described<'_, '_>) -> String {
    match it.unsigned(dw::DW_AT_byte_size) {
        _ if it.stating(dw::DW_AT_string_length).is_some() => "character(len=*)".to_owned(),
        Some(length @ 1..) => format!("character(len={length})"),
        _ => "character".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dimension(lower: i64, end: DimensionEnd) -> Dimension {
        Dimension { index: None, lower: Bound::Constant(lower), end, stride: None }
    }

    #[test]
    fn bounds_are_written_as_a_declaration_states_them() {
        let upper = |lower, upper| dimension(lower, DimensionEnd::Upper(Bound::Constant(upper)));
        let shape = |dimensions: &[Dimension]| shape(dimensions);
        assert_eq!(shape(&[upper(1, 2), upper(-1, 3), upper(1, 0)]), "(2,-1:3,0)");
        let unknown = dimension(1, DimensionEnd::Upper(Bound::Unknown));
        assert_eq!(shape(&[unknown, dimension(1, DimensionEnd::Open)]), "(:,*)");
    }
}
