//! How much of all answers a run holds in memory: a core has a bound of its own, but there may be
//! many cores.

use super::answer::{CoreAnswer, FrameAnswer};
use obit_query::Cell;

/// Frames of all cores.
const MOST_FRAMES: usize = 1_000_000;
/// Bytes that the answers of all cores take, with the rows that are made of them.
const MOST_BYTES: usize = 1 << 30;

/// What is left.
#[derive(Debug)]
pub struct Room {
    frames: usize,
    bytes: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { frames: MOST_FRAMES, bytes: MOST_BYTES }
    }
}

impl Room {
    /// Leaves out of an answer the frames, and the names of functions, that there is no room
    /// for; how many frames.
    pub(super) fn fit(&mut self, answer: &mut CoreAnswer) -> u64 {
        let common = cost_of_core(answer);
        let before = answer.frames.len();
        let is_held = |frame: &FrameAnswer| match self.take(common.saturating_add(cost(frame))) {
            true => true,
            // What comes later may be smaller, but a gap in a stack would be odd.
            false => {
                self.bytes = 0;
                false
            }
        };
        let mut is_full = false;
        let mut is_held = is_held;
        answer.frames.retain(|frame| {
            is_full = is_full || !is_held(frame);
            !is_full
        });
        let names: usize =
            answer.functions.iter().map(|name| size_of::<String>() + name.len()).sum();
        match self.bytes.checked_sub(names) {
            Some(left) => self.bytes = left,
            None => answer.functions.clear(),
        }
        (before - answer.frames.len()) as u64
    }

    /// Takes the room of a frame, if there is so much.
    fn take(&mut self, bytes: usize) -> bool {
        let (Some(frames), Some(bytes)) =
            (self.frames.checked_sub(1), self.bytes.checked_sub(bytes))
        else {
            return false;
        };
        (self.frames, self.bytes) = (frames, bytes);
        true
    }
}

/// Bytes that each row has of its core.
fn cost_of_core(answer: &CoreAnswer) -> usize {
    let core = &answer.core;
    let shown = [core.program.as_ref(), core.host.as_ref()];
    let texts = [&core.build, &core.signal, &core.time, &core.class];
    let shown: usize = shown.into_iter().flatten().map(|text| text.as_str().len()).sum();
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    core.path.as_str().len().saturating_add(shown).saturating_add(texts)
}

/// Bytes of an answer, and of the row that is made of it.
fn cost(frame: &FrameAnswer) -> usize {
    let words = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let names = words(&frame.function) + words(&frame.file);
    let cells: usize = frame.cells.iter().map(|cell| size_of::<Cell>() + cell.words().len()).sum();
    let fixed = size_of::<FrameAnswer>() + super::rows::BUILT_IN.len() * size_of::<Cell>();
    fixed.saturating_add(names.saturating_add(cells).saturating_mul(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use obit_query::Datum;

    fn answer(frames: usize, text: &str) -> CoreAnswer {
        let cells = vec![Datum::Text(text.to_owned()).into()];
        let frame = FrameAnswer { cells, ..FrameAnswer::default() };
        let functions = vec!["main".to_owned()];
        CoreAnswer { frames: vec![frame; frames], functions, ..CoreAnswer::default() }
    }

    #[test]
    fn frames_that_there_is_no_room_for_are_left_out_and_counted() {
        let mut room = Room { frames: 5, bytes: MOST_BYTES };
        let mut first = answer(3, "a");
        assert_eq!((room.fit(&mut first), first.frames.len()), (0, 3));
        let mut second = answer(3, "a");
        assert_eq!((room.fit(&mut second), second.frames.len()), (1, 2));
    }

    #[test]
    fn texts_and_names_take_room_too() {
        let one = cost(&answer(1, &"x".repeat(1000)).frames[0]);
        let mut room = Room { frames: 100, bytes: 2 * one + 100 };
        let mut long = answer(10, &"x".repeat(1000));
        assert_eq!((room.fit(&mut long), long.frames.len()), (8, 2));
        let mut next = answer(1, "");
        assert_eq!(room.fit(&mut next), 1);
        assert!(next.functions.is_empty());
    }
}
