//! Which process crashed, how it was started, when and where.

use super::layout::cut_end;
use super::name;
use super::visible::visible;
use obit_report::{Report, ThreadReport, TimeSource};

/// Digits of a build ID that distinguish builds at a glance.
const BUILD_ID_DIGITS: usize = 12;
/// Columns of a process' or a thread's name.
const WIDEST_NAME: usize = 40;
/// Between the parts of one line.
const DOT: &str = " \u{b7} ";

/// `prog, build 5c1e0f7a99b0…, pid 7, thread 7 "main" (1 of 6)`.
pub(crate) fn process(report: &Report) -> String {
    let process = &report.process;
    let exe = process.exe.as_ref().map(name::base_name);
    let program = exe.or_else(|| process.comm.as_ref().map(name::shown));
    let mut parts =
        vec![cut_end(&program.unwrap_or_else(|| "unknown program".into()), WIDEST_NAME)];
    if let Some(build_id) = &process.build_id {
        parts.push(format!("build {}", short_build_id(build_id)));
    }
    if let Some(pid) = process.pid {
        parts.push(format!("pid {pid}"));
    }
    let crashed = report.threads.iter().position(|thread| thread.crashed);
    if let Some((at, thread)) = crashed.and_then(|at| Some((at, report.threads.get(at)?))) {
        parts.push(format!(
            "thread {}{} ({} of {})",
            thread.tid,
            quoted_name(thread),
            at + 1,
            report.threads.len()
        ));
    }
    parts.join(", ")
}

/// The command line, quoted as a shell reads it: `./server --config 'my file'`. The path of
/// the program follows where the command line has another one.
pub(crate) fn command_line(report: &Report) -> Option<String> {
    let process = &report.process;
    let first = process.args.first()?;
    let words: Vec<String> =
        process.args.iter().map(|word| quoted(&name::shown(word)).into_owned()).collect();
    let mut text = words.join(" ");
    if let Some(exe) =
        process.exe.as_ref().filter(|exe| !is_same_file(exe.as_str(), first.as_str()))
    {
        text.push_str(&format!("  ({})", name::shown(exe)));
    }
    Some(text)
}

/// Whether `argv0` can be how `exe` was called: the same last part.
fn is_same_file(exe: &str, argv0: &str) -> bool {
    let base = |path: &str| path.rsplit('/').next().map(str::to_owned);
    base(exe) == base(argv0)
}

/// `2026-03-01 12:34:56 UTC · host db1 · podman · web.service`; `None` where nothing is
/// known. When the file was written, which may be long after the crash, is left out unless
/// `with_file_time`.
pub(crate) fn circumstances(report: &Report, with_file_time: bool) -> Option<String> {
    let known = &report.circumstances;
    let is_of_file = known.time_source == Some(TimeSource::FileModified);
    let time = known.time.as_ref().filter(|_| with_file_time || !is_of_file).map(|time| {
        let time = visible(time).replace('T', " ").replace('Z', " UTC");
        if is_of_file { format!("core file written {time}") } else { time }
    });
    let host = known.host.as_ref().map(|host| format!("host {}", name::shown(host)));
    let others = [&known.container, &known.unit].into_iter().flatten().map(name::shown);
    let parts: Vec<String> = time.into_iter().chain(host).chain(others).collect();
    Some(parts.join(DOT)).filter(|text| !text.is_empty())
}

/// `word`, in quotes if a shell would not take it as one word.
fn quoted(word: &str) -> std::borrow::Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-<>[]#~^\u{2026}".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', "'\\''")).into(),
    }
}

/// The first digits of a build ID.
pub(crate) fn short_build_id(id: &str) -> String {
    match id.get(..BUILD_ID_DIGITS) {
        Some(start) if start.len() < id.len() => format!("{start}\u{2026}"),
        _ => id.to_owned(),
    }
}

/// ` "main"`, or nothing.
pub(crate) fn quoted_name(thread: &ThreadReport) -> String {
    let name = thread.name.as_ref().map(name::shown);
    name.map_or_else(String::new, |name| format!(" \"{}\"", cut_end(&name, WIDEST_NAME)))
}

#[cfg(test)]
mod tests {
    use super::super::samples::text;
    use super::*;
    use obit_report::{Circumstances, ProcessReport};

    #[test]
    fn the_command_line_is_quoted_and_names_another_path() {
        let of = |args: &[&str], exe: &str| {
            let args = args.iter().map(|word| text(word)).collect();
            let process = ProcessReport { args, exe: Some(text(exe)), ..Default::default() };
            command_line(&Report { process, ..Report::default() })
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(&["./a", "-n", "two words", ""], "/x/a"), some("./a -n 'two words' ''"));
        assert_eq!(of(&["worker: 1"], "/usr/sbin/nginx"), some("'worker: 1'  (/usr/sbin/nginx)"));
        assert_eq!(of(&["a", "it's"], "a"), some(r"a 'it'\''s'"));
        assert_eq!(of(&["a", "\u{1b}[1m"], "a"), some(r"a '\x1b[1m'"));
        assert_eq!(of(&[], "a"), None);
    }

    #[test]
    fn the_time_of_a_file_is_not_the_time_of_the_crash() {
        let known = |time_source| Report {
            circumstances: Circumstances {
                time: Some("2026-03-01T12:34:56Z".to_owned()),
                time_source: Some(time_source),
                unit: Some(text("web.service")),
                ..Circumstances::default()
            },
            ..Report::default()
        };
        let line = |source, with_file_time| circumstances(&known(source), with_file_time).unwrap();
        assert_eq!(line(TimeSource::Apport, false), "2026-03-01 12:34:56 UTC \u{b7} web.service");
        assert_eq!(line(TimeSource::FileModified, false), "web.service");
        assert_eq!(
            line(TimeSource::FileModified, true),
            "core file written 2026-03-01 12:34:56 UTC \u{b7} web.service"
        );
    }
}
