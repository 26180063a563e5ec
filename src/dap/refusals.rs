//! What a core cannot do.

use serde_json::{Map, Value, json};

use super::wire::Failed;

/// Why nothing runs.
const NOTHING_RUNS: &str = "a core dump cannot run: it is the process as it was when it crashed";
/// Why nothing is changed.
const NOTHING_CHANGES: &str = "a core dump cannot be changed: obit only reads";
/// Why there is no way back.
const NO_HISTORY: &str = "this core dump has no recorded history to step back in";
/// Breakpoints of one request.
const MOST: usize = 10_000;

/// The answer to a request that a core refuses; `None` if it is another one.
pub(super) fn refused(command: &str, given: &Map<String, Value>) -> Option<Result<Value, Failed>> {
    Some(match command {
        "continue" | "next" | "stepIn" | "stepOut" | "goto" | "gotoTargets" | "stepInTargets"
        | "restart" | "restartFrame" | "terminateThreads" => {
            Err(Failed::Shown(NOTHING_RUNS.to_owned()))
        }
        "stepBack" | "reverseContinue" => Err(Failed::Shown(NO_HISTORY.to_owned())),
        "setVariable" | "setExpression" | "writeMemory" => {
            Err(Failed::Shown(NOTHING_CHANGES.to_owned()))
        }
        "setBreakpoints"
        | "setFunctionBreakpoints"
        | "setInstructionBreakpoints"
        | "setDataBreakpoints"
        | "setExceptionBreakpoints" => Ok(unverified(command, given)),
        "dataBreakpointInfo" => Ok(json!({ "dataId": null, "description": NOTHING_RUNS })),
        "breakpointLocations" => Ok(json!({ "breakpoints": [] })),
        _ => return None,
    })
}

/// As many breakpoints as were asked for, none of which is ever reached.
fn unverified(command: &str, given: &Map<String, Value>) -> Value {
    let lists = match command {
        "setBreakpoints" => &["breakpoints", "lines"][..],
        "setExceptionBreakpoints" => &["filters", "filterOptions", "exceptionOptions"],
        _ => &["breakpoints"],
    };
    let list = |name: &&str| given.get(*name).and_then(Value::as_array).map_or(0, Vec::len);
    let count = match command {
        // One for each filter of either kind.
        "setExceptionBreakpoints" => lists.iter().map(list).sum::<usize>(),
        // The second is the old form of the first.
        _ => lists.iter().map(list).find(|count| *count > 0).unwrap_or(0),
    };
    let one = json!({ "verified": false, "reason": "failed", "message": NOTHING_RUNS });
    json!({ "breakpoints": vec![one; count.min(MOST)] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_breakpoint_is_refused_for_itself() {
        let count = |command: &str, given: Value| {
            let answer = refused(command, given.as_object().unwrap()).unwrap().unwrap();
            let all = answer["breakpoints"].as_array().unwrap().clone();
            assert!(all.iter().all(|one| one["verified"] == false));
            all.len()
        };
        let lines = json!({ "breakpoints": [{ "line": 1 }, { "line": 2 }], "lines": [1, 2] });
        assert_eq!(count("setBreakpoints", lines), 2);
        assert_eq!(count("setBreakpoints", json!({ "lines": [1] })), 1);
        assert_eq!(count("setBreakpoints", json!({ "breakpoints": 7 })), 0);
        assert_eq!(count("setExceptionBreakpoints", json!({ "filters": ["a"] })), 1);
        assert!(refused("threads", &Map::new()).is_none());
    }
}
