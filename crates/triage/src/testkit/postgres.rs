//! A server of PostgreSQL for one test, in a directory of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The password of each role that [`Server`] makes.
pub const PASSWORD: &str = "correct-horse";

/// A server that is stopped when this is dropped.
#[derive(Debug)]
pub struct Server {
    root: PathBuf,
    port: u16,
    process: Option<Child>,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// A server with the superuser `owner`; `None`, said on the standard error, where
    /// PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        Self::with(&[])
    }

    /// As [`start`](Self::start), with TLS: [`authority`](Self::authority) vouches for it.
    pub fn with_tls() -> Option<Self> {
        if !is_there("openssl") {
            eprintln!("skipped: openssl is not installed");
            return None;
        }
        Self::with(&[
            "-c",
            "ssl=on",
            "-c",
            "ssl_cert_file=server.pem",
            "-c",
            "ssl_key_file=server.key",
        ])
    }

    fn with(options: &[&str]) -> Option<Self> {
        if tool("postgres").is_none() || tool("initdb").is_none() || !is_there("psql") {
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("obit-pg-{}-{number}", std::process::id());
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(&root).expect("a temporary directory");
        let mut server = Self { root, port: free_port(), process: None };
        server.give(&server.root.clone());
        let file = server.root.join("password");
        fs::write(&file, PASSWORD).expect("a file");
        server.give(&file);
        let mut command = server.command("initdb");
        command.args(["--no-sync", "-U", "owner", "-E", "UTF8", "--locale=C"]);
        command.args(["--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile"]).arg(&file);
        run(command.arg("-D").arg(server.data()));
        if !options.is_empty() {
            server.make_certificates();
        }
        server.launch(options);
        Some(server)
    }

    /// The certificate of the authority that vouches for the server.
    pub fn authority(&self) -> PathBuf {
        self.root.join("authority.pem")
    }

    /// A new database.
    pub fn database(&self, name: &str) {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
    }

    /// The address of a database, over the socket, which asks for no password.
    pub fn socket(&self, database: &str) -> String {
        let (root, port) = (self.root.display(), self.port);
        format!("postgres://owner@/{database}?host={root}&port={port}")
    }

    /// The address of a database for a role, over TCP.
    pub fn tcp(&self, database: &str, role: &str) -> String {
        format!("postgres://{role}:{PASSWORD}@localhost:{}/{database}", self.port)
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What statements give.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "owner", "-h"]);
        command.arg(&self.root).args(["-p", &self.port.to_string(), "-d", database, "-c", sql]);
        let output = command.output().expect("psql runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {error}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Ends the server at once, as a crash does.
    pub fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let id = process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &id]).status();
        let _ = process.wait();
    }

    /// Starts it again after [`stop`](Self::stop).
    pub fn go_on(&mut self) {
        self.launch(&[]);
    }

    fn launch(&mut self, options: &[&str]) {
        let port = self.port.to_string();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &port, "-k"]).arg(&self.root);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]).args(options);
        command.stdout(Stdio::null()).stderr(fs::File::create(self.root.join("log")).expect("log"));
        self.process = Some(command.spawn().expect("postgres starts"));
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let mut ready = Command::new("psql");
            ready.args(["-X", "-U", "owner", "-d", "postgres", "-p", &port, "-c", "", "-h"]);
            ready.arg(&self.root).stdout(Stdio::null()).stderr(Stdio::null());
            if ready.status().expect("psql runs").success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{}", fs::read_to_string(self.root.join("log")).unwrap_or_default());
    }

    fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// A program of the server, which does not run as root.
    fn command(&self, name: &str) -> Command {
        let program = tool(name).expect("it was looked for");
        let mut command = match user() {
            None => Command::new(program),
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
                command.arg("--clear-groups").arg(program);
                command
            }
        };
        command.current_dir(&self.root).stdin(Stdio::null());
        command
    }

    fn give(&self, path: &Path) {
        if let Some((user, group)) = user() {
            chown(path, Some(user), Some(group)).expect("root may");
        }
    }

    fn make_certificates(&self) {
        let root = &self.root;
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            run(command.current_dir(root).args(arguments.split(' ')));
        };
        fs::write(root.join("names"), "subjectAltName=DNS:localhost\n").expect("a file");
        let new = "req -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
        openssl(&format!(
            "{new} -x509 -days 2 -subj /CN=authority -keyout authority.key -out authority.pem"
        ));
        openssl(&format!("{new} -subj /CN=localhost -keyout data/server.key -out request"));
        openssl(
            "x509 -req -in request -CA authority.pem -CAkey authority.key -CAcreateserial \
             -days 2 -extfile names -out data/server.pem",
        );
        for name in ["server.key", "server.pem"] {
            let path = self.data().join(name);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its owner may");
            self.give(&path);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// Where a program of the server is: Debian keeps them out of the path.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    places.extend(versions.map(|version| version.path().join("bin")));
    places.into_iter().map(|place| place.join(name)).find(|program| program.is_file())
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|place| place.join(program).is_file())
}

/// The user that the server runs as, if this is root.
fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let user = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    // Else the user without rights that every system has.
    user("postgres").or(Some((65_534, 65_534)))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it is bound").port()
}

fn run(command: &mut Command) {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
