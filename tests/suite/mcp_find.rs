//! What `find` says of memory, and what it does not: a search that an agent asks again and again
//! must not say what is hidden, by what it finds or by how far it came.

use serde_json::{Value, json};

use crate::mcp::Agent;
use crate::planted_numbers::{CARD, crash};

fn find(agent: &mut Agent, arguments: &Value) -> Value {
    let found = agent.call("find", arguments);
    assert_eq!(found["isError"], false, "{found}");
    found["structuredContent"].clone()
}

fn hits(found: &Value) -> usize {
    found["hits"].as_array().unwrap().len()
}

#[test]
fn a_part_of_a_hidden_number_is_not_found_and_the_count_of_bytes_does_not_tell_it() {
    let Some((core, program)) = crash("find", &["-g", "-O0"]) else { return };
    let root = core.parent().unwrap().to_str().unwrap().to_owned();
    let open = json!({ "path": core.file_name().unwrap().to_str(), "program": program.to_str() });
    let halves = [CARD & 0xffff_ffff, CARD >> 32];
    let mut agent = Agent::start(&["--root", &root, "--redact", "off"]);
    assert_eq!(agent.call("open", &open)["isError"], false);
    for half in halves {
        let found = find(&mut agent, &json!({ "value": half, "size": 4 }));
        assert!(hits(&found) > 0, "the program has no such number: {found}");
    }
    let mut agent = Agent::start(&["--root", &root]);
    assert_eq!(agent.call("open", &open)["isError"], false);
    let none = find(&mut agent, &json!({ "value": 0x7c3a_91e5_u64, "size": 4 }));
    assert_eq!((hits(&none), &none["next_cursor"]), (0, &Value::Null), "{none}");
    for half in halves {
        let found = find(&mut agent, &json!({ "value": half, "size": 4, "limit": 1 }));
        assert_eq!(hits(&found), 0, "{half:#x}: {found}");
        assert_eq!(found["searched"], none["searched"], "{half:#x}");
        assert_eq!(found["next_cursor"], Value::Null, "{half:#x}");
    }
    // Four bytes of which only the last ones are of the number are no number of the program.
    for shift in 1..4 {
        let value = (CARD << (8 * shift)) & 0xffff_ffff;
        let found = find(&mut agent, &json!({ "value": value, "size": 4 }));
        assert_eq!(hits(&found), 0, "{value:#x}: {found}");
    }
}

#[test]
fn places_are_listed_page_by_page_each_once() {
    let case = crate::fixture::Case::named("null-field");
    let mut agent = Agent::start(&["--root", case.directory.to_str().unwrap()]);
    agent.call("open", &json!({ "path": "core.zst" }));
    let all = find(&mut agent, &json!({ "pointer_to": "0x4c4cf0", "limit": 100 }));
    let mut pages = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page =
            find(&mut agent, &json!({ "pointer_to": "0x4c4cf0", "limit": 1, "cursor": cursor }));
        pages.extend(page["hits"].as_array().unwrap().iter().cloned());
        cursor = page["next_cursor"].clone();
        if cursor.is_null() || pages.len() > 200 {
            break;
        }
    }
    assert!(pages.len() > 2, "{pages:?}");
    assert_eq!(&pages, all["hits"].as_array().unwrap());
}
