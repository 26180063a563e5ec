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
fn no_number_is_found_that_may_be_a_part_of_a_hidden_one() {
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
    // Neither a part of the card, nor a digit of it, nor the card in any form.
    let refused = [
        json!({ "value": halves[0], "size": 4 }),
        json!({ "value": halves[1], "size": 4 }),
        json!({ "value": 4, "size": 4 }),
        json!({ "value": 4_u64 | 9 << 32, "size": 8 }),
        json!({ "value": 0x0004_0009_0002_0009_u64, "size": 8 }),
        json!({ "value": CARD, "size": 8 }),
        json!({ "value": format!("{:#x}", (CARD as f64).to_bits()), "size": 8 }),
    ];
    for arguments in &refused {
        assert_eq!(agent.call("find", arguments)["isError"], true, "{arguments}");
    }
    let none = find(&mut agent, &json!({ "value": "0x7c3a91e51234f678", "size": 8 }));
    assert_eq!((hits(&none), &none["next_cursor"]), (0, &Value::Null), "{none}");
}

#[test]
fn places_are_listed_page_by_page_each_once() {
    let case = crate::fixture::Case::named("null-field");
    let mut agent = Agent::start(&["--root", case.directory.to_str().unwrap()]);
    agent.call("open", &json!({ "path": "core.zst" }));
    let image = json!({ "pointer_to": "0x400000", "length": 0xc3000, "limit": 100 });
    let all = find(&mut agent, &image);
    let all = all["hits"].as_array().unwrap().clone();
    assert!(all.len() > 20, "{all:?}");
    let mut pages = Vec::new();
    let mut cursor = Value::Null;
    while pages.len() < all.len() {
        let mut part = image.clone();
        (part["limit"], part["cursor"]) = (json!(7), cursor);
        let page = find(&mut agent, &part);
        pages.extend(page["hits"].as_array().unwrap().iter().cloned());
        cursor = page["next_cursor"].clone();
        assert!(!cursor.is_null() || pages.len() >= all.len(), "{pages:?}");
    }
    assert_eq!(pages[..all.len()], all);
}
