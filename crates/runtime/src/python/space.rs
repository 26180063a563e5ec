//! Memory of the process as the structures of the interpreter have it: little words of 64-bit
//! machines, each by its address and offset.

use std::cell::Cell;

use obit_corefile::addr::Avma;
use obit_corefile::memory::AddressSpace;

/// Reads of one process: a structure that leads in circles ends here.
const MOST_READS: u64 = 4_000_000;

/// Memory that is read within a budget.
pub(super) struct Space<'p> {
    memory: &'p AddressSpace,
    left: Cell<u64>,
}

impl<'p> Space<'p> {
    pub(super) fn new(memory: &'p AddressSpace) -> Self {
        Self { memory, left: Cell::new(MOST_READS) }
    }

    /// Whether the budget is used up: what was read since is not all there is.
    pub(super) fn is_spent(&self) -> bool {
        self.left.get() == 0
    }

    fn spend(&self, size: usize) -> Option<()> {
        let cost = (size as u64 / 256).saturating_add(1);
        let left = self.left.get().checked_sub(cost);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ())
    }

    /// The `size` bytes there, all of them.
    pub(super) fn bytes(&self, at: u64, size: usize) -> Option<Vec<u8>> {
        self.spend(size)?;
        // What cannot be there is not made room for.
        self.memory.range_at(Avma(at))?;
        let bytes = self.memory.read_up_to(Avma(at), size);
        (bytes.len() == size).then_some(bytes)
    }

    fn number<const N: usize>(&self, at: u64, offset: u64) -> Option<[u8; N]> {
        self.spend(N)?;
        let mut bytes = [0; N];
        self.memory.read(Avma(at.checked_add(offset)?), &mut bytes).ok()?;
        Some(bytes)
    }

    /// The pointer at `offset` from `at`.
    pub(super) fn word(&self, at: u64, offset: u64) -> Option<u64> {
        self.number(at, offset).map(u64::from_le_bytes)
    }

    /// The same where it is not NULL.
    pub(super) fn pointer(&self, at: u64, offset: u64) -> Option<u64> {
        self.word(at, offset).filter(|pointer| *pointer != 0)
    }

    /// The `int` there.
    pub(super) fn int(&self, at: u64, offset: u64) -> Option<i32> {
        self.number(at, offset).map(i32::from_le_bytes)
    }

    /// The byte there.
    pub(super) fn byte(&self, at: u64, offset: u64) -> Option<u8> {
        self.number::<1>(at, offset).map(|[byte]| byte)
    }

    /// The C string there.
    pub(super) fn c_string(&self, at: u64, limit: usize) -> Option<String> {
        self.spend(limit)?;
        let bytes = self.memory.read_c_string(Avma(at), limit)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}
