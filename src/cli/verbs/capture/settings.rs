//! `/etc/obit/capture.toml`: where crashes are kept, and what they may cost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use obit_capture::handler::Settings;
use obit_capture::spool::{Quota, Rates};
use toml::de::{DeTable, DeValue};

use crate::cli::args::quantities;
use crate::cli::trusted_file::{Distrust, trusted};

/// Where it is.
pub(super) const PATH: &str = "/etc/obit/capture.toml";
/// Where crashes are kept.
pub(super) const SPOOL: &str = "/var/lib/obit/cores";

/// What an administrator may set.
#[derive(Clone, Debug)]
pub(super) struct CaptureSettings {
    /// The directory.
    pub(super) spool: PathBuf,
    pub(super) handler: Settings,
    /// Whether a report is made of each core.
    pub(super) reports: bool,
    /// How long that may take.
    pub(super) report_time: Duration,
}

impl Default for CaptureSettings {
    fn default() -> Self {
        Self {
            spool: SPOOL.into(),
            handler: Settings {
                quota: Quota { bytes: 8 << 30, percent: 10, free_percent: 5, crashes: 2000 },
                rates: Rates { per_program: 20, per_user: 200, seconds: 60 },
                core_bytes: 32 << 30,
                time: Duration::from_secs(300),
                honours_core_limit: true,
            },
            reports: true,
            report_time: Duration::from_secs(10),
        }
    }
}

/// Why the settings are not used.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is not used: {reason}", path.display())]
    Distrusted { path: PathBuf, reason: Distrust },
    #[error("{}: {problem}", path.display())]
    Malformed { path: PathBuf, problem: String },
}

impl CaptureSettings {
    /// Those of the file at `path`, which was named, else of the usual one if it exists.
    pub(super) fn load(path: Option<&Path>) -> Result<Self, SettingsError> {
        let (path, is_named) = path.map_or((Path::new(PATH), false), |path| (path, true));
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => {
                return Ok(Self::default());
            }
            Err(source) => return Err(SettingsError::Read { path: path.to_owned(), source }),
        };
        // A relative path has no directory above it that could be looked at.
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        trusted(path)
            .map_err(|reason| SettingsError::Distrusted { path: path.to_owned(), reason })?;
        Self::parse(&text)
            .map_err(|problem| SettingsError::Malformed { path: path.to_owned(), problem })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table =
            DeTable::parse(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let mut settings = Self::default();
        let Settings { quota, rates, core_bytes, time, honours_core_limit } = &mut settings.handler;
        for (key, value) in table.get_ref() {
            let (key, value) = (key.get_ref(), value.get_ref());
            let wrong = |wanted: &str| format!("`{key}`: expected {wanted}");
            let number = || number(value).and_then(|number| u32::try_from(number).ok());
            let count = || number().ok_or_else(|| format!("`{key}`: expected a number"));
            let percent = || {
                let number = number().and_then(|number| u8::try_from(number).ok());
                number.filter(|percent| *percent <= 100).ok_or_else(|| wrong("0 to 100"))
            };
            let bytes = || size(value).ok_or_else(|| wrong("a size, such as \"512M\" or \"2G\""));
            let truth = || match value {
                DeValue::Boolean(truth) => Ok(*truth),
                _ => Err(wrong("true or false")),
            };
            let seconds = || Ok::<_, String>(Duration::from_secs(u64::from(count()?.max(1))));
            match key.as_ref() {
                "spool" => {
                    let text = if let DeValue::String(text) = value { Some(text) } else { None };
                    let path = text.map(|text| PathBuf::from(&**text));
                    let path = path.filter(|path| path.is_absolute());
                    settings.spool = path.ok_or_else(|| wrong("an absolute path"))?;
                }
                "max-bytes" => quota.bytes = bytes()?,
                "max-percent" => quota.percent = percent()?,
                "keep-free-percent" => quota.free_percent = percent()?,
                "max-crashes" => quota.crashes = count()?.max(1) as usize,
                "max-core-bytes" => *core_bytes = bytes()?,
                "time-limit" => *time = seconds()?,
                "per-program" => rates.per_program = count()?,
                "per-user" => rates.per_user = count()?,
                "per-seconds" => rates.seconds = count()?,
                "honour-core-limit" => *honours_core_limit = truth()?,
                "report" => settings.reports = truth()?,
                "report-time-limit" => settings.report_time = seconds()?,
                _ => return Err(format!("no setting is called `{key}`")),
            }
        }
        Ok(settings)
    }
}

fn number(value: &DeValue<'_>) -> Option<u64> {
    let DeValue::Integer(number) = value else { return None };
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn size(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::String(text) => quantities::bytes(text).ok(),
        _ => number(value).filter(|bytes| *bytes > 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_as_usual() {
        let settings = CaptureSettings::parse("max-bytes = \"512M\"\nper-program = 3").unwrap();
        assert_eq!(settings.handler.quota.bytes, 512 << 20);
        assert_eq!(settings.handler.rates.per_program, 3);
        assert_eq!((settings.handler.quota.percent, settings.handler.quota.crashes), (10, 2000));
        assert_eq!(settings.spool, Path::new(SPOOL));
    }

    #[test]
    fn a_setting_that_is_wrong_is_named() {
        let problem = |text: &str| CaptureSettings::parse(text).unwrap_err();
        assert_eq!(problem("max-percent = 101"), "`max-percent`: expected 0 to 100");
        assert_eq!(problem("spool = \"cores\""), "`spool`: expected an absolute path");
        assert_eq!(problem("max-byte = 1"), "no setting is called `max-byte`");
        assert!(problem("report = 1").contains("true or false"));
    }

    #[test]
    fn a_file_that_others_may_write_to_decides_nothing() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("capture.toml");
        fs::write(&path, "per-program = 3").unwrap();
        assert!(CaptureSettings::load(Some(&path)).is_ok());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let refused = CaptureSettings::load(Some(&path)).unwrap_err().to_string();
        assert!(refused.contains("other users may write"), "{refused}");
    }
}
