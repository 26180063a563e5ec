//! What a client opens a core with.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::mcp::Roots;

/// Rules of a source map.
const MOST_RULES: usize = 1000;

/// The core, and where the files of its process are: paths as they are opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Launch {
    /// The program.
    pub program: Option<PathBuf>,
    /// The directory below which the files of the process are.
    pub sysroot: Option<PathBuf>,
    /// Where source files that were compiled at one path are now.
    pub source_map: Vec<(PathBuf, PathBuf)>,
}

/// The arguments of `launch` and `attach`, by the names that other debuggers' adapters have for
/// them. What else a client sends is its own.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Given {
    #[serde(alias = "coreDumpPath", alias = "core")]
    core_file: Option<String>,
    program: Option<String>,
    sysroot: Option<String>,
    #[serde(alias = "sourceFileMap")]
    source_map: Option<Rules>,
}

/// `{"/build": "/home/me/src"}`, or a list of pairs.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Rules {
    Object(Map<String, Value>),
    Pairs(Vec<(String, String)>),
}

impl Rules {
    fn pairs(self) -> Result<Vec<(String, String)>, String> {
        let wrong = || "`sourceMap` maps paths to paths".to_owned();
        match self {
            Self::Pairs(pairs) => Ok(pairs),
            Self::Object(rules) => {
                let pair = |(from, to): (String, Value)| match to {
                    Value::String(to) => Ok((from, to)),
                    _ => Err(wrong()),
                };
                rules.into_iter().map(pair).collect()
            }
        }
    }
}

impl Launch {
    /// Reads the arguments of `launch` and `attach`, and opens the core: what may be opened is
    /// below `roots`, and relative paths are below `directory`.
    pub(super) fn read(
        arguments: Map<String, Value>,
        (roots, directory): (&Roots, &Path),
    ) -> Result<(Self, PathBuf, File), String> {
        if arguments.contains_key("pid") || arguments.contains_key("processId") {
            let problem = "obit opens core dumps: give `coreFile`; `obit snapshot PID` makes one \
                           of a process that runs";
            return Err(problem.to_owned());
        }
        let given: Given = serde_json::from_value(Value::Object(arguments))
            .map_err(|error| format!("the configuration is wrong: {error}"))?;
        let Some(core) = given.core_file.filter(|core| !core.is_empty()) else {
            return Err("`coreFile` is missing: the core dump to open".to_owned());
        };
        let path = |text: &str| directory.join(text).to_string_lossy().into_owned();
        // Editors fill in empty texts for what is not set.
        let resolved = |name: &str, text: Option<String>| {
            let text = text.filter(|text| !text.is_empty());
            let found = text.map(|text| roots.resolve(&path(&text))).transpose();
            found.map_err(|problem| format!("`{name}`: {problem}"))
        };
        let program = resolved("program", given.program)?;
        if let Some(program) = program.as_ref().filter(|program| !program.is_file()) {
            return Err(format!("`program`: {} is not a file", program.display()));
        }
        let sysroot = resolved("sysroot", given.sysroot)?;
        if let Some(sysroot) = sysroot.as_ref().filter(|sysroot| !sysroot.is_dir()) {
            return Err(format!("`sysroot`: {} is not a directory", sysroot.display()));
        }
        let mut source_map = Vec::new();
        let rules = given.source_map.map(Rules::pairs).transpose()?.unwrap_or_default();
        if rules.len() > MOST_RULES {
            return Err(format!("`sourceMap` has at most {MOST_RULES} rules"));
        }
        for (from, to) in rules {
            if from.is_empty() {
                return Err("`sourceMap`: a path to replace is empty".to_owned());
            }
            let to = roots.resolve(&path(&to));
            let to = to.map_err(|problem| format!("`sourceMap`: {problem}"))?;
            source_map.push((from.into(), to));
        }
        let (path, file) =
            roots.open(&path(&core)).map_err(|problem| format!("`coreFile`: {problem}"))?;
        Ok((Self { program, sysroot, source_map }, path, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(directory: &Path, arguments: &Value) -> Result<Launch, String> {
        let roots = Roots::new(&[directory.to_owned()]).unwrap();
        let arguments = arguments.as_object().unwrap().clone();
        Launch::read(arguments, (&roots, directory)).map(|(launch, ..)| launch)
    }

    #[test]
    fn the_configuration_is_read_by_any_name_that_adapters_have() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().canonicalize().unwrap();
        std::fs::write(directory.join("core"), "x").unwrap();
        std::fs::create_dir(directory.join("src")).unwrap();
        let pairs = json!({ "coreFile": "core", "sourceMap": [["/build", "src"]], "type": "obit" });
        let launch = read(&directory, &pairs).unwrap();
        assert_eq!(launch.source_map, [("/build".into(), directory.join("src"))]);
        let object = json!({
            "coreDumpPath": "core", "sourceFileMap": { "/build": "src" }, "program": "",
            "sysroot": "src",
        });
        let launch = read(&directory, &object).unwrap();
        assert_eq!(launch.source_map, [("/build".into(), directory.join("src"))]);
        assert_eq!((launch.program, launch.sysroot), (None, Some(directory.join("src"))));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("core"), "x").unwrap();
        for (arguments, problem) in [
            (json!({}), "`coreFile` is missing"),
            (json!({ "coreFile": 7 }), "the configuration is wrong"),
            (json!({ "pid": 7 }), "obit snapshot"),
            (json!({ "coreFile": "none" }), "`coreFile`: "),
            (json!({ "coreFile": "/proc/self/maps" }), "not below an allowed directory"),
            (json!({ "coreFile": "core", "program": "none" }), "`program`: "),
            (json!({ "coreFile": "core", "program": "/bin/sh" }), "not below an allowed"),
            (json!({ "coreFile": "core", "sysroot": "core" }), "is not a directory"),
            (json!({ "coreFile": "core", "sourceMap": { "a": 1 } }), "maps paths to paths"),
            (json!({ "coreFile": "core", "sourceMap": { "a": "/etc" } }), "not below an allowed"),
            (json!({ "coreFile": "core", "sourceMap": { "": "." } }), "is empty"),
        ] {
            let said = read(directory.path(), &arguments).unwrap_err();
            assert!(said.contains(problem), "{arguments}: {said}");
        }
    }
}
