//! Notices in words: what is missing, and what would supply it.

use std::path::{Path, PathBuf};

use super::{LOOKED_FOR, NoticeCode, NoticeReport};
use obit_corefile::notice::{Notice, RowProblem, StackAbsence, UnwindStop};
use obit_redact::{Origin, Redactor};

/// A notice in words, not yet judged by the redactor.
struct Words {
    code: NoticeCode,
    subject: Option<String>,
    text: String,
    /// More exact than [`NoticeCode::hint`], where that is possible.
    hint: Option<String>,
}

/// `notice` in words. `package` is the distribution package of the module that it is
/// about, where that is known.
pub(super) fn notice_report(
    notice: &Notice,
    package: Option<&str>,
    redactor: &mut Redactor,
) -> NoticeReport {
    let words = words(notice, package);
    let mut show = |text: &str| redactor.show(Origin::OwnWords, text);
    NoticeReport {
        code: words.code,
        subject: words.subject.as_deref().map(&mut show),
        text: show(&words.text),
        hint: show(words.hint.as_deref().unwrap_or_else(|| words.code.hint())),
    }
}

/// The path of the module that `notice` is about.
pub(super) fn module_of(notice: &Notice) -> Option<&str> {
    match notice {
        Notice::ModuleMissing { path, .. }
        | Notice::ModuleMismatch { path, .. }
        | Notice::ModuleLaidOutOtherwise { path, .. }
        | Notice::ModuleUnverified { path, .. }
        | Notice::DebugInfoMissing { path, .. }
        | Notice::DebugFileMismatch { path, .. }
        | Notice::DebugPartMissing { path, .. }
        | Notice::DwarfMalformed { path, .. } => Some(path),
        _ => None,
    }
}

