//! Colours by meaning. Each marks something that the text says as well.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::Color;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// What went wrong.
    Alarm,
    /// What one should look at.
    Focus,
    /// Where that is.
    Place,
    /// What may be wrong about the report itself.
    Doubt,
    /// What one may skip.
    Aside,
    /// Anything else.
    Plain,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Self::Alarm => Style::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Self::Focus => Style::new().bold(),
            Self::Place => Style::new().fg_color(Some(AnsiColor::Cyan.into())),
            Self::Doubt => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
            Self::Aside => Style::new().dimmed(),
            Self::Plain => Style::new(),
        }
    }
}

/// Text to be written in one ink.
pub(super) struct Inked<'t> {
    text: &'t str,
    ink: Ink,
    color: Color,
}

impl Color {
    /// `text`, in `ink` if there are colours.
    pub(super) fn paint(self, ink: Ink, text: &str) -> Inked<'_> {
        Inked { text, ink, color: self }
    }
}

impl fmt::Display for Inked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.color == Color::Never || self.ink == Ink::Plain || self.text.is_empty() {
            return f.write_str(self.text);
        }
        let style = self.ink.style();
        write!(f, "{style}{}{style:#}", self.text)
    }
}
