//! The order of the protocol: what may be asked when, what runs, what was cancelled.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::capabilities::{Counting, capabilities};
use super::debuggee::Debuggee;
use super::launch::Launch;
use super::refusals::refused;
use super::wire::{self, Failed, Incoming, Output, Request};
use crate::mcp::Roots;
use crate::session::{Session, Setup, Stopper};

/// Requests that wait: more are read when one is answered.
const MOST_WAITING: usize = 256;
/// Connections at the same time: each keeps a core open.
const MOST_CONNECTIONS: usize = 8;
/// How long a client may leave an answer unread.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an adapter needs of the program around it.
pub trait Outside: Send + Sync {
    /// How a core is opened and by what it is read.
    ///
    /// # Errors
    /// It cannot be, why.
    fn setup(&self, core: &Path, launch: &Launch) -> Result<Setup, String>;
}

/// What the user chose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which files a client may name.
    pub roots: Roots,
    /// Where relative paths begin.
    pub directory: PathBuf,
    /// What of a message may be shown: it may quote a path or an expression.
    pub discreet: fn(&str) -> String,
}

/// Serves one client until it disconnects or sends nothing more.
///
/// # Errors
/// What it sent is no message of the protocol, or cannot be read: why.
pub fn run(
    input: impl BufRead,
    output: Box<dyn Write + Send>,
    settings: &Settings,
    outside: &dyn Outside,
) -> io::Result<()> {
    let shared = Shared { out: Output::new(output), state: Mutex::default() };
    let (requests, waiting) = sync_channel(MOST_WAITING);
    std::thread::scope(|scope| {
        let shared = &shared;
        let adapter = scope.spawn(move || {
            let adapter =
                Adapter { shared, settings, outside, stage: Stage::New, has_config: false };
            adapter.run(&waiting);
        });
        let read = read_all(input, shared, |request| requests.send(request).is_ok());
        // What waits is still answered.
        drop(requests);
        // It does not panic; and if it did, the client sees that nothing more comes.
        let _ = adapter.join();
        read
    })
}

/// Reads until the client disconnects.
fn read_all(
    mut input: impl BufRead,
    shared: &Shared,
    hand_on: impl Fn(Request) -> bool,
) -> io::Result<()> {
    loop {
        let message = match wire::next(&mut input) {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(broken) => {
                let text = broken.to_string();
                shared.out.answer(0, "", Err(Failed::Shown(text.clone())));
                shared.cancel_all();
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        };
        if shared.out.is_closed() {
            shared.cancel_all();
            return Ok(());
        }
        let request = match message {
            Incoming::Response => continue,
            Incoming::Invalid { seq, command, problem } => {
                shared.out.answer(seq, &command, Err(Failed::Refused(problem)));
                continue;
            }
            Incoming::Request(request) => request,
        };
        if request.command == "cancel" {
            let id = request.arguments.get("requestId").and_then(Value::as_i64);
            id.into_iter().for_each(|id| shared.cancel(id));
            shared.out.answer(request.seq, "cancel", Ok(Value::Null));
            continue;
        }
        let is_last = request.command == "disconnect";
        if is_last {
            shared.cancel_all();
        }
        shared.lock().waiting.entry(request.seq).and_modify(|count| *count += 1).or_insert(1);
        if !hand_on(request) || is_last {
            return Ok(());
        }
    }
}

/// What both threads of a connection know.
struct Shared {
    out: Output,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Requests that were read and are not answered yet, by their numbers.
    waiting: BTreeMap<i64, u64>,
    cancelled: BTreeSet<i64>,
    /// The one that is being answered.
    running: Option<i64>,
    /// What ends the worker that is asked for it.
    stopper: Option<Stopper>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cancel(&self, id: i64) {
        let mut state = self.lock();
        if state.waiting.contains_key(&id) {
            state.cancelled.insert(id);
            if state.running == Some(id)
                && let Some(stopper) = &state.stopper
            {
                stopper.stop();
            }
        }
    }

    fn cancel_all(&self) {
        let all: Vec<_> = self.lock().waiting.keys().copied().collect();
        all.into_iter().for_each(|id| self.cancel(id));
    }

    /// From now on request `id` is answered; whether it is still wanted.
    fn begin(&self, id: i64) -> bool {
        let mut state = self.lock();
        state.running = Some(id);
        !state.cancelled.contains(&id)
    }

    /// Request `id` was answered; whether it had been cancelled.
    fn end(&self, id: i64) -> bool {
        let mut state = self.lock();
        state.running = None;
        let left = state.waiting.get(&id).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => drop(state.waiting.remove(&id)),
            left => drop(state.waiting.insert(id, left)),
        }
        state.cancelled.remove(&id)
    }
}

