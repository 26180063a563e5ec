//! The answers of a process without a frame: what a variable of another function may ask.

use crate::value::Scene;
use obit_corefile::addr::{Avma, LoadBias, Svma};
use obit_corefile::arch::Register;
use obit_corefile::memory::ReadError;
use obit_dwarf::{EntryValue, Location, NoPlace, Surroundings};

/// Finds only variables with a fixed address.
pub(super) struct NoFrame<'v> {
    pub(super) bias: LoadBias,
    pub(super) scene: Scene<'v>,
}

impl Surroundings for NoFrame<'_> {
    fn register(&self, _: Register) -> Option<u64> {
        None
    }

    fn register_name(&self, register: Register) -> String {
        format!("register {}", register.0)
    }

    fn register_bytes(&self, _: Register) -> Option<Vec<u8>> {
        None
    }

    fn read(&self, at: Avma, buf: &mut [u8]) -> Result<(), ReadError> {
        self.scene.memory.read(at, buf)
    }

    fn to_avma(&self, at: Svma) -> Avma {
        self.bias.to_avma(at)
    }

    fn cfa(&self) -> Option<Avma> {
        None
    }

    fn frame_base(&self) -> Option<&Location> {
        None
    }

    fn thread_local(&self, _: u64) -> Result<Avma, NoPlace> {
        Err(NoPlace::NoFrame)
    }

    fn entry_value(&self, _: EntryValue) -> Result<u64, NoPlace> {
        Err(NoPlace::NoFrame)
    }

    fn lookup_pc(&self) -> Option<Svma> {
        None
    }
}
