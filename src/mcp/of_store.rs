//! Groups of a store as short documents.

use super::call::Refused;
use obit_redact::Shown;
use obit_session::{GroupAnswer, GroupDump, GroupLine, Next, TriageAnswer, page};
use obit_triage::store::{Found, Store, StoreError};
use obit_triage::time::minute_of;
use obit_triage::views::{GroupDetail, GroupSummary, Moment, ViewOptions};

/// Dumps of a group that are listed, and traits.
const DUMPS: usize = 5;
const TRAITS: usize = 6;
/// Releases and notes of its history.
const RELEASES: usize = 12;
const NOTES: usize = 6;
/// Frames of a stack.
const FRAMES: usize = 16;

/// The groups, those of `status` only; `part` is how many are left out and shown.
pub(super) fn groups(
    store: &Store,
    status: Option<&str>,
    part: (u64, u64),
) -> Result<TriageAnswer, Refused> {
    let found = store.overview(&ViewOptions::default(), usize::MAX).map_err(failed)?;
    let count = |word: &str| found.groups.iter().filter(|one| one.status.word() == word).count();
    let (new, regressed) = (count("new") as u64, count("regressed") as u64);
    let wanted = found.groups.iter().filter(|one| status.is_none_or(|it| one.status.word() == it));
    let page = page(wanted.map(line).collect(), part.0, part.1);
    let next = page.items.first().map(|group: &GroupLine| Next {
        tool: "group".to_owned(),
        arguments: [("group".to_owned(), group.group.clone())].into(),
        why: Shown::own("the most urgent one in full"),
    });
    Ok(TriageAnswer {
        dumps: found.dumps,
        failed: found.failed,
        groups: page.items,
        total: page.total,
        new,
        regressed,
        next_cursor: page.next.map(|next| next.to_string()),
        next: next.into_iter().collect(),
    })
}

fn line(group: &GroupSummary) -> GroupLine {
    let shown = |text: &String| Shown::from_report(text.clone());
    GroupLine {
        group: group.id.clone(),
        status: group.status.word().to_owned(),
        reason: shown(&group.reason),
        count: group.count,
        class: group.class.clone(),
        headline: group.headline.as_ref().or(group.title.as_ref()).map(shown),
        signature: shown(&group.signature),
    }
}

/// One group in full.
pub(super) fn group(store: &Store, id: &str) -> Result<GroupAnswer, Refused> {
    let unknown = || {
        Refused::new(
            format!("no group has the id or name {id:?}"),
            "triage, which lists the groups",
        )
    };
    let id = match store.find(id).map_err(failed)? {
        Found::Group(group) | Found::Merged(_, group) => group,
        Found::Dump(dump) => store.group_of(&dump).map_err(failed)?.ok_or_else(unknown)?,
        Found::Several(ids) => {
            let why = format!("{id:?} is ambiguous: {}", ids.join(", "));
            return Err(Refused::new(why, "group with a longer id"));
        }
        Found::Nothing => return Err(unknown()),
    };
    let detail = store.detail(&id, &ViewOptions::default(), DUMPS).map_err(failed)?;
    let detail = detail.ok_or_else(unknown)?;
    let shown = |text: &String| Shown::from_report(text.clone());
    let stack = detail.stack.iter().take(FRAMES).map(|frame| {
        let function = frame.function.as_deref().unwrap_or("??");
        let place = frame.source.as_deref().or(frame.module.as_deref()).unwrap_or("");
        let blame = if frame.is_to_blame { " (blame)" } else { "" };
        Shown::from_report(format!("#{} {function} {place}{blame}", frame.index))
    });
    let traits = detail.traits.iter().take(TRAITS).map(|one| {
        let values = one.values.join(", ");
        let text = format!("{} {}: {values} ({} of {})", one.of, one.what, one.count, one.known);
        Shown::from_report(text)
    });
    let dumps = detail.dumps.iter().take(DUMPS).map(|dump| GroupDump {
        crash: dump.crash.clone(),
        path: dump.path.as_ref().map(shown),
        release: dump.release.as_ref().map(shown),
        host: dump.host.as_ref().map(shown),
    });
    let path = detail.dumps.iter().find_map(|dump| dump.path.clone());
    let next = path.map(|path| Next {
        tool: "open".to_owned(),
        arguments: [("path".to_owned(), path)].into(),
        why: Shown::own("its newest dump"),
    });
    Ok(GroupAnswer {
        group: line(&detail.group),
        explanation: detail.explanation.as_ref().map(shown),
        message: detail.message.as_ref().map(shown),
        stack: stack.collect(),
        traits: traits.collect(),
        history: history(&detail),
        dumps: dumps.collect(),
        next: next.into_iter().collect(),
    })
}

/// When and where a group was seen, and its state and notes.
fn history(detail: &GroupDetail) -> Vec<Shown> {
    let group = &detail.group;
    let mut lines = Vec::new();
    let moment = |what: &str, moment: &Moment| {
        let release = moment.release.as_deref().or(moment.build.as_deref());
        let release = release.map(|release| format!(" in {release}")).unwrap_or_default();
        format!("{what} {}{release}", minute_of(moment.time))
    };
    lines.extend(group.first.as_ref().map(|first| moment("first seen", first)));
    lines.extend(group.first_bad.as_ref().map(|bad| bad.reason.clone()));
    let left_out = group.releases.len().saturating_sub(RELEASES);
    if left_out > 0 {
        lines.push(format!("{left_out} older releases"));
    }
    for release in group.releases.iter().skip(left_out) {
        let (name, count, dumps) = (&release.name, release.count, release.dumps);
        lines.push(format!("{name}: {count} of {dumps} dumps"));
    }
    lines.extend(group.last.as_ref().map(|last| moment("last seen", last)));
    let since = detail.state_since.map(|time| format!(" since {}", minute_of(time)));
    let build = detail.state_build.as_ref().map(|build| format!(", in {build}"));
    let (since, build) = (since.unwrap_or_default(), build.unwrap_or_default());
    lines.push(format!("state: {}{since}{build}", group.state));
    for note in detail.notes.iter().rev().take(NOTES).rev() {
        lines.push(format!("note of {}: {}", minute_of(note.time), note.text));
    }
    lines.into_iter().map(Shown::from_report).collect()
}

fn failed(error: StoreError) -> Refused {
    Refused::new(error.to_string(), "triage")
}
