//! What is wrong with a query, and why it found nothing.

use std::collections::BTreeSet;

use obit::print::{check, column, pointed_at};
use obit::query::{Column, Datum, Place, QueryError, Summary, Table, Unavailable};

use crate::cli::exit::Exit;
use crate::cli::message::{discreet, say, say_line};
use crate::cli::nearest::nearest;

/// The columns that --group-by adds.
const OF_GROUPS: [&str; 2] = ["count", "cores"];

/// Says what is wrong with `text`, and where; `names` are the columns that there are.
pub(super) fn refuse(start: &str, error: &QueryError, text: &str, names: &[String]) -> Exit {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = error.unknown_column.as_ref().map(|typed| match nearest(typed, &names) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; there are {}", names.join(", ")),
    });
    let at = column(&error.span, text);
    say(&format!("{start}{} at column {at}{}", error.problem, near.unwrap_or_default()));
    point(&error.span, text);
    Exit::Usage
}

/// Says what is wrong with an expression that makes sense in no frame, or takes the name of a
/// built-in column.
pub(super) fn refuse_expression(of: &Column, query: &str) -> Option<Exit> {
    let is_built_in =
        |name: &str| obit::query::BUILT_IN.contains(&name) || OF_GROUPS.contains(&name);
    if is_built_in(of.name.as_str()) {
        let name = &of.name;
        say(&format!(
            "`{name}` is the name of a built-in column; give this one another: `my_{name} = {}`",
            of.expression
        ));
        point(&of.span, query);
        return Some(Exit::Usage);
    }
    let error = check(&of.expression).err()?;
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    let span = error.span();
    let span = of.span.start + span.start..of.span.start + span.end;
    say(&format!("syntax error at column {}: {error}{hint}", column(&span, query)));
    point(&span, query);
    Some(Exit::Usage)
}

fn point(span: &std::ops::Range<usize>, text: &str) {
    for line in pointed_at(span, text).lines() {
        say_line("    ", &discreet(line));
    }
}

/// Says that no frame is at the place, and what may have been meant.
pub(super) fn unmatched(place: &Place, query: &str, summary: &Summary) {
    let readable = summary.answers.iter().filter(|answer| answer.failure.is_none()).count();
    let dumps = if readable == 1 { "dump" } else { "dumps" };
    let words = query.split('{').next().unwrap_or_default().trim();
    let near = match place {
        Place::Function(name) => near_function(name, summary),
        _ => None,
    };
    let near = match near {
        Some(near) => format!("; did you mean `{near}`?"),
        None if readable == 0 => String::new(),
        None => "; `obit query '*' …` lists the frames".to_owned(),
    };
    say(&format!("no frame of {readable} {dumps} is at `{words}`{near}"));
}

/// The function of the stacks whose name, or the last part of it, is nearest.
fn near_function(typed: &str, summary: &Summary) -> Option<String> {
    let all = summary.answers.iter().flat_map(|answer| &answer.functions);
    let names: BTreeSet<&str> = all.map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let last = |name: &'_ str| -> String {
        let plain = name.split(['(', '<']).next().unwrap_or_default();
        plain.rsplit("::").next().unwrap_or_default().to_owned()
    };
    if let Some(name) = nearest(typed, &names) {
        return Some(name.to_owned());
    }
    let ends: Vec<String> = names.iter().map(|name| last(name)).collect();
    let ends: Vec<&str> = ends.iter().map(String::as_str).collect();
    nearest(&last(typed), &ends).map(str::to_owned)
}

/// Says which expressions make sense in no frame; whether there is such a one.
pub(super) fn useless_columns(table: &Table, columns: &[Column]) -> bool {
    let mut is_useless = false;
    for column in columns {
        let Some(at) = table.columns.iter().position(|name| *name == column.name) else { continue };
        let mut reasons =
            table.rows.iter().filter_map(|row| row.get(at)).map(|cell| match &cell.datum {
                Datum::Unavailable(Unavailable::NoMeaning(why)) => Some(why),
                _ => None,
            });
        let Some(Some(why)) = reasons.next() else { continue };
        if reasons.all(|reason| reason.is_some()) {
            let frames = match table.rows.len() {
                1 => "the only frame".to_owned(),
                count => format!("each of {count} frames"),
            };
            say(&format!("`{}`: {why}, in {frames} at the place", column.expression));
            is_useless = true;
        }
    }
    is_useless
}
