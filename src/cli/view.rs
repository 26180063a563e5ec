//! Which part of a report is shown.

/// Of the page for a person. The other formats always have all of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Page,
    Summary,
    Modules,
    Signature { explained: bool },
}
