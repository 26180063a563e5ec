//! Where else a pointer is: in an element of a container that is in scope in a frame or in
//! one of its callers.

use obit_corefile::addr::Avma;
use obit_process::process::Process;
use obit_process::value::{Budget, Scalar, State, Value, tree};

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

/// The only element that holds `pointer`, in the innermost frame of the crashed thread from
/// number `frame` outward that has one.
pub(super) fn element_holding(process: &Process, frame: usize, pointer: Avma) -> Option<Element> {
    let thread = process.threads.iter().position(|thread| thread.crashed)?;
    let mut search = Search { pointer, left: MOST, found: Vec::new() };
    for index in (frame..).take(FRAMES) {
        let view = process.frame_view(thread, index)?;
        let budget = Budget::default().with(Some(DEEPEST), None).with_nodes(search.left);
        for (variable, object) in view.variables() {
            let (Some(name), Some(object)) = (&variable.name, object) else { continue };
            let value = tree(&object, None, view.scene(), &budget);
            search.within(&value, name, DEEPEST);
        }
        match search.found.as_slice() {
            [] => {}
            [path] => return Some(Element { frame: index, path: path.clone() }),
            _ => return None,
        }
    }
    None
}

/// A search through values that share a limit.
struct Search {
    pointer: Avma,
    /// Values that may still be looked at.
    left: usize,
    found: Vec<String>,
}

impl Search {
    fn within(&mut self, value: &Value, path: &str, depth: usize) {
        let (Some(depth), Some(left)) = (depth.checked_sub(1), self.left.checked_sub(1)) else {
            return;
        };
        self.left = left;
        for part in value.members.iter().chain(&value.elements) {
            let name = part.name.as_deref().unwrap_or_default();
            let inner = match name.starts_with('[') {
                // Within `m[:,3]` of a column-major array is `m[1,3]`.
                true => format!("{}{name}", path.split_once("[:").map_or(path, |(of, _)| of)),
                false => format!("{path}.{name}"),
            };
            let is_it =
                matches!(part.state, State::Scalar(Scalar::Address(at)) if at == self.pointer.0);
            // That a member holds it says no more than the source does.
            if is_it && inner.contains('[') {
                self.found.push(inner.clone());
            }
            self.within(part, &inner, depth);
        }
        if let Some(pointee) = &value.pointee {
            self.within(pointee, &format!("(*{path})"), depth);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(name: &str, at: u64) -> Value {
        let state = State::Scalar(Scalar::Address(at));
        Value { name: Some(name.into()), state, ..Value::default() }
    }

    fn found(elements: &[u64], members: Vec<Value>) -> Vec<String> {
        let elements = elements.iter().enumerate();
        let elements = elements.map(|(at, held)| pointer(&format!("[{at}]"), *held)).collect();
        let list = Value { elements, members, ..Value::default() };
        let mut search = Search { pointer: Avma(7), left: MOST, found: Vec::new() };
        search.within(&list, "ns", DEEPEST);
        search.found
    }

    #[test]
    fn elements_that_hold_the_pointer_are_found_and_members_are_not() {
        assert_eq!(found(&[5, 7], Vec::new()), ["ns[1]"]);
        assert_eq!(found(&[7, 7], Vec::new()), ["ns[0]", "ns[1]"]);
        assert_eq!(found(&[5], vec![pointer("first", 7)]), [] as [&str; 0]);
    }

    #[test]
    fn values_are_looked_at_up_to_a_depth() {
        let nest = |inner: Value| Value { pointee: Some(Box::new(inner)), ..Value::default() };
        let list = Value { elements: vec![pointer("[0]", 7)], ..Value::default() };
        let mut search = Search { pointer: Avma(7), left: MOST, found: Vec::new() };
        search.within(&nest(list.clone()), "p", DEEPEST);
        assert_eq!(search.found, ["(*p)[0]"]);
        search.found.clear();
        search.within(&nest(nest(nest(nest(list)))), "p", DEEPEST);
        assert_eq!(search.found, [] as [&str; 0]);
    }
}
