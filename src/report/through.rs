//! Where else a pointer lies: the element of the frame's and its callers' variables that
//! holds it, by the report alone.

use super::{Hex, ThreadReport, Variable, VariableValue};

/// Frames that are searched, from the one to blame outward.
const FRAMES: usize = 3;
/// Values within values.
const DEEPEST: usize = 4;
/// Values that are looked at.
const MOST: usize = 2000;

/// A place that holds a pointer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Index of its frame.
    pub(super) frame: usize,
    /// `ns[1]`.
    pub(super) path: String,
}

/// The only element that holds `pointer`, in the innermost frame that has one.
pub(super) fn element_holding(
    thread: &ThreadReport,
    frame: usize,
    pointer: u64,
) -> Option<Element> {
    let wanted = Hex(pointer).to_string();
    let frames = thread.frames.iter().enumerate().skip(frame).take(FRAMES);
    let mut left = MOST;
    for (index, report) in frames {
        let mut found = Vec::new();
        for variable in report.locals.iter().chain(&report.args) {
            let name = variable.name.as_str();
            look(variable, name, &wanted, DEEPEST, &mut left, &mut found);
        }
        match found.as_slice() {
            [] => {}
            [path] => return Some(Element { frame: index, path: path.clone() }),
            _ => return None,
        }
    }
    None
}

fn look(
    variable: &Variable,
    path: &str,
    wanted: &str,
    depth: usize,
    left: &mut usize,
    found: &mut Vec<String>,
) {
    let (Some(depth), Some(rest)) = (depth.checked_sub(1), left.checked_sub(1)) else { return };
    *left = rest;
    let parts = variable.members.iter().chain(&variable.elements);
    for part in parts {
        let name = part.name.as_str();
        let inner = match name.starts_with('[') {
            true => format!("{path}{name}"),
            false => format!("{path}.{name}"),
        };
        let is_it = matches!(&part.value, Some(VariableValue::Text(text)) if text == wanted);
        // That a member holds it says no more than the source does.
        if is_it && inner.contains('[') {
            found.push(inner.clone());
        }
        look(part, &inner, wanted, depth, left, found);
    }
    if let Some(pointee) = &variable.pointee {
        look(pointee, &format!("(*{path})"), wanted, depth, left, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FrameReport;
    use obit_redact::Shown;

    fn variable(name: &str, value: u64) -> Variable {
        let name = Shown::from_report(name.to_owned());
        let value = Some(VariableValue::Text(Hex(value).to_string()));
        Variable { name, value, ..Variable::default() }
    }

    fn thread(elements: &[u64]) -> ThreadReport {
        let elements = elements.iter().enumerate();
        let elements = elements.map(|(at, value)| variable(&format!("[{at}]"), *value)).collect();
        let list = Variable { elements, ..variable("ns", 1) };
        let caller = FrameReport { locals: vec![list], ..FrameReport::default() };
        let walk = FrameReport { locals: vec![variable("n", 7)], ..FrameReport::default() };
        ThreadReport { frames: vec![walk, caller], ..ThreadReport::default() }
    }

    #[test]
    fn the_element_of_a_callers_container_is_found_and_not_the_variable_itself() {
        let found = element_holding(&thread(&[5, 7]), 0, 7);
        assert_eq!(found, Some(Element { frame: 1, path: "ns[1]".to_owned() }));
    }

    #[test]
    fn of_two_elements_none_is_told() {
        assert_eq!(element_holding(&thread(&[7, 7]), 0, 7), None);
        assert_eq!(element_holding(&thread(&[5]), 0, 7), None);
    }
}
