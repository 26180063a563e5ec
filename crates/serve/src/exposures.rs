//! How much each build ran: a file that is read again when it changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use obit_triage::history::Exposure;

use crate::stamp::Stamp;

/// Reads a file of exposures, or says why it is none.
type Read = dyn Fn(&Path) -> Result<Arc<Exposure>, String> + Send + Sync;

/// The file that says how much each build ran.
pub struct ExposureFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is read.
    pub read: Box<Read>,
}

/// The exposures, as the file has them now. One that cannot be read changes nothing: what it
/// had before holds, and the server's own messages say so.
pub(crate) struct Exposures {
    file: Option<ExposureFile>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Of the file when it was read last; `None` where it was not there.
    stamp: Option<Option<Stamp>>,
    exposure: Option<Arc<Exposure>>,
    /// How often it changed.
    version: u64,
}

impl Exposures {
    pub(crate) fn of(file: Option<ExposureFile>) -> Self {
        Self { file, known: Mutex::default() }
    }

    /// What is known now, and a number that is another one after each change.
    pub(crate) fn current(&self, log: &dyn Fn(&str)) -> (Option<Arc<Exposure>>, u64) {
        let Some(file) = &self.file else { return (None, 0) };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(&file.path).ok();
        if known.stamp != Some(stamp) {
            known.stamp = Some(stamp);
            match (file.read)(&file.path) {
                Ok(exposure) => {
                    known.exposure = Some(exposure);
                    known.version = known.version.wrapping_add(1);
                }
                Err(problem) => log(&format!("{problem}; the exposures are those before")),
            }
        }
        (known.exposure.clone(), known.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_read_again_when_it_changes_and_a_wrong_one_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("exposure.csv");
        let read = |path: &Path| {
            let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
            Exposure::parse(&text).map(Arc::new).map_err(|error| error.to_string())
        };
        fs::write(&path, "version,hours\n1.0,5\n").unwrap();
        let file = ExposureFile { path: path.clone(), read: Box::new(read) };
        let exposures = Exposures::of(Some(file));
        let said = Mutex::new(Vec::new());
        let log = |text: &str| said.lock().unwrap().push(text.to_owned());
        let unit = || exposures.current(&log).0.unwrap().unit().map(str::to_owned);
        assert_eq!((unit().as_deref(), exposures.current(&log).1), (Some("hours"), 1));
        fs::write(&path, "version,requests\n1.0,50\n").unwrap();
        assert_eq!((unit().as_deref(), exposures.current(&log).1), (Some("requests"), 2));
        fs::write(&path, "version,requests\n1.0,-50\n").unwrap();
        assert_eq!((unit().as_deref(), exposures.current(&log).1), (Some("requests"), 2));
        let said = said.lock().unwrap();
        assert!(matches!(&said[..], [one] if one.contains("line 2")), "{said:?}");
        assert_eq!(Exposures::of(None).current(&|_| {}), (None, 0));
    }
}
