//! The facts of one core.

use std::os::unix::ffi::OsStrExt;

use sha2::{Digest, Sha256};

use super::answer::CoreFacts;
use super::compiled_in::{Unknown, compiled_in};
use super::scan::{Found, LOSSES, scan};
use super::surroundings::{self, address};
use crate::batch::{Answer, Code};
use crate::circumstances::{self, FileEvidence};
use crate::report::{self, BuildOptions, Report};
use obit_analysis::CauseClass;
use obit_capture::Surroundings;
use obit_corefile::addr::Avma;
use obit_corefile::dump::{AuxKind, CoreFile, Dump};
use obit_corefile::notice::Notice;
use obit_incident::{Address, Facts, Failure, Id, Moment, Parent, Roles, SharedMemory};
use obit_process::process::{Options, Process};
use obit_redact::{Origin, Redactor};
use obit_report::TimeSource;

/// Errors by which a program knows that the other side of a connection is gone.
const ERRORS: [&str; 5] = ["ECONNRESET", "EPIPE", "ECONNREFUSED", "ECONNABORTED", "ENOTCONN"];
/// Bytes of the program in which the names of the functions that it calls are looked for.
const NAMES: usize = 4 << 20;
/// Numbers in a message that are kept.
const NUMBERS: usize = 16;
const SECOND: i64 = 1_000_000_000;
/// The time of a core file is when it was written to its end.
const OF_FILE: i64 = SECOND / 10;
const MILLISECOND: i64 = 1_000_000;
/// Names of shared memory by which processes that have nothing to do with each other may be using
/// the same: those of desktops, of sound servers, of browsers, of graphics.
const COMMON: [&[u8]; 12] = [
    b"/dev/shm/pulse-shm-",
    b"/dev/shm/jack",
    b"/dev/shm/sem.haveged",
    b"/dev/shm/.org.chromium",
    b"/dev/shm/.com.google",
    b"/dev/shm/org.mozilla",
    b"/dev/shm/wayland",
    b"/dev/shm/lttng",
    b"/dev/shm/nvidia",
    b"/dev/shm/nccl",
    b"/dev/shm/cuda",
    b"/dev/shm/u1000-",
];

/// What is compared of a text: those who see it do not know the text.
pub(super) fn key(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}

/// The facts of a core, whatever it is.
///
/// # Errors
/// The answer for a core that cannot be read cannot be put together.
pub fn facts(core: CoreFile, options: Options, build: BuildOptions) -> std::io::Result<CoreFacts> {
    let path = core.path.clone();
    let file = core.file.try_clone().ok();
    let dump = match Dump::open_file(core, &options.limits) {
        Ok(dump) => dump,
        Err(error) => {
            let code = Code::of_open_error(&error);
            return CoreFacts::failed(&path, file.as_ref(), &build, code, &error.to_string());
        }
    };
    let process = Process::of_dump(dump, options, &());
    let mut redactor = build.redactor(&process);
    let report = report::build(&process, build);
    let (record, note) = match circumstances::surroundings(&process.dump.surroundings) {
        Ok(record) => (record, None),
        Err(why) => (None, Some(why.to_owned())),
    };
    let mut facts = of_process(&process, &report, record.as_ref(), &mut redactor);
    facts.notes.extend(note);
    let is_damage = |notice: &Notice| matches!(notice, Notice::NoteMalformed { .. });
    if process.dump.notices.iter().any(is_damage) {
        let text = "cores of which not all notes could be read (`obit CORE` says which)";
        facts.notes.push(text.to_owned());
    }
    Ok(CoreFacts { facts, failure: None })
}

