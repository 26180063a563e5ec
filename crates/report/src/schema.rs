//! The JSON Schema of the document, generated from its types.

use std::io;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Report;

/// Writes the JSON Schema of [`Report`], indented, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_schema(out: impl io::Write) -> io::Result<()> {
    write_schema_of::<Report>(out)
}

/// Writes the JSON Schema of any document, indented, and a newline.
///
/// # Errors
/// Those of `out`.
pub fn write_schema_of<T: JsonSchema>(mut out: impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &schema::<T>())?;
    out.write_all(b"\n")
}

/// Of the reader's side: no field is required, so that every document of this version,
/// older or newer, satisfies it.
fn schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>();
    // Defaults are for Rust readers; in the schema they are noise, and the version of
    // the writer among them would change it with every release.
    let mut without_defaults = RecursiveTransform(|schema: &mut Schema| {
        schema.remove("default");
    });
    without_defaults.transform(&mut schema);
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::memory::{MemoryReport, RangeReport, StackReport};
    use crate::module::ModuleReport;
    use crate::{
        Blame, Cause, Confidence, CoreReport, Decision, Evidence, Finding, FrameReport,
        InstructionReport, LockReport, ModulePlace, NoticeCode, NoticeReport, Package,
        ProcessReport, Redactions, SignalReport, Signature, SourceLine, SourcePlace, SourceValue,
        ThreadReport, Truncated, Variable, VariableValue,
    };
    use obit_redact::Shown;

    /// A report in which nothing is empty.
    fn full() -> Report {
        let source = SourcePlace {
            lines: vec![SourceLine {
                values: vec![SourceValue::default()],
                ..SourceLine::default()
            }],
            ..SourcePlace::default()
        };
        let variable = Variable {
            value: Some(VariableValue::integer(i128::MAX)),
            members: vec![Variable::default()],
            pointee: Some(Box::default()),
            ..Variable::default()
        };
        let frame = FrameReport {
            owner: Some(obit_ownership::Owner::SystemLibrary),
            module: Some(ModulePlace::default()),
            source: Some(source),
            args: vec![variable.clone()],
            locals: vec![variable],
            disassembly: vec![InstructionReport::default()],
            tail_calls: vec![FrameReport::default()],
            ..FrameReport::default()
        };
        let evidence = vec![Evidence::default()];
        let text = Shown::default();
        Report {
            core: CoreReport { container: Some("zstd".into()), ..CoreReport::default() },
            process: ProcessReport { package: Some(Package::default()), ..Default::default() },
            signal: Some(SignalReport::default()),
            cause: Some(Cause {
                class_confidence: Some(Confidence::Proved),
                evidence: evidence.clone(),
                blame: Some(Blame {
                    expression_confidence: Some(Confidence::Likely),
                    returned_by: Some(Shown::default()),
                    made_at_line: Some(0),
                    is_expression_of_callee: true,
                    ..Blame::default()
                }),
                ..Cause::default()
            }),
            signature: Some(Signature {
                decisions: vec![Decision::default()],
                ..Signature::default()
            }),
            threads: vec![ThreadReport {
                registers: [("rip".to_owned(), Default::default())].into(),
                vector_registers: [("xmm0".to_owned(), String::new())].into(),
                truncated: Some(Truncated::default()),
                frames: vec![frame],
                ..ThreadReport::default()
            }],
            modules: vec![ModuleReport::default()],
            findings: vec![Finding {
                evidence,
                locks: vec![LockReport::default()],
                chunk_size: Some(48),
                overwritten_with: Some("text".to_owned()),
                pattern: Some(Shown::default()),
                pointed_from: Some(Shown::default()),
                ..Finding::default()
            }],
            memory: Some(MemoryReport {
                ranges: vec![RangeReport::default()],
                stacks: vec![StackReport::default()],
                ..MemoryReport::default()
            }),
            redactions: Redactions { counts: [("email".into(), 2)].into(), ..Default::default() },
            notices: vec![NoticeReport {
                code: NoticeCode::ModuleMissing,
                subject: None,
                text: text.clone(),
                hint: text,
            }],
            ..Report::default()
        }
    }

    /// The parts of JSON Schema that ours uses, no others.
    fn problems(at: &str, value: &Value, schema: &Value, root: &Value) -> Vec<String> {
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
            return problems(at, value, &root["$defs"][name], root);
        }
        if let Some(any) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
            let fits = any.iter().any(|one| problems(at, value, one, root).is_empty());
            return if fits { vec![] } else { vec![format!("{at}: none of several fits")] };
        }
        let mut found = Vec::new();
        let is = |name: &str| match name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        };
        let fits = match &schema["type"] {
            Value::String(name) => is(name),
            Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
            _ => true,
        };
        let listed = schema["enum"].as_array().is_none_or(|words| words.contains(value));
        let fixed = schema.get("const").is_none_or(|word| word == value);
        if !(fits && listed && fixed) {
            found.push(format!("{at}: {value} is not {schema}"));
        }
        for (at_item, item) in value.as_array().into_iter().flatten().enumerate() {
            found.extend(problems(&format!("{at}[{at_item}]"), item, &schema["items"], root));
        }
        for (key, field) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{key}");
            match (&schema["properties"][key], &schema["additionalProperties"]) {
                (Value::Null, Value::Null | Value::Bool(_)) => found.push(format!("{at}: unknown")),
                (Value::Null, others) => found.extend(problems(&at, field, others, root)),
                (known, _) => found.extend(problems(&at, field, known, root)),
            }
        }
        found
    }

    #[test]
    fn what_is_written_satisfies_the_schema() {
        let schema = schema::<Report>().to_value();
        let document = serde_json::to_value(full()).unwrap();
        assert_eq!(problems("report", &document, &schema, &schema), [""; 0]);
        let mut wrong = document;
        wrong["threads"][0]["frames"][0]["kind"] = json!("strange");
        wrong["core"]["size"] = json!("1");
        assert_eq!(problems("report", &wrong, &schema, &schema).len(), 2);
    }

    #[test]
    fn names_and_nesting_are_those_of_the_contract() {
        let document = serde_json::to_value(full()).unwrap();
        for path in [
            "/schema",
            "/obit/version",
            "/id",
            "/core/path",
            "/core/size",
            "/core/arch",
            "/core/os",
            "/core/truncated",
            "/core/missing_bytes",
            "/core/container",
            "/process/pid",
            "/process/ppid",
            "/process/uid",
            "/process/comm",
            "/process/exe",
            "/process/args",
            "/process/build_id",
            "/process/package",
            "/signal/number",
            "/signal/name",
            "/signal/code",
            "/signal/code_name",
            "/signal/fault_address",
            "/signal/sender_pid",
            "/cause/class",
            "/cause/severity",
            "/cause/title",
            "/cause/explanation",
            "/cause/confidence",
            "/cause/class_confidence",
            "/cause/message",
            "/cause/evidence/0/kind",
            "/cause/evidence/0/text",
            "/cause/evidence/0/frame",
            "/cause/evidence/0/address",
            "/cause/blame/thread",
            "/cause/blame/frame",
            "/cause/blame/function",
            "/cause/blame/source",
            "/cause/blame/expression",
            "/cause/blame/expression_confidence",
            "/cause/blame/returned_by",
            "/cause/blame/made_at_line",
            "/cause/blame/is_expression_of_callee",
            "/cause/blame/reason",
            "/signature/version",
            "/signature/id",
            "/signature/text",
            "/signature/frames",
            "/signature/decisions/0/action",
            "/threads/0/tid",
            "/threads/0/name",
            "/threads/0/crashed",
            "/threads/0/state",
            "/threads/0/registers/rip",
            "/threads/0/vector_registers/xmm0",
            "/threads/0/truncated/frames_total",
            "/threads/0/truncated/shown",
            "/threads/0/truncated/recursion",
            "/threads/0/frames/0/index",
            "/threads/0/frames/0/pc",
            "/threads/0/frames/0/kind",
            "/threads/0/frames/0/trust",
            "/threads/0/frames/0/function",
            "/threads/0/frames/0/linkage_name",
            "/threads/0/frames/0/module/path",
            "/threads/0/frames/0/module/build_id",
            "/threads/0/frames/0/module/offset",
            "/threads/0/frames/0/source/file",
            "/threads/0/frames/0/source/directory",
            "/threads/0/frames/0/source/line",
            "/threads/0/frames/0/source/column",
            "/threads/0/frames/0/source/lines/0/values/0/name",
            "/threads/0/frames/0/args/0/type",
            "/threads/0/frames/0/locals/0/status",
            "/modules/0/path",
            "/modules/0/build_id",
            "/modules/0/base",
            "/modules/0/size",
            "/modules/0/file",
            "/modules/0/debug",
            "/modules/0/debug_path",
            "/findings/0/kind",
            "/findings/0/title",
            "/findings/0/threads",
            "/findings/0/evidence",
            "/redactions/policy",
            "/redactions/counts/email",
            "/redactions/total",
            "/notices/0/code",
            "/notices/0/subject",
            "/notices/0/text",
            "/notices/0/hint",
        ] {
            assert!(document.pointer(path).is_some(), "{path}");
        }
        assert_eq!(document["notices"][0]["code"], "module-missing");
    }
}
