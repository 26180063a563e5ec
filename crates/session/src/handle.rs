//! How a frame is named from one answer to the next question.

use std::fmt;
use std::str::FromStr;

/// Number `frame` of thread `thread`: `16961/1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHandle {
    /// Id of the thread.
    pub thread: i64,
    /// Number of the frame, as reports count.
    pub frame: u64,
}

impl fmt::Display for FrameHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.thread, self.frame)
    }
}

impl FromStr for FrameHandle {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.trim().split_once('/');
        let parsed = parts.and_then(|(thread, frame)| {
            Some(Self { thread: thread.parse().ok()?, frame: frame.parse().ok()? })
        });
        parsed.ok_or_else(|| {
            "a frame is named THREAD/NUMBER, such as 16961/1: `stack` lists them".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_read_as_it_is_written_and_anything_else_is_refused() {
        let handle = FrameHandle { thread: 16961, frame: 1 };
        assert_eq!(handle.to_string().parse(), Ok(handle));
        for text in ["", "1", "/", "a/1", "1/-1", "1/2/3", "99999999999999999999/1"] {
            assert!(text.parse::<FrameHandle>().is_err(), "{text}");
        }
    }
}
