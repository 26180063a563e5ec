//! What became of a group over time and builds.

/// What is known of the builds of one program, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The build ID of the program.
    pub id: String,
    /// The program's name.
    pub program: String,
    /// The version of its package, or one its path names.
    pub version: Option<String>,
    /// Time of its first and last dump, seconds since 1970.
    pub seen: Option<(i64, i64)>,
    /// Its dumps, of all groups.
    pub dumps: u64,
}

/// One crash, as history sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Seconds since 1970.
    pub time: i64,
    /// Index of the build, where it is known.
    pub build: Option<usize>,
    /// Index of the host, where it is known.
    pub host: Option<usize>,
}

/// What the user said of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    #[default]
    Open,
    /// It is mended in this build and later ones, or from that time on.
    Resolved {
        /// Build ID or version.
        in_build: Option<String>,
        /// When that was said, seconds since 1970.
        at: i64,
    },
    /// Nobody wants to hear of it.
    Ignored,
}
