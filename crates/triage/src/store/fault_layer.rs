//! The file system below a store, for tests: what SQLite writes is recorded, and fails when a
//! test asks for it.
//!
//! All that a store writes goes through SQLite's interface to the system (`sqlite3_vfs`), which
//! this one stands in for. Files outside of a [`Layer`] are not touched by it.
#![allow(unsafe_code)]

use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

/// What was done to a file, which is named without its directory.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Write { file: String, at: usize, bytes: Vec<u8> },
    Truncate { file: String, length: usize },
    Sync { file: String },
    Delete { file: String },
}

/// How operations fail, as SQLite reports it of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// One operation fails: `EIO`.
    Once,
    /// From one operation on nothing can be written: the file system was remounted read-only
    /// (`EROFS`).
    ReadOnly,
    /// From one operation on no file can grow: `ENOSPC`.
    Full,
}

/// A directory of which all is recorded.
pub(super) struct Layer {
    directory: PathBuf,
}

#[derive(Default)]
struct Recorded {
    operations: Vec<Operation>,
    lengths: HashMap<String, usize>,
    fault: Option<(usize, Fault)>,
    attempts: usize,
}

#[derive(Default)]
struct State {
    directories: BTreeMap<PathBuf, Recorded>,
    /// Open files by address: the table of methods they had, and where they are.
    files: HashMap<usize, (Methods, PathBuf, String)>,
    /// Tables of ours, by the address of the one that each is made from.
    tables: HashMap<usize, Methods>,
}

/// A table of functions that is never freed.
#[derive(Clone, Copy)]
struct Methods(&'static sqlite3_io_methods);

fn state() -> &'static Mutex<State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    STATE.get_or_init(Mutex::default)
}

fn with<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    use_it(&mut state().lock().unwrap_or_else(PoisonError::into_inner))
}

impl Layer {
    /// Records what is done in `directory` from now on.
    pub(super) fn over(directory: &Path) -> Self {
        REAL.get_or_init(register);
        with(|state| state.directories.insert(directory.to_owned(), Recorded::default()));
        Self { directory: directory.to_owned() }
    }

    fn recorded<T>(&self, use_it: impl FnOnce(&mut Recorded) -> T) -> T {
        with(|state| use_it(state.directories.entry(self.directory.clone()).or_default()))
    }

    /// All that was done.
    pub(super) fn operations(&self) -> Vec<Operation> {
        self.recorded(|recorded| recorded.operations.clone())
    }

    /// How much was done.
    pub(super) fn count(&self) -> usize {
        self.recorded(|recorded| recorded.operations.len())
    }

    /// The operation of this number, counted from now on, fails.
    pub(super) fn fail_at(&self, number: usize, fault: Fault) {
        self.recorded(|recorded| {
            recorded.attempts = 0;
            recorded.fault = Some((number, fault));
        });
    }

    /// Nothing fails any more. Whether anything did.
    pub(super) fn stop_failing(&self) -> bool {
        self.recorded(|recorded| {
            recorded.fault.take().is_some_and(|(at, _)| recorded.attempts > at)
        })
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        with(|state| state.directories.remove(&self.directory));
    }
}

impl Recorded {
    /// What an operation fails with, if it does; else it is recorded.
    fn attempt(&mut self, operation: Operation) -> Option<c_int> {
        let number = self.attempts;
        self.attempts += 1;
        let fault = self.fault.filter(|(at, fault)| match fault {
            Fault::Once => number == *at,
            Fault::ReadOnly | Fault::Full => number >= *at,
        });
        if let Some((_, fault)) = fault {
            let is_growth = match &operation {
                Operation::Write { file, at, bytes } => {
                    at + bytes.len() > self.lengths.get(file).copied().unwrap_or(0)
                }
                _ => false,
            };
            let code = match (fault, &operation) {
                (Fault::Full, _) => is_growth.then_some(ffi::SQLITE_FULL),
                (_, Operation::Write { .. }) => Some(ffi::SQLITE_IOERR_WRITE),
                (_, Operation::Truncate { .. }) => Some(ffi::SQLITE_IOERR_TRUNCATE),
                (_, Operation::Delete { .. }) => Some(ffi::SQLITE_IOERR_DELETE),
                // What was written before may still be synced on a read-only file system.
                (Fault::ReadOnly, Operation::Sync { .. }) => None,
                (_, Operation::Sync { .. }) => Some(ffi::SQLITE_IOERR_FSYNC),
            };
            if code.is_some() {
                return code;
            }
        }
        match &operation {
            Operation::Write { file, at, bytes } => {
                let length = self.lengths.entry(file.clone()).or_default();
                *length = (*length).max(at + bytes.len());
            }
            Operation::Truncate { file, length } => {
                self.lengths.insert(file.clone(), *length);
            }
            Operation::Delete { file } => drop(self.lengths.remove(file)),
            Operation::Sync { .. } => {}
        }
        self.operations.push(operation);
        None
    }
}

