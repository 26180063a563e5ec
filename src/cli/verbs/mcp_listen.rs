//! `obit mcp --listen`: the protocol by HTTP, for clients of this machine that know a token.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use obit::mcp::{Hub, PATH};
use obit::serve::{MessageServer, ServeError, fresh_token};

use super::watch::stop_on_signals;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;
use crate::cli::private_file;

/// Bytes of a token.
const LONGEST: u64 = 1024;
/// Rights of others to a file.
const OF_OTHERS: u32 = 0o077;

/// Answers until a signal ends it.
pub(super) fn run(address: SocketAddr, token_file: &Path, hub: Hub) -> Result<Exit, Failure> {
    let token = token(token_file)?;
    let refused = |error: ServeError| match error {
        ServeError::NotLoopback(_) | ServeError::Token(_) => Failure::usage(&error),
        _ => Failure::new(Exit::Output, &error),
    };
    let server = MessageServer::bind(address, PATH, &token).map_err(refused)?;
    let (_, stop) = stop_on_signals().map_err(|error| Failure::new(Exit::Bug, &error))?;
    say(&format!("MCP at {} with the token in {}", server.url(), token_file.display()));
    server.run(stop, Arc::new(hub)).map_err(refused)?;
    Ok(Exit::Success)
}

/// The token of a file that no one else can read; a new one if there is no such file.
fn token(path: &Path) -> Result<String, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::usage(&format!("--token-file: {}: {error}", path.display()))
    };
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let token = fresh_token().map_err(|error| failed(&error))?;
            let mut file = private_file::create_new(path).map_err(|error| failed(&error))?;
            writeln!(file, "{token}").map_err(|error| failed(&error))?;
            return Ok(token);
        }
        opened => opened.map_err(|error| failed(&error))?,
    };
    let mode = file.metadata().map_err(|error| failed(&error))?.mode();
    if mode & OF_OTHERS != 0 {
        return Err(failed(&"others may read it; `chmod 600` keeps it yours"));
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| failed(&error))?;
    Ok(text.trim().to_owned())
}
