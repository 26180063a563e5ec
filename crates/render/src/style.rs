//! Colours by meaning. Each marks something that the text says as well.

use std::fmt;

use anstyle::{AnsiColor, Style as Ansi};

use super::Color;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
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

impl Style {
    fn ansi(self) -> Ansi {
        match self {
            Self::Alarm => Ansi::new().bold().fg_color(Some(AnsiColor::Red.into())),
            Self::Focus => Ansi::new().bold(),
            Self::Place => Ansi::new().fg_color(Some(AnsiColor::Cyan.into())),
            Self::Doubt => Ansi::new().fg_color(Some(AnsiColor::Yellow.into())),
            Self::Aside => Ansi::new().dimmed(),
            Self::Plain => Ansi::new(),
        }
    }
}

/// Text to be written in one style.
pub(super) struct Styled<'t> {
    text: &'t str,
    style: Style,
    color: Color,
}

impl Color {
    /// `text`, in `style` if there are colours.
    pub(super) fn paint(self, style: Style, text: &str) -> Styled<'_> {
        Styled { text, style, color: self }
    }
}

impl fmt::Display for Styled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.color == Color::Never || self.style == Style::Plain || self.text.is_empty() {
            return f.write_str(self.text);
        }
        let ansi = self.style.ansi();
        write!(f, "{ansi}{}{ansi:#}", self.text)
    }
}
