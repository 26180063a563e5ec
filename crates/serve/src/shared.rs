//! Links that show one page to everyone who has them, for a time. Their secret is behind `#`, which
//! browsers send to no one, and is kept as a hash, in memory alone.

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::users::{hash_of, random_token};

/// The cookie that a browser keeps of an opened link.
pub(crate) const LINK_COOKIE: &str = "obit_link";
/// Links at once.
const MOST: usize = 1_000;
/// How long a link may hold.
pub(crate) const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

#[derive(Debug)]
struct Link {
    group: String,
    end: Instant,
}

/// The links, by the hash of their secret.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<HashMap<String, Link>>);

impl Links {
    /// A new one to a group; gives its secret. `None` if there are too many.
    pub(crate) fn make(&self, group: &str, holds: Duration) -> io::Result<Option<String>> {
        let token = random_token()?;
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, link| link.end > now);
        if all.len() >= MOST {
            return Ok(None);
        }
        let end = now + holds.min(LONGEST);
        all.insert(hash_of(&token), Link { group: group.to_owned(), end });
        Ok(Some(token))
    }

    /// The group that a secret opens; `None` if it is none, or holds no more.
    pub(crate) fn page(&self, token: &str) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let link = all.get(&hash_of(token))?;
        (link.end > Instant::now()).then(|| link.group.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_one_group_for_its_time() {
        let links = Links::default();
        let token = links.make("g1", Duration::from_secs(60)).unwrap().unwrap();
        assert_eq!(links.page(&token).as_deref(), Some("g1"));
        assert_eq!(links.page("other"), None);
        let over = links.make("g1", Duration::ZERO).unwrap().unwrap();
        assert_eq!(links.page(&over), None);
    }

    #[test]
    fn links_are_bounded() {
        let links = Links::default();
        for _ in 0..MOST {
            assert!(links.make("g", Duration::from_secs(60)).unwrap().is_some());
        }
        assert!(links.make("g", Duration::from_secs(60)).unwrap().is_none());
    }
}
