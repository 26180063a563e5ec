//! The tools: what each is for, what it takes, what it gives.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

/// JSON Schemas of the answers by tool, from their types.
const OUTPUT: &str = include_str!("output_schemas.json");

/// One that can be called.
pub(super) struct Tool {
    pub(super) name: &'static str,
    title: &'static str,
    description: &'static str,
    pub(super) arguments: &'static [Argument],
}

/// An argument: its name, its type, what it is, whether it is needed.
pub(super) struct Argument {
    pub(super) name: &'static str,
    kind: Kind,
    about: &'static str,
    is_needed: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Word,
    OneOf(&'static [&'static str]),
}

const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument { name, kind, about, is_needed: true }
}

const fn may(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument { name, kind, about, is_needed: false }
}

const CORE: Argument =
    may("core", Kind::Text, "Handle from `open`, or a path; default: the core opened last");
const FRAME: Argument = may(
    "frame",
    Kind::Text,
    "Frame handle THREAD/NUMBER from `why` or `stack`; default: the blame frame",
);
const THREAD: Argument = may("thread", Kind::Number, "Thread id; default: the crashed thread");
const CURSOR: Argument = may("cursor", Kind::Text, "`next_cursor` of the answer before");
const LIMIT: Argument = may("limit", Kind::Number, "Items at most");
const MATCHING: Argument = may("matching", Kind::Text, "Only items that contain this text");
const FORMATS: &[&str] = &["x", "d", "u", "o", "t", "c", "a", "f", "s", "i"];
const SIZES: &[&str] = &["b", "h", "w", "g"];
const RUNTIMES: &[&str] = &["go", "tokio", "cpython"];
const STATES: &[&str] = &["running", "runnable", "in-system-call", "waiting", "ended", "unknown"];
const CLAIMS: &[&str] = &["compare", "waits", "freed", "on-stack", "class"];
const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];

