//! What the releases of a program show about a group.

use super::code_evidence::{ChangedFunction, Evidence, GroupCode};
use super::counts::CountsByRelease;
use super::release::Release;
use super::status::Status;
use super::trend::{ABSENCE_P, Rate, p_of_fewer};
use super::verdict::{ProgramHistory, Verdict};
use super::wording::{changed_since, doubt, dumps, listed, p_text, part};

/// What the releases show, and the code of their builds.
#[derive(Default)]
pub(super) struct FromReleases {
    /// `None` where the releases alone show nothing.
    pub(super) verdict: Option<Verdict>,
    /// What the code adds to the reason.
    pub(super) and_code: String,
    pub(super) changed: Vec<ChangedFunction>,
}

impl From<Option<Verdict>> for FromReleases {
    fn from(verdict: Option<Verdict>) -> Self {
        Self { verdict, ..Self::default() }
    }
}

/// What the releases show, where there are two or more that were used.
pub(super) fn by_release(
    counts: &CountsByRelease<'_>,
    program: &ProgramHistory<'_>,
    code: &GroupCode<'_>,
) -> FromReleases {
    let Some(group) = InReleases::of(counts, program, code) else {
        return FromReleases::default();
    };
    if group.first == group.newest {
        group.first_seen()
    } else if group.rate(group.newest).count == 0 {
        FromReleases::from(Some(group.not_seen()))
    } else {
        group.seen_before()
    }
}

/// A group among the releases of its program. Places are those of the list of releases.
struct InReleases<'a> {
    counts: &'a CountsByRelease<'a>,
    program: &'a ProgramHistory<'a>,
    code: &'a GroupCode<'a>,
    /// The first release that has the group.
    first: usize,
    /// The release before the newest that has any dump.
    previous: usize,
    /// The newest release that has any dump.
    newest: usize,
}

/// From this on, functions that changed in a gap and again since support that the bug was
/// fixed there and came back.
const CHANGED_P: f64 = 0.2;
/// Chance must be this unlikely where a group is called new.
pub(crate) const NEW_P: f64 = 0.02;
/// Chance must be this unlikely where the functions on the stack did not change.
const UNCHANGED_P: f64 = 0.01;

/// Releases directly before the newest that did not show the group.
struct Gap {
    /// The release before them, which has the group.
    last: usize,
    places: Vec<usize>,
    /// All of them together.
    rate: Rate,
    /// Those that have the group, before them.
    before: Rate,
    /// How likely chance alone makes the gap.
    p: f64,
    /// The names of the releases.
    names: String,
}

impl<'a> InReleases<'a> {
    fn of(
        counts: &'a CountsByRelease<'a>,
        program: &'a ProgramHistory<'a>,
        code: &'a GroupCode<'a>,
    ) -> Option<Self> {
        let list = &program.releases.list;
        let first = counts.counts.iter().position(|count| *count > 0)?;
        let newest = counts.newest.filter(|newest| *newest < list.len())?;
        let previous = list[..newest].iter().rposition(|release| release.dumps > 0)?;
        Some(Self { counts, program, code, first, previous, newest })
    }