fn words(notice: &Notice, package: Option<&str>) -> Words {
    match notice {
        Notice::CoreTruncated { missing_bytes, size } => Words {
            code: NoticeCode::CoreTruncated,
            subject: None,
            text: format!(
                "the core is cut short: {} of {} are missing",
                bytes(*missing_bytes),
                bytes(size.saturating_add(*missing_bytes))
            ),
            hint: None,
        },
        Notice::StackMissing { tid, reason: StackAbsence::Unmapped } => Words {
            code: NoticeCode::StackPointerUnmapped,
            subject: Some(format!("thread {tid}")),
            text: format!("the stack pointer of thread {tid} points to unmapped memory"),
            hint: None,
        },
        Notice::StackMissing { tid, reason } => Words {
            code: NoticeCode::StackMissing,
            subject: Some(format!("thread {tid}")),
            text: format!("the stack of thread {tid} is not in the core: {}", absence(*reason)),
            hint: (*reason == StackAbsence::Truncated)
                .then(|| NoticeCode::CoreTruncated.hint().to_owned()),
        },
        Notice::NoteMalformed { problem } => Words {
            code: NoticeCode::NoteMalformed,
            subject: None,
            text: format!("a note of the core could not be read: {problem}"),
            hint: None,
        },
        Notice::CrashThreadInferred { tid, rule } => Words {
            code: NoticeCode::CrashThreadInferred,
            subject: Some(format!("thread {tid}")),
            text: format!(
                "the core does not say which thread crashed; assumed thread {tid}: {rule}"
            ),
            hint: None,
        },
        Notice::MachineUnsupported { e_machine, name } => Words {
            code: NoticeCode::MachineUnsupported,
            subject: Some((*name).to_owned()),
            text: format!("stacks of {name} (e_machine {e_machine}) cannot be unwound"),
            hint: None,
        },
        Notice::ExecutableForced { at, wanted, found } => Words {
            code: NoticeCode::ExecutableForced,
            subject: Some(at.display().to_string()),
            text: format!(
                "{} was forced by --force-exe: its build ID is {found}, that of the crashed \
                 program is {wanted}; names, lines and values may be wrong",
                at.display()
            ),
            hint: None,
        },
        Notice::ExecutableMismatch { at, wanted, found } => Words {
            code: NoticeCode::ExecutableRefused,
            subject: Some(at.display().to_string()),
            text: format!(
                "{} is another build than the program that crashed and was not used: its build \
                 ID is {found}, not {wanted}",
                at.display()
            ),
            hint: None,
        },
        Notice::ExecutableRefused { at, problem } => Words {
            code: NoticeCode::ExecutableRefused,
            subject: Some(at.display().to_string()),
            text: format!("{} was ignored: {problem}", at.display()),
            hint: None,
        },
        Notice::ModuleMissing { path, build_id, searched } => Words {
            code: NoticeCode::ModuleMissing,
            subject: Some(base_name(path)),
            text: format!("no file for {path}{}{}", named(build_id), looked_in(searched)),
            hint: build_id.as_ref().map(|id| {
                format!(
                    "copy the file with build ID {id} to {path}, or pass --sysroot DIR, \
                     --solib-search-path DIR or --debuginfod"
                )
            }),
        },
        Notice::ModuleMismatch { path, wanted, found, at } => Words {
            code: NoticeCode::ModuleMismatch,
            subject: Some(base_name(path)),
            text: format!(
                "{} is a different build of {path}: build ID {found}, expected {wanted}",
                at.display()
            ),
            hint: Some(format!(
                "get the file with build ID {wanted} and pass --sysroot DIR, \
                 --solib-search-path DIR or --debuginfod"
            )),
        },
        Notice::ModuleLaidOutOtherwise { path, at } => Words {
            code: NoticeCode::ModuleMismatch,
            subject: Some(base_name(path)),
            text: format!(
                "{} is a different build of {path}: its segments are not those of the process",
                at.display()
            ),
            hint: Some(
                "get the file that ran and pass --sysroot DIR or --solib-search-path DIR; for the \
                 program, --force-exe uses this one"
                    .to_owned(),
            ),
        },
        Notice::ModuleUnverified { path, at } => Words {
            code: NoticeCode::ModuleUnverified,
            subject: Some(base_name(path)),
            text: if at == Path::new(path) {
                format!("{path} was matched by name only (the core has no build ID for it)")
            } else {
                format!(
                    "{} was matched to {path} by name only (the core has no build ID for it)",
                    at.display()
                )
            },
            hint: None,
        },
        Notice::DebugInfoMissing { path, build_id, searched } => Words {
            code: NoticeCode::DebugInfoMissing,
            subject: Some(base_name(path)),
            text: format!(
                "no debug information for {path}{}{}",
                named(build_id),
                looked_in(searched)
            ),
            hint: package.map(|package| {
                format!(
                    "apt install {package}-dbgsym (dnf debuginfo-install {package}), or pass \
                     --debug-file-directory DIR or --debuginfod"
                )
            }),
        },
        Notice::DebugFileMismatch { path, at, problem } => Words {
            code: NoticeCode::DebugFileMismatch,
            subject: Some(base_name(path)),
            text: format!("{} does not belong to {path}: {problem}", at.display()),
            hint: None,
        },
        Notice::DebugPartMissing { path, name, searched } => Words {
            code: NoticeCode::DebugPartMissing,
            subject: Some(name.clone()),
            text: format!("debug information of {path} lacks {name}{}", looked_in(searched)),
            hint: None,
        },
        Notice::FileRefused { path, reason } => Words {
            code: NoticeCode::FileRefused,
            subject: Some(path.display().to_string()),
            text: format!("{} was not opened: {reason}", path.display()),
            hint: None,
        },
        Notice::SourceDiffers { at, module } => Words {
            code: NoticeCode::SourceDiffers,
            subject: Some(base_name(&at.to_string_lossy())),
            text: format!(
                "{} is not the file that {} was compiled from: their MD5 checksums differ",
                at.display(),
                base_name(module)
            ),
            hint: None,
        },
        Notice::SourceNewer { at, module } => Words {
            code: NoticeCode::SourceNewer,
            subject: Some(base_name(&at.to_string_lossy())),
            text: format!(
                "{} is newer than {}: its lines may have moved",
                at.display(),
                base_name(module)
            ),
            hint: None,
        },
        Notice::MetadataContradicts { by, what, recorded, core } => Words {
            code: NoticeCode::MetadataContradicts,
            subject: Some((*what).to_owned()),
            text: format!("the {what} is {core} in the core and {recorded} as {by} recorded it"),
            hint: None,
        },
        Notice::DebuginfodFailed { url, error } => Words {
            code: NoticeCode::DebuginfodFailed,
            subject: Some(url.clone()),
            text: format!("{url} failed and was not tried again: {error}"),
            hint: None,
        },
        Notice::DwarfMalformed { path, problem } => Words {
            code: NoticeCode::DwarfMalformed,
            subject: Some(base_name(path)),
            text: format!("debug information of {path} could not be read in full: {problem}"),
            hint: None,
        },
        Notice::CoreFromMinidump { modules } => Words {
            code: NoticeCode::CoreFromMinidump,
            subject: None,
            text: match modules {
                0 => "the core was made from a minidump: it has stacks, and no list of modules"
                    .to_owned(),
                1 => {
                    "the core was made from a minidump: it has stacks, and the name of one module \
                      without a build ID"
                        .to_owned()
                }
                _ => format!(
                    "the core was made from a minidump: it has stacks, and the names of {modules} \
                     modules without build IDs"
                ),
            },
            hint: None,
        },
        Notice::LinkMapBroken { problem } => Words {
            code: NoticeCode::LinkMapBroken,
            subject: None,
            text: format!("the dynamic linker's list of objects is broken: {problem}"),
            hint: None,
        },
        Notice::UnwindStopped { tid, frame, reason } => Words {
            code: NoticeCode::UnwindStopped,
            subject: Some(format!("thread {tid}")),
            text: format!(
                "the stack of thread {tid} could not be followed past frame {frame}: {}",
                unwind_stop(reason)
            ),
            hint: None,
        },
        Notice::LimitReached { what, limit } => Words {
            code: NoticeCode::LimitReached,
            subject: Some((*what).to_owned()),
            text: format!("only the first {limit} {what} were read"),
            hint: None,
        },
    }
}

