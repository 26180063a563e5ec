//! Answers in full, as `obit print` has them, on their way from the process that reads the core.
//! As a document, the kind of an answer is known by its fields only.

use obit_redact::Shown;
use obit_report::Variable;
use obit_report::answer::{Answer, MemoryDump, Printed, TypeText};
use serde::{Deserialize, Serialize};

/// One answer, and the frame it was found in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    thread: i64,
    frame: u64,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Value(Box<Variable>),
    Memory(MemoryDump),
    Type(TypeText),
}

impl From<Printed> for Evaluated {
    fn from(Printed { thread, frame, answer }: Printed) -> Self {
        let kind = match answer {
            Answer::Value(value) => Kind::Value(Box::new(value)),
            Answer::Memory(memory) => Kind::Memory(memory),
            Answer::Type(text) => Kind::Type(text),
        };
        Self { thread, frame, kind }
    }
}

impl From<Evaluated> for Printed {
    fn from(Evaluated { thread, frame, kind }: Evaluated) -> Self {
        let answer = match kind {
            Kind::Value(value) => Answer::Value(*value),
            Kind::Memory(memory) => Answer::Memory(memory),
            Kind::Type(text) => Answer::Type(text),
        };
        Self { thread, frame, answer }
    }
}

/// Names of a frame's variables, the innermost block's first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NamesAnswer {
    /// The names.
    pub names: Vec<Shown>,
}
