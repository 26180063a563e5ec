//! The CWE entries of causes in SARIF (OASIS SARIF 2.1.0 § 3.19.3): a taxonomy, to which
//! rules and results refer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Item;
use super::sarif::set;
use obit_causes::{CauseClass, cwe_name};

/// The name of the taxonomy, by which references find it.
const TAXONOMY: &str = "CWE";

/// Adds to `run` the entries that the causes of `items` refer to.
pub(super) fn describe(run: &mut Value, items: &[Item<'_>]) {
    let of_classes = items.iter().flat_map(of_class).copied();
    let numbers: BTreeSet<u32> = of_classes.chain(items.iter().flat_map(of_cause)).collect();
    if numbers.is_empty() {
        return;
    }
    let taxa: Vec<Value> = numbers.into_iter().filter_map(taxon).collect();
    let taxonomy = json!({
        "name": TAXONOMY,
        "organization": "MITRE",
        "shortDescription": {"text": "Common Weakness Enumeration"},
        "informationUri": "https://cwe.mitre.org/",
        "isComprehensive": false,
        "taxa": taxa,
    });
    set(run, "taxonomies", json!([taxonomy]));
    if let Some(driver) = run.pointer_mut("/tool/driver") {
        set(driver, "supportedTaxonomies", json!([{"name": TAXONOMY, "index": 0}]));
    }
}

/// What the rule of `item` is to the entries of its class.
pub(super) fn relationships(item: &Item<'_>) -> Option<Value> {
    let numbers = of_class(item);
    // Of several entries a crash of the class is an instance of some.
    let kind = if numbers.len() == 1 { "superset" } else { "relevant" };
    let all = numbers.iter().map(|number| json!({"target": reference(*number), "kinds": [kind]}));
    (!numbers.is_empty()).then(|| all.collect())
}

/// The entries that the crash is an instance of.
pub(super) fn taxa(item: &Item<'_>) -> Option<Value> {
    let numbers = of_cause(item);
    (!numbers.is_empty()).then(|| numbers.into_iter().map(reference).collect())
}

fn of_class(item: &Item<'_>) -> &'static [u32] {
    let cause = item.report.cause.as_ref();
    let class = cause.and_then(|cause| CauseClass::named(&cause.class));
    class.map(CauseClass::cwe).unwrap_or_default()
}

/// Those of the report that the catalogue knows: a report may come from elsewhere.
fn of_cause(item: &Item<'_>) -> Vec<u32> {
    let numbers = item.report.cause.as_ref().and_then(|cause| cause.cwe.clone());
    let known = numbers.into_iter().flatten().filter(|number| cwe_name(*number).is_some());
    known.collect()
}

fn taxon(number: u32) -> Option<Value> {
    let name = cwe_name(number)?;
    Some(json!({
        "id": number.to_string(),
        "name": name,
        "shortDescription": {"text": name},
        "helpUri": format!("https://cwe.mitre.org/data/definitions/{number}.html"),
    }))
}

fn reference(number: u32) -> Value {
    json!({"id": number.to_string(), "toolComponent": {"name": TAXONOMY, "index": 0}})
}
