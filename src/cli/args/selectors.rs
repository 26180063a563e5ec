//! Which crashes of a list, as `coredumpctl list` takes it.

use clap::Args;
use obit::redact::Shown;
use obit::triage::{Record, module_name};

/// Suffixes of units; a name without one is a service's, as for systemctl.
const UNITS: [&str; 4] = [".service", ".scope", ".slice", ".socket"];

/// Alternatives of one kind are joined by "or", kinds by "and".
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Selectors {
    /// Only crashes of this process id, path of a program (with a /), or name of a program or
    /// process
    #[arg(value_name = "PID|PATH|NAME")]
    words: Vec<String>,
    /// Only crashes of this program: its path, or the name of its file
    #[arg(long, value_name = "PATH|NAME")]
    exe: Vec<String>,
    /// Only crashes of this process id, in its container or outside
    #[arg(long, value_name = "PID")]
    pid: Vec<i64>,
    /// Only crashes of this systemd unit
    #[arg(long, value_name = "UNIT")]
    unit: Vec<String>,
}

impl Selectors {
    /// Whether anything is selected.
    pub(crate) fn are_any(&self) -> bool {
        !(self.words.is_empty()
            && self.exe.is_empty()
            && self.pid.is_empty()
            && self.unit.is_empty())
    }

    /// Whether a crash is selected.
    pub(crate) fn take(&self, record: &Record) -> bool {
        let any =
            |of: &[String], is_it: &dyn Fn(&String) -> bool| of.is_empty() || of.iter().any(is_it);
        any(&self.words, &|word| is_word(record, word))
            && any(&self.exe, &|exe| is_program(record, exe))
            && (self.pid.is_empty() || self.pid.iter().any(|pid| is_pid(record, *pid)))
            && any(&self.unit, &|unit| is_unit(record, unit))
    }
}

fn is_word(record: &Record, word: &str) -> bool {
    match word.parse() {
        Ok(pid) => is_pid(record, pid),
        Err(_) if word.contains('/') => is_program(record, word),
        Err(_) => {
            let comm = record.process.comm.as_ref();
            is_program(record, word) || comm.is_some_and(|comm| comm.as_str() == word)
        }
    }
}

/// The number in the core, which may be of a container, or that of the machine.
fn is_pid(record: &Record, pid: i64) -> bool {
    let recorded = record.circumstances.recorded.as_ref().and_then(|recorded| recorded.pid);
    record.process.pid == Some(pid) || recorded == Some(pid)
}

fn is_program(record: &Record, wanted: &str) -> bool {
    let recorded = record.circumstances.recorded.as_ref();
    let recorded = recorded.and_then(|recorded| recorded.exe.as_ref());
    let mut paths = record.process.exe.iter().chain(recorded).map(Shown::as_str);
    match wanted.contains('/') {
        true => paths.any(|path| path == wanted),
        false => {
            paths.any(|path| module_name(path) == wanted || path.ends_with(&format!("/{wanted}")))
        }
    }
}

fn is_unit(record: &Record, wanted: &str) -> bool {
    let Some(unit) = &record.circumstances.unit else { return false };
    let has_suffix = UNITS.iter().any(|suffix| wanted.ends_with(suffix));
    unit.as_str() == wanted || (!has_suffix && unit.as_str() == format!("{wanted}.service"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit::report::{Circumstances, ProcessReport, Recorded};

    fn record() -> Record {
        let shown = |text: &str| Some(Shown::from_report(text.to_owned()));
        Record {
            process: ProcessReport {
                pid: Some(7),
                comm: shown("worker"),
                exe: shown("/usr/bin/shop"),
                ..ProcessReport::default()
            },
            circumstances: Circumstances {
                unit: shown("web.service"),
                recorded: Some(Recorded { pid: Some(4711), ..Recorded::default() }),
                ..Circumstances::default()
            },
            ..Record::default()
        }
    }

    fn words(words: &[&str]) -> bool {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Selectors { words, ..Selectors::default() }.take(&record())
    }

    #[test]
    fn a_word_is_a_number_a_path_or_a_name() {
        assert!(words(&["7"]) && words(&["4711"]) && words(&["/usr/bin/shop"]));
        assert!(words(&["shop"]) && words(&["worker"]) && words(&["other", "shop"]));
        assert!(!words(&["8"]) && !words(&["/bin/shop"]) && !words(&["sho"]));
    }

    #[test]
    fn kinds_must_all_match() {
        let of = |pid: i64, unit: &str| {
            Selectors { pid: vec![pid], unit: vec![unit.to_owned()], ..Selectors::default() }
                .take(&record())
        };
        assert!(of(7, "web") && of(4711, "web.service"));
        assert!(!of(7, "web.scope") && !of(8, "web") && !of(7, "we"));
        assert!(!Selectors::default().are_any());
    }
}
