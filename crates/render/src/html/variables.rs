//! Variables as a tree that opens: name, type, value, or why there is none.

use maud::{Markup, PreEscaped, html};

use super::budget::{Budget, more};
use super::escape::{NAME, text, words};
use crate::name;
use crate::terminal::values::parts;
use obit_report::{Pointees, Variable, VariableStatus};

/// Levels of the tree.
const DEPTH: usize = 12;
/// Variables of one frame, and members of one object.
const MOST: usize = 256;
/// Characters of a value that is closed.
const CLOSED: usize = 110;
/// Characters of a value that has no parts.
const LEAF: usize = 300;
/// Characters of a type's name.
const TYPE: usize = 70;

/// A list of variables under a title; nothing if there are none.
pub(super) fn variables(title: &str, variables: &[Variable], budget: &Budget) -> Markup {
    if variables.is_empty() {
        return html! {};
    }
    html! {
        h5 { (title) }
        (list(variables, None, DEPTH, budget))
    }
}

/// `within` is the object they are the parts of.
fn list(
    variables: &[Variable],
    within: Option<&Variable>,
    depth: usize,
    budget: &Budget,
) -> Markup {
    let mut printed = String::new();
    let mut count = 0;
    for variable in variables.iter().take(MOST) {
        if budget.is_full() {
            break;
        }
        printed.push_str(&entry(variable, within, depth, budget).into_string());
        count += 1;
    }
    let omitted = within.map_or(0, |within| usize::try_from(within.omitted).unwrap_or(usize::MAX));
    let left_out = (variables.len() - count).saturating_add(omitted);
    html! {
        ul.vars {
            (PreEscaped(printed))
            @if left_out > 0 { li { (more(left_out, "part")) } }
        }
    }
}

fn entry(variable: &Variable, within: Option<&Variable>, depth: usize, budget: &Budget) -> Markup {
    let keyed = within.filter(|within| within.is_keyed()).and_then(|_| variable.as_entry());
    let (name, variable) = match keyed {
        Some((key, value)) => (words(&key.words(NAME / 2, Pointees::Hidden), NAME / 2), value),
        None => (text(&variable.name, NAME / 2), variable),
    };
    let object = variable.referent().unwrap_or(variable);
    let (children, pointee) = parts(object);
    let is_leaf = (children.is_empty() && pointee.is_none()) || depth == 0;
    let row = html! {
        span.vname { (name) }
        @if let Some(type_name) = &variable.type_name {
            " " span.type { (short_type(type_name)) }
        }
        " "
        (value(variable, is_leaf))
    };
    // The tags around it included.
    if !budget.take(row.0.len() + 64) {
        return html! {};
    }
    html! {
        li {
            @if is_leaf { div.leaf { (row) } }
            @else {
                details {
                    summary { (row) }
                    @match pointee {
                        Some(pointee) => {
                            // Its members, if it has any: its name is only the pointer's.
                            @match parts(pointee).0 {
                                [] => (list(std::slice::from_ref(pointee), None, depth - 1, budget)),
                                members => (list(members, Some(pointee), depth - 1, budget)),
                            }
                        }
                        None => (list(children, Some(object), depth - 1, budget)),
                    }
                }
            }
        }
    }
}

fn value(variable: &Variable, is_leaf: bool) -> Markup {
    let most = if is_leaf { LEAF } else { CLOSED };
    let printed = variable.words(most, Pointees::Shown);
    let absent = variable.status != VariableStatus::Ok && variable.children().is_empty();
    html! {
        @if absent { span.absent { (words(&printed, most)) } }
        @else { span.val { (words(&printed, most)) } }
        @if let Some(reason) = variable.reason.as_ref().filter(|_| !absent) {
            " " span.absent { (text(reason, NAME)) }
        }
    }
}

fn short_type(type_name: &obit_redact::Shown) -> Markup {
    let whole = name::shown(type_name);
    let brief = if whole.chars().count() > TYPE { name::brief(&whole) } else { whole.clone() };
    super::escape::with_tooltip(&crate::layout::cut_middle(&brief, TYPE), &whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn printed(of: &[Variable], bytes: usize) -> String {
        variables("Locals", of, &Budget::new(bytes)).into_string()
    }

    #[test]
    fn a_structure_opens_and_a_number_does_not() {
        let node = samples::record("node", vec![samples::number("serial", 7)]);
        let page = printed(&[node, samples::number("n", 5)], 10_000);
        assert_eq!(page.matches("<details>").count(), 1, "{page}");
        assert!(page.contains("{serial = 7}"), "{page}");
        let leaf = "<span class=\"vname\">n</span> <span class=\"type\">int</span> \
                    <span class=\"val\">5</span>";
        assert!(page.contains(leaf), "{page}");
    }

    #[test]
    fn what_has_no_value_says_why() {
        let lost = Variable {
            status: VariableStatus::Unavailable,
            reason: Some(samples::text("memory at 0x10 is not mapped")),
            ..samples::number("n", 5)
        };
        let lost = Variable { value: None, ..lost };
        let page = printed(&[lost], 10_000);
        let absent = "<span class=\"absent\">&lt;unavailable: memory at 0x10 is not mapped&gt;";
        assert!(page.contains(absent), "{page}");
    }

    #[test]
    fn a_tree_as_deep_and_wide_as_it_likes_takes_the_room_there_is() {
        let mut deep = samples::number("n", 1);
        for _ in 0..300 {
            deep = samples::record("node", vec![deep, samples::number("other", 2)]);
        }
        assert!(printed(&[deep], 1 << 20).len() < 50_000);
        let wide = samples::record("all", (0..200).map(|_| samples::number("n", 1)).collect());
        let many: Vec<_> = (0..200).map(|_| wide.clone()).collect();
        let page = printed(&many, 50_000);
        assert!(page.len() < 80_000, "{}", page.len());
        assert!(page.contains("more parts"), "{page}");
    }
}
