//! `postgres://USER@HOST/DATABASE`: where the server is, and how it is spoken to.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::{Client, Config, NoTls};

use super::pgpass::{For, password};
use super::tls::{connector, usual_roots};
use super::trouble::{line, problem};
use crate::store::error::{CentralProblem, StoreError};

/// How long a server may take to answer a connection.
const TO_CONNECT: Duration = Duration::from_secs(10);
/// After this a connection that carries nothing is looked at, and how often, before it counts
/// as lost.
const IDLE: Duration = Duration::from_secs(30);
const AGAIN: Duration = Duration::from_secs(10);
const TRIES: u32 = 3;
/// Parameters that are left to the client library.
const PASSED_ON: [&str; 9] = [
    "application_name",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "user",
];

/// The address of a server.
pub(super) struct Address {
    config: Config,
    tls: Option<Option<PathBuf>>,
    /// How long all of connecting may take.
    patience: Duration,
    /// Without a password.
    pub(super) shown: String,
}

impl Address {
    /// Takes an address apart.
    pub(super) fn parse(text: &Path) -> Result<Self, StoreError> {
        let wrong = |problem: &str| StoreError::Central {
            // A text that cannot be understood may have a password anywhere.
            place: "postgres://…".to_owned(),
            problem: CentralProblem::Address(problem.to_owned()),
        };
        let text = text.to_str().ok_or_else(|| wrong("the address is not UTF-8"))?;
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut passed, mut mode, mut roots) = (Vec::new(), None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(decoded(value))),
                Some((name, _)) if PASSED_ON.contains(&name) => passed.push(pair),
                Some((name, _)) => {
                    let name = line(name);
                    return Err(wrong(&format!("the address has an unknown parameter `{name}`")));
                }
                None => return Err(wrong("a parameter of the address has no value")),
            }
        }
        let (scheme, rest) = base.split_once("://").unwrap_or_default();
        let url = format!("{}://{rest}?{}", scheme.to_ascii_lowercase(), passed.join("&"));
        let no_url = "expected an address such as postgres://USER@HOST:5432/DATABASE";
        let mut config: Config = url.parse().map_err(|_| wrong(no_url))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("the address names no host (for a socket: ?host=/run/postgresql)"));
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(wrong("the address names no database: postgres://USER@HOST/DATABASE"));
        }
        let is_near = |host: &Host| match host {
            Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1" | "[::1]"),
            Host::Unix(_) => true,
        };
        // Where there are addresses, they are what is connected to; names only name a certificate.
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        let are_sockets = addresses.is_empty()
            && !hosts.is_empty()
            && hosts.iter().all(|host| matches!(host, Host::Unix(_)));
        let are_near = match addresses {
            [] => hosts.iter().all(is_near),
            addresses => addresses.iter().all(std::net::IpAddr::is_loopback),
        };
        let tls = match mode {
            Some("require" | "verify-ca" | "verify-full") => !are_sockets,
            Some("disable") => false,
            None => !are_near,
            Some("allow" | "prefer") => {
                let problem = "sslmode=allow and prefer would send crashes unencrypted if anyone \
                    on the way asks for it: use verify-full, or disable";
                return Err(wrong(problem));
            }
            Some(_) => return Err(wrong("sslmode is disable, require, verify-ca or verify-full")),
        };
        let shown = shown(&config);
        let connect_timeout = config.get_connect_timeout().copied().unwrap_or(TO_CONNECT);
        config
            .ssl_mode(if tls { SslMode::Require } else { SslMode::Disable })
            .connect_timeout(connect_timeout)
            .keepalives(true)
            .keepalives_idle(IDLE)
            .keepalives_interval(AGAIN)
            .keepalives_retries(TRIES)
            .tcp_user_timeout(IDLE.saturating_add(AGAIN.saturating_mul(TRIES)));
        if config.get_application_name().is_none() {
            config.application_name("obit");
        }
        add_password(&mut config);
        // Each place in turn; a name may stand for two, and then both sides speak.
        let places = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
        let turns = u32::try_from(places).unwrap_or(u32::MAX).saturating_mul(2);
        let patience = connect_timeout.saturating_mul(turns.saturating_add(1));
        let tls = tls.then(|| roots.or_else(usual_roots));
        Ok(Self { config, tls, patience, shown })
    }

    /// An error of this server.
    pub(super) fn error(&self, problem: CentralProblem) -> StoreError {
        StoreError::Central { place: self.shown.clone(), problem }
    }

    /// A new connection.
    pub(super) fn connect(&self) -> Result<Client, CentralProblem> {
        let tls = match &self.tls {
            Some(roots) => Some(connector(roots.as_deref())?),
            None => None,
        };
        let (config, (answer, answered)) = (self.config.clone(), mpsc::channel());
        // The library's time is for the TCP connection. One that is accepted and then says
        // nothing is left to a thread that waits for it until the program ends.
        thread::spawn(move || {
            let connected = match tls {
                Some(tls) => config.connect(tls),
                None => config.connect(NoTls),
            };
            // No one may wait any more.
            let _ = answer.send(connected);
        });
        let connected = answered.recv_timeout(self.patience).map_err(|_| {
            let seconds = self.patience.as_secs();
            CentralProblem::NoServer(format!("it did not answer within {seconds} s"))
        })?;
        let mut client = connected.map_err(|error| match problem(&error) {
            // In words of the client library, which has no kinds of errors.
            CentralProblem::NoServer(said) if said.contains("password missing") => {
                let asked = "it asks for a password; set PGPASSWORD, or write one into ~/.pgpass";
                CentralProblem::Refused(asked.to_owned())
            }
            problem => problem,
        })?;
        // That others wait for a client that is gone ends soon; that they wait for one that
        // works, as for a file.
        let settings = "SET lock_timeout = '60s'; SET tcp_keepalives_idle = 30;
            SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
            SET search_path = obit, pg_catalog; SET client_encoding = 'UTF8'";
        client.batch_execute(settings).map_err(|error| problem(&error))?;
        Ok(client)
    }
}

