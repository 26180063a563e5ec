//! The part of a record that crashes are compared by. Nothing else of a record is made: most
//! of it is variables within variables.

use serde::Deserialize;

use obit_report::module::ModuleReport;
use obit_report::{CoreReport, ProcessReport, SignalReport, VariableValue};

/// What crashes are compared by.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct CrashRecord {
    pub(super) host: Option<String>,
    pub(super) core: CoreReport,
    pub(super) process: ProcessReport,
    pub(super) signal: Option<SignalReport>,
    pub(super) threads: Vec<Thread>,
    pub(super) modules: Vec<ModuleReport>,
}

/// A thread and its frames, innermost first.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Thread {
    pub(super) name: Option<String>,
    pub(super) crashed: bool,
    pub(super) frames: Vec<Frame>,
}

/// A frame and its variables.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Frame {
    pub(super) function: Option<String>,
    pub(super) args: Vec<Variable>,
    pub(super) locals: Vec<Variable>,
}

/// A variable, with its members and those of what it points to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: Option<VariableValue>,
    pub(super) text: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) members: Vec<Member>,
    pub(super) pointee: Option<Pointee>,
}

/// What a pointer points at.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Pointee {
    pub(super) members: Vec<Member>,
}

/// A member; what is within it is not compared.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) value: Option<VariableValue>,
    pub(super) text: Option<String>,
    pub(super) summary: Option<String>,
}

impl CrashRecord {
    /// Of the JSON of a record; `None` if it is none.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The thread that crashed, or the first.
    pub(super) fn crashed(&self) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.crashed).or_else(|| self.threads.first())
    }
}

impl Variable {
    /// Its value and its text.
    pub(super) fn said(&self) -> (Option<&VariableValue>, Option<&str>) {
        (self.value.as_ref(), self.text.as_deref().or(self.summary.as_deref()))
    }
}

impl Member {
    /// Its value and its text.
    pub(super) fn said(&self) -> (Option<&VariableValue>, Option<&str>) {
        (self.value.as_ref(), self.text.as_deref().or(self.summary.as_deref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, write_record};
    use crate::signature::Rules;
    use crate::testkit::crash;
    use obit_redact::Shown;
    use obit_report::Variable as Reported;

    #[test]
    fn what_crashes_are_compared_by_is_read_of_any_record() {
        let shown = |text: &str| Shown::from_report(text.to_owned());
        let named = |name: &str, value: i64| Reported {
            name: shown(name),
            value: Some(VariableValue::Integer(value)),
            ..Reported::default()
        };
        let mut record = crash(3, 1, &Rules::built_in()).record;
        record.host = Some(shown("web-3"));
        let pointee = Reported { members: vec![named("next", 3)], ..Reported::default() };
        let pointer = Reported {
            pointee: Some(Box::new(pointee)),
            text: Some(shown("list")),
            ..named("n", 2)
        };
        record.threads[0].frames[0].args = vec![pointer];
        let mut json = Vec::new();
        write_record(&record, &mut json).unwrap();
        let read = CrashRecord::read(&json).unwrap();
        let thread = read.crashed().unwrap();
        assert_eq!(thread.frames.len(), record.threads[0].frames.len());
        let function = record.threads[0].frames[0].function.as_ref();
        assert_eq!(thread.frames[0].function.as_deref(), function.map(Shown::as_str));
        let argument = &thread.frames[0].args[0];
        assert_eq!(argument.said(), (Some(&VariableValue::Integer(2)), Some("list")));
        let member = &argument.pointee.as_ref().unwrap().members[0];
        assert_eq!(
            (member.name.as_str(), member.said().0),
            ("next", Some(&VariableValue::Integer(3)))
        );
        assert_eq!(read.host.as_deref(), Some("web-3"));
        assert_eq!((read.process, read.modules), (record.process, record.modules));
        let mut json = Vec::new();
        write_record(&Record::default(), &mut json).unwrap();
        assert!(CrashRecord::read(&json).unwrap().crashed().is_none());
        assert_eq!(CrashRecord::read(b"{"), None);
    }
}
