//! What debuginfod servers hold: debug files and executables by build ID
//! (debuginfod(8), "Webapi").

mod artifact;
mod cache;
mod client;
mod http;
mod network;
mod settings;

pub use artifact::Artifact;
pub(super) use client::Client;
pub use client::Fetched;
pub use network::Network;
pub use settings::Debuginfod;
