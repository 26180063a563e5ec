//! Links that show one page to everyone who has them, for a time. Their secret is behind `#`, which
//! browsers send to no one, and is kept as a hash, in memory alone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::users::hash_of;

/// The cookie that a browser keeps of an opened link.
pub(crate) const LINK_COOKIE: &str = "obit_link";
/// Links at once.
const MOST: usize = 1_000;
/// Digits of a hash in the audit log.
const MARK: usize = 8;
/// How long a link may hold.
pub(crate) const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Who made a link: it holds as long as he may make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Maker {
    pub(crate) name: String,
    /// The hash of the token by which he was known, if he has one.
    pub(crate) key: Option<String>,
}

/// A link that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) group: String,
    pub(crate) maker: Maker,
    /// Digits of its hash, by which the audit log names it.
    pub(crate) mark: String,
    end: Instant,
}

/// The links, by the hash of their secret.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<HashMap<String, Link>>);

impl Links {
    /// Keeps a link to a group by this secret. `false` if there are too many.
    pub(crate) fn keep(&self, token: &str, group: &str, maker: Maker, holds: Duration) -> bool {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, link| link.end > now);
        if all.len() >= MOST {
            return false;
        }
        let end = now + holds.min(LONGEST);
        let link = Link { group: group.to_owned(), maker, mark: mark_of(token), end };
        all.insert(hash_of(token), link);
        true
    }

    /// The link with this secret; `None` if it is none, or its time is over.
    pub(crate) fn of(&self, token: &str) -> Option<Link> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let link = all.get(&hash_of(token))?;
        (link.end > Instant::now()).then(|| link.clone())
    }
}

/// By which the audit log names the link with this secret.
pub(crate) fn mark_of(token: &str) -> String {
    hash_of(token).chars().take(MARK).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> Maker {
        Maker { name: "ada".to_owned(), key: None }
    }

    #[test]
    fn a_link_opens_one_group_for_its_time() {
        let links = Links::default();
        assert!(links.keep("secret", "g1", ada(), Duration::from_secs(60)));
        let link = links.of("secret").unwrap();
        assert_eq!((link.group.as_str(), &link.maker), ("g1", &ada()));
        assert_eq!(link.mark, hash_of("secret")[..8]);
        assert_eq!(links.of("other"), None);
        assert!(links.keep("over", "g1", ada(), Duration::ZERO));
        assert_eq!(links.of("over"), None);
    }

    #[test]
    fn links_are_bounded() {
        let links = Links::default();
        let mut keep = |n: usize| links.keep(&n.to_string(), "g", ada(), Duration::from_secs(60));
        assert!((0..MOST).all(&mut keep));
        assert!(!keep(MOST));
    }
}