fn named(build_id: &Option<String>) -> String {
    build_id.as_ref().map_or_else(String::new, |id| format!(" (build ID {id})"))
}

/// Places named in one sentence; more would bury it.
const PLACES_NAMED: usize = 3;

fn looked_in(searched: &[PathBuf]) -> String {
    if searched.is_empty() {
        return String::new();
    }
    let places: Vec<_> =
        searched.iter().take(PLACES_NAMED).map(|path| path.display().to_string()).collect();
    let more = match searched.len().saturating_sub(PLACES_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more places"),
    };
    format!("{LOOKED_FOR}{}{more}", places.join(", "))
}

fn base_name(path: &str) -> String {
    let name = Path::new(path).file_name();
    name.map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn absence(reason: StackAbsence) -> &'static str {
    match reason {
        StackAbsence::Truncated => "truncated",
        StackAbsence::NotDumped => "not dumped",
        StackAbsence::Unmapped => "unmapped",
    }
}

fn unwind_stop(reason: &UnwindStop) -> String {
    let words = match reason {
        UnwindStop::UnknownMachine => "stacks of this machine cannot be unwound",
        UnwindStop::NoPc => "the core does not hold the thread's pc",
        UnwindStop::FrameLimit(most) => return format!("the limit of {most} frames"),
        UnwindStop::SameFrame => "the next frame is the same as this one",
        UnwindStop::GoesDown => "the stack pointer keeps decreasing",
        UnwindStop::ContextMissing => {
            "the registers saved for the signal handler are not in the core"
        }
        UnwindStop::TablesTooCostly => {
            "the call frame information of this process takes too much work"
        }
        UnwindStop::NoTable => "no call frame information covers the pc",
        UnwindStop::Row(problem) => return row_problem(problem),
    };
    words.to_owned()
}

fn row_problem(problem: &RowProblem) -> String {
    let words = match problem {
        RowProblem::CfaRegister { name } => {
            let name = name.unwrap_or("a register");
            return format!("the CFA needs {name}, which is unknown");
        }
        RowProblem::CfaExpression => "the CFA expression cannot be evaluated",
        RowProblem::ReturnUnreadable { cfa } => {
            return format!("the return address below {cfa} is not readable");
        }
        RowProblem::ReturnRegister => "the return address is in a register that is unknown",
        RowProblem::ReturnRule => "the table has no rule for the return address",
    };
    words.to_owned()
}

