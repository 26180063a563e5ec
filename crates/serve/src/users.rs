//! Who may do what: roles, and the file that says who has which and by which token.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use obit_redact::Level;
use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use crate::stamp::Stamp;

/// Bytes of a file of users.
const LONGEST_FILE: u64 = 1 << 20;
/// Characters of a name.
const LONGEST_NAME: usize = 64;
/// Bytes of randomness in a token.
const RANDOM: usize = 32;

/// What someone may do. Each may do what the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees all, redacted strictly.
    Viewer,
    /// Sees what is stored, without what the default level hides; changes states.
    Analyst,
    /// May also reveal a crash as it is stored, and read the audit log.
    Owner,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Analyst, Self::Owner];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Analyst => "analyst",
            Self::Owner => "owner",
        }
    }

    /// The one of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// How much is hidden from it.
    pub fn level(self) -> Level {
        match self {
            Self::Viewer => Level::Strict,
            Self::Analyst | Self::Owner => Level::Default,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Why users are not known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsersError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others may read or change it.
    #[error(
        "{} must belong to you and be closed to others: chmod 600 {}",
        .0.display(), .0.display()
    )]
    Open(PathBuf),
    /// A line is not understood.
    #[error("{}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: usize,
        /// What was expected.
        problem: &'static str,
    },
    /// The name is not one, or is there already.
    #[error("{0}")]
    Name(&'static str),
}

/// The users of a file: lines of a name, a role, and the SHA-256 of a token or `-`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Users {
    roles: BTreeMap<String, Role>,
    by_hash: BTreeMap<String, String>,
}

impl Users {
    /// The role of a name.
    pub(crate) fn role(&self, name: &str) -> Option<Role> {
        self.roles.get(name).copied()
    }

    /// Whether anyone has this role.
    pub(crate) fn has_role(&self, role: Role) -> bool {
        self.roles.values().any(|one| *one == role)
    }

    /// Whether the token with this hash is still the one of `name`.
    pub(crate) fn has_key(&self, name: &str, hash: &str) -> bool {
        self.by_hash.get(hash).is_some_and(|of| of == name)
    }

    /// Who has this token. A token is random, so its hash needs no salt and finding it takes
    /// no care about time.
    pub(crate) fn of_token(&self, token: &str) -> Option<(&str, Role)> {
        let name = self.by_hash.get(&hash_of(token))?;
        Some((name, self.role(name)?))
    }
}

/// A file of users, read again when it changes.
#[derive(Clone, Debug)]
pub(crate) struct UsersFile {
    path: PathBuf,
}

impl UsersFile {
    pub(crate) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(crate) fn stamp(&self) -> Result<Stamp, UsersError> {
        Stamp::of(&self.path).map_err(|source| self.io(source))
    }

    /// Reads it, if no one else can.
    pub(crate) fn read(&self) -> Result<Users, UsersError> {
        self.parse(&self.text()?)
    }

    fn text(&self) -> Result<String, UsersError> {
        let file = File::open(&self.path).map_err(|source| self.io(source))?;
        let metadata = file.metadata().map_err(|source| self.io(source))?;
        let own = rustix::process::geteuid().as_raw();
        if metadata.mode() & 0o077 != 0 || (metadata.uid() != own && metadata.uid() != 0) {
            return Err(UsersError::Open(self.path.clone()));
        }
        let mut text = String::new();
        let mut limited = file.take(LONGEST_FILE + 1);
        limited.read_to_string(&mut text).map_err(|source| self.io(source))?;
        if text.len() as u64 > LONGEST_FILE {
            return Err(self.io(io::Error::other("it has more than 1 MiB")));
        }
        Ok(text)
    }

    fn parse(&self, text: &str) -> Result<Users, UsersError> {
        let mut users = Users::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong =
                |problem| UsersError::Line { path: self.path.clone(), line: at + 1, problem };
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, role, hash] = words.as_slice() else {
                return Err(wrong("expected a name, a role and the hash of a token"));
            };
            if !is_name(name) {
                return Err(wrong("expected a name of letters, digits and any of . _ - @"));
            }
            let role = Role::named(role).ok_or(wrong("roles are viewer, analyst, owner"))?;
            let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_hash && *hash != "-" {
                return Err(wrong("expected a SHA-256 in hexadecimal digits, or -"));
            }
            if users.roles.insert((*name).to_owned(), role).is_some() {
                return Err(wrong("the name is there twice"));
            }
            if is_hash
                && users.by_hash.insert(hash.to_ascii_lowercase(), (*name).to_owned()).is_some()
            {
                return Err(wrong("the token is there twice"));
            }
        }
        Ok(users)
    }

    fn io(&self, source: io::Error) -> UsersError {
        UsersError::Io { path: self.path.clone(), source }
    }
}

