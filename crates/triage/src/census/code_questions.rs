//! What is to be compared: which functions of which groups in which builds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Census, Programs, Sighting};
use crate::history::{COMPARED, Releases, StackFunction, symbol_of_function};
use crate::record::{Record, WITH_VARIABLES};
use crate::signature::{Rules, module_name};
use obit_report::FrameKind;

/// Builds of which a stack is taken.
const STACKS: usize = 6;
/// Releases before it that are compared.
const RELEASES: usize = 4;
/// Frames that are looked at.
const FRAMES: usize = 64;
const _: () = assert!(WITH_VARIABLES <= FRAMES);

/// Which code is to be compared for one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CodeQuestion {
    /// Rows of dumps whose stacks decide which functions are compared.
    pub(crate) dumps: Vec<i64>,
    /// Builds they are compared in.
    pub(crate) builds: BTreeSet<usize>,
    /// Dumps of the group.
    pub(crate) count: u64,
}

/// What is to be compared in a census: first for the groups that are new or were gone, then
/// for others, between the release that had them first and the one before; those with most
/// dumps first. Its builds' numbers of dumps are counted.
pub(crate) fn code_questions(census: &mut Census) -> Vec<CodeQuestion> {
    census.count_dumps();
    let programs = Programs::of(census, None, None);
    let mut by_group: BTreeMap<(usize, usize), Vec<&Sighting>> = BTreeMap::new();
    for sighting in &census.sightings {
        let program = programs.of_build.get(sighting.event.build);
        if let Some((group, program)) = sighting.group.zip(program) {
            by_group.entry((group, *program)).or_default().push(sighting);
        }
    }
    let (mut of_status, mut of_beginning) = (Vec::new(), Vec::new());
    for ((_, program), members) in by_group {
        let releases = &programs.releases[program];
        let mut seen = vec![0_u64; releases.list.len()];
        for sighting in &members {
            if let Some(place) = releases.place(sighting.event.build) {
                seen[place] += 1;
            }
        }
        let Some(span) = status_span(releases, &seen) else {
            let span = beginning_span(releases, &seen);
            of_beginning.extend(span.map(|span| question(census, releases, &members, &span)));
            continue;
        };
        of_status.push(question(census, releases, &members, &span));
    }
    of_status.sort_by_key(|question| Reverse(question.count));
    of_beginning.sort_by_key(|question| Reverse(question.count));
    of_status.append(&mut of_beginning);
    of_status
}

/// Places of releases that are compared, and those of which stacks are taken.
struct Span {
    places: BTreeSet<usize>,
    with_stacks: BTreeSet<usize>,
}

/// Of a group that is new in the newest release, or was not seen in one before that.
fn status_span(releases: &Releases, seen: &[u64]) -> Option<Span> {
    let newest = releases.newest()?;
    if seen[newest] == 0 {
        return None;
    }
    let last = seen[..newest].iter().rposition(|count| *count > 0);
    // Seen in the release before: nothing is new or came back.
    let used = |place: &usize| releases.list[*place].dumps > 0;
    let between: Vec<usize> = (last.map_or(0, |last| last + 1)..newest).filter(used).collect();
    let latest = between.last()?;
    let mut places: BTreeSet<usize> = match last {
        Some(last) => between.iter().rev().take(RELEASES).copied().chain([last]).collect(),
        None => BTreeSet::from([*latest]),
    };
    places.insert(newest);
    Some(Span { places, with_stacks: [newest].into_iter().chain(last).collect() })
}

/// Of any other group: the first release that has it, and the one with dumps before that.
fn beginning_span(releases: &Releases, seen: &[u64]) -> Option<Span> {
    let first = seen.iter().position(|count| *count > 0)?;
    let before = releases.list[..first].iter().rposition(|release| release.dumps > 0)?;
    Some(Span { places: [before, first].into(), with_stacks: [first].into() })
}

fn question(
    census: &Census,
    releases: &Releases,
    members: &[&Sighting],
    span: &Span,
) -> CodeQuestion {
    let mut stacks: BTreeMap<usize, &Sighting> = BTreeMap::new();
    for sighting in members {
        let place = releases.place(sighting.event.build);
        if place.is_some_and(|place| span.with_stacks.contains(&place)) {
            let best = stacks.entry(sighting.event.build).or_insert(sighting);
            let better = |s: &Sighting| (s.is_complete, s.confidence, s.event.time, s.tie);
            if better(sighting) > better(best) {
                *best = sighting;
            }
        }
    }
    let mut stacks: Vec<&Sighting> = stacks.into_values().collect();
    stacks
        .sort_by_key(|sighting| Reverse((sighting.event.time, sighting.event.build, sighting.tie)));
    stacks.truncate(STACKS);
    let variants: BTreeSet<_> = stacks
        .iter()
        .filter_map(|sighting| census.builds.get(sighting.event.build))
        .map(|build| &build.variant)
        .collect();
    let builds = span.places.iter().flat_map(|place| &releases.list[*place].builds).copied();
    let is_like = |at: &usize| {
        let build = census.builds.get(*at);
        build.is_some_and(|build| variants.contains(&build.variant) && !build.id.is_empty())
    };
    CodeQuestion {
        dumps: stacks.iter().map(|sighting| sighting.dump).collect(),
        builds: builds.filter(is_like).collect(),
        count: members.len() as u64,
    }
}

/// The functions of the program on the stack that explains a crash, innermost first; of
/// inlined ones, the function whose code they are in.
pub(crate) fn stack_functions(record: Record, rules: &Rules) -> Vec<StackFunction> {
    let report = record.into_report();
    let Some(thread) = report.thread_to_blame().or_else(|| report.threads.first()) else {
        return Vec::new();
    };
    let relevant = rules.relevant_frames(&report, thread, FRAMES);
    let mut found: Vec<StackFunction> = Vec::new();
    for index in relevant {
        let mut from = thread.frames.iter().skip_while(|frame| frame.index != index);
        let Some(frame) = from.find(|frame| frame.kind != FrameKind::Inline) else { continue };
        let symbol = frame.linkage_name.as_ref().or(frame.function.as_ref());
        let (Some(symbol), Some(place)) = (symbol, &frame.module) else { continue };
        let function = StackFunction {
            module: module_name(place.path.as_str()),
            symbol: symbol_of_function(symbol.as_str()).to_owned(),
            name: frame.function.as_ref().unwrap_or(symbol).as_str().to_owned(),
        };
        if !found.iter().any(|known| known.symbol == function.symbol) {
            found.push(function);
        }
        if found.len() == COMPARED {
            break;
        }
    }
    found
}
