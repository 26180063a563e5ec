//! The language of `obit query`: the question, and behind a newline each a filter and the
//! columns to sort by.
#![no_main]

use libfuzzer_sys::fuzz_target;
use obit_query::{Cell, Datum, Filter, Place, Query, QueryError, Table};

fn check(error: &QueryError, text: &str) {
    assert!(text.get(error.span.clone()).is_some(), "{error} at {:?}", error.span);
    let _ = error.to_string();
}

/// A row of each type.
fn table() -> Table {
    let mut table = Table::new(["a", "b c", "d"].map(str::to_owned));
    for datum in [
        Datum::Integer(-7),
        Datum::Float(f64::NAN),
        Datum::Boolean(true),
        Datum::Character(65, Some('A')),
        Datum::Text("text".to_owned()),
        Datum::Pointer(0x10, None),
        Datum::Enumerator("RED".to_owned(), 2),
        Datum::Hidden("<email:a91f>".to_owned()),
    ] {
        let last = Datum::Integer(1);
        table.push(vec![datum.into(), Cell::unknown("why"), last.into()]);
    }
    table
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\n');
    let mut next = || parts.next().unwrap_or_default();
    let question = next();
    match Query::parse(question) {
        Ok(query) => {
            let _: (&Place, _) = (&query.place, &query.columns);
        }
        Err(error) => check(&error, question),
    }
    let mut table = table();
    let filter = next();
    match Filter::parse(filter, &table.columns) {
        Ok(filter) => drop(table.keep(&filter)),
        Err(error) => check(&error, filter),
    }
    let order = next();
    match table.sort_keys(order) {
        Ok(keys) => table.sort(&keys),
        Err(error) => check(&error, order),
    }
});
