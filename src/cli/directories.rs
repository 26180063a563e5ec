//! The user's directories, by the XDG base directory specification.

use std::path::PathBuf;

use etcetera::base_strategy::{BaseStrategy, Xdg};

/// `$XDG_CONFIG_HOME`, else `~/.config`; `None` without a home directory.
pub(crate) fn configuration() -> Option<PathBuf> {
    absolute(xdg()?.config_dir())
}

/// `$XDG_CACHE_HOME`, else `~/.cache`.
pub(crate) fn cache() -> Option<PathBuf> {
    absolute(xdg()?.cache_dir())
}

/// `$XDG_STATE_HOME`, else `~/.local/state`.
pub(crate) fn state() -> Option<PathBuf> {
    absolute(xdg()?.state_dir()?)
}

fn xdg() -> Option<Xdg> {
    Xdg::new().ok()
}

/// A home directory that is relative would mean another place in each working directory.
fn absolute(directory: PathBuf) -> Option<PathBuf> {
    directory.is_absolute().then_some(directory)
}
