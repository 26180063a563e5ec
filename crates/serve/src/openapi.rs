//! The description of the API (OpenAPI 3.1), made of the routes and of the published schemas of
//! the documents: what the server gives is a file of `docs/`, which a test holds against this.

use serde_json::{Map, Value, json};

use crate::http::Method;
use crate::routes::{Action, ROUTES, is_api};

/// What an operation gives, as the name of a schema.
struct Operation {
    id: &'static str,
    summary: &'static str,
    answer: &'static str,
    /// Beside 200.
    problems: &'static [u16],
}

fn operation(action: Action) -> Option<Operation> {
    let of = |id, summary, answer, problems| Some(Operation { id, summary, answer, problems });
    match action {
        Action::ApiDescription => of("getDescription", "This description", "Any", &[400]),
        Action::ApiGroups => {
            of("listGroups", "Groups, as `obit top --json` lists them", "top", &[400])
        }
        Action::ApiGroup => {
            of("getGroup", "One group, as `obit show GROUP --json` gives it", "show", &[400, 404])
        }
        Action::ApiChangeGroup => of(
            "changeGroup",
            "Record state, assignee, ticket or a note of a group",
            "Changed",
            &[400, 404, 412, 413, 415, 422, 428],
        ),
        Action::ApiDumps => of(
            "listDumps",
            "The newest crashes, each as `obit list --json` gives it",
            "Dumps",
            &[400],
        ),
        Action::ApiDump => {
            of("getDump", "The stored report of a crash", "report", &[400, 404, 410])
        }
        Action::ApiReveal => of(
            "revealDump",
            "The stored report of a crash without further redaction; goes into the audit log",
            "report",
            &[400, 404, 410, 413, 415, 422],
        ),
        Action::ApiBuilds => of("listBuilds", "Builds, as `obit builds --json`", "builds", &[400]),
        Action::ApiQuery => of(
            "queryCores",
            "An expression in every frame at a place, as `obit query --format json`; goes into the audit log",
            "Query",
            &[400, 404, 413, 415, 422, 500],
        ),
        Action::ApiSeries => {
            of("getSeries", "Dumps over time, by class and by build", "Series", &[400])
        }
        Action::ApiSearch => {
            of("search", "Groups and crashes by id, name or signature", "Found", &[400])
        }
        Action::ApiAudit => of("getAudit", "The audit log, checked", "Audit", &[400, 500]),
        _ => None,
    }
}

/// The description, of the published schemas by name: `top`, `show`, `builds`, `report`,
/// `record`. Ends with a newline.
pub fn openapi(schemas: &[(&str, &str)]) -> String {
    let mut components = own_schemas();
    for (name, text) in schemas {
        // A published schema is JSON.
        let Ok(mut schema) = serde_json::from_str::<Value>(text) else { continue };
        let definitions = schema.as_object_mut().and_then(|schema| {
            schema.remove("$schema");
            schema.remove("$id");
            schema.remove("$defs")
        });
        if let Some(Value::Object(definitions)) = definitions {
            for (of, mut definition) in definitions {
                rename(&mut definition, name);
                components.insert(format!("{name}.{of}"), definition);
            }
        }
        rename(&mut schema, name);
        components.insert((*name).to_owned(), schema);
    }
    let mut paths = Map::new();
    for route in ROUTES.iter().filter(|route| is_api(route.path)) {
        let Some(operation) = operation(route.action) else { continue };
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let method = route.method.word().to_lowercase();
            path.insert(method, described(&operation, route.action, route.method, route.least));
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "obit",
            "version": "1",
            "summary": "The triage store of obit serve",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": { "type": "apiKey", "in": "cookie", "name": crate::gate::COOKIE },
            },
        },
    });
    // Writing a value that is in memory does not fail.
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text + "\n"
}

