//! What decrypts a core that came encrypted.

use std::path::PathBuf;

use clap::Args;

/// Of every verb that opens a core.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Unlocking {
    /// Decrypt the core with the secret keys in this file, as age-keygen writes them (repeatable)
    ///
    /// A passphrase is asked for on the terminal, or read from OBIT_PASSPHRASE.
    #[arg(
        long,
        env = "OBIT_IDENTITY",
        value_name = "FILE",
        value_delimiter = None,
        hide_short_help = true
    )]
    pub(crate) identity: Vec<PathBuf>,
}
