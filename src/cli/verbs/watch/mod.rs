//! `obit watch`: directories in which cores appear.

mod notify;

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;
use obit::batch::{self as batches, WhenStopped, WorkerCommand};
use obit::triage::store::Store;
use obit::watch::{
    Alerts, Left, Log, Metrics, MetricsFile, Notifier, Settings, WatchError, serve_metrics,
};
use signal_hook::consts::{SIGINT, SIGTERM};

use self::notify::NotifyArgs;
use crate::cli::args::batch::BatchArgs;
use crate::cli::args::general::General;
use crate::cli::args::quantities::{bytes, seconds};
use crate::cli::args::store::StoreArgs;
use crate::cli::batch::{failure, request, settings};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::message::say;

/// How long notifications are waited for when the watch ends: of a watch that was stopped, and
/// of one that has read all.
const FAREWELL: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(120);

/// Which directories are watched, and who is notified.
#[derive(Clone, Debug, Args)]
pub(crate) struct WatchArgs {
    /// Directories in which cores appear, with those below them
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
    /// Read what is there, notify, and end
    #[arg(long)]
    once: bool,
    /// Write counts and the lag for Prometheus: to this file, or at ADDR:PORT of this machine
    #[arg(long, value_name = "FILE|ADDR")]
    metrics: Option<String>,
    /// Seconds between two searches for cores that no event reported
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds,
        hide_short_help = true)]
    scan_every: Duration,
    /// Seconds for which a core must not change that no event reported as complete
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds,
        hide_short_help = true)]
    settle: Duration,
    /// Cores read at the same time [default: one for each processor]
    #[arg(short, long, value_name = "N", hide_short_help = true)]
    jobs: Option<NonZeroUsize>,
    /// Seconds that one core may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds,
        hide_short_help = true)]
    timeout: Duration,
    /// Memory that one core may take, besides mapped files
    #[arg(long, value_name = "SIZE", default_value = "2G", value_parser = bytes,
        hide_short_help = true)]
    pub(crate) max_memory: u64,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    pub(crate) batch: BatchArgs,
    #[command(flatten)]
    notify: NotifyArgs,
}

impl WatchArgs {
    /// The directories, as absolute paths: a file is known by its path.
    fn roots(&self) -> Result<Vec<PathBuf>, Failure> {
        let root = |path: &PathBuf| {
            let unusable = |problem: String| {
                Failure::new(Exit::Unusable, &format!("{}: {problem}", path.display()))
            };
            let found = path.metadata().map_err(|error| unusable(error.to_string()))?;
            if !found.is_dir() {
                return Err(unusable("is not a directory".to_owned()));
            }
            std::path::absolute(path).map_err(|error| unusable(error.to_string()))
        };
        self.directories.iter().map(root).collect()
    }

    fn batch(&self) -> Result<batches::Settings, Failure> {
        let request = request(&self.batch, formats::TERMINAL)?;
        let usual = settings(&request);
        Ok(batches::Settings {
            // Ctrl-C ends the watch when the cores in hand are read.
            worker: WorkerCommand { is_apart: true, ..usual.worker },
            when_stopped: WhenStopped::Finish,
            jobs: self.jobs.unwrap_or(usual.jobs),
            timeout: self.timeout,
            follow: self.batch.follow,
            journal: self.batch.journal()?,
            compares_code: true,
            ..usual
        })
    }
}

