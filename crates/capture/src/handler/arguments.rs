//! What the kernel writes on the command line of a handler (core(5), `fs/coredump.c`).

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::str::FromStr;

use crate::Tid;

/// The specifiers that a core pattern gives to the handler, in this order. Those that a kernel
/// does not know become empty words; `%F` is known since 6.16.
pub const SPECIFIERS: &str = "%P %s %t %I %F %d %c %h";

/// What `%d` says of a process whose core is its user's: `SUID_DUMP_USER`.
const DUMPED_AS_USER: u32 = 1;

/// A crash, as the kernel announces it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// The process, in the initial pid namespace (`%P`).
    pub process: Tid,
    /// The signal that ends it (`%s`).
    pub signal: i32,
    /// Seconds since 1970 (`%t`).
    pub time: i64,
    /// The thread that crashed, in the initial pid namespace (`%I`).
    pub thread: Option<Tid>,
    /// A pidfd of the process that the kernel left open (`%F`).
    pub pidfd: Option<RawFd>,
    /// `PR_GET_DUMPABLE` of the process (`%d`).
    pub dump_mode: Option<u32>,
    /// `RLIMIT_CORE` of the process in bytes; `u64::MAX` is unlimited (`%c`).
    pub limit: Option<u64>,
    /// The host name in the UTS namespace of the process (`%h`).
    pub host: Option<String>,
}

/// Why the words are not what a kernel writes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// Fewer words than process, signal and time.
    #[error("{0} of the words {SPECIFIERS} were given; process, signal and time are needed")]
    TooFew(usize),
    /// More words than there are specifiers.
    #[error("the word {0:?} follows those of {SPECIFIERS}")]
    TooMany(OsString),
    /// A word that still is a specifier: this was not started by the kernel.
    #[error("{0} was not replaced: only the kernel does that, for a core pattern")]
    NotReplaced(String),
    /// A word that is not a number.
    #[error("{specifier} is {word:?}, which is not a number")]
    NotANumber {
        /// What it is the value of.
        specifier: &'static str,
        /// The word.
        word: OsString,
    },
}

impl Announced {
    /// Reads the words of [`SPECIFIERS`]. Those after the third may be missing or empty.
    ///
    /// # Errors
    /// If a word cannot be what a kernel wrote.
    pub fn parse(words: &[OsString]) -> Result<Self, ArgumentError> {
        let mut words_left = words.iter().map(OsString::as_os_str);
        let mut next = || words_left.next().unwrap_or_default();
        let too_few = || ArgumentError::TooFew(words.len());
        let process = number("%P", next())?.ok_or_else(too_few)?;
        let signal = number("%s", next())?.ok_or_else(too_few)?;
        let time = number("%t", next())?.ok_or_else(too_few)?;
        let thread = number("%I", next())?;
        let pidfd = number("%F", next())?;
        let dump_mode = number("%d", next())?;
        let limit = number("%c", next())?;
        let host = next().to_string_lossy().into_owned();
        if let Some(more) = words_left.next() {
            return Err(ArgumentError::TooMany(more.to_owned()));
        }
        let host = Some(host).filter(|host| !host.is_empty());
        Ok(Self { process, signal, time, thread, pidfd, dump_mode, limit, host })
    }

    /// Whether the kernel would have given the core to the user of the process; `None` if it
    /// did not say.
    pub fn is_of_user(&self) -> Option<bool> {
        self.dump_mode.map(|mode| mode == DUMPED_AS_USER)
    }
}

/// The number that a specifier became; `None` for an empty word.
fn number<N: FromStr>(specifier: &'static str, word: &OsStr) -> Result<Option<N>, ArgumentError> {
    let text = word.to_string_lossy();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('%') {
        return Err(ArgumentError::NotReplaced(text.into_owned()));
    }
    let wrong = |_| ArgumentError::NotANumber { specifier, word: word.to_owned() };
    text.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Announced, ArgumentError> {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        Announced::parse(&words)
    }

    #[test]
    fn the_words_of_the_kernel_are_read() {
        let announced = parse("4711 11 1767225600 4712 3 1 18446744073709551615 web-1").unwrap();
        assert_eq!(
            announced,
            Announced {
                process: 4711,
                signal: 11,
                time: 1_767_225_600,
                thread: Some(4712),
                pidfd: Some(3),
                dump_mode: Some(1),
                limit: Some(u64::MAX),
                host: Some("web-1".to_owned()),
            }
        );
        assert_eq!(announced.is_of_user(), Some(true));
    }

    #[test]
    fn what_an_older_kernel_does_not_know_is_an_empty_word() {
        let announced = parse("4711 11 1767225600 4712  2 0 web-1").unwrap();
        assert_eq!((announced.pidfd, announced.limit), (None, Some(0)));
        assert_eq!(announced.is_of_user(), Some(false));
        assert_eq!(parse("1 6 7").unwrap().is_of_user(), None);
    }

    #[test]
    fn words_that_no_kernel_wrote_are_refused_with_what_is_wrong() {
        let message = |line: &str| parse(line).unwrap_err().to_string();
        assert!(message("%P %s %t").starts_with("%P was not replaced"));
        assert!(message("4711 11").starts_with("2 of the words %P %s %t"));
        assert!(message("4711 segv 0").starts_with("%s is \"segv\""));
        assert!(message("1 2 3 4 5 1 7 host more").starts_with("the word \"more\" follows"));
        assert!(message("99999999999 11 0").starts_with("%P is"));
    }
}
