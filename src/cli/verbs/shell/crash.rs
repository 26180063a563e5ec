//! The core of a shell, and Ctrl-C while it is asked.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use obit::dump::CoreFile;
use obit::session::{Answer, Problem, Question, Session, Setup, Stopper};
use obit::shell::Crash;
use signal_hook::consts::SIGINT;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// A question is under way.
static IS_ASKING: AtomicBool = AtomicBool::new(false);
/// The user has interrupted the command that is under way.
static IS_INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A command begins.
pub(super) fn begin() {
    IS_INTERRUPTED.store(false, Ordering::SeqCst);
}

struct Open(Session);

impl Crash for Open {
    fn ask(&mut self, question: &Question) -> Result<Answer, Problem> {
        IS_ASKING.store(true, Ordering::SeqCst);
        let answer = self.0.ask(question);
        IS_ASKING.store(false, Ordering::SeqCst);
        if let Some(news) = self.0.news() {
            crate::cli::message::say(news);
        }
        answer
    }

    fn is_interrupted(&self) -> bool {
        IS_INTERRUPTED.load(Ordering::SeqCst)
    }
}

/// Opens the core. From then on Ctrl-C interrupts what is asked, and nothing else.
pub(super) fn open(core: CoreFile, setup: Setup) -> Result<Box<dyn Crash>, Failure> {
    let path = core.path.display().to_string();
    let opened = Session::of_core(core, setup, &mut |_| ());
    let (session, _) = opened.map_err(|problem| {
        // Most problems name the file themselves.
        let text = problem.text.as_str();
        let is_named = text.starts_with(&path);
        let text = if is_named { text.to_owned() } else { format!("{path}: {text}") };
        Failure::new(Exit::Unusable, &text)
    })?;
    heed_interrupts(session.stopper()).map_err(|error| Failure::new(Exit::Bug, &error))?;
    Ok(Box::new(Open(session)))
}

/// A thread that ends the worker which is asked when the user interrupts it; the next question
/// starts another.
fn heed_interrupts(stopper: Stopper) -> std::io::Result<()> {
    let (mut woken, wakes) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(SIGINT, wakes)?;
    std::thread::Builder::new().spawn(move || {
        let mut byte = [0];
        while woken.read(&mut byte).is_ok_and(|read| read > 0) {
            IS_INTERRUPTED.store(true, Ordering::SeqCst);
            if IS_ASKING.load(Ordering::SeqCst) {
                stopper.stop();
            }
        }
    })?;
    Ok(())
}