/// How far a client is.
enum Stage {
    New,
    Greeted(Counting),
    Open(Box<Debuggee>),
    /// The core is closed.
    Ended,
}

/// The side that answers.
struct Adapter<'a> {
    shared: &'a Shared,
    settings: &'a Settings,
    outside: &'a dyn Outside,
    stage: Stage,
    /// The client is ready for events.
    has_config: bool,
}

impl Adapter<'_> {
    fn run(mut self, waiting: &Receiver<Request>) {
        for request in waiting {
            let Request { seq, command, arguments } = request;
            let is_wanted = self.shared.begin(seq);
            let is_over = command == "disconnect";
            let answer = match is_wanted || is_over {
                true => self.answer(&command, arguments),
                false => Err(Failed::Cancelled),
            };
            let was_cancelled = self.shared.end(seq);
            let answer = match answer {
                Err(_) if was_cancelled => Err(Failed::Cancelled),
                answer => self.discreet(answer),
            };
            let is_done = answer.is_ok();
            self.shared.out.answer(seq, &command, answer);
            self.after(&command, is_done);
            if is_over {
                break;
            }
        }
        self.shared.lock().stopper = None;
    }

    /// A message may quote what the client sent.
    fn discreet(&self, answer: Result<Value, Failed>) -> Result<Value, Failed> {
        let hide = self.settings.discreet;
        let shown = |text: String| obit_render::visible(&hide(&text)).into_owned();
        answer.map_err(|failed| match failed {
            Failed::Shown(text) => Failed::Shown(shown(text)),
            Failed::Refused(text) => Failed::Refused(shown(text)),
            Failed::Cancelled => Failed::Cancelled,
        })
    }

    fn answer(&mut self, command: &str, given: Map<String, Value>) -> Result<Value, Failed> {
        match command {
            "initialize" => return self.initialize(&given),
            "disconnect" | "terminate" => return Ok(Value::Null),
            _ if !is_known(command) => {
                let shown: String = command.chars().take(60).collect();
                return Err(Failed::Refused(format!("obit has no request {shown:?}")));
            }
            _ if matches!(self.stage, Stage::New) => {
                return Err(Failed::because("send `initialize` first"));
            }
            "launch" | "attach" => return self.open(given),
            "configurationDone" => {
                self.has_config = true;
                return Ok(Value::Null);
            }
            _ => {}
        }
        if let Some(answer) = refused(command, &given) {
            return answer;
        }
        let Stage::Open(debuggee) = &mut self.stage else {
            return Err(Failed::because("no core is open: send `launch` with `coreFile` first"));
        };
        match command {
            "threads" => Ok(debuggee.threads()),
            "stackTrace" => debuggee.stack_trace(given),
            "scopes" => debuggee.scopes(given),
            "variables" => debuggee.variables(given),
            "evaluate" => debuggee.evaluate(given),
            "completions" => debuggee.completions(given),
            "exceptionInfo" => debuggee.exception_info(given),
            "readMemory" => debuggee.read_memory(given),
            "disassemble" => debuggee.disassemble(given),
            "modules" => debuggee.modules(given),
            "loadedSources" => Ok(debuggee.loaded_sources()),
            "source" => debuggee.source(given),
            // It has stopped already.
            _ => Ok(Value::Null),
        }
    }

    fn initialize(&mut self, given: &Map<String, Value>) -> Result<Value, Failed> {
        if !matches!(self.stage, Stage::New) {
            return Err(Failed::because("`initialize` is sent once"));
        }
        if !given.get("adapterID").is_some_and(Value::is_string) {
            return Err(Failed::because("`adapterID` is missing"));
        }
        self.stage = Stage::Greeted(Counting::read(given)?);
        Ok(capabilities())
    }

    fn open(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let Stage::Greeted(counting) = self.stage else {
            return Err(Failed::because(
                "a core is open already, or was: one is opened in a session",
            ));
        };
        if given.get("noDebug") == Some(&Value::Bool(true)) {
            return Err(Failed::because("a core dump cannot run without debugging"));
        }
        let places = (&self.settings.roots, self.settings.directory.as_path());
        let (launch, path, file) = Launch::read(given, places).map_err(Failed::Shown)?;
        let setup = self.outside.setup(&path, &launch).map_err(Failed::Shown)?;
        let shared = self.shared;
        let opened = Session::open(path.clone(), file, setup, &mut |stopper| {
            let mut state = shared.lock();
            state.stopper = Some(stopper.clone());
        });
        let (session, _) = opened.map_err(|problem| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Failed::Shown(format!("{name}: {}", problem.text.as_str()))
        })?;
        self.stage = Stage::Open(Box::new(Debuggee::new(session, counting)?));
        Ok(Value::Null)
    }

    /// Events that follow an answer.
    fn after(&mut self, command: &str, is_done: bool) {
        let out = &self.shared.out;
        match command {
            "initialize" if is_done => out.event("initialized", json!({})),
            "terminate" => {
                self.stage = Stage::Ended;
                out.event("terminated", json!({}));
            }
            "disconnect" => self.stage = Stage::Ended,
            "launch" | "attach" | "configurationDone" if is_done && self.has_config => {
                if let Stage::Open(debuggee) = &self.stage {
                    let report = &debuggee.report;
                    let name = report.process.exe.as_ref().or(report.process.comm.as_ref());
                    let name = name.map_or_else(|| "??".to_owned(), super::text::plain);
                    out.event("process", json!({ "name": name, "startMethod": "attach" }));
                    let text = format!("{}\n", debuggee.cause_text());
                    out.event("output", json!({ "category": "console", "output": text }));
                    out.event("stopped", debuggee.stopped());
                }
            }
            "pause" if is_done => {
                if let Stage::Open(debuggee) = &self.stage {
                    out.event("stopped", debuggee.stopped());
                }
            }
            _ => {}
        }
        if let Stage::Open(debuggee) = &mut self.stage
            && let Some(news) = debuggee.news()
        {
            out.event("output", json!({ "category": "important", "output": format!("{news}\n") }));
        }
    }
}

