//! The description of the API that is published is the one of the routes.

use obit::serve::openapi;

/// `OBIT_UPDATE_SCHEMA=1 cargo test --test suite openapi` writes it anew.
#[test]
fn the_published_description_of_the_api_is_the_one_of_its_routes() {
    let docs = format!("{}/docs", env!("CARGO_MANIFEST_DIR"));
    let names = ["top", "show", "builds", "report", "record"];
    let texts =
        names.map(|name| std::fs::read_to_string(format!("{docs}/{name}.schema.json")).unwrap());
    let schemas: Vec<(&str, &str)> =
        names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    let now = openapi(&schemas);
    let path = format!("{docs}/openapi.json");
    if std::env::var_os("OBIT_UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == now, "docs/openapi.json is out of date: OBIT_UPDATE_SCHEMA=1");
    // No reference leads nowhere.
    let document: serde_json::Value = serde_json::from_str(&now).unwrap();
    let mut at = 0;
    while let Some(found) = now[at..].find("\"$ref\": \"#") {
        let start = at + found + "\"$ref\": \"#".len();
        let end = start + now[start..].find('"').unwrap();
        assert!(document.pointer(&now[start..end]).is_some(), "{}", &now[start..end]);
        at = end;
    }
    assert!(at > 0);
}
