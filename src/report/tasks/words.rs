//! Tasks in words: one table for each enumeration.

use obit_runtime::{Gap, Kind, State, TaskFrameKind, TaskKind, Verdict, WaitKind};

/// Tasks that a sentence names.
const NAMED: usize = 8;

pub(super) fn runtime(kind: Kind) -> &'static str {
    match kind {
        Kind::Go => "go",
        Kind::Tokio => "tokio",
        Kind::CPython => "cpython",
    }
}

pub(super) fn task(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Goroutine => "goroutine",
        TaskKind::TokioTask => "tokio-task",
        TaskKind::Future => "future",
        TaskKind::PythonThread => "python-thread",
    }
}

pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Running => "running",
        State::Runnable => "runnable",
        State::InSystemCall => "in-system-call",
        State::Waiting => "waiting",
        State::Ended => "ended",
        State::Unknown => "unknown",
    }
}

pub(super) fn wait(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Receive => "receive",
        WaitKind::Send => "send",
        WaitKind::Select => "select",
        WaitKind::Lock => "lock",
        WaitKind::Join => "join",
        WaitKind::Notification => "notification",
        WaitKind::Timer => "timer",
        WaitKind::Io => "io",
        WaitKind::Other => "other",
    }
}

pub(super) fn frame(kind: TaskFrameKind) -> &'static str {
    match kind {
        TaskFrameKind::Native => "native",
        TaskFrameKind::Inline => "inline",
        TaskFrameKind::Await => "await",
        TaskFrameKind::Interpreted => "interpreted",
    }
}

/// Its identifier, its tasks, its sentence.
pub(super) fn verdict(verdict: &Verdict) -> (String, Vec<u64>, String) {
    let (kind, tasks, text) = match verdict {
        Verdict::Deadlock(tasks) => {
            let text = format!("deadlock: {} wait for each other", list(tasks));
            ("deadlock", tasks.clone(), text)
        }
        Verdict::NeverWoken(tasks) => {
            let text = format!("{} wait at what nothing else refers to", list(tasks));
            ("never-woken", tasks.clone(), text)
        }
        Verdict::AllAsleep => {
            let text = "all tasks wait, and nothing can wake one".to_owned();
            ("all-asleep", Vec::new(), text)
        }
    };
    (kind.to_owned(), tasks, text)
}

fn list(tasks: &[u64]) -> String {
    let named: Vec<String> = tasks.iter().take(NAMED).map(ToString::to_string).collect();
    match tasks.len().saturating_sub(named.len()) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

pub(super) fn gap(gap: &Gap) -> String {
    match gap {
        Gap::Layout { of, version: Some(version) } => {
            format!("{of}: not known how version {version} keeps it")
        }
        Gap::Layout { of, version: None } => format!("{of}: not known how this version keeps it"),
        Gap::List { after } => {
            format!("the list of tasks is damaged or not in the core after {after} tasks")
        }
        Gap::Stacks(1) => "the stack of 1 task could not be read".to_owned(),
        Gap::Stacks(count) => format!("the stacks of {count} tasks could not be read"),
        Gap::Other(text) => (*text).to_owned(),
    }
}
