//! What crashes of one bug have in common.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::lists::Lists;
use super::recursion::{RECURSION, cycle};
use super::stack::{Role, Seen, stack};
use obit_ownership::{cut, normalized};
use obit_redact::{Shown, without_digests};
use obit_report::{Blame, Confidence, Decision, DecisionAction, Report, Signature, ThreadReport};

/// The version of the rules and lists.
pub const SIGNATURE_VERSION: u32 = 1;

/// Frames that are looked at.
const LOOKED_AT: usize = 200;
/// Functions that may be before the one that ends a signature.
const PREFIXES: usize = 3;
/// Frames of one circle of calls that are no accident, whatever the cause.
const ENDLESS: usize = 150;
/// Bytes of one name.
const LONGEST_NAME: usize = 200;

/// The signature of a crash, by the built-in lists. `None` if its stack says nothing: then
/// it must not be taken for any other crash's.
pub fn signature(report: &Report) -> Option<Signature> {
    Rules::built_in().signature(report)
}

/// The rules, read once for many reports.
#[derive(Clone, Debug)]
pub struct Rules {
    lists: Lists,
}

impl Rules {
    /// Those of [`SIGNATURE_VERSION`].
    pub fn built_in() -> Self {
        Self { lists: Lists::built_in() }
    }

    /// The signature of a crash; see [`signature`].
    pub fn signature(&self, report: &Report) -> Option<Signature> {
        let thread = report.thread_to_blame()?;
        let seen = stack(report, thread, &self.lists, LOOKED_AT);
        let chosen = recursion(report, &seen)
            .or_else(|| relevant(&seen))
            .or_else(|| relevant(&stack(report, &outer_end(thread)?, &self.lists, LOOKED_AT)))
            .or_else(|| of_task(report, &seen))
            .or_else(|| nothing_of_the_program(&seen))?;
        Some(chosen.signature())
    }

    /// The numbers of the frames of `thread` that are the program's, innermost first, of the
    /// `most` innermost frames.
    pub fn relevant_frames(&self, report: &Report, thread: &ThreadReport, most: usize) -> Vec<u64> {
        let seen = stack(report, thread, &self.lists, most);
        let relevant = seen.into_iter().filter(|f| matches!(f.role, Role::Relevant | Role::Prefix));
        relevant.map(|frame| frame.index).collect()
    }

    /// The `most` innermost functions of the program on the crashed stack.
    pub fn program(&self, report: &Report, most: usize) -> Program {
        let Some(thread) = report.thread_to_blame() else { return Program::default() };
        let seen = stack(report, thread, &self.lists, LOOKED_AT);
        let blame = report.cause.as_ref().and_then(|cause| cause.blame.as_ref());
        let is_sure = |blame: &&Blame| {
            blame.confidence != Confidence::Guess && blame.thread.is_none_or(|t| t == thread.tid)
        };
        let blamed = blame.filter(is_sure).and_then(|blame| blame.frame);
        let relevant = seen.into_iter().filter(|f| matches!(f.role, Role::Relevant | Role::Prefix));
        let relevant: Vec<(u64, String)> = relevant
            .map(|frame| (frame.index, cut(&frame.name, LONGEST_NAME).to_owned()))
            .collect();
        // A handler that raised the signal again has nothing to answer for: what it
        // interrupted has.
        let blamed = blamed.and_then(|at| relevant.iter().find(|(index, _)| *index >= at));
        let blamed = blamed.map(|(_, name)| name.clone());
        let mut functions: Vec<String> = relevant.into_iter().map(|(_, name)| name).collect();
        functions.dedup();
        functions.truncate(most);
        Program { functions, blamed }
    }
}

/// The outer end of a stack that is too deep to be in the report: a recursion of a library's
/// functions has the program's only there.
fn outer_end(thread: &ThreadReport) -> Option<ThreadReport> {
    let gap = usize::try_from(thread.truncated.as_ref()?.gap_after).ok()?;
    let frames = thread.frames.get(gap..)?.to_vec();
    Some(ThreadReport { frames, ..thread.clone() })
}

/// What of a stack is the program's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Its functions by normal name, innermost first, without repetitions of one after the
    /// other.
    pub functions: Vec<String>,
    /// The one of them that the cause is in, if that is more than a guess.
    pub blamed: Option<String>,
}

