//! A connection to the server, and changes that are made through it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, IsolationLevel};
use rusqlite::{Connection, Transaction};

use super::Tables;
use super::address::Address;
use super::pull::pull;
use super::push::push;
use super::replica::{Place, forget_touched};
use super::schema;
use super::trouble::{Stopped, is_lost};
use crate::store::connection::{GivenUp, begin};
use crate::store::error::{CentralProblem, StoreError};
use crate::store::portable::TABLES;

/// How long is waited before each new connection, after one was lost.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(500), Duration::from_secs(2)];
/// For so long what was taken from the server counts as new, where a server of pages asks
/// before each answer.
const FRESH: Duration = Duration::from_secs(1);

/// The server's side of a store.
pub(in crate::store) struct Central {
    address: Address,
    client: Client,
    place: PathBuf,
    pulled: Instant,
}

impl fmt::Debug for Central {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Central").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What became of a change that was sent.
enum Attempt<T> {
    Done(T),
    /// The connection was lost while it was made permanent.
    Unsure(T, Place),
}

/// What marks a change, so that it is found again.
pub(super) fn token() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness of the system nothing else works either; the time differs, too.
    if getrandom::fill(&mut bytes).is_err() {
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        bytes = time.unwrap_or_default().as_nanos().to_ne_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Central {
    pub(super) fn new(address: Address, client: Client) -> Self {
        let place = PathBuf::from(&address.shown);
        Self { address, client, place, pulled: Instant::now() }
    }

    /// The address, without a password.
    pub(in crate::store) fn place(&self) -> &Path {
        &self.place
    }

    /// Does all of `change` in the replica and on the server, or nothing of it on an error. It
    /// may be called again if the connection is lost.
    pub(in crate::store) fn change<T>(
        &mut self,
        replica: &mut Connection,
        change: &mut dyn FnMut(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<T, GivenUp> {
        let mut pauses = PAUSES.iter();
        loop {
            let stopped = match self.attempt(replica, change) {
                Ok(Attempt::Done(done)) => return Ok(done),
                Ok(Attempt::Unsure(done, made)) => match self.became_of(&made) {
                    Ok(true) => {
                        self.pull(replica)?;
                        return Ok(done);
                    }
                    Ok(false) => Stopped::Lost,
                    // A second try could store it twice only if it was stored, and who asks
                    // for it again finds it then.
                    Err(_) => return Err(self.error(CentralProblem::Unsure).into()),
                },
                Err(stopped) => stopped,
            };
            match (stopped, pauses.next()) {
                (Stopped::Lost, Some(pause)) => {
                    thread::sleep(*pause);
                    // If it fails, so does the next try.
                    let _ = self.connect();
                }
                (stopped, _) => return Err(stopped.given_up(&self.address.shown)),
            }
        }
    }

    fn attempt<T>(
        &mut self,
        replica: &mut Connection,
        change: &mut dyn FnMut(&Transaction<'_>) -> Result<T, GivenUp>,
    ) -> Result<Attempt<T>, Stopped> {
        let mut work = self.client.transaction()?;
        // Who changes the store holds this row. What is read after that is what the last one
        // left (READ COMMITTED), and no one commits until this is done.
        work.execute("SELECT FROM obit.store FOR UPDATE", &[])?;
        schema::is_ours(&mut work)?;
        let before = pull(replica, &mut work)?;
        let local = begin(replica)?;
        forget_touched(&local)?;
        let done = change(&local)?;
        let made = Place { revision: before.revision.saturating_add(1), token: token() };
        let pushed = push(&local, &mut work, made.revision)?;
        if pushed == 0 {
            // Nothing that others see; what the replica made for itself stays.
            local.commit()?;
            work.rollback()?;
            return Ok(Attempt::Done(done));
        }
        work.execute(
            "INSERT INTO obit.revision (n, token) VALUES ($1, $2)",
            &[&made.revision, &made.token],
        )?;
        work.execute("UPDATE obit.store SET revision = $1", &[&made.revision])?;
        match work.commit() {
            Ok(()) => {}
            Err(error) if is_lost(&error) => return Ok(Attempt::Unsure(done, made)),
            Err(error) => return Err(error.into()),
        }
        // From here on it is stored. What the replica does not get now comes with the next pull.
        if made.set(&local).is_ok() {
            let _ = local.commit();
        }
        Ok(Attempt::Done(done))
    }

    /// Whether a change was made permanent.
    fn became_of(&mut self, made: &Place) -> Result<bool, Stopped> {
        let mut last = Stopped::Lost;
        for pause in PAUSES {
            thread::sleep(pause);
            match self.connect().and_then(|()| self.has(made)) {
                Ok(has) => return Ok(has),
                Err(stopped) => last = stopped,
            }
        }
        Err(last)
    }

    fn has(&mut self, made: &Place) -> Result<bool, Stopped> {
        let mut work = self.client.transaction()?;
        // The server's process for the connection that was lost may still be at it.
        work.execute("SELECT FROM obit.store FOR UPDATE", &[])?;
        let found = work.query_opt(
            "SELECT FROM obit.revision WHERE n = $1 AND token = $2",
            &[&made.revision, &made.token],
        )?;
        Ok(found.is_some())
    }

    /// Whether this user may let go of what was deleted.
    pub(in crate::store) fn may_forget(&mut self) -> Result<(), GivenUp> {
        let sql = "SELECT has_table_privilege('obit.gone', 'DELETE') AND
            has_column_privilege('obit.store', 'whole_from', 'UPDATE')";
        let may = self.client.query_one(sql, &[]).and_then(|row| row.try_get(0));
        match may.map_err(|error| Stopped::from(error).given_up(&self.address.shown))? {
            true => Ok(()),
            false => {
                let said =
                    "forgetting needs DELETE on obit.gone and UPDATE of obit.store".to_owned();
                Err(self.error(CentralProblem::NotPermitted(said)).into())
            }
        }
    }

    /// Deletes the keys of rows that are gone. Copies that have not heard of them are made anew.
    pub(in crate::store) fn forget_gone(&mut self) -> Result<(), GivenUp> {
        let mut forget = || -> Result<(), Stopped> {
            let mut work = self.client.transaction()?;
            work.execute("SELECT FROM obit.store FOR UPDATE", &[])?;
            work.execute("UPDATE obit.store SET whole_from = revision", &[])?;
            work.execute("DELETE FROM obit.gone", &[])?;
            Ok(work.commit()?)
        };
        forget().map_err(|stopped| stopped.given_up(&self.address.shown))
    }

    /// Takes over what is newer on the server.
    pub(super) fn pull(&mut self, replica: &mut Connection) -> Result<Place, GivenUp> {
        let mut pauses = PAUSES.iter();
        loop {
            let stopped = match self.pull_once(replica) {
                Ok(place) => {
                    self.pulled = Instant::now();
                    return Ok(place);
                }
                Err(stopped) => stopped,
            };
            match (stopped, pauses.next()) {
                (Stopped::Lost, Some(pause)) => {
                    thread::sleep(*pause);
                    if let Err(Stopped::Server(problem)) = self.connect() {
                        return Err(self.error(problem).into());
                    }
                }
                (Stopped::Lost, None) => {
                    let gone = CentralProblem::NoServer("the connection was lost".to_owned());
                    return Err(self.error(gone).into());
                }
                (stopped, _) => return Err(stopped.given_up(&self.address.shown)),
            }
        }
    }

    fn pull_once(&mut self, replica: &mut Connection) -> Result<Place, Stopped> {
        let mut work = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()?;
        schema::is_ours(&mut work)?;
        let place = pull(replica, &mut work)?;
        // That it ends does not matter any more.
        let _ = work.rollback();
        Ok(place)
    }

    /// Takes over what is newer, unless that was just done. The revision that the replica has.
    pub(in crate::store) fn refresh(&mut self, replica: &mut Connection) -> Result<i64, GivenUp> {
        if self.pulled.elapsed() >= FRESH {
            return Ok(self.pull(replica)?.revision);
        }
        Ok(Place::of(replica)?.map_or(0, |place| place.revision))
    }

    /// What the replica and the server disagree about, if anything.
    pub(in crate::store) fn compare(
        &mut self,
        replica: &mut Connection,
    ) -> Result<Option<String>, GivenUp> {
        let place = self.pull(replica)?;
        let count = |client: &mut Client| -> Result<Option<Vec<i64>>, Stopped> {
            let mut work = client
                .build_transaction()
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()?;
            let now: i64 = work.query_one("SELECT revision FROM obit.store", &[])?.try_get(0)?;
            if now != place.revision {
                return Ok(None);
            }
            let mut counts = Vec::new();
            for table in TABLES {
                let sql = format!("SELECT count(*) FROM obit.\"{}\"", table.name);
                counts.push(work.query_one(&sql, &[])?.try_get(0)?);
            }
            Ok(Some(counts))
        };
        let counts = count(&mut self.client).map_err(|it| it.given_up(&self.address.shown))?;
        // Someone writes; the next check sees more.
        let Some(counts) = counts else { return Ok(None) };
        for (table, there) in TABLES.iter().zip(counts) {
            let sql = format!("SELECT count(*) FROM {}", table.name);
            let here: i64 = replica.query_row(&sql, [], |row| row.get(0))?;
            if here != there {
                return Ok(Some(format!(
                    "`{}` has {there} rows on the server and {here} in this machine's copy",
                    table.name
                )));
            }
        }
        Ok(None)
    }

    fn connect(&mut self) -> Result<(), Stopped> {
        let mut client = self.address.connect().map_err(|problem| match problem {
            // A server that starts again does so within the next tries.
            CentralProblem::NoServer(_) => Stopped::Lost,
            problem => Stopped::Server(problem),
        })?;
        schema::prepare(&mut client, Tables::Expected, &self.address)
            .map_err(|error| Stopped::GivenUp(error.into()))?;
        self.client = client;
        Ok(())
    }

    fn error(&self, problem: CentralProblem) -> StoreError {
        self.address.error(problem)
    }
}