fn of_process(
    process: &Process,
    report: &Report,
    record: Option<&Surroundings>,
    redactor: &mut Redactor,
) -> Facts {
    let info = process.dump.process.as_ref();
    let circumstances = &report.circumstances;
    let cause = report.cause.as_ref();
    let text = |shown: &obit_redact::Shown| shown.as_str().to_owned();
    let own_pid = info.map(|info| info.pid);
    let sender = report.signal.as_ref().and_then(|signal| signal.sender_pid);
    let sender = sender.filter(|pid| Some(*pid) != own_pid);
    let known = known_texts(process);
    let unknown = Unknown::of(process);
    let found = scan(&process.dump, &known, &unknown);
    let is_little = process.dump.encoding.little_endian;
    let texts = found.ids.keys().map(|(_, id)| id).chain(&found.addresses);
    let fixed = compiled_in(process, &texts.map(String::as_str).collect::<Vec<_>>(), is_little);
    let mut facts = Facts {
        core: text(&report.core.path),
        id: report.id.clone(),
        pid: own_pid,
        parent: info
            .and_then(|info| info.parent)
            .map(|pid| Parent { pid, started: record.and_then(|record| record.parent_started) }),
        session: info.and_then(|info| info.session),
        started: record.and_then(|record| record.started),
        command: report.process.comm.as_ref().map(text),
        numbers: record.and_then(|record| record.numbers),
        own_numbers: record.and_then(|record| record.own_numbers),
        host: circumstances.host.as_ref().map(text),
        boot: record.and_then(|record| record.boot.as_ref()).map(|boot| key(boot.as_bytes())),
        container: circumstances.container.as_ref().map(text),
        unit: circumstances.unit.as_ref().map(text),
        time: moment(process, record),
        signal: report.signal.as_ref().map(|signal| signal.name.clone()),
        sender,
        failure: failure(report, sender),
        class: cause.map(|cause| cause.class.clone()),
        title: cause.map(|cause| title(report, cause)),
        message: cause.and_then(|cause| cause.message.as_ref()).map(text),
        roles: roles(process),
        random: random(process),
        ..Facts::default()
    };
    facts.losses = losses(report, &found);
    let message = cause.and_then(|cause| cause.message.as_ref()).map(text);
    facts.named_processes = numbers(message.as_deref().unwrap_or_default());
    if let Some(record) = record {
        facts.network = Some(surroundings::network(record, redactor));
        facts.shared = surroundings::shared(record, redactor);
        if record.is_cut || surroundings::is_cut(record) {
            facts.notes.push("cores whose recorded table of descriptors is not whole".to_owned());
        }
    } else {
        facts.shared = shared(process, redactor);
    }
    let with_build = |text: &String| {
        let build = fixed.texts.get(text).cloned();
        Address { build, ..address(text, redactor) }
    };
    facts.addresses = found.addresses.iter().map(with_build).collect();
    let id = |((what, id), place): (&(&'static str, String), &Option<String>)| Id {
        what: (*what).to_owned(),
        key: key(format!("{what} {id}").as_bytes()),
        shown: redactor.show(Origin::MessageText, id).into_string(),
        place: place.clone(),
    };
    // What is compiled in is of no request.
    let ids = found.ids.iter().filter(|((_, id), _)| !fixed.texts.contains_key(id));
    facts.ids = ids.map(id).collect();
    if fixed.is_cut {
        facts.notes.push("cores whose program was not looked through to its end".to_owned());
    }
    if found.is_cut {
        facts.notes.push("cores whose memory was not looked through to its end".to_owned());
    }
    facts
}

/// The title of the cause, with the function that it is about.
fn title(report: &Report, cause: &obit_report::Cause) -> String {
    let blamed = cause.blame.as_ref().and_then(|blame| blame.function.as_ref());
    let innermost = || report.crashed_thread()?.frames.first()?.function.as_ref();
    match blamed.or_else(innermost) {
        Some(function) => format!("{} in {}", cause.title.as_str(), function.as_str()),
        None => cause.title.as_str().to_owned(),
    }
}

fn failure(report: &Report, sender: Option<i64>) -> Failure {
    if report.is_snapshot() {
        return Failure::Snapshot;
    }
    let class = report.cause.as_ref().and_then(|cause| CauseClass::named(&cause.class));
    match class.map(CauseClass::word) {
        None => Failure::Unknown,
        Some("external-signal") => Failure::Sent,
        Some(_) if sender.is_some() => Failure::Sent,
        Some(
            "abort" | "assertion" | "uncaught-exception" | "noexcept-violation" | "terminate"
            | "rust-panic" | "go-panic" | "go-fatal" | "fatal-log",
        ) => Failure::Deliberate,
        Some("signal" | "deadlock") => Failure::Unknown,
        Some(_) => Failure::Fault,
    }
}

/// When the process crashed, by the best that says so.
fn moment(process: &Process, record: Option<&Surroundings>) -> Option<Moment> {
    if let Some(record) = record.filter(|record| record.time > 0) {
        let nanoseconds = record.time;
        return Some(Moment { nanoseconds, precision: MILLISECOND, is_of_file: false });
    }
    let dump = &process.dump;
    let evidence = FileEvidence::of(&dump.path, dump.file.as_ref(), &dump.beside);
    let (seconds, source) = evidence.time?;
    let nanoseconds = seconds.checked_mul(SECOND)?;
    if source != TimeSource::FileModified {
        return Some(Moment { nanoseconds, precision: SECOND, is_of_file: false });
    }
    let file = dump.file.as_ref().and_then(|file| rustix::fs::fstat(file).ok());
    let fraction = file.filter(|stat| stat.st_mtime == seconds);
    let fraction = fraction.and_then(|stat| i64::try_from(stat.st_mtime_nsec).ok());
    let precision = if fraction.is_some() { OF_FILE } else { SECOND };
    let nanoseconds = nanoseconds.checked_add(fraction.unwrap_or(0))?;
    Some(Moment { nanoseconds, precision, is_of_file: true })
}

/// What says that a connection was lost, the surest first.
fn losses(report: &Report, found: &Found) -> Vec<String> {
    let mut all = Vec::new();
    let cause = report.cause.as_ref();
    let texts = cause.into_iter().flat_map(|cause| &cause.evidence);
    let texts = texts.map(|evidence| evidence.text.as_str());
    all.extend(
        texts.filter(|text| ERRORS.iter().any(|error| text.contains(error))).map(str::to_owned),
    );
    let message = cause.and_then(|cause| cause.message.as_ref()).map(obit_redact::Shown::as_str);
    if let Some(message) = message
        && let Some(loss) = LOSSES.iter().chain(&ERRORS).find(|loss| message.contains(**loss))
    {
        all.push(format!("its message says \"{loss}\""));
    }
    all.extend(found.losses.iter().map(|loss| format!("its memory holds \"{loss}\"")));
    all.truncate(4);
    all
}

/// Numbers in a text that may be those of processes.
fn numbers(text: &str) -> Vec<i64> {
    let words = text.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    let numbers = words.filter_map(|word| word.parse().ok()).filter(|number| *number > 1);
    numbers.take(NUMBERS).collect()
}

/// Arguments and environment: what a job gave all its processes.
fn known_texts(process: &Process) -> Vec<u8> {
    let all = process.argv().unwrap_or_default().into_iter();
    let all = all.chain(process.environment().unwrap_or_default());
    all.flat_map(|text| [text, vec![0]].concat()).collect()
}

fn random(process: &Process) -> Option<String> {
    let at = process.dump.auxv.get(AuxKind::Random).filter(|at| *at != 0)?;
    let mut bytes = [0; 16];
    process.memory.read(Avma(at), &mut bytes).ok()?;
    // A core that was scrubbed holds others.
    let is_random = bytes.iter().any(|byte| *byte != bytes.first().copied().unwrap_or(0));
    is_random.then(|| key(&bytes))
}

/// Names of memory in the list of mapped files: the kernel's, which has no inodes.
fn shared(process: &Process, redactor: &mut Redactor) -> Vec<SharedMemory> {
    let mut all: Vec<SharedMemory> = Vec::new();
    for file in &process.dump.mapped_files {
        let path = file.path.as_os_str().as_bytes();
        let is_named = path.starts_with(b"/dev/shm/") || path.starts_with(b"/run/shm/");
        let is_keyed = path.starts_with(b"/SYSV") && !path.starts_with(b"/SYSV00000000");
        let key = key(path);
        if !(is_named || is_keyed) || all.iter().any(|known| known.key == key) || all.len() >= 512 {
            continue;
        }
        all.push(SharedMemory {
            key,
            shown: redactor.show_bytes(Origin::Path, path).into_string(),
            object: None,
            is_writable: None,
            is_common: COMMON.iter().any(|start| path.starts_with(start)),
        });
    }
    all
}

/// By the functions that the program asks its libraries for. Of one that asks for none, as a
/// static program does, nothing is known.
fn roles(process: &Process) -> Roles {
    let mut roles = Roles::default();
    for module in process.modules.list() {
        let name = module.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        // The C library makes connections of its own, to look up names.
        let is_system = ["libc.", "libc-", "ld-", "libpthread", "libresolv", "libnss", "[vdso]"];
        if is_system.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let size = usize::try_from(module.range.len()).unwrap_or(NAMES).min(NAMES);
        let bytes = process.memory.peek_up_to(module.base, size);
        let has = |name: &[u8]| {
            let wanted = [b"\0", name, b"\0"].concat();
            memchr::memmem::find(&bytes, &wanted).is_some()
        };
        let accepts = has(b"listen") && (has(b"accept") || has(b"accept4"));
        roles.accepts |= accepts;
        // Who sends without a connection, or looks up names, has addresses of others, too.
        let others: [&[u8]; 4] = [b"connect", b"sendto", b"sendmsg", b"getaddrinfo"];
        roles.connects |= others.into_iter().any(has);
    }
    roles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_processes_are_taken_from_a_message() {
        assert_eq!(numbers("worker 4711: signal 11, see 1"), [4711, 11]);
        assert!(numbers("99999999999999999999").is_empty());
    }

    #[test]
    fn a_key_does_not_say_what_it_is_of() {
        assert_eq!(key(b"127.0.0.1:80").len(), 32);
        assert_ne!(key(b"a"), key(b"b"));
    }
}
