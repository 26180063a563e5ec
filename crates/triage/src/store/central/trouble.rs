//! What an error of the server means. Its words have no password: of what the server sends,
//! only the first line is shown.

use std::error::Error as _;
use std::io;

use postgres::Error;
use postgres::error::SqlState;

use crate::store::connection::GivenUp;
use crate::store::error::{CentralProblem, StoreError};

/// Why a piece of work on the server ended.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The connection is gone. The same can be tried again.
    Lost,
    /// For a reason that another try does not change.
    Server(CentralProblem),
    /// Of the replica, or of the change itself.
    GivenUp(GivenUp),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        if is_lost(&error) { Self::Lost } else { Self::Server(problem(&error)) }
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::GivenUp(error.into())
    }
}

impl From<GivenUp> for Stopped {
    fn from(error: GivenUp) -> Self {
        Self::GivenUp(error)
    }
}

impl Stopped {
    pub(super) fn given_up(self, place: &str) -> GivenUp {
        let problem = match self {
            Self::Lost => CentralProblem::Lost,
            Self::Server(problem) => problem,
            Self::GivenUp(error) => return error,
        };
        StoreError::Central { place: place.to_owned(), problem }.into()
    }
}

/// Whether the connection is gone, so that it is not known what the server did.
pub(super) fn is_lost(error: &Error) -> bool {
    let closing = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    match error.as_db_error() {
        Some(error) => closing.contains(error.code()),
        None => error.is_closed() || of_system(error).is_some(),
    }
}

fn of_system(error: &Error) -> Option<&io::Error> {
    error.source()?.downcast_ref()
}

/// What kind of error it is, in one line.
pub(super) fn problem(error: &Error) -> CentralProblem {
    let Some(db) = error.as_db_error() else {
        return match of_system(error) {
            Some(system) if is_of_tls(error) => CentralProblem::Tls(line(&system.to_string())),
            Some(system) => CentralProblem::NoServer(line(&system.to_string())),
            None if is_of_tls(error) => CentralProblem::Tls(words(error)),
            None => CentralProblem::NoServer(words(error)),
        };
    };
    let said = line(db.message());
    match db.code() {
        code if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION]
            .contains(code) =>
        {
            CentralProblem::Refused(said)
        }
        code if *code == SqlState::INVALID_CATALOG_NAME => CentralProblem::NoDatabase(said),
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE => CentralProblem::NotPermitted(said),
        code if *code == SqlState::READ_ONLY_SQL_TRANSACTION => CentralProblem::NotPermitted(said),
        code if *code == SqlState::LOCK_NOT_AVAILABLE => CentralProblem::Busy,
        code if *code == SqlState::TOO_MANY_CONNECTIONS => CentralProblem::NoServer(said),
        _ => CentralProblem::Other(said),
    }
}

fn is_of_tls(error: &Error) -> bool {
    error.to_string().contains("TLS")
}

/// The error and its cause, which the crate keeps apart.
fn words(error: &Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    line(&format!("{error}{cause}"))
}

/// Characters of a message.
const LONGEST: usize = 300;

/// One line without control characters: the server may be anyone's.
pub(super) fn line(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}
