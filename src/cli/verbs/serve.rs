//! `obit serve`: the store as pages and as an API.

use std::path::PathBuf;

use clap::Args;
use obit::serve::{
    AskCores, Auth, ExposureFile, Listen, Role, ServeError, Server, Settings, Trusted, UsersError,
    new_token,
};

use super::watch::stop_on_signals;
use crate::cli::args::choices::{Choice, one_of};
use crate::cli::args::store::{ServedBuilds, clock, read_exposures};
use crate::cli::core_query::CoresBelow;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::message::say;

/// The description of the API, as it is published.
const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");

const ROLES: &[Choice<Role>] = &[
    ("viewer", "Sees all, redacted strictly", Role::Viewer),
    ("analyst", "Sees what is stored; changes states, assigns, adds notes", Role::Analyst),
    ("owner", "Also reveals crashes, with a reason, and reads the audit log", Role::Owner),
];

/// Where, and for whom.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen: ADDRESS:PORT, port 0 for any, or unix:PATH
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:7878")]
    listen: Listen,
    /// How users are known: none (this machine alone; everyone is an analyst), token-file FILE,
    /// or proxy-header NAME, a header that a proxy sets [default: none]
    #[arg(long, num_args = 1..=2, value_names = ["HOW", "FILE|NAME"])]
    auth: Vec<String>,
    /// A proxy that is believed: an address, a network such as 10.0.0.0/8, or unix
    #[arg(long, value_name = "NETWORK")]
    trusted_proxy: Vec<Trusted>,
    /// With proxy-header: a file of names and roles; who is not in it is a viewer
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Another name by which browsers ask for this server
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// The address that users type, if a proxy is before it: https://crashes.example
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Requests a second of each client; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 50)]
    rate: u32,
    /// Add this user to the token file, print the token once, and end
    #[arg(long, value_name = "NAME", requires = "role")]
    new_token: Option<String>,
    /// The role of the new user
    #[arg(long, value_name = "ROLE", value_parser = one_of(ROLES), requires = "new_token")]
    role: Option<Role>,
    /// Let analysts and owners ask the cores below this directory, as `obit query` does
    #[arg(long, value_name = "DIR")]
    cores: Option<PathBuf>,
    #[command(flatten)]
    builds: ServedBuilds,
}

pub(crate) fn run(args: &ServeArgs) -> Result<Exit, Failure> {
    let auth = auth(args)?;
    if let (Some(name), Some(role)) = (&args.new_token, args.role) {
        let Auth::Tokens(path) = &auth else {
            return Err(Failure::usage(&"--new-token needs the file: --auth token-file FILE"));
        };
        let token = new_token(path, name, role).map_err(of_users)?;
        Destination::lines().write(|out| writeln!(out, "{token}"))?;
        say(&format!("{name} may log in with this token; it is not shown again"));
        return Ok(Exit::Success);
    }
    if let Listen::Tcp(address) = &args.listen
        && !address.ip().is_loopback()
        && auth != Auth::None
        && args.url.is_none()
    {
        say("others may read what is sent to this address: put a proxy with TLS before it");
    }
    let server = Server::bind(Settings {
        store: args.builds.store.path()?,
        listen: args.listen.clone(),
        auth,
        hosts: args.host.clone(),
        url: args.url.clone(),
        rate: (args.rate > 0).then_some(args.rate),
        order: args.builds.order()?,
        exposure: args.builds.exposure()?.zip(args.builds.exposure_file()).map(|(_, path)| {
            ExposureFile { path: path.to_owned(), read: Box::new(read_exposures) }
        }),
        cores: args.cores.clone().map(cores_below).transpose()?,
        description: DESCRIPTION,
        log: Box::new(say),
        clock,
    })
    .map_err(refused)?;
    let (_, stop) = stop_on_signals().map_err(|error| Failure::new(Exit::Bug, &error))?;
    let url = server.url().to_owned();
    Destination::lines().write(|out| {
        writeln!(out, "{url}")?;
        out.flush()
    })?;
    say("Ctrl-C ends it");
    server.run(stop).map_err(refused)?;
    Ok(Exit::Success)
}

/// What asks the cores below a directory.
fn cores_below(directory: PathBuf) -> Result<Box<dyn AskCores>, Failure> {
    let named = directory.display().to_string();
    match CoresBelow::at(directory) {
        Ok(cores) => Ok(Box::new(cores)),
        Err(error) => Err(Failure::new(Exit::Usage, &format!("--cores {named}: {error}"))),
    }
}

/// How users are known, as `--auth` says.
fn auth(args: &ServeArgs) -> Result<Auth, Failure> {
    let words: Vec<&str> = args.auth.iter().map(String::as_str).collect();
    let usage = |problem: &str| Err(Failure::usage(&problem));
    let auth = match words.as_slice() {
        [] | ["none"] => Auth::None,
        ["token-file", path] => Auth::Tokens(PathBuf::from(path)),
        ["proxy-header", name] => {
            let is_name = |name: &str| {
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            if !is_name(name) {
                return usage(
                    "--auth proxy-header: expected the name of a header, such as X-Remote-User",
                );
            }
            if args.trusted_proxy.is_empty() {
                return usage(
                    "--auth proxy-header needs --trusted-proxy: anyone can send a header",
                );
            }
            Auth::Proxy {
                header: (*name).to_owned(),
                trusted: args.trusted_proxy.clone(),
                users: args.users.clone(),
            }
        }
        _ => return usage("--auth takes none, token-file FILE or proxy-header NAME"),
    };
    let is_proxy = matches!(auth, Auth::Proxy { .. });
    if !is_proxy && (args.users.is_some() || !args.trusted_proxy.is_empty()) {
        return usage("--users and --trusted-proxy go with --auth proxy-header NAME");
    }
    Ok(auth)
}

fn refused(error: ServeError) -> Failure {
    match error {
        ServeError::Store(error) => error.into(),
        ServeError::Users(error) => of_users(error),
        ServeError::Exposed(_) | ServeError::Url | ServeError::Taken(_) => Failure::usage(&error),
        error => Failure::new(Exit::Output, &error),
    }
}

fn of_users(error: UsersError) -> Failure {
    Failure::new(Exit::Usage, &error)
}