    fn release(&self, place: usize) -> &'a Release {
        &self.program.releases.list[place]
    }

    fn rate(&self, place: usize) -> Rate {
        self.release(place).rate(self.counts.counts[place])
    }

    /// The releases from one place up to another, that one left out.
    fn together(&self, from: usize, to: usize) -> Rate {
        (from..to).map(|place| self.rate(place)).reduce(Rate::and).unwrap_or_default()
    }

    fn changes(&self, from: usize, to: usize) -> Vec<ChangedFunction> {
        self.code.changes(self.program.releases, self.program.builds, (from, to))
    }

    fn first_seen(&self) -> FromReleases {
        let (before, here) = (self.together(0, self.newest), self.rate(self.newest));
        let p = p_of_fewer(before, here);
        let changed = self.changes(self.previous, self.newest);
        let is_same = !changed.is_empty() && changed.iter().all(ChangedFunction::is_same);
        let limit = if is_same { UNCHANGED_P } else { NEW_P };
        let reason = || {
            format!(
                "first seen in {}: {}; none of {} before{}",
                self.release(self.newest).name,
                part(here),
                dumps(before.dumps),
                doubt(p, limit)
            )
        };
        let verdict = Verdict {
            status: Status::New,
            is_sure: p < limit,
            reason: self.program.say(reason),
            p: Some(p),
            ..Verdict::default()
        };
        FromReleases {
            verdict: Some(verdict),
            and_code: changed_since(&changed, &self.release(self.previous).name),
            changed,
        }
    }

    fn not_seen(&self) -> Verdict {
        let newest = self.release(self.newest);
        let (before, here) = (self.together(self.first, self.newest), self.rate(self.newest));
        let p = p_of_fewer(here, before);
        let reason = || {
            let expected = here.expected_from(before);
            let (name, part, doubt) = (&newest.name, part(here), doubt(p, ABSENCE_P));
            format!("not seen in {name}: {part}; {expected:.1} expected{doubt}")
        };
        Verdict {
            status: Status::Fading,
            is_sure: p < ABSENCE_P && self.counts.is_comparable(newest),
            reason: self.program.say(reason),
            p: Some(p),
            ..Verdict::default()
        }
    }

    /// Seen in the newest release and in earlier ones: it goes on, or it came back.
    fn seen_before(&self) -> FromReleases {
        let is_comparable = |place: &usize| self.counts.is_comparable(self.release(*place));
        let Some(gap) = self.gap(is_comparable) else {
            return match self.gap(|place| self.release(*place).dumps > 0) {
                Some(gap) => self.built_otherwise(&gap),
                None => FromReleases::from(self.trend()),
            };
        };
        let (releases, builds) = (self.program.releases, self.program.builds);
        let evidence = self.code.of_gap(releases, builds, gap.last, &gap.places, self.newest);
        let mut changed = Vec::new();
        for place in &gap.places {
            changed.extend(self.changes(gap.last, *place));
            changed.extend(self.changes(*place, self.newest));
        }
        let is_chance = gap.p >= ABSENCE_P;
        match &evidence {
            Evidence::Same if is_chance => {
                let and_code = format!(
                    "; not seen in {}, probably by chance: the functions on its stack are \
                     unchanged from a release that has it",
                    gap.names
                );
                FromReleases { verdict: self.trend(), and_code, changed }
            }
            Evidence::Unknown if is_chance && self.program.keeps_states => {
                FromReleases { changed, ..FromReleases::from(self.trend()) }
            }
            _ => {
                let (verdict, and_code) = self.returned(&gap, &evidence);
                FromReleases { verdict: Some(verdict), and_code, changed }
            }
        }
    }

    /// The releases directly before the newest, of those that `counts`, if none of them has
    /// the group.
    fn gap(&self, counts: impl Fn(&usize) -> bool) -> Option<Gap> {
        let earlier = &self.counts.counts[..self.newest];
        let last = earlier.iter().rposition(|count| *count > 0).unwrap_or(self.first);
        let places: Vec<usize> = (last + 1..self.newest).filter(counts).collect();
        let rate = places.iter().map(|place| self.rate(*place)).reduce(Rate::and)?;
        let before = self.together(self.first, last + 1);
        let names: Vec<&str> =
            places.iter().map(|place| self.release(*place).name.as_str()).collect();
        let p = p_of_fewer(rate, before);
        Some(Gap { last, names: names.join(", "), places, rate, before, p })
    }

    /// Not seen in releases that were built otherwise than all builds with the group: they
    /// may not have shown it, or it was gone.
    fn built_otherwise(&self, gap: &Gap) -> FromReleases {
        let trend = self.trend();
        if gap.p < ABSENCE_P && !self.program.keeps_states && trend.is_none() {
            let and_code = format!(
                " ({}); but {} was built otherwise than the builds that have it: weak evidence",
                p_text(gap.p),
                gap.names
            );
            let verdict = Verdict {
                status: Status::Regressed,
                reason: self.back(gap),
                p: Some(gap.p),
                ..Verdict::default()
            };
            return FromReleases { verdict: Some(verdict), and_code, changed: Vec::new() };
        }
        let verdict = trend.unwrap_or_else(|| self.counts.going_on(self.program));
        let and_code = format!(
            "; not seen in {}, which was built otherwise than the builds that have it: weak evidence",
            gap.names
        );
        let is_sure = verdict.is_sure && verdict.status != Status::Active;
        let verdict = Some(Verdict { is_sure, ..verdict });
        FromReleases { verdict, and_code, changed: Vec::new() }
    }

    fn back(&self, gap: &Gap) -> String {
        self.program.say(|| {
            format!(
                "back in {}: {}; none of {} in {}, where {:.1} were expected",
                self.release(self.newest).name,
                part(self.rate(self.newest)),
                dumps(gap.rate.dumps),
                gap.names,
                gap.rate.expected_from(gap.before)
            )
        })
    }

    /// Back after a gap, and what the code adds to that.
    fn returned(&self, gap: &Gap, evidence: &Evidence) -> (Verdict, String) {
        let (is_sure, and_code) = match evidence {
            Evidence::Restored(functions) => {
                let functions = listed(functions.iter().map(String::as_str));
                let (p, names) = (p_text(gap.p), &gap.names);
                let and_code =
                    format!(" ({p}); {functions} differed in {names} and is as before again");
                (true, and_code)
            }
            Evidence::Changed(functions) => {
                let functions = listed(functions.iter().map(String::as_str));
                let (p, names) = (doubt(gap.p, CHANGED_P), &gap.names);
                let and_code = format!("{p}; {functions} changed in {names} and again since");
                (gap.p < CHANGED_P, and_code)
            }
            // Then data, settings or another function were others.
            Evidence::Same => {
                let p = doubt(gap.p, UNCHANGED_P);
                let and_code = format!(
                    "{p}; but the functions on its stack are unchanged from a release that has it"
                );
                (gap.p < UNCHANGED_P, and_code)
            }
            Evidence::Unknown => (gap.p < ABSENCE_P, self.program.say(|| doubt(gap.p, ABSENCE_P))),
        };
        let (status, reason, p) = (Status::Regressed, self.back(gap), Some(gap.p));
        (Verdict { status, is_sure, reason, p, ..Verdict::default() }, and_code)
    }

    /// What the newest release shows compared with all since the first that has the group.
    fn trend(&self) -> Option<Verdict> {
        let (here, before) = (self.rate(self.newest), self.together(self.first, self.newest));
        let newest = &self.release(self.newest).name;
        Verdict::of_trend(here, before, |p| {
            self.program
                .say(|| format!("{} in {newest}, {} before ({p})", part(here), part(before)))
        })
    }
}
