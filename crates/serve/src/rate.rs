//! How often each client may ask: a bucket that fills again with time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Clients that are remembered; those with a full bucket are forgotten first.
const MOST: usize = 4_096;

/// A rate, and how many requests at once do not exceed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// Requests a second, on the average.
    pub(crate) per_second: f64,
    /// Requests at once.
    pub(crate) at_once: f64,
}

/// What clients have left.
#[derive(Debug)]
pub(crate) struct Rate {
    /// `None`: no limit.
    allowance: Option<Allowance>,
    left: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Rate {
    pub(crate) fn new(allowance: Option<Allowance>) -> Self {
        Self { allowance, left: Mutex::default() }
    }

    /// Takes one request of what `client` has left; otherwise, in how many seconds it has one.
    pub(crate) fn take(&self, client: &str) -> Result<(), u64> {
        self.take_at(client, Instant::now())
    }

    fn take_at(&self, client: &str, now: Instant) -> Result<(), u64> {
        let Some(Allowance { per_second, at_once }) = self.allowance else { return Ok(()) };
        let mut all = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = |(left, at): (f64, Instant)| {
            (left + now.duration_since(at).as_secs_f64() * per_second).min(at_once)
        };
        if all.len() >= MOST && !all.contains_key(client) {
            all.retain(|_, bucket| filled(*bucket) < at_once);
            if all.len() >= MOST {
                return Err(1);
            }
        }
        let left = all.get(client).map_or(at_once, |bucket| filled(*bucket));
        if left < 1.0 {
            // Bounded by one request's time; a rate is never 0.
            return Err(((1.0 - left) / per_second).ceil().clamp(1.0, 3600.0) as u64);
        }
        all.insert(client.to_owned(), (left - 1.0, now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_client_that_asks_too_often_waits_and_others_do_not() {
        let rate = Rate::new(Some(Allowance { per_second: 0.5, at_once: 3.0 }));
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(rate.take_at("a", now), Ok(()));
        }
        assert_eq!(rate.take_at("a", now), Err(2));
        assert_eq!(rate.take_at("b", now), Ok(()));
        assert_eq!(rate.take_at("a", now + Duration::from_secs(2)), Ok(()));
        assert!(Rate::new(None).take_at("a", now).is_ok());
    }

    #[test]
    fn what_is_remembered_of_clients_is_bounded() {
        let rate = Rate::new(Some(Allowance { per_second: 1.0, at_once: 2.0 }));
        let now = Instant::now();
        for n in 0..MOST {
            assert!(rate.take_at(&n.to_string(), now).is_ok());
        }
        assert_eq!(rate.take_at("one more", now), Err(1));
        assert!(rate.take_at("one more", now + Duration::from_secs(5)).is_ok());
        assert!(rate.left.lock().unwrap().len() <= MOST);
    }
}
