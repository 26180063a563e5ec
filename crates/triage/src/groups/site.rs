//! Where functions panicked: two places of one function are two bugs, and a new release may
//! have them on other lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::parts::Member;

/// A place in a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Site {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Site {
    fn read(text: &str) -> Option<Self> {
        let (line, column) = text.split_once(':')?;
        Some(Self { line: line.parse().ok()?, column: column.parse().ok()? })
    }
}

/// The places of one function, by those of the build that shows the most of them.
pub(super) struct Sites<'t> {
    of_build: BTreeMap<&'t str, BTreeSet<Site>>,
    known: Vec<Site>,
}

impl<'t> Sites<'t> {
    /// Those of crashes of one signature; `None` if no build shows two.
    pub(super) fn of(members: &[Member<'t>]) -> Option<Self> {
        let mut of_build: BTreeMap<&str, BTreeSet<Site>> = BTreeMap::new();
        for key in members.iter().map(|member| member.key) {
            if let Some(site) = Site::read(&key.panicked_at) {
                of_build.entry(&key.build).or_default().insert(site);
            }
        }
        let most = of_build.values().max_by_key(|sites| (sites.len(), *sites))?;
        let known: Vec<Site> = most.iter().copied().collect();
        (known.len() > 1).then_some(Self { of_build, known })
    }

    /// Which of the known places that of this crash is: the same one, or in a build that
    /// shows as many of them the one in the same order. `None` where that is not known.
    pub(super) fn place(&self, member: &Member<'t>) -> Option<Site> {
        let site = Site::read(&member.key.panicked_at)?;
        let here = self.of_build.get(member.key.build.as_str())?;
        if here.iter().all(|site| self.known.contains(site)) {
            return Some(site);
        }
        if here.len() == self.known.len() {
            let nth = here.iter().position(|other| *other == site)?;
            return self.known.get(nth).copied();
        }
        let mut alike = self.known.iter().filter(|known| known.column == site.column);
        alike.next().copied().filter(|_| alike.next().is_none())
    }
}