pub(crate) fn run(args: &WatchArgs, general: &General) -> Result<Exit, Failure> {
    let roots = args.roots()?;
    let mut batch = args.batch()?;
    let ways = args.notify.ways()?;
    let page = args.metrics.as_deref().map(MetricsPlace::of).transpose()?;
    let metrics = Arc::new(Metrics::default());
    let metrics_file = match page {
        Some(MetricsPlace::File(file)) => {
            if let Some(directory) = file.directory_around(&roots) {
                // Each time that it is written it would be a file that appears there.
                let text = args.metrics.as_deref().unwrap_or_default();
                let directory = directory.display();
                let problem =
                    format!("--metrics {text}: the file is in {directory}, which is watched");
                return Err(Failure::usage(&problem));
            }
            Some(file)
        }
        Some(MetricsPlace::Page(listener)) => {
            let system = |error| Failure::new(Exit::Output, &error);
            serve_metrics(listener, Arc::clone(&metrics)).map_err(system)?;
            None
        }
        None => None,
    };
    let mut store = Store::create(&args.store.path()?)?;
    let (stop, wake) = stop_on_signals().map_err(|error| Failure::new(Exit::Bug, &error))?;
    batch.stop = stop;
    let news = if general.quiet { |_: &str| {} } else { say as fn(&str) };
    let log = Log { problem: say, news };
    let alerts = Alerts::new(args.notify.on.clone(), args.notify.quiet_for());
    let notifier =
        Notifier::start(ways, &metrics, log).map_err(|error| Failure::new(Exit::Bug, &error))?;
    let watch = Settings {
        roots,
        batch,
        wake: wake.into(),
        settle: args.settle,
        scan_every: args.scan_every,
        once: args.once,
        metrics_file,
    };
    let outcome = obit::watch::run(&mut store, &watch, alerts, &notifier, &metrics, log);
    let undelivered = notifier.finish(if args.once { PATIENCE } else { FAREWELL });
    // The counts of what was delivered since.
    if let Some(file) = &watch.metrics_file
        && let Err(error) = file.write(&metrics)
    {
        say(&format!("the metrics cannot be written: {error}"));
    }
    let left = outcome.map_err(|error| match error {
        WatchError::Batch(error) => failure(error),
        error @ WatchError::Wait(_) => Failure::new(Exit::Bug, &error),
    })?;
    if let Some(line) = in_words(left, undelivered) {
        say(&line);
    }
    Ok(Exit::Success)
}

/// What was not done, if there is anything.
fn in_words(left: Left, undelivered: usize) -> Option<String> {
    let counted = |count: usize, one: &str, some: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { some }))
    };
    let parts = [
        counted(left.unread, "file was not read", "files were not read"),
        counted(left.incomplete, "file is incomplete", "files are incomplete"),
        counted(undelivered, "notification was not delivered", "notifications were not delivered"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("ended; {}", parts.join(", ")))
}

/// Set by the first SIGTERM or Ctrl-C, together with what is readable then; the second one ends
/// the process at once.
pub(crate) fn stop_on_signals() -> std::io::Result<(Arc<AtomicBool>, UnixStream)> {
    let stop = Arc::new(AtomicBool::new(false));
    let (wake, sender) = UnixStream::pair()?;
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
        signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
    }
    Ok((stop, wake))
}

/// Where the metrics are.
enum MetricsPlace {
    File(MetricsFile),
    Page(TcpListener),
}

impl MetricsPlace {
    /// An address with a port, else the name of a file.
    fn of(text: &str) -> Result<Self, Failure> {
        let usage = |problem: &str| Failure::usage(&format!("--metrics {text}: {problem}"));
        if text.contains('/') || !text.contains(':') {
            let file = MetricsFile::at(&PathBuf::from(text));
            return file.map(Self::File).map_err(|error| usage(&error.to_string()));
        }
        let addresses = text.to_socket_addrs().map_err(|error| usage(&error.to_string()))?;
        let addresses: Vec<SocketAddr> = addresses.collect();
        // Others ask a collector on this machine, which decides who may read them.
        if addresses.iter().any(|address| !address.ip().is_loopback()) {
            return Err(usage("expected an address of this machine alone, such as 127.0.0.1:9273"));
        }
        let listener = TcpListener::bind(addresses.as_slice());
        listener.map(Self::Page).map_err(|error| usage(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_served_to_this_machine_alone_or_written_to_a_file() {
        let of = |text: &str| match MetricsPlace::of(text) {
            Ok(MetricsPlace::File(_)) => "file".to_owned(),
            Ok(MetricsPlace::Page(_)) => "page".to_owned(),
            Err(failure) => failure.message.unwrap_or_default(),
        };
        assert_eq!(of("/var/lib/node_exporter/obit.prom"), "file");
        assert_eq!(of("obit.prom"), "file");
        assert_eq!(of("127.0.0.1:0"), "page");
        assert!(of("0.0.0.0:0").contains("this machine alone"), "{}", of("0.0.0.0:0"));
        assert!(of("127.0.0.1:many").starts_with("--metrics 127.0.0.1:many: "));
    }

    #[test]
    fn what_is_left_is_said_if_there_is_anything() {
        assert_eq!(in_words(Left::default(), 0), None);
        let line = in_words(Left { unread: 1, incomplete: 2 }, 3).unwrap();
        let wanted = "ended; 1 file was not read, 2 files are incomplete, 3 notifications were \
                      not delivered";
        assert_eq!(line, wanted);
    }
}