/// The system's own functions.
struct Real(*mut sqlite3_vfs);

// SAFETY: SQLite never frees or changes what it registers at its start.
unsafe impl Send for Real {}
// SAFETY: as above; the functions may be called by any thread.
unsafe impl Sync for Real {}

static REAL: OnceLock<Real> = OnceLock::new();

fn register() -> Real {
    // SAFETY: the default interface exists after initialisation, and is plain data.
    unsafe {
        assert_eq!(ffi::sqlite3_initialize(), ffi::SQLITE_OK);
        let real = ffi::sqlite3_vfs_find(std::ptr::null());
        assert!(!real.is_null());
        let ours = Box::leak(Box::new(sqlite3_vfs {
            zName: c"fault-layer".as_ptr(),
            xOpen: Some(open),
            xDelete: Some(delete),
            pNext: std::ptr::null_mut(),
            ..*real
        }));
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
        Real(real)
    }
}

fn real() -> *mut sqlite3_vfs {
    REAL.get().expect("registered").0
}

/// Directory and name of a path.
///
/// # Safety
/// `path` is null or a string of C.
unsafe fn place(path: *const c_char) -> Option<(PathBuf, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: as asked of the caller.
    let path = Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()));
    Some((path.parent()?.to_owned(), path.file_name()?.to_str()?.to_owned()))
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    path: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: what SQLite handed over is handed on; the file has the size that the system's
    // functions ask for.
    let code = unsafe { (*real()).xOpen.expect("open")(real(), path, file, flags, out) };
    // SAFETY: a name of a file is a string of C.
    let Some((directory, name)) = (unsafe { place(path) }) else { return code };
    if code != ffi::SQLITE_OK {
        return code;
    }
    // SAFETY: an open file has a table of methods, which is static in SQLite.
    let methods = Methods(unsafe { &*(*file).pMethods });
    with(|state| {
        let Some(recorded) = state.directories.get_mut(&directory) else { return };
        let length = directory.join(&name).metadata().map_or(0, |file| file.len());
        recorded.lengths.insert(name.clone(), usize::try_from(length).unwrap_or(usize::MAX));
        let table = std::ptr::from_ref(methods.0) as usize;
        let ours = *state.tables.entry(table).or_insert_with(|| {
            let ours = sqlite3_io_methods {
                xClose: Some(close),
                xWrite: Some(write),
                xTruncate: Some(truncate),
                xSync: Some(sync),
                ..*methods.0
            };
            Methods(Box::leak(Box::new(ours)))
        });
        state.files.insert(file as usize, (methods, directory, name));
        // SAFETY: the other methods of the table are those that the file had.
        unsafe { (*file).pMethods = ours.0 };
    });
    code
}

/// The methods that `file` had, and what becomes of an operation on it.
fn attempt(
    file: *mut sqlite3_file,
    operation: impl FnOnce(String) -> Operation,
) -> (&'static sqlite3_io_methods, Option<c_int>) {
    with(|state| {
        let (methods, directory, name) = state.files.get(&(file as usize)).expect("an open file");
        let recorded = state.directories.get_mut(directory);
        let fault = recorded.and_then(|recorded| recorded.attempt(operation(name.clone())));
        (methods.0, fault)
    })
}

fn size(number: i64) -> usize {
    usize::try_from(number).expect("a place in a file")
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let (methods, ..) = with(|state| state.files.remove(&(file as usize))).expect("an open file");
    // SAFETY: the method of this file.
    unsafe { methods.0.xClose.expect("close")(file) }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    length: c_int,
    at: i64,
) -> c_int {
    // SAFETY: SQLite hands over so many bytes.
    let written = unsafe { std::slice::from_raw_parts(bytes.cast(), size(length.into())) };
    let write = |file| Operation::Write { file, at: size(at), bytes: written.to_owned() };
    match attempt(file, write) {
        (_, Some(code)) => code,
        // SAFETY: the method of this file.
        (methods, None) => unsafe { methods.xWrite.expect("write")(file, bytes, length, at) },
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    match attempt(file, |file| Operation::Truncate { file, length: size(length) }) {
        (_, Some(code)) => code,
        // SAFETY: the method of this file.
        (methods, None) => unsafe { methods.xTruncate.expect("truncate")(file, length) },
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    match attempt(file, |file| Operation::Sync { file }) {
        (_, Some(code)) => code,
        // SAFETY: the method of this file.
        (methods, None) => unsafe { methods.xSync.expect("sync")(file, flags) },
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: a name of a file is a string of C.
    if let Some((directory, file)) = unsafe { place(path) } {
        let fault = with(|state| {
            let recorded = state.directories.get_mut(&directory);
            recorded.and_then(|recorded| recorded.attempt(Operation::Delete { file }))
        });
        if let Some(code) = fault {
            return code;
        }
    }
    // SAFETY: what SQLite handed over is handed on.
    unsafe { (*real()).xDelete.expect("delete")(real(), path, sync) }
}