/// All of them.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "open",
        title: "Open a core dump",
        description: "Open a core dump (plain, compressed or in an archive) and say what it is. \
                      Other tools take the handle it returns. Next: `why`.",
        arguments: &[
            needed("path", Kind::Text, "The core file, below an allowed directory"),
            may("program", Kind::Text, "The program that crashed, if it is not found by itself"),
        ],
    },
    Tool {
        name: "why",
        title: "Explain the crash",
        description: "Why the process crashed: class, blame frame, expression, evidence, \
                      confidence, and what to ask next. Call this first; most crashes need \
                      nothing else.",
        arguments: &[CORE],
    },
    Tool {
        name: "stack",
        title: "Stack of a thread, or groups of threads",
        description: "Frames of one thread, or, with groups=true, all threads grouped by \
                      identical stacks.",
        arguments: &[
            CORE,
            THREAD,
            may("groups", Kind::Flag, "All threads, grouped"),
            MATCHING,
            CURSOR,
            LIMIT,
        ],
    },
    Tool {
        name: "variables",
        title: "Variables of a frame",
        description: "Arguments and locals of a frame. `of` looks into one of them: members, \
                      elements, what a pointer leads to.",
        arguments: &[
            CORE,
            FRAME,
            THREAD,
            may("of", Kind::Text, "Expression to look into: the `of` of a listed variable"),
            CURSOR,
            LIMIT,
        ],
    },
    Tool {
        name: "print",
        title: "Evaluate expressions",
        description: "Evaluate read-only expressions in a frame, in the syntax of C, C++, Rust or \
                      Go and with gdb's commands: `job->owner`, `list[0..3]`, `/x flags`, \
                      `ptype job`, `$rip`. Nothing is called or assigned.",
        arguments: &[
            needed("expressions", Kind::Texts, "One expression, or up to 16"),
            CORE,
            FRAME,
            THREAD,
        ],
    },
    Tool {
        name: "memory",
        title: "Memory or code at an address",
        description: "Bytes, words, strings or instructions (format `i`) at an address, and what \
                      the address is: heap chunk and its state, stack, module, file.",
        arguments: &[
            needed("address", Kind::Text, "0x… or an expression, such as $pc or &job->name"),
            may("format", Kind::OneOf(FORMATS), "As in gdb's x; default: x"),
            may("size", Kind::OneOf(SIZES), "Unit of 1, 2, 4 or 8 bytes; default: g"),
            may("count", Kind::Number, "Units, strings or instructions; default: 8, at most 256"),
            CORE,
            FRAME,
            THREAD,
        ],
    },
    Tool {
        name: "find",
        title: "Search memory",
        description: "Where a text, a value, or a pointer to an address is in memory. Give one of \
                      text, value, pointer_to.",
        arguments: &[
            may("text", Kind::Text, "A text"),
            may("value", Kind::Word, "A number"),
            may("size", Kind::Number, "Bytes of the number: 8 (default)"),
            may("pointer_to", Kind::Word, "An address that words point to"),
            may("length", Kind::Number, "Bytes from that address on that they may point into"),
            CORE,
            CURSOR,
            LIMIT,
        ],
    },
    Tool {
        name: "locks",
        title: "Locks and waits",
        description: "Deadlocks and contended locks: who holds what, who waits for whom.",
        arguments: &[CORE],
    },
    Tool {
        name: "tasks",
        title: "Goroutines, async tasks, Python threads",
        description: "Tasks that are no threads of the kernel: goroutines, tasks of tokio with \
                      their chain of awaits, threads of CPython with lines of Python. What each \
                      waits for; tasks with the same stack together.",
        arguments: &[
            CORE,
            may("runtime", Kind::OneOf(RUNTIMES), "Only of this runtime"),
            may("state", Kind::OneOf(STATES), "Only in this state"),
            may("id", Kind::Number, "Only the task with this number"),
            may("limit", Kind::Number, "Tasks of each runtime; default: 20"),
            may("frames", Kind::Number, "Frames of each; default: 12"),
        ],
    },
    Tool {
        name: "heap",
        title: "What the heap holds",
        description: "Live and freed bytes by arena and size, live blocks by type, by what keeps \
                      them and by path, lost blocks (leaks), damaged headers. For a growing \
                      process, an out-of-memory or a suspected leak.",
        arguments: &[CORE, may("limit", Kind::Number, "Rows of each list; default: 5")],
    },
    Tool {
        name: "who_points_to",
        title: "A heap block, and who points to it",
        description: "The block that holds an address: state, type, neighbours, the way by which \
                      the program reaches it; and the words that point into it.",
        arguments: &[
            needed("expression", Kind::Text, "An address or a pointer: `0x55e0c1d0`, `job->next`"),
            CORE,
            FRAME,
            THREAD,
            may("limit", Kind::Number, "Words that point there; default: 20"),
        ],
    },
    Tool {
        name: "modules",
        title: "Loaded modules",
        description: "Loaded images with build IDs, and whether their files and debug information \
                      were found. Use `matching` rather than reading all.",
        arguments: &[CORE, MATCHING, CURSOR, LIMIT],
    },
    Tool {
        name: "registers",
        title: "Registers of a thread",
        description: "General registers of a thread at the moment of death.",
        arguments: &[CORE, THREAD],
    },
    Tool {
        name: "source",
        title: "Source around a frame",
        description: "Lines of source around the place of a frame.",
        arguments: &[
            CORE,
            FRAME,
            THREAD,
            may("context", Kind::Number, "Lines before and after; default: 6, at most 100"),
        ],
    },
    Tool {
        name: "verify",
        title: "Check a claim",
        description: "Check a claim against the dump: holds, does-not-hold or unknown, with the \
                      bytes. In words: `x is NULL in frame 2`, `n >= 3`, `p points to freed \
                      memory`, `thread 3 waits for thread 7`, `walk is on the stack`, `the class \
                      is null-read`; or by kind. Verify what you conclude before you report it.",
        arguments: &[
            may("claim", Kind::Text, "The claim in words"),
            may("kind", Kind::OneOf(CLAIMS), "Instead of `claim`: its kind"),
            may("expression", Kind::Text, "compare, freed: the expression"),
            may("comparison", Kind::OneOf(COMPARISONS), "compare: how; default: =="),
            may("value", Kind::Text, "compare: the other value"),
            may("waits_for", Kind::Number, "waits: id of the thread that `thread` waits for"),
            may("function", Kind::Text, "on-stack: the function"),
            may("class", Kind::Text, "class: the class"),
            CORE,
            FRAME,
            THREAD,
        ],
    },
    Tool {
        name: "triage",
        title: "Group many dumps by bug",
        description: "Groups of the crashes below a directory, or of a store, the most urgent \
                      first, with their status (new, regressed, …).",
        arguments: &[
            may("path", Kind::Text, "Directory or store; default: --db, else the first root"),
            may("status", Kind::Text, "Only groups of this status"),
            CURSOR,
            LIMIT,
        ],
    },
    Tool {
        name: "group",
        title: "One crash group",
        description: "One group in full: explanation, stack, what its dumps share, the newest \
                      dumps. Call `triage` first.",
        arguments: &[
            needed("group", Kind::Text, "Its id, from `triage`"),
            may("path", Kind::Text, "What `triage` was called with"),
        ],
    },
    Tool {
        name: "compare",
        title: "Compare two dumps",
        description: "What two dumps have in common, and what differs: class, blame, stack, build.",
        arguments: &[
            needed("first", Kind::Text, "Handle or path"),
            needed("second", Kind::Text, "Handle or path"),
        ],
    },
];