/// A size as people write it.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut scaled = (count, "bytes");
    let mut tenths = 0;
    for unit in UNITS {
        if scaled.0 < 1024 {
            break;
        }
        tenths = scaled.0 % 1024 * 10 / 1024;
        scaled = (scaled.0 / 1024, unit);
    }
    match scaled {
        (whole, "bytes") => format!("{whole} bytes"),
        (whole, unit) => format!("{whole}.{tenths} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_redact::{Level, Shown};

    /// One of each kind. A new kind fails to compile in `words`, and is missing here
    /// until the count below is adjusted.
    fn one_of_each() -> Vec<Notice> {
        let (path, at) = ("/usr/lib/libfoo.so".to_owned(), PathBuf::from("/tmp/libfoo.so"));
        let (id, searched) = (Some("5c1e".to_owned()), vec![at.clone(); 5]);
        vec![
            Notice::CoreTruncated { missing_bytes: 3 << 20, size: 1 << 20 },
            Notice::StackMissing { tid: 7, reason: StackAbsence::Truncated },
            Notice::NoteMalformed { problem: "short".into() },
            Notice::CrashThreadInferred { tid: 7, rule: "the first one" },
            Notice::MachineUnsupported { e_machine: 22, name: "s390x" },
            Notice::ModuleMissing { path: path.clone(), build_id: id.clone(), searched },
            Notice::ModuleMismatch {
                path: path.clone(),
                wanted: "5c1e".into(),
                found: "none".into(),
                at: at.clone(),
            },
            Notice::ModuleUnverified { path: path.clone(), at: at.clone() },
            Notice::DebugInfoMissing { path: path.clone(), build_id: id, searched: vec![] },
            Notice::DebugFileMismatch { path: path.clone(), at: at.clone(), problem: "CRC".into() },
            Notice::DebugPartMissing { path: path.clone(), name: "a.dwo".into(), searched: vec![] },
            Notice::FileRefused { path: at.clone(), reason: "is a FIFO".into() },
            Notice::SourceDiffers { at: at.clone(), module: path.clone() },
            Notice::SourceNewer { at: at.clone(), module: path.clone() },
            Notice::DebuginfodFailed { url: "http://d".into(), error: "timed out".into() },
            Notice::DwarfMalformed { path, problem: "unknown form".into() },
            Notice::CoreFromMinidump { modules: 3 },
            Notice::LinkMapBroken { problem: "a loop".into() },
            Notice::UnwindStopped { tid: 7, frame: 3, reason: UnwindStop::NoTable },
            Notice::LimitReached { what: "threads", limit: 10 },
            Notice::ExecutableMismatch {
                at: at.clone(),
                wanted: "5c1e".into(),
                found: "77aa".into(),
            },
            Notice::ExecutableForced {
                at: at.clone(),
                wanted: "5c1e".into(),
                found: "77aa".into(),
            },
            Notice::ExecutableRefused { at, problem: "another build ID".into() },
        ]
    }

    #[test]
    fn every_notice_says_what_is_missing_and_what_to_do() {
        let mut redactor = Redactor::new(Level::Default, "");
        let mut codes: Vec<_> = one_of_each()
            .iter()
            .map(|notice| {
                let report = notice_report(notice, None, &mut redactor);
                assert!(report.text.as_str().len() > 10, "{notice:?}");
                assert!(report.hint.as_str().len() > 10, "{notice:?}");
                assert!(!report.text.as_str().ends_with('.'), "{notice:?}");
                assert!(!report.code.many(2).is_empty());
                report.code
            })
            .collect();
        codes.sort();
        codes.dedup();
        assert_eq!(
            codes.len(),
            22,
            "each notice has a code of its own, but for a wrong executable"
        );
    }

    #[test]
    fn a_missing_module_is_named_with_what_to_get_and_where_it_was_looked_for() {
        let mut redactor = Redactor::new(Level::Default, "");
        let notices = one_of_each();
        let missing = notice_report(&notices[5], None, &mut redactor);
        assert_eq!(missing.subject.as_ref().map(Shown::as_str), Some("libfoo.so"));
        assert_eq!(
            missing.text.as_str(),
            "no file for /usr/lib/libfoo.so (build ID 5c1e); looked for /tmp/libfoo.so, \
             /tmp/libfoo.so, /tmp/libfoo.so and 2 more places"
        );
        assert!(missing.hint.as_str().contains("--sysroot"));
    }

    #[test]
    fn a_known_package_is_named_in_the_hint() {
        let notices = one_of_each();
        let mut redactor = Redactor::new(Level::Default, "");
        let notice = notice_report(&notices[8], Some("libfoo1"), &mut redactor);
        assert!(notice.hint.as_str().starts_with("apt install libfoo1-dbgsym"));
    }

    #[test]
    fn sizes_are_written_as_people_write_them() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 40), "3.0 TiB");
    }
}