/// What is between percent signs, as it was meant.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(meant)) => {
                out.push(meant);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn host_of(config: &Config) -> String {
    match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => config.get_hostaddrs().first().map(ToString::to_string).unwrap_or_default(),
    }
}

fn shown(config: &Config) -> String {
    let user = config.get_user().map(|user| format!("{user}@")).unwrap_or_default();
    let port = config.get_ports().first().filter(|port| **port != 5432);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let database = config.get_dbname().unwrap_or_default();
    let host = host_of(config);
    let text = match host.starts_with('/') {
        true => format!("postgres://{user}{port}/{database}?host={host}"),
        false => format!("postgres://{user}{host}{port}/{database}"),
    };
    line(&text)
}

fn add_password(config: &mut Config) {
    if config.get_password().is_some() {
        return;
    }
    let host = host_of(config);
    let user = config.get_user().map(str::to_owned);
    let user = user.or_else(|| std::env::var("USER").ok()).unwrap_or_default();
    let found = password(For {
        host: &host,
        port: config.get_ports().first().copied().unwrap_or(5432),
        database: config.get_dbname().unwrap_or_default(),
        user: &user,
    });
    if let Some(password) = found {
        config.password(password);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Address, String> {
        Address::parse(Path::new(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_shown_of_an_address_has_no_password() {
        for (text, shown) in [
            ("postgres://a:sec%40ret@db.example/crashes", "postgres://a@db.example/crashes"),
            ("postgresql://db.example:6432/c?password=secret", "postgres://db.example:6432/c"),
            ("postgres://a:secret@/c?host=/run/postgresql", "postgres://a@/c?host=/run/postgresql"),
        ] {
            assert_eq!(parsed(text).unwrap().shown, shown);
        }
    }

    #[test]
    fn a_scheme_is_one_in_capitals_too_and_no_address_is_a_file() {
        let capitals = "POSTGRES://a:secret@db.example/c";
        assert_eq!(parsed(capitals).unwrap().shown, "postgres://a@db.example/c");
        for (text, is_address) in
            [(capitals, true), ("mysql://a:secret@h/c", true), ("./a://b", false), ("a.db", false)]
        {
            assert_eq!(super::super::is_central(Path::new(text)), is_address, "{text}");
        }
    }

    #[test]
    fn an_address_that_makes_no_sense_is_refused_without_quoting_a_password() {
        for text in [
            "postgres://a:secret@db.example:port/crashes",
            "postgres://a:secret@db.example",
            "postgres://a:secret@/crashes",
            "mysql://a:secret@db.example/crashes",
            "postgres://a:secret@db.example/crashes?sslmode=prefer",
            "postgres://a:secret@db.example/crashes?sslmode=secret",
            "postgres://a:secret@db.example/crashes?color=secret",
            "postgres://a:secret@db.example/crashes?secret",
        ] {
            let error = parsed(text).err().unwrap();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn beyond_this_machine_tls_is_the_default_and_its_certificate_is_checked() {
        let is_tls = |text: &str| parsed(text).unwrap().tls.is_some();
        assert!(is_tls("postgres://a@db.example/c"));
        assert!(is_tls("postgres://a@/c?hostaddr=10.0.0.7"));
        assert!(is_tls("postgres://a@localhost/c?hostaddr=10.0.0.7"));
        assert!(is_tls("postgres://a@/c?hostaddr=127.0.0.1&sslmode=verify-full"));
        assert!(!is_tls("postgres://a@/c?hostaddr=127.0.0.1"));
        assert!(is_tls("postgres://a@db.example,localhost/c"));
        assert!(!is_tls("postgres://a@db.example/c?sslmode=disable"));
        assert!(!is_tls("postgres://a@localhost/c"));
        assert!(is_tls("postgres://a@localhost/c?sslmode=require"));
        assert!(!is_tls("postgres://a@/c?host=/run/postgresql&sslmode=verify-full"));
        let named = parsed("postgres://a@h/c?sslrootcert=/etc/ca%20one.pem").unwrap();
        assert_eq!(named.tls, Some(Some(PathBuf::from("/etc/ca one.pem"))));
    }
}