/// Names, and why those.
struct Chosen {
    frames: Vec<String>,
    image: Option<String>,
    decisions: Vec<Decision>,
}

impl Chosen {
    fn signature(self) -> Signature {
        let names = self.frames.iter().map(|name| cut(name, LONGEST_NAME).to_owned());
        let frames: Vec<String> = names.collect();
        let mut text = frames.join(" | ");
        if let Some(image) = self.image {
            let _ = write!(text, " in {image}");
        }
        // Names came out of a report, so they have left already.
        let shown = |text: String| Shown::from_report(text);
        Signature {
            version: SIGNATURE_VERSION,
            id: id(&text),
            text: shown(text),
            frames: frames.into_iter().map(shown).collect(),
            decisions: self.decisions,
        }
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of the canonical text:
/// `obit.signature/1`, a line feed, the signature's text, a line feed.
fn id(text: &str) -> String {
    let canonical = format!("obit.signature/{SIGNATURE_VERSION}\n{text}\n");
    let mut id = String::new();
    for byte in Sha256::digest(canonical.as_bytes()).iter().take(8) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

fn decision(frame: &Seen, action: DecisionAction, rule: impl Into<String>) -> Decision {
    Decision { frame: frame.index, rule: rule.into(), action }
}

/// The library function called, and the first function of the program, with those that
/// only hand on what it gave them.
///
/// The frame to blame is not asked: whether that is certain differs between builds of one
/// program, and with it the signature would.
fn relevant(seen: &[Seen]) -> Option<Chosen> {
    let mut decisions = Vec::new();
    let mut called: Option<(usize, &Seen)> = None;
    let mut kept: Vec<&Seen> = Vec::new();
    for (at, frame) in seen.iter().enumerate() {
        let action = match frame.role {
            Role::Relevant => DecisionAction::Stop,
            Role::Prefix if kept.len() == PREFIXES => DecisionAction::Stop,
            Role::Prefix => DecisionAction::Prefix,
            Role::Called | Role::Sentinel | Role::NoCode => {
                // A name says more than an image, which may stand for what the named called.
                let is_better = called.is_none_or(|_| !frame.is_unnamed());
                called = if kept.is_empty() && is_better { Some((at, frame)) } else { called };
                DecisionAction::Skip
            }
            Role::Irrelevant => DecisionAction::Skip,
        };
        decisions.push(decision(frame, action, &*frame.rule));
        if action != DecisionAction::Skip {
            kept.push(frame);
        }
        if action == DecisionAction::Stop {
            break;
        }
    }
    let last = kept.last()?;
    if let Some(decision) = called.and_then(|(at, _)| decisions.get_mut(at)) {
        decision.action = DecisionAction::Prefix;
    }
    let names = called.map(|(_, frame)| frame).into_iter().chain(kept.iter().copied());
    let frames = names.map(|frame| frame.name.clone()).collect();
    Some(Chosen { frames, image: last.image.clone(), decisions })
}

/// The functions that call each other without end. Who called the first differs with what
/// the program was at.
fn recursion(report: &Report, seen: &[Seen]) -> Option<Chosen> {
    let is_overflow = report.cause.as_ref().is_some_and(|cause| cause.class == "stack-overflow");
    let program: Vec<&Seen> =
        seen.iter().filter(|f| matches!(f.role, Role::Relevant | Role::Prefix)).collect();
    if !is_overflow && program.len() < ENDLESS {
        return None;
    }
    let names: Vec<&str> = program.iter().map(|frame| frame.name.as_str()).collect();
    let cycle = cycle(&names)?;
    let in_cycle = |frame: &Seen| cycle.names.contains(&frame.name.as_str());
    if !is_overflow && (cycle.above > 0 || !program.iter().all(|frame| in_cycle(frame))) {
        return None;
    }
    let first = program.get(cycle.above)?;
    let mut decisions: Vec<Decision> = Vec::new();
    for frame in seen.iter().take_while(|frame| frame.index < first.index) {
        decisions.push(decision(frame, DecisionAction::Skip, "above the recursion"));
    }
    let round: Vec<_> = program.iter().skip(cycle.above).take(cycle.names.len()).collect();
    for (at, frame) in round.iter().enumerate() {
        let is_last = at + 1 == round.len();
        let action = if is_last { DecisionAction::Stop } else { DecisionAction::Prefix };
        decisions.push(decision(frame, action, "recursion"));
    }
    let functions = cycle.names.iter().map(|name| (*name).to_owned());
    let frames = std::iter::once(RECURSION.to_owned()).chain(functions).collect();
    Some(Chosen { frames, image: first.image.clone(), decisions })
}

/// Where no function of the program is on the stack, since a task of it that no thread runs is to
/// blame: what reported the death, and the function in which the task waits.
fn of_task(report: &Report, seen: &[Seen]) -> Option<Chosen> {
    let blame = report.cause.as_ref()?.blame.as_ref().filter(|blame| blame.task.is_some())?;
    let function = normalized(without_digests(blame.function.as_ref()?.as_str()).as_ref());
    let mut chosen = nothing_of_the_program(seen)?;
    chosen.frames.push(function);
    Some(chosen)
}

/// Where no function of the program is on the stack: what reported the death, or the
/// innermost function of the system that has a name.
fn nothing_of_the_program(seen: &[Seen]) -> Option<Chosen> {
    let with = |role| seen.iter().find(|frame| frame.role == role && !frame.is_unnamed());
    let last = with(Role::Sentinel).or_else(|| with(Role::Called))?;
    let decisions = seen.iter().take_while(|frame| !std::ptr::eq(*frame, last));
    let mut decisions: Vec<Decision> =
        decisions.map(|frame| decision(frame, DecisionAction::Skip, &*frame.rule)).collect();
    decisions.push(decision(last, DecisionAction::Stop, "no application frame on the stack"));
    Some(Chosen { frames: vec![last.name.clone()], image: last.image.clone(), decisions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_ownership::Owner;
    use obit_report::{
        Cause, FrameKind, FrameReport, Hex, ModulePlace, SignalReport, ThreadReport,
    };

    /// A crash with this stack, innermost first, of `function@image` where the image is
    /// not `app`; `!` is the frame of a signal handler, `?` stands for no name.
    fn crash(stack: &[&str]) -> Report {
        let frames = stack.iter().enumerate().map(|(at, text)| {
            let (function, image) = text.split_once('@').unwrap_or((text, "app"));
            let shown = |text: &str| Shown::from_report(text.to_owned());
            FrameReport {
                index: at as u64,
                kind: if *text == "!" { FrameKind::Signal } else { FrameKind::Normal },
                function: (function != "?").then(|| shown(function)),
                module: (image != "nowhere").then(|| ModulePlace {
                    path: shown(&format!("/usr/{image}")),
                    build_id: Some("5c1e00112233445566778899aabbccddeeff0011".to_owned()),
                    offset: Hex(0x1139),
                }),
                ..FrameReport::default()
            }
        });
        let frames = frames.collect();
        let thread = ThreadReport { crashed: true, frames, ..ThreadReport::default() };
        Report { threads: vec![thread], ..Report::default() }
    }

    fn text(report: &Report) -> String {
        signature(report).map(|found| found.text.into_string()).unwrap_or_default()
    }

    #[test]
    fn a_stack_is_the_library_function_called_and_the_first_function_of_the_program() {
        for (stack, wanted) in [
            (&["walk", "main"][..], "walk in app"),
            (&["__strlen_evex@libc.so.6", "walk.isra.0", "main"], "strlen | walk in app"),
            (&["_int_free@libc.so.6", "__libc_free@libc.so.6", "drop"], "free | drop in app"),
            // Linked into the program.
            (&["__memmove_avx_unaligned_erms", "walk", "main"], "memmove | walk in app"),
            // The outermost of what reports a death counts, whatever is above it.
            (
                &[
                    "raise@libc.so.6",
                    "abort@libc.so.6",
                    "on_abort",
                    "__assert_fail@libc.so.6",
                    "walk",
                ],
                "assert_fail | walk in app",
            ),
            // A template of the C++ library belongs to no program.
            (&["std::vector<int>::at", "Shop::open", "main"], "Shop::open in app"),
            (
                &[
                    "std::terminate()@libstdc++.so.6",
                    "__cxa_throw@libstdc++.so.6",
                    "?@libstdc++.so.6",
                    "std::vector<int>::at",
                    "walk",
                ],
                "cxa_throw | walk in app",
            ),
            (&["vtable for Shop", "walk"], "(no code) | walk in app"),
            (
                &[
                    "app::report_panic",
                    "std::panicking::rust_panic_with_hook",
                    "core::panicking::panic_fmt",
                    "core::option::unwrap_failed",
                    "core::option::Option<T>::unwrap",
                    "app::walk::h17e1a8e5371ffa9b",
                    "std::rt::lang_start",
                ],
                "core::option::unwrap_failed | app::walk in app",
            ),
            (
                &["runtime.raise", "runtime.sigpanic", "main.walk", "main.main"],
                "runtime.sigpanic | main.walk in app",
            ),
            (&["?@nowhere", "walk", "main"], "(no code) | walk in app"),
            (&["compare", "qsort_r@libc.so.6", "sort", "main"], "compare in app"),
            // Wrappers hand on what their callers gave them.
            (
                &["abort@libc.so.6", "fatal", "list_check_failed", "walk", "main"],
                "abort | fatal | list_check_failed | walk in app",
            ),
            (
                &["__clang_trap_msg$bounds$out of range", "Span<int>::operator[]", "pick", "main"],
                "Span::operator[] | pick in app",
            ),
            (&["Handle<Job>::operator->", "run", "main"], "Handle::operator-> | run in app"),
            // Without symbols.
            (&["?", "main"], "5c1e001122334455+0x1139 in app"),
            (&["?@libc.so.6", "?@libc.so.6", "walk"], "libc.so | walk in app"),
            // Nothing of the program.
            (&["poll@libc.so.6", "start_thread@libc.so.6"], "poll in libc.so"),
            (&["?@nowhere"], ""),
            (&["?@libc.so.6"], ""),
            (&[], ""),
        ] {
            assert_eq!(text(&crash(stack)), wanted, "{stack:?}");
        }
    }

    #[test]
    fn where_only_the_runtime_is_on_the_stack_the_task_to_blame_says_where_the_program_was() {
        let stack = ["runtime.fatalthrow", "runtime.fatal", "runtime.checkdead", "runtime.clone"];
        let mut report = crash(&stack);
        assert_eq!(text(&report), "runtime.fatal in app");
        let mut blame = Blame { task: Some(1), ..Blame::default() };
        blame.function = Some(Shown::from_report("main.wait".to_owned()));
        report.cause = Some(Cause { blame: Some(blame.clone()), ..Cause::default() });
        assert_eq!(text(&report), "runtime.fatal | main.wait in app");
        // A frame of a thread is judged as the rest of its stack.
        blame.task = None;
        report.cause = Some(Cause { blame: Some(blame), ..Cause::default() });
        assert_eq!(text(&report), "runtime.fatal in app");
    }

    /// The owners that a report states, innermost first.
    fn owned(mut report: Report, owners: &[Owner]) -> Report {
        for (frame, owner) in report.threads[0].frames.iter_mut().zip(owners) {
            frame.owner = Some(*owner);
        }
        report
    }

    #[test]
    fn a_crash_inside_a_library_of_the_system_is_its_callers_and_so_is_the_blame() {
        use Owner::{Application, Startup, SystemLibrary};
        for library in ["libQt5Core.so.5", "libevent-2.1.so.7", "libjemalloc.so.2", "libm.so.6"] {
            let inside = format!("pool_take@{library}");
            let stack = [inside.as_str(), "order_item", "main", "_start"];
            let old = crash(&stack);
            let owners = [SystemLibrary, Application, Application, Startup];
            for mut report in [owned(old.clone(), &owners), old] {
                assert_eq!(text(&report), "pool_take | order_item in app", "{library}");
                let frame = Some(1);
                let confidence = Confidence::Proved;
                let blame = Some(Blame { frame, confidence, ..Blame::default() });
                report.cause = Some(Cause { blame, ..Cause::default() });
                let program = Rules::built_in().program(&report, 8);
                assert_eq!(program.blamed.as_deref(), Some("order_item"));
                assert_eq!(program.functions, ["order_item", "main"]);
            }
        }
        // One that comes with the program is the application's.
        let own = crash(&["pool_take@libshop.so", "order_item", "main"]);
        assert_eq!(text(&own), "pool_take in libshop.so");
    }

    #[test]
    fn the_owner_that_a_report_states_goes_before_what_the_names_say() {
        let stack = ["core::Engine::spin", "main"];
        let stated = owned(crash(&stack), &[Owner::Application, Owner::Application]);
        assert_eq!(text(&stated), "core::Engine::spin in app");
        // A report that states nothing, and no symbol that shows the language.
        assert_eq!(text(&crash(&stack)), "main in app");
        let by_source = owned(crash(&["grow", "walk"]), &[Owner::SystemLibrary]);
        assert_eq!(text(&by_source), "walk in app");
    }

    #[test]
    fn a_handler_that_raises_again_hides_nothing_and_one_that_fails_is_the_bug() {
        let raised = ["raise@libc.so.6", "on_crash", "!", "walk", "main"];
        assert_eq!(text(&crash(&raised)), "walk in app");
        let failed = ["on_alarm", "!", "walk", "main"];
        assert_eq!(text(&crash(&failed)), "on_alarm in app");
        let mut sent = crash(&["?@libc.so.6", "on_crash", "!", "walk", "main"]);
        sent.signal = Some(SignalReport { code: Some(-6), ..SignalReport::default() });
        assert_eq!(text(&sent), "walk in app");
    }

    #[test]
    fn a_recursion_is_its_circle_wherever_it_was_entered_and_ended() {
        let overflow = |names: &[&'static str]| {
            let stack: Vec<_> = names.iter().copied().cycle().take(120).chain(["main"]).collect();
            let mut report = crash(&stack);
            let class = "stack-overflow".to_owned();
            report.cause = Some(Cause { class, ..Cause::default() });
            report
        };
        let wanted = "(recursion) | left | right in app";
        assert_eq!(text(&overflow(&["left", "right"])), wanted);
        assert_eq!(text(&overflow(&["right", "left"])), wanted);
        assert_eq!(text(&overflow(&["left.part.0", "right.cold"])), wanted);
        // Deep, but not the cause of the crash.
        let mut report = overflow(&["left", "right"]);
        report.cause = None;
        assert_eq!(text(&report), "left in app");
    }

    #[test]
    fn the_id_is_the_digest_of_the_canonical_text() {
        let found = signature(&crash(&["walk", "main"])).unwrap();
        assert_eq!((found.version, found.text.as_str()), (1, "walk in app"));
        // printf 'obit.signature/1\nwalk in app\n' | sha256sum
        assert_eq!(found.id, "afce79648cc00ba7");
        assert_eq!(found.frames, [Shown::from_report("walk".to_owned())]);
    }

    #[test]
    fn each_frame_that_was_looked_at_has_its_rule() {
        let stack =
            ["_int_free@libc.so.6", "free@libc.so.6", "std::unique_ptr<T>::reset", "drop", "main"];
        let found = signature(&crash(&stack)).unwrap();
        let decisions: Vec<_> =
            found.decisions.iter().map(|d| (d.frame, d.action, d.rule.as_str())).collect();
        let wanted = [
            (0, DecisionAction::Skip, "called int_free"),
            (1, DecisionAction::Prefix, "called free"),
            (2, DecisionAction::Skip, "irrelevant std::*"),
            (3, DecisionAction::Stop, "relevant"),
        ];
        assert_eq!(decisions, wanted);
    }

    #[test]
    fn builds_addresses_and_lines_do_not_change_it() {
        let one = crash(&["__memcpy_avx512_unaligned_erms@libc.so.6", "ns::walk(Node*)", "main"]);
        let mut other = crash(&["__memmove_sse2_unaligned@libc-2.31.so", "ns::walk", "start"]);
        for frame in &mut other.threads[0].frames {
            frame.pc = Hex(0x7000);
            frame.module.as_mut().unwrap().build_id = None;
        }
        assert_eq!(signature(&one).unwrap().id, signature(&other).unwrap().id);
    }

    #[test]
    fn names_of_any_length_and_content_are_survived() {
        let long = "\u{fc}<(\n".repeat(5000);
        let found = signature(&crash(&[&long, "main"])).unwrap();
        assert!(found.text.as_str().len() < 300, "{}", found.text.as_str().len());
        assert!(!found.text.as_str().contains('\n'));
    }
}
