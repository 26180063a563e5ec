//! The functions at an address of a Go program, as its own stack traces name them.

use super::functions::{GoFunction, GoFunctions};
use super::inlined::Called;
use crate::model::code::{SourceFrame, SourceLocation};
use crate::model::language::Language;

impl GoFunctions {
    /// The functions at `at`, the innermost first: at most `depth` inlined calls, and the
    /// function that holds it. Empty if there is none.
    ///
    /// What runs there but cannot be named (the inline tree is out of reach) takes its line
    /// with it: it is not the function's.
    pub(crate) fn frames(&self, at: u64, depth: usize) -> Vec<SourceFrame> {
        let found = || {
            let function = self.at(at)?;
            Some((function, self.name(function).filter(|name| !name.is_empty())?))
        };
        let Some((function, name)) = found() else { return Vec::new() };
        let mut frames = Vec::new();
        let mut index = self.inlined_at(function, at);
        let mut location = self.line(function, at);
        while let Some(inlined) = index {
            let call = self.inlined_call(function, inlined).filter(|_| frames.len() < depth);
            let Some(call) = call else {
                location = None;
                break;
            };
            let (called, parent) = self.caller(function, call.called);
            frames.push(frame(call.name, std::mem::replace(&mut location, called), true));
            index = parent;
        }
        frames.push(frame(name, location, false));
        frames
    }

    /// The line of an inlined call, and the index of the call that it is in.
    fn caller(
        &self,
        function: GoFunction,
        called: Called,
    ) -> (Option<(String, u32)>, Option<usize>) {
        match called {
            Called::At(at) => (self.line(function, at), self.inlined_at(function, at)),
            Called::Line(line, parent) => (line, parent),
        }
    }
}

fn frame(name: String, location: Option<(String, u32)>, is_inline: bool) -> SourceFrame {
    SourceFrame {
        function: Some(name),
        linkage_name: None,
        location: location.map(|(file, line)| SourceLocation {
            file,
            directory: None,
            line: Some(line).filter(|line| *line > 0),
            column: None,
            content: Default::default(),
        }),
        language: Some(Language::Go),
        is_inline,
        from_symbol: false,
    }
}