impl Tool {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TOOLS.iter().find(|tool| tool.name == name)
    }

    /// The names of its arguments.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.arguments.iter().map(|argument| argument.name).collect()
    }

    /// As the protocol describes a tool.
    pub(super) fn described(&self) -> Value {
        let mut tool = json!({
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input(),
            "annotations": {
                "readOnlyHint": true,
                "destructiveHint": false,
                "idempotentHint": true,
                "openWorldHint": false,
            },
        });
        if let (Some(output), Some(tool)) = (output(self.name), tool.as_object_mut()) {
            tool.insert("outputSchema".to_owned(), output.clone());
        }
        tool
    }

    fn input(&self) -> Value {
        let properties: Map<String, Value> = self
            .arguments
            .iter()
            .map(|argument| (argument.name.to_owned(), argument.schema()))
            .collect();
        let needed = self.arguments.iter().filter(|argument| argument.is_needed);
        let needed: Vec<_> = needed.map(|argument| argument.name).collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": needed,
            "additionalProperties": false,
        })
    }
}

impl Argument {
    fn schema(&self) -> Value {
        let about = self.about;
        match self.kind {
            Kind::Text => json!({ "type": "string", "description": about }),
            Kind::Number => json!({ "type": "integer", "description": about }),
            Kind::Flag => json!({ "type": "boolean", "description": about }),
            Kind::Texts => json!({
                "anyOf": [
                    { "type": "string" },
                    { "type": "array", "items": { "type": "string" }, "maxItems": 16 },
                ],
                "description": about,
            }),
            Kind::Word => json!({ "type": ["string", "integer"], "description": about }),
            Kind::OneOf(words) => {
                json!({ "type": "string", "enum": words, "description": about })
            }
        }
    }
}

/// The schema of a tool's answer.
fn output(name: &str) -> Option<&'static Value> {
    static SCHEMAS: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    SCHEMAS.get_or_init(|| serde_json::from_str(OUTPUT).unwrap_or_default()).get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_the_schema_of_its_answer_which_is_an_object() {
        for tool in TOOLS {
            let output = output(tool.name);
            let kind = output.map(|output| output["type"].clone());
            assert_eq!(kind, Some(json!("object")), "{}", tool.name);
        }
    }
}
