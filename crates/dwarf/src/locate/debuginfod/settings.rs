//! The settings of the debuginfod client, and the environment they come from.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::network::Network;
use obit_corefile::mapped_file::open_regular;

/// How long a server may send nothing. elfutils waits 90 s; a server that does not answer
/// should cost seconds only.
const SILENCE: Duration = Duration::from_secs(20);
/// How long all questions of one run may take together.
const RUN: Duration = Duration::from_secs(90);
/// The largest file of headers that is read.
const HEADERS_BYTES: u64 = 64 << 10;

/// Which debuginfod servers to ask, and what it may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debuginfod {
    /// The servers, asked in this order. Only `http` and `https` will do.
    pub urls: Vec<String>,
    /// The directory of downloads, laid out as elfutils does and shared with it.
    pub cache: PathBuf,
    /// How long a server may take to connect, to answer, or to send more.
    pub timeout: Duration,
    /// How long all questions of one run may take together.
    pub max_time: Duration,
    /// The largest file that is downloaded, in bytes. `None`: 2 GiB.
    pub max_bytes: Option<u64>,
    /// Headers to send along, for servers behind a login. They go to the servers that are
    /// named here, and not to where these redirect.
    pub headers: Vec<(String, String)>,
    /// What all clients of the run share.
    pub network: Network,
}

impl Debuginfod {
    /// These servers with elfutils' cache and default budgets.
    pub fn new(urls: Vec<String>, cache: PathBuf) -> Self {
        let (timeout, max_time) = (SILENCE, RUN);
        let network = Network::default();
        Self { urls, cache, timeout, max_time, max_bytes: None, headers: Vec::new(), network }
    }

    /// What `DEBUGINFOD_URLS`, `_CACHE_PATH`, `_TIMEOUT`, `_MAXTIME`, `_MAXSIZE` and
    /// `_HEADERS_FILE` say; `None` when no server is named
    /// (debuginfod-client-config(7)).
    pub fn from_environment() -> Option<Self> {
        Self::with_servers(&std::env::var("DEBUGINFOD_URLS").ok()?)
    }

    /// The servers in `urls`, separated by blanks, and for the rest what the environment
    /// says; `None` when there is none, or no directory for downloads.
    pub fn with_servers(urls: &str) -> Option<Self> {
        Self::from_variables(urls, |name| std::env::var(name).ok())
    }

    fn from_variables(urls: &str, variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        // `ima:…` words among the URLs are policies for elfutils' signature checks.
        let urls = urls.split_whitespace().filter(|word| !word.starts_with("ima:"));
        let urls: Vec<String> = urls.map(str::to_owned).collect();
        if urls.is_empty() {
            return None;
        }
        let mut settings = Self::new(urls, cache_directory(&variable)?);
        // As with elfutils, 0 means no limit of one's own.
        let number = |name| variable(name)?.trim().parse().ok().filter(|number: &u64| *number > 0);
        settings.timeout = number("DEBUGINFOD_TIMEOUT").map_or(SILENCE, Duration::from_secs);
        settings.max_time = number("DEBUGINFOD_MAXTIME").map_or(RUN, Duration::from_secs);
        settings.max_bytes = number("DEBUGINFOD_MAXSIZE");
        let headers = variable("DEBUGINFOD_HEADERS_FILE");
        settings.headers = headers.map(|path| read_headers(Path::new(&path))).unwrap_or_default();
        Some(settings)
    }
}

/// The first of: the user's choice, the directory of old elfutils where it exists, the
/// XDG cache.
fn cache_directory(variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let directory = |name| variable(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(chosen) = directory("DEBUGINFOD_CACHE_PATH") {
        return Some(chosen);
    }
    let home = directory("HOME");
    let legacy = home.as_ref().map(|home| home.join(".debuginfod_client_cache"));
    if let Some(legacy) = legacy.filter(|legacy| legacy.is_dir()) {
        return Some(legacy);
    }
    let xdg = directory("XDG_CACHE_HOME").or_else(|| Some(home?.join(".cache")))?;
    Some(xdg.join("debuginfod_client"))
}

/// The `Name: value` lines of a file; none if it cannot be read.
fn read_headers(path: &Path) -> Vec<(String, String)> {
    let mut text = String::new();
    let read =
        open_regular(path).and_then(|file| file.take(HEADERS_BYTES).read_to_string(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    let pairs = pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    pairs.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Option<Debuginfod> {
        let variable = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        };
        Debuginfod::from_variables(&variable("DEBUGINFOD_URLS")?, variable)
    }

    #[test]
    fn without_a_server_there_is_no_client() {
        assert_eq!(from(&[("HOME", "/nowhere")]), None);
        assert_eq!(from(&[("HOME", "/nowhere"), ("DEBUGINFOD_URLS", "  ")]), None);
    }

    #[test]
    fn the_cache_is_elfutils_cache() {
        let servers = ("DEBUGINFOD_URLS", "https://a http://b:8002");
        let plain = from(&[servers, ("HOME", "/nowhere")]).unwrap();
        assert_eq!(plain.urls, ["https://a", "http://b:8002"]);
        assert_eq!(plain.cache, Path::new("/nowhere/.cache/debuginfod_client"));
        let xdg = from(&[servers, ("HOME", "/nowhere"), ("XDG_CACHE_HOME", "/c")]).unwrap();
        assert_eq!(xdg.cache, Path::new("/c/debuginfod_client"));
        let chosen = from(&[servers, ("DEBUGINFOD_CACHE_PATH", "/d")]).unwrap();
        assert_eq!(chosen.cache, Path::new("/d"));
    }

    #[test]
    fn limits_are_read_and_zero_means_the_default() {
        let settings = from(&[
            ("DEBUGINFOD_URLS", "http://a"),
            ("HOME", "/nowhere"),
            ("DEBUGINFOD_TIMEOUT", "3"),
            ("DEBUGINFOD_MAXTIME", "0"),
            ("DEBUGINFOD_MAXSIZE", "1000"),
        ])
        .unwrap();
        assert_eq!(settings.timeout, Duration::from_secs(3));
        assert_eq!(settings.max_time, RUN);
        assert_eq!(settings.max_bytes, Some(1000));
    }

    #[test]
    fn the_servers_of_the_command_line_have_the_limits_of_the_environment() {
        let variables = [("HOME", "/nowhere"), ("DEBUGINFOD_TIMEOUT", "3")];
        let variable = |name: &str| {
            let pair = variables.iter().find(|(key, _)| *key == name);
            pair.map(|(_, value)| (*value).to_owned())
        };
        let settings = Debuginfod::from_variables("http://a ima:ignore http://b", variable);
        let settings = settings.unwrap();
        assert_eq!(settings.urls, ["http://a", "http://b"]);
        assert_eq!(settings.timeout, Duration::from_secs(3));
        assert_eq!(Debuginfod::from_variables(" ima:ignore ", variable), None);
    }

    #[test]
    fn headers_come_from_a_file_of_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "\nAuthorization: Bearer x\nnonsense\n").unwrap();
        let path = file.path().to_string_lossy().into_owned();
        let settings = from(&[
            ("DEBUGINFOD_URLS", "http://a"),
            ("HOME", "/nowhere"),
            ("DEBUGINFOD_HEADERS_FILE", &path),
        ]);
        let headers = settings.unwrap().headers;
        assert_eq!(headers, [("Authorization".to_owned(), "Bearer x".to_owned())]);
    }
}
