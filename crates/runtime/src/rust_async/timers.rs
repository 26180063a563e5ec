//! What time it was for tokio's timers: the core does not hold the clock, but the timer driver
//! notes how far it has come.

use std::collections::BTreeMap;
use std::time::Duration;

use super::spot::{Reader, Spot};
use obit_corefile::addr::Avma;

/// The time when the timer driver last ran, on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Now(Duration);

/// The timer drivers that were found.
#[derive(Default)]
pub(super) struct Drivers {
    starts: BTreeMap<Avma, Duration>,
    elapsed: BTreeMap<Avma, u64>,
}

impl Drivers {
    /// Takes note of an object of the type called `name` if it is a part of a driver.
    pub(super) fn note<'p>(&mut self, reader: &Reader<'p>, spot: Spot<'p>, name: &str) {
        let is_of_time = name.starts_with("tokio::") && name.contains("time");
        if !is_of_time {
            return;
        }
        if let Some(start) = reader.field(spot, "start_time") {
            self.starts.extend(instant(reader, start).map(|time| (start.at, time)));
        }
        if name.ends_with("::Wheel") {
            let elapsed = reader.field(spot, "elapsed");
            let elapsed = elapsed.and_then(|it| Some((it.at, reader.word(it.at)?)));
            self.elapsed.extend(elapsed);
        }
    }

    /// The time, if there is one driver: timers do not say by what they are driven in a way that
    /// all versions share. It may have several wheels, which it turns one after the other.
    pub(super) fn now(&self) -> Option<Now> {
        let (start, elapsed) = (self.starts.values().next()?, self.elapsed.values().max()?);
        let is_one = self.starts.len() == 1;
        let now = start.checked_add(Duration::from_millis(*elapsed)).map(Now);
        now.filter(|_| is_one)
    }
}

/// A `std::time::Instant` or what is made of one.
fn instant<'p>(reader: &Reader<'p>, spot: Spot<'p>) -> Option<Duration> {
    let seconds = reader.word(spot.inside("tv_sec")?.at)?;
    let nanoseconds = reader.unsigned(spot.inside("tv_nsec")?.at, 4)?;
    let nanoseconds = u32::try_from(nanoseconds).ok().filter(|it| *it < 1_000_000_000)?;
    Some(Duration::new(seconds, nanoseconds))
}

/// How long until the `Sleep` at `spot` ends; zero once that time has passed.
pub(super) fn remaining<'p>(
    reader: &Reader<'p>,
    spot: Spot<'p>,
    now: Option<Now>,
) -> Option<Duration> {
    let deadline = reader.field(spot, "deadline").or_else(|| spot.inside("deadline"))?;
    Some(instant(reader, deadline)?.saturating_sub(now?.0))
}
