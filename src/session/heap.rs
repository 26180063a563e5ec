//! What the heap holds, and what is at an address in it.

use super::opened::Opened;
use crate::report::heap_read::{census_of, place_of};
use obit_report::heap::{HeapReport, PlaceReport};
use obit_session::{Place, Problem};

impl Opened {
    /// The census, with at most `most` rows of each list.
    pub(super) fn heap(&self, most: u64) -> HeapReport {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let read = self.heap_read();
        self.judged(&[], |judge| census_of(&self.process, read, most, judge.redactor()))
    }

    /// The block at the address that `of` gives, and at most `most` words that point to it.
    pub(super) fn pointers(&self, at: Place, of: &str, most: u64) -> Result<PlaceReport, Problem> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let address = self.address_asked(at, of)?;
        let read = self.heap_read().as_ref().ok();
        let level = self.build.redaction;
        Ok(self.judged(&[], |judge| {
            place_of(&self.process, read, (address, Some(most)), level, judge)
        }))
    }
}
