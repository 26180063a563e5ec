//! Who is logged in: kept in memory alone, so the end of the server logs everyone out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::users::{hash_of, random_token};

/// Sessions at once; the one that was used least recently gives way.
const MOST: usize = 1_000;

/// How long a session lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    /// After the last request.
    pub(crate) idle: Duration,
    /// After the login.
    pub(crate) whole: Duration,
}

#[derive(Debug)]
struct Session {
    user: String,
    /// Of the token by which the user logged in: when that is replaced, the session ends.
    key: String,
    begun: Instant,
    used: Instant,
}

/// The sessions, by the hash of the cookie.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: Mutex<HashMap<String, Session>>,
    lifetime: Lifetime,
}

impl Sessions {
    pub(crate) fn new(lifetime: Lifetime) -> Self {
        Self { all: Mutex::default(), lifetime }
    }

    /// Begins one; gives what the cookie holds.
    pub(crate) fn begin(&self, user: &str, key: String) -> std::io::Result<String> {
        let cookie = random_token()?;
        let now = Instant::now();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, session| self.lifetime.holds(session, now));
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(hash, _)| hash.clone()) {
                all.remove(&oldest);
            }
        }
        let session = Session { user: user.to_owned(), key, begun: now, used: now };
        all.insert(hash_of(&cookie), session);
        Ok(cookie)
    }

    /// Whose session it is, and by which token it began; `None` if it is over.
    pub(crate) fn of(&self, cookie: &str) -> Option<(String, String)> {
        let now = Instant::now();
        let hash = hash_of(cookie);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get_mut(&hash)?;
        if !self.lifetime.holds(session, now) {
            all.remove(&hash);
            return None;
        }
        session.used = now;
        Some((session.user.clone(), session.key.clone()))
    }

    /// Ends it.
    pub(crate) fn end(&self, cookie: &str) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&hash_of(cookie));
    }
}

impl Lifetime {
    fn holds(self, session: &Session, now: Instant) -> bool {
        now.duration_since(session.used) < self.idle
            && now.duration_since(session.begun) < self.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_is_old_idle_or_ended() {
        let long = Duration::from_secs(60);
        let of = |idle, whole| {
            let sessions = Sessions::new(Lifetime { idle, whole });
            let cookie = sessions.begin("ada", "k".to_owned()).unwrap();
            (sessions, cookie)
        };
        let (sessions, cookie) = of(long, long);
        assert_eq!(sessions.of(&cookie), Some(("ada".to_owned(), "k".to_owned())));
        assert_eq!(sessions.of("other"), None);
        sessions.end(&cookie);
        assert_eq!(sessions.of(&cookie), None);
        for (idle, whole) in [(Duration::ZERO, long), (long, Duration::ZERO)] {
            let (sessions, cookie) = of(idle, whole);
            assert_eq!(sessions.of(&cookie), None);
        }
    }

    #[test]
    fn sessions_are_bounded_and_the_least_used_gives_way() {
        let long = Duration::from_secs(60);
        let sessions = Sessions::new(Lifetime { idle: long, whole: long });
        let first = sessions.begin("first", String::new()).unwrap();
        let second = sessions.begin("second", String::new()).unwrap();
        assert!(sessions.of(&first).is_some());
        for _ in 0..MOST - 1 {
            sessions.begin("x", String::new()).unwrap();
        }
        assert!(sessions.of(&first).is_some());
        assert_eq!(sessions.of(&second), None);
    }
}