fn described(
    operation: &Operation,
    action: Action,
    method: Method,
    least: Option<crate::users::Role>,
) -> Value {
    let mut responses = Map::new();
    let mut good = json!({
        "description": "The answer",
        "content": { "application/json": { "schema": refer(operation.answer) } },
    });
    if matches!(action, Action::ApiGroup | Action::ApiChangeGroup)
        && let Some(good) = good.as_object_mut()
    {
        let tag = json!({ "ETag": {
            "description": "Stands for what people recorded of the group; for If-Match",
            "schema": { "type": "string" },
        } });
        good.insert("headers".to_owned(), tag);
    }
    responses.insert("200".to_owned(), good);
    let general: &[u16] =
        if least.is_some() { &[401, 403, 421, 429, 503] } else { &[403, 421, 429] };
    for status in operation.problems.iter().chain(general) {
        let problem = json!({
            "description": "What was wrong",
            "content": { "application/problem+json": { "schema": refer("Problem") } },
        });
        responses.insert(status.to_string(), problem);
    }
    let role = least.map_or("no role", crate::users::Role::word);
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "description": format!("Needs the role `{role}`, or one that may more."),
        "parameters": parameters(action),
        "responses": responses,
    });
    if let Some(described) = described.as_object_mut() {
        if least.is_none() {
            described.insert("security".to_owned(), json!([]));
        }
        if method != Method::Get {
            let body = match action {
                Action::ApiReveal => "Reason",
                Action::ApiQuery => "Question",
                _ => "Change",
            };
            let body = json!({
                "required": true,
                "content": { "application/json": { "schema": refer(body) } },
            });
            described.insert("requestBody".to_owned(), body);
        }
    }
    described
}

fn refer(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Parameters of an operation.
fn parameters(action: Action) -> Vec<Value> {
    let query = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "query", "description": description, "schema": schema });
    let text = || json!({ "type": "string", "maxLength": 1000, "pattern": TEXT });
    let word = |words: &[&str]| json!({ "type": "string", "enum": words });
    let up_to = |most: u64| json!({ "type": "integer", "minimum": 0, "maximum": most });
    let view = || {
        vec![
            query("find", "In the signature", text()),
            query("where", "Conditions, as `obit top --where` takes them", text()),
            query("status", "Statuses, joined by |", text()),
            query("since", "Only dumps since then: 24h, 7d, 2026-03-01", text()),
            query("until", "Only dumps before then", text()),
            query("per", "What the series counts by", word(&["hour", "day", "week"])),
            query(
                "sort",
                "What comes first",
                word(&["rank", "count", "last", "first", "status", "severity"]),
            ),
        ]
    };
    let id = || {
        json!({
            "name": "id", "in": "path", "required": true,
            "description": "The id, its start, or the name of a group",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^/\\x00]+$" },
        })
    };
    match action {
        Action::ApiGroups => {
            let mut all = view();
            all.push(query("limit", "Groups at most", up_to(500)));
            all.push(query("offset", "Groups to skip", up_to(10_000_000)));
            all
        }
        Action::ApiSeries => view(),
        Action::ApiDumps => {
            let mut all = view();
            all.push(query("limit", "Crashes at most", up_to(100)));
            all.push(query("failed", "Only files that could not be read", word(&["yes", "no"])));
            all
        }
        Action::ApiGroup => vec![id(), query("limit", "Newest dumps at most", up_to(200))],
        Action::ApiChangeGroup => vec![
            id(),
            json!({
                "name": "If-Match", "in": "header", "required": true,
                "description": "The ETag of the group as it was read",
                "schema": { "type": "string", "pattern": "^\"[0-9a-f]+\"$" },
            }),
        ],
        Action::ApiDump | Action::ApiReveal => vec![id()],
        Action::ApiBuilds => vec![query("program", "Only this program", text())],
        Action::ApiSearch => vec![json!({
            "name": "q", "in": "query", "required": true, "description": "What to search for",
            "schema": { "type": "string", "minLength": 1, "maxLength": 1000, "pattern": "\\S" },
        })],
        Action::ApiAudit => vec![
            query("after", "Only lines behind this number", up_to(crate::api::LAST_LINE as u64)),
            query("limit", "Lines at most", up_to(1_000)),
        ],
        _ => Vec::new(),
    }
}