/// Adds a user to the file at `path`, which is made if it is not there. Gives the token, which
/// is nowhere else.
///
/// # Errors
/// When the name is none or is there already, and when the file cannot be written.
pub fn new_token(path: &Path, name: &str, role: Role) -> Result<String, UsersError> {
    if !is_name(name) {
        return Err(UsersError::Name(
            "expected a name of at most 64 letters, digits and any of . _ - @",
        ));
    }
    // Behind a link is the file that is read.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let users = UsersFile::at(path);
    let io = |source| users.io(source);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = File::open(directory.unwrap_or(Path::new("."))).map_err(io)?;
    // The file is replaced, so a lock on it would be one on what is gone.
    flock(&directory, FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
    let mut text = match path.exists() {
        true => users.text()?,
        false => String::new(),
    };
    if users.parse(&text)?.role(name).is_some() {
        return Err(UsersError::Name("the name is in the file already: remove its line first"));
    }
    let token = random_token().map_err(io)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{name} {role} {}", hash_of(&token));
    if text.len() as u64 > LONGEST_FILE {
        return Err(io(io::Error::other("it would have more than 1 MiB")));
    }
    users.parse(&text)?;
    replace(path, &text).and_then(|()| directory.sync_all()).map_err(io)?;
    Ok(token)
}

/// Writes a file anew, whole or not at all. To be called with its directory locked.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    // Of one who was interrupted.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let moved = written.and_then(|()| fs::rename(&new, path));
    if moved.is_err() {
        let _ = fs::remove_file(&new);
    }
    moved
}

/// A name that no one can guess, as text for a cookie or a header.
pub(crate) fn random_token() -> io::Result<String> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// By which a token is known where it is not kept.
pub(crate) fn hash_of(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// Whether a text is the name of a user: nothing that a page, a log or a file would obey.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".@_-".contains(c);
    (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(is_plain) && text != "-"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_given_once_and_only_its_hash_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        let token = new_token(&path, "ada", Role::Owner).unwrap();
        new_token(&path, "bob", Role::Viewer).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&token), "{text}");
        let users = UsersFile::at(&path).read().unwrap();
        assert_eq!(users.of_token(&token), Some(("ada", Role::Owner)));
        assert_eq!(users.of_token("x"), None);
        assert_eq!(users.of_token(""), None);
        assert_eq!(users.role("bob"), Some(Role::Viewer));
        assert!(new_token(&path, "ada", Role::Viewer).is_err());
        for bad in ["", "a b", "a\n", "<b>", &"a".repeat(65), "-"] {
            assert!(new_token(&path, bad, Role::Viewer).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_file_that_does_not_end_with_a_line_gets_another_user_and_keeps_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        let ada = new_token(&path, "ada", Role::Owner).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("# ours\n{}", text.trim_end())).unwrap();
        let bob = new_token(&path, "bob", Role::Viewer).unwrap();
        let users = UsersFile::at(&path).read().unwrap();
        assert_eq!(users.of_token(&ada), Some(("ada", Role::Owner)));
        assert_eq!(users.of_token(&bob), Some(("bob", Role::Viewer)));
        assert!(fs::read_to_string(&path).unwrap().starts_with("# ours\nada"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        // What is not understood stays as it is.
        fs::write(&path, "nonsense").unwrap();
        assert!(new_token(&path, "eve", Role::Viewer).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense");
    }

    #[test]
    fn of_many_who_add_users_at_once_no_one_is_lost_and_no_name_is_there_twice() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        let names = ["ada", "bob", "ada", "cyd", "ada", "dan"];
        let made: Vec<bool> = std::thread::scope(|scope| {
            let add = |name| {
                let path = &path;
                scope.spawn(move || new_token(path, name, Role::Viewer).is_ok())
            };
            let threads: Vec<_> = names.into_iter().map(add).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| **made).count(), 4, "{made:?}");
        assert_eq!(UsersFile::at(&path).read().unwrap().roles.len(), 4);
    }

    #[test]
    fn other_rights_are_seen_though_the_content_is_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        new_token(&path, "ada", Role::Owner).unwrap();
        let before = UsersFile::at(&path).stamp().unwrap();
        assert_eq!(UsersFile::at(&path).stamp().unwrap(), before);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert_ne!(UsersFile::at(&path).stamp().unwrap(), before);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users");
        new_token(&path, "ada", Role::Owner).unwrap();
        for mode in [0o640, 0o604, 0o660] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert!(matches!(UsersFile::at(&path).read(), Err(UsersError::Open(_))), "{mode:o}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_named() {
        let file = UsersFile::at(Path::new("users"));
        let hash = "0".repeat(64);
        for (text, word) in [
            ("ada".to_owned(), "line 1: expected a name, a role"),
            (format!("# x\nada king {hash}"), "line 2: roles are"),
            ("ada owner abc".to_owned(), "SHA-256"),
            (format!("a<b owner {hash}"), "letters"),
            (format!("ada owner {hash}\nada viewer -"), "line 2: the name is there twice"),
            (format!("ada owner {hash}\nbob viewer {hash}"), "line 2: the token is there twice"),
        ] {
            let said = file.parse(&text).unwrap_err().to_string();
            assert!(said.contains(word), "{said}");
        }
        assert!(file.parse("ada owner -\n\n").unwrap().of_token("-").is_none());
    }
}
