//! What a client can ask.

use serde_json::{Map, Value, json};

use super::wire::Failed;

/// How a client counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting {
    /// Lines from 1.
    pub(super) lines_from_one: bool,
    /// Columns from 1.
    pub(super) columns_from_one: bool,
}

impl Default for Counting {
    fn default() -> Self {
        Self { lines_from_one: true, columns_from_one: true }
    }
}

impl Counting {
    pub(super) fn read(arguments: &Map<String, Value>) -> Result<Self, Failed> {
        if arguments.get("pathFormat").is_some_and(|format| format != "path") {
            return Err(Failed::because("`pathFormat` has to be \"path\""));
        }
        let flag = |name: &str| arguments.get(name).and_then(Value::as_bool).unwrap_or(true);
        Ok(Self {
            lines_from_one: flag("linesStartAt1"),
            columns_from_one: flag("columnsStartAt1"),
        })
    }

    /// As the client counts lines.
    pub(super) fn line(self, line: u32) -> u32 {
        if self.lines_from_one { line } else { line.saturating_sub(1) }
    }

    /// As the client counts columns.
    pub(super) fn column(self, column: u32) -> u32 {
        if self.columns_from_one { column } else { column.saturating_sub(1) }
    }
}

/// Of a core. There is no history to step back in, so `supportsStepBack` is not among them.
pub(super) fn capabilities() -> Value {
    json!({
        "supportsConfigurationDoneRequest": true,
        "supportsEvaluateForHovers": true,
        "supportsExceptionInfoRequest": true,
        "supportsDelayedStackTraceLoading": true,
        "supportsLoadedSourcesRequest": true,
        "supportsModulesRequest": true,
        "supportsReadMemoryRequest": true,
        "supportsDisassembleRequest": true,
        "supportsCompletionsRequest": true,
        "completionTriggerCharacters": [".", ">", "$"],
        "supportsCancelRequest": true,
        "supportsTerminateRequest": true,
        "supportTerminateDebuggee": false,
        "supportsStepBack": false,
        "exceptionBreakpointFilters": [],
    })
}
