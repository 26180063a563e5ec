//! The worker's side: reads a core once, then answers question after question.

use std::io;

use super::opened::Opened;
use crate::sandbox::{Remote, Task, unpack_for};
use obit_corefile::dump::CoreFile;
use obit_corefile::limits::Limits;
use obit_redact::Shown;
use obit_session::{Answer, Problem, Question};

/// What a worker says.
pub(super) type Said = Result<Answer, Problem>;

/// Reads the core that comes in by `open`, and answers what is asked of it, until there is
/// nothing more.
///
/// # Errors
/// When the other side cannot be read or written.
pub fn serve(
    remote: &Remote,
    limits: &Limits,
    open: &mut dyn FnMut(CoreFile) -> Result<Opened, String>,
) -> io::Result<()> {
    let mut opened: Option<Opened> = None;
    while let Some(task) = remote.next_task()? {
        let said: Said = match task {
            Task::Core(core) => match open(core) {
                Ok(found) => {
                    let overview = found.answer(&Question::Overview);
                    opened = Some(found);
                    overview
                }
                Err(why) => Err(Problem { text: Shown::from_report(why), instead: None }),
            },
            Task::Question(question) => {
                let question: Question = serde_json::from_slice(&question)?;
                match &opened {
                    Some(opened) => opened.answer(&question),
                    None => Err(Problem { text: Shown::own("no core is open"), instead: None }),
                }
            }
            Task::Archive(file, time) => {
                unpack_for(remote, file, time, limits)?;
                continue;
            }
            Task::Code(_) => return Err(io::ErrorKind::InvalidData.into()),
        };
        remote.done(&[&serde_json::to_vec(&said)?])?;
    }
    Ok(())
}