/// Requests that have an answer, be it why there is none.
fn is_known(command: &str) -> bool {
    const ANSWERED: [&str; 16] = [
        "launch",
        "attach",
        "configurationDone",
        "threads",
        "stackTrace",
        "scopes",
        "variables",
        "evaluate",
        "completions",
        "exceptionInfo",
        "readMemory",
        "disassemble",
        "modules",
        "loadedSources",
        "source",
        "pause",
    ];
    ANSWERED.contains(&command) || refused(command, &Map::new()).is_some()
}

/// Serves clients one by one or side by side, each with a session of its own, until `listener`
/// fails.
///
/// # Errors
/// Those of `listener`.
pub fn serve(listener: &TcpListener, settings: &Settings, outside: &dyn Outside) -> io::Result<()> {
    let connections = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for stream in listener.incoming() {
            let stream = match stream {
                Ok(stream) => stream,
                // The client gave up before it was its turn.
                Err(error) if is_passing(&error) => continue,
                Err(error) => return Err(error),
            };
            let connections = &connections;
            if connections.fetch_add(1, Ordering::AcqRel) >= MOST_CONNECTIONS {
                connections.fetch_sub(1, Ordering::AcqRel);
                refuse(stream);
                continue;
            }
            scope.spawn(move || {
                // How a connection ends is its client's affair.
                let _ = connection(&stream, settings, outside);
                let _ = stream.shutdown(Shutdown::Both);
                connections.fetch_sub(1, Ordering::AcqRel);
            });
        }
        Ok(())
    })
}

fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

fn connection(stream: &TcpStream, settings: &Settings, outside: &dyn Outside) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let output = Box::new(stream.try_clone()?);
    run(BufReader::new(stream), output, settings, outside)
}

fn refuse(stream: TcpStream) {
    if stream.set_write_timeout(Some(Duration::from_secs(1))).is_ok() {
        let text = format!("{MOST_CONNECTIONS} clients are connected: one of them has to leave");
        Output::new(Box::new(stream)).answer(0, "", Err(Failed::Shown(text)));
    }
}
