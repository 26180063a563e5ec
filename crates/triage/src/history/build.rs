//! Builds of a program, and crashes of them.

/// What is known of one build of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Build {
    /// The build ID of the program; empty where it has none.
    pub id: String,
    /// The program's name.
    pub program: String,
    /// The version of its package, or one its path names.
    pub version: Option<String>,
    /// How it was made, where its path shows it: `debug`, `release`.
    pub variant: Option<String>,
    /// Whether its path is one where people build and try programs.
    pub is_local: bool,
    /// Hosts with a dump of it, of those that are known.
    pub hosts: usize,
    /// Time of its first and last dump, seconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// Time by which a tenth of its dumps had come: one host with a wrong clock does not
    /// move it. With fewer than ten dumps, that of the first.
    pub settled: Option<i64>,
    /// Its dumps, of all groups.
    pub dumps: u64,
}

/// One crash, as history sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    /// Seconds since 1970.
    pub time: i64,
    /// When it came into the store, seconds since 1970.
    pub added: i64,
    /// Index of the build.
    pub build: usize,
    /// Index of the host, where it is known.
    pub host: Option<usize>,
}