/// Text without control characters.
const TEXT: &str = "^[^\\x00-\\x1f\\x7f-\\x9f]*$";

fn own_schemas() -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let optional = || json!({ "type": ["string", "null"] });
    let count = || json!({ "type": "integer", "minimum": 0 });
    let counted = || {
        json!({ "type": "array", "items": { "type": "object",
            "properties": { "name": text(), "dumps": count() }, "required": ["name", "dumps"] } })
    };
    let line = json!({ "type": "object", "properties": {
        "n": count(), "time": { "type": "integer" }, "user": text(), "role": text(),
        "action": text(), "target": text(), "detail": text(), "previous": text(), "hash": text(),
    }, "required": ["n", "time", "user", "role", "action", "target", "detail", "previous", "hash"] });
    let all = json!({
        "Any": { "type": "object" },
        "Question": { "type": "object", "additionalProperties": false, "properties": {
            "query": { "type": "string", "minLength": 1, "maxLength": 1000, "pattern": TEXT,
                "description": "Place and expressions: list.c:12 { n->next }" },
            "where": { "type": "string", "maxLength": 1000, "pattern": TEXT },
            "crashed": { "type": "boolean" },
            "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 500 },
        }, "required": ["query"] },
        "Query": { "type": "object", "properties": {
            "schema": { "const": "obit.query/1" }, "query": text(), "cores": count(),
            "cores_with_place": count(), "frames": count(), "grouped": { "type": "boolean" },
            "columns": { "type": "array", "items": text() }, "total_rows": count(),
            "rows": { "type": "array", "items": { "type": "object" } },
            "failures": { "type": "array", "items": { "type": "object" } },
            "notes": { "type": "array", "items": text() },
        }, "required": ["schema", "query", "columns", "rows"] },
        "Problem": { "type": "object", "properties": {
            "type": text(), "title": text(), "status": { "type": "integer" }, "detail": text(),
        }, "required": ["type", "title", "status", "detail"] },
        "Change": { "type": "object", "minProperties": 1, "additionalProperties": false,
            "description": "What is left out stays; null removes an assignee or a link",
            "properties": {
                "state": { "type": "string", "enum": ["open", "resolved", "ignored"] },
                "in_build": { "type": "string", "maxLength": 200,
                    "description": "The build that fixes it; with the state resolved" },
                "assignee": { "type": ["string", "null"], "maxLength": 100 },
                "link": { "type": ["string", "null"], "maxLength": 2048 },
                "note": { "type": "string", "minLength": 1, "maxLength": 4096 },
            } },
        "Changed": { "type": "object", "properties": { "group": text(), "revision": text() },
            "required": ["group", "revision"] },
        "Reason": { "type": "object", "additionalProperties": false,
            "properties": { "reason": { "type": "string", "minLength": 3, "maxLength": 500 } },
            "required": ["reason"] },
        "Dumps": { "type": "object", "properties": {
            "dumps": { "type": "array", "items": refer("record") } }, "required": ["dumps"] },
        "Series": { "type": "object", "properties": {
            "dumps": count(), "series": refer("top.Series"), "classes": counted(),
            "builds": counted(),
        }, "required": ["dumps", "series", "classes", "builds"] },
        "Found": { "type": "object", "properties": {
            "groups": { "type": "array", "items": refer("top.GroupSummary") },
            "dumps": { "type": "array", "items": text() },
        }, "required": ["groups", "dumps"] },
        "Audit": { "type": "object", "properties": {
            "lines": { "type": "array", "items": line }, "anchor": optional() },
            "required": ["lines", "anchor"] },
    });
    match all {
        Value::Object(all) => all,
        _ => Map::new(),
    }
}

/// Makes references within a document lead to where its definitions are here.
fn rename(value: &mut Value, name: &str) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Value::String(text) if key == "$ref" => {
                        if let Some(of) = text.strip_prefix("#/$defs/") {
                            *text = format!("#/components/schemas/{name}.{of}");
                        } else if text == "#" {
                            *text = format!("#/components/schemas/{name}");
                        }
                    }
                    value => rename(value, name),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, name)),
        _ => {}
    }
}
