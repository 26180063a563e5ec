//! An input: a crash to start from, and what to change in its files.

use std::collections::BTreeMap;

use crate::bases::Base;
use crate::layout::Layout;

/// Which file of a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The core.
    Core,
    /// The program.
    Program,
}

/// What is done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The bytes take the place of those there.
    Overwrite,
    /// The bytes go between those there.
    Insert,
    /// As many bytes are taken out.
    Remove,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Of which file.
    pub part: Part,
    /// What is done.
    pub operation: Operation,
    /// Where: the region, by its place in [`Layout::regions`].
    pub region: u8,
    /// The place in the region; beyond its end, counted again from its start.
    pub offset: u16,
    /// What is put there; of [`Operation::Remove`], the length counts alone.
    pub bytes: Vec<u8>,
}

/// A whole input: two bytes, then changes of five bytes and those they put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Which crash to start from.
    pub base: u8,
    /// What to do with it: for the target to say.
    pub choice: u8,
    /// What to change.
    pub edits: Vec<Edit>,
}

impl Script {
    /// Bytes of the largest input.
    pub const LARGEST: usize = 4096;

    /// Any bytes are an input.
    pub fn of(data: &[u8]) -> Self {
        let byte = |at: usize| data.get(at).copied().unwrap_or(0);
        let mut script = Self { base: byte(0), choice: byte(1), edits: Vec::new() };
        let mut rest = data.get(2..).unwrap_or_default();
        while let Some(([kind, region, low, high, length], after)) = rest.split_first_chunk() {
            let operation = match kind >> 1 & 3 {
                0 | 1 => Operation::Overwrite,
                2 => Operation::Insert,
                _ => Operation::Remove,
            };
            let (bytes, after) = after.split_at(usize::from(*length).min(after.len()));
            script.edits.push(Edit {
                part: if kind & 1 == 0 { Part::Core } else { Part::Program },
                operation,
                region: *region,
                offset: u16::from_le_bytes([*low, *high]),
                bytes: bytes.to_vec(),
            });
            rest = after;
        }
        script
    }

    /// The input that [`Script::of`] reads as this one, without the changes that are beyond
    /// `most` bytes.
    pub fn to_bytes(&self, most: usize) -> Vec<u8> {
        let mut bytes = vec![self.base, self.choice];
        for edit in &self.edits {
            let length = edit.bytes.len().min(255);
            if bytes.len() + 5 + length > most {
                break;
            }
            let operation = match edit.operation {
                Operation::Overwrite => 0,
                Operation::Insert => 4,
                Operation::Remove => 6,
            };
            let [low, high] = edit.offset.to_le_bytes();
            let part = u8::from(edit.part == Part::Program);
            bytes.extend([operation | part, edit.region, low, high, length as u8]);
            bytes.extend(&edit.bytes[..length]);
        }
        bytes.truncate(most);
        bytes
    }

    /// The core with the changes to it.
    pub fn core(&self, base: &Base) -> Vec<u8> {
        self.changed(Part::Core, &base.core, &base.core_layout)
    }

    /// The program with the changes to it.
    pub fn program(&self, base: &Base) -> Vec<u8> {
        self.changed(Part::Program, &base.program, &base.program_layout)
    }

    fn changed(&self, part: Part, file: &[u8], layout: &Layout) -> Vec<u8> {
        let mut contents: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for edit in self.edits.iter().filter(|edit| edit.part == part) {
            let index = usize::from(edit.region) % layout.regions.len();
            let region = &layout.regions[index];
            let content =
                contents.entry(index).or_insert_with(|| file[region.range.clone()].to_vec());
            let at = usize::from(edit.offset).checked_rem(content.len()).unwrap_or(0);
            match edit.operation {
                Operation::Overwrite => {
                    let room = content.len() - at;
                    for (to, from) in content[at..].iter_mut().zip(&edit.bytes[..]) {
                        *to = *from;
                    }
                    // Where a table may grow, it does.
                    if let Some(more) = edit.bytes.get(room..) {
                        region.framing.insert(content, at + room, more, layout);
                    }
                }
                Operation::Insert => region.framing.insert(content, at, &edit.bytes, layout),
                Operation::Remove => {
                    region.framing.remove(content, at, edit.bytes.len().max(1), layout);
                }
            }
        }
        layout.with(file, &contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_read_as_it_was_written() {
        let edit = |part, operation, bytes: &[u8]| Edit {
            part,
            operation,
            region: 3,
            offset: 0x1234,
            bytes: bytes.to_vec(),
        };
        let script = Script {
            base: 1,
            choice: 2,
            edits: vec![
                edit(Part::Core, Operation::Overwrite, b"abc"),
                edit(Part::Program, Operation::Insert, b""),
                edit(Part::Program, Operation::Remove, b"xy"),
            ],
        };
        assert_eq!(Script::of(&script.to_bytes(Script::LARGEST)), script);
        assert_eq!(Script::of(&script.to_bytes(12)).edits.len(), 1);
    }

    #[test]
    fn without_changes_the_files_are_those_of_the_base() {
        for base in crate::bases() {
            let script = Script::default();
            assert!(script.core(base) == base.core && script.program(base) == base.program);
        }
    }

    #[test]
    fn a_section_that_grows_is_found_where_its_header_says() {
        for base in crate::bases() {
            let at = |region: &crate::Region| region.name == ".debug_info";
            let region = base.program_layout.regions.iter().position(at).unwrap();
            let script = Script {
                edits: vec![Edit {
                    part: Part::Program,
                    operation: Operation::Insert,
                    region: region as u8,
                    offset: 20,
                    bytes: vec![0xaa; 9],
                }],
                ..Script::default()
            };
            let changed = script.program(base);
            let regions = Layout::of(&changed).regions;
            assert_eq!(regions.len(), base.program_layout.regions.len(), "{}", base.name);
            let before = &base.program_layout.regions[region].range;
            assert_eq!(regions[region].range.len(), before.len() + 9);
            assert_eq!(changed[regions[region].range.start + 20..][..9], [0xaa; 9]);
        }
    }
}
