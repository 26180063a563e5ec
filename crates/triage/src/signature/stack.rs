//! The frames of one thread as the rules see them.

use super::lists::Lists;
use obit_ownership::{Evidence, Owner, around_lambda, cut, library_name, module_name, normalized};
use obit_redact::without_digests;
use obit_report::{FrameKind, FrameReport, Report, ThreadReport};

/// Frames below the innermost that are searched for a report of the death.
const REPORT: usize = 64;

/// What a frame is to a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It reports the death, or is above what does.
    Sentinel,
    /// A function of the system that programs call by name.
    Called,
    /// Neither the program's nor called by name.
    Irrelevant,
    /// A jump to where no code is.
    NoCode,
    /// The program's, but it hands on what its caller gave it.
    Prefix,
    /// The program's.
    Relevant,
}

/// One frame.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// Its index in the report.
    pub(super) index: u64,
    pub(super) role: Role,
    /// Which rule said so.
    pub(super) rule: String,
    /// Its name in the signature.
    pub(super) name: String,
    /// The name of its image.
    pub(super) image: Option<String>,
}

impl Seen {
    /// Whether it is called by its image because it has no name.
    pub(super) fn is_unnamed(&self) -> bool {
        self.image.as_ref() == Some(&self.name)
    }
}

/// The frames of `thread`, innermost first, from the one that failed on: at most `most`.
/// What a signal handler and a death reported on purpose put above it is marked so.
pub(super) fn stack(
    report: &Report,
    thread: &ThreadReport,
    lists: &Lists,
    most: usize,
) -> Vec<Seen> {
    let frames = thread.frames.iter().flat_map(|frame| {
        // A tail call has the number of the frame it led to.
        let beyond = frame.tail_calls.iter().map(move |call| (frame.index, call));
        std::iter::once((frame.index, frame)).chain(beyond)
    });
    let frames: Vec<(u64, &FrameReport)> = frames.take(most).collect();
    let executable = report.executable();
    let see = |(index, frame): &(u64, &FrameReport)| see(*index, frame, executable, lists);
    let mut seen: Vec<Seen> = frames.iter().map(see).collect();
    let handled = handler_end(report, &frames, &seen);
    for frame in seen.iter_mut().take(handled) {
        frame.role = Role::Irrelevant;
        frame.rule = "above the frame of a signal handler".to_owned();
    }
    let mut reported = seen.iter().skip(handled).take(REPORT).enumerate();
    if let Some(last) = reported.rfind(|(_, f)| f.role == Role::Sentinel) {
        let (end, rule) = (handled + last.0, last.1.rule.clone());
        for frame in seen.iter_mut().take(end).skip(handled) {
            if frame.role != Role::Sentinel {
                frame.rule = format!("above {rule}");
            }
            frame.role = Role::Irrelevant;
        }
    }
    seen
}

/// Frames down to the outermost that the kernel made for a handler of the signal that
/// killed: the process raised it again from there.
fn handler_end(report: &Report, frames: &[(u64, &FrameReport)], seen: &[Seen]) -> usize {
    // SI_USER, SI_TKILL: sent by a process, here by itself.
    let is_sent = report.signal.as_ref().is_some_and(|s| s.code.is_some_and(|code| code <= 0));
    let made = frames.iter().rposition(|(_, frame)| frame.kind == FrameKind::Signal);
    let Some(made) = made else { return 0 };
    let is_raised = seen.iter().take(made).any(|frame| frame.role == Role::Sentinel);
    if is_sent || is_raised || made == 0 { made + 1 } else { 0 }
}

fn see(index: u64, frame: &FrameReport, executable: Option<&str>, lists: &Lists) -> Seen {
    let path = frame.module.as_ref().map(|module| module.path.as_str());
    let image = path.map(module_name);
    let answer = frame.ownership(executable);
    let rule = answer.rule.unwrap_or(answer.owner.word());
    let raw = frame.function.as_ref().or(frame.linkage_name.as_ref());
    // Digests differ between reports of one bug.
    let raw = raw.map(|name| without_digests(name.as_str())).filter(|name| !name.is_empty());
    let raw = raw.as_deref();
    let of =
        |role, rule: String, name: String| Seen { index, role, rule, name, image: image.clone() };
    if frame.kind == FrameKind::Signal {
        return of(Role::Irrelevant, "the frame of a signal handler".to_owned(), String::new());
    }
    // clang names the reason of a trap as a function that is inlined there.
    if raw.is_some_and(|name| name.starts_with("__clang_trap_msg")) {
        return of(Role::Irrelevant, "the reason of a trap".to_owned(), String::new());
    }
    let Some(raw) = raw else {
        return match &frame.module {
            Some(_) if !answer.owner.is_application() => {
                let name = image.clone().unwrap_or_default();
                of(Role::Called, format!("image {rule}, no symbol"), name)
            }
            Some(module) => {
                let build = module.build_id.as_ref().map(|id| cut(id, 16));
                let within = build.or(image.as_deref()).unwrap_or_default();
                let name = format!("{within}+{:#x}", module.offset.0);
                of(Role::Relevant, "no symbol: build and offset".to_owned(), name)
            }
            None => of(Role::NoCode, "no code there".to_owned(), "(no code)".to_owned()),
        };
    };
    // A jump into data.
    if ["vtable for ", "VTT for ", "typeinfo for "].iter().any(|data| raw.starts_with(data)) {
        return of(Role::NoCode, "no code there".to_owned(), "(no code)".to_owned());
    }
    let mut name = normalized(raw);
    if name == "operator()"
        && let Some(around) = frame.linkage_name.as_ref().and_then(|n| around_lambda(n.as_str()))
    {
        name = around + "::{lambda}";
    }
    let public = |name: &str| library_name(name).to_owned();
    match answer.owner {
        Owner::Application => {}
        Owner::CrashHandler => {
            return of(Role::Sentinel, format!("sentinel {rule}"), public(&name));
        }
        Owner::Startup => return of(Role::Irrelevant, format!("start-up {rule}"), name),
        Owner::LanguageRuntime | Owner::SystemLibrary => {
            return match (answer.evidence, answer.is_called) {
                (Evidence::Module, _) => of(Role::Called, format!("image {rule}"), public(&name)),
                (_, true) => of(Role::Called, format!("called {rule}"), public(&name)),
                (_, false) => of(Role::Irrelevant, format!("irrelevant {rule}"), name),
            };
        }
    }
    match lists.prefix.find(&name) {
        Some(rule) => of(Role::Prefix, format!("prefix {rule}"), name),
        None => of(Role::Relevant, "relevant".to_owned(), name),
    }
}
