//! What a formatter makes of an object.

use std::collections::HashSet;
use std::sync::Arc;

use super::formatter::{ElementRule, End, Formatter, UserFormatters, Word};
use super::path::Path;
use crate::value::readable::Readable;
use crate::value::readable::extent::{element_name, is_mapped, size_of, wanted};
use crate::value::text::counted_text;
use crate::value::{Object, Scene, Text};
use obit_corefile::addr::Avma;
use obit_dwarf::TypeKind;

/// Nodes that are counted where no member says how many there are.
const COUNTED_NODES: usize = 10_000;

impl UserFormatters {
    /// The readable form of `object` by the first formatter that fits its type, if there
    /// is one and the object has the members it names.
    pub(in crate::value::readable) fn readable<'d>(
        &self,
        object: &Object<'d>,
        scene: Scene<'d>,
        limit: usize,
    ) -> Option<Readable<'d>> {
        if self.formatters.is_empty() {
            return None;
        }
        let names = [object.ty.name(), object.resolved(scene).name()];
        let fits = |formatter: &&Formatter| names.iter().any(|name| formatter.name.fits(name));
        self.formatters.iter().find(fits)?.apply(object, scene, limit)
    }
}

impl Formatter {
    /// The readable form of `object`; `None` if a member it names is missing, or what is
    /// there cannot be so.
    pub(super) fn apply<'d>(
        &self,
        object: &Object<'d>,
        scene: Scene<'d>,
        limit: usize,
    ) -> Option<Readable<'d>> {
        let mut found = match &self.content {
            ElementRule::Nothing => Readable::default(),
            ElementRule::Elements { first, end } => elements(object, first, end, scene, limit)?,
            ElementRule::List { .. } => self.list(object, scene, limit)?,
            ElementRule::Text { first, length } => Readable {
                text: Some(text(&first.of(object, scene)?, length, object, scene)?),
                ..Readable::default()
            },
            ElementRule::Members(paths) => members(object, paths, scene),
        };
        let mut summary = String::new();
        for word in &self.summary {
            match word {
                Word::Text(text) => summary.push_str(text),
                Word::Number(path) => match path.number(object, scene) {
                    Some(number) => summary.push_str(&number.to_string()),
                    None => summary.push('?'),
                },
            }
        }
        found.summary = Some(summary).filter(|summary| !summary.is_empty());
        Some(found)
    }

    fn list<'d>(
        &self,
        object: &Object<'d>,
        scene: Scene<'d>,
        limit: usize,
    ) -> Option<Readable<'d>> {
        let ElementRule::List { first, next, value, count } = &self.content else { return None };
        let count = match count {
            Some(count) => Some(count.count(object, scene)?),
            None => None,
        };
        let most = match count {
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX).min(limit),
            None => limit.max(COUNTED_NODES),
        };
        let container = object.address().map(|at| at.0);
        let mut seen = HashSet::new();
        let mut elements: Vec<(Arc<str>, Object<'d>)> = Vec::new();
        let mut link = first.of(object, scene)?;
        let mut has_ended = false;
        while seen.len() < most {
            let Ok(at) = link.unsigned(scene) else { break };
            // A ring ends where it began, or at the container if that is part of it.
            if at == 0 || Some(at) == container || !seen.insert(at) {
                has_ended = true;
                break;
            }
            let node = link.pointee(scene).ok()?;
            if !is_mapped(scene, Avma(at), size_of(node.ty, scene).unwrap_or(1)) {
                break;
            }
            if elements.len() < limit {
                let element = match value {
                    Some(value) => value.of(&node, scene)?,
                    None => node.clone(),
                };
                elements.push((element_name(elements.len() as u64), element));
            }
            link = next.of(&node, scene)?;
        }
        let passed = has_ended.then_some(seen.len() as u64);
        Some(Readable { elements, total: count.or(passed), ..Readable::default() })
    }
}

fn elements<'d>(
    object: &Object<'d>,
    first: &Path,
    end: &End,
    scene: Scene<'d>,
    limit: usize,
) -> Option<Readable<'d>> {
    let first = first.of(object, scene)?;
    let is_array = matches!(first.resolved(scene).get().kind, TypeKind::Array(_));
    let size = size_of(first.index(scene, 0)?.ty, scene).filter(|size| *size > 0)?;
    let start = if is_array { first.address()? } else { Avma(first.unsigned(scene).ok()?) };
    let count = match end {
        End::Count(count) => count.count(object, scene)?,
        End::Pointer(end) => {
            let end = end.of(object, scene)?.unsigned(scene).ok()?;
            let len = end.checked_sub(start.0)?;
            (len.checked_rem(size)? == 0).then(|| len.checked_div(size))??
        }
    };
    if !is_mapped(scene, start, count.checked_mul(size)?) {
        return None;
    }
    let elements = wanted(count, limit).map_while(|index| {
        Some((element_name(index), first.index(scene, i64::try_from(index).ok()?)?))
    });
    Some(Readable { elements: elements.collect(), total: Some(count), ..Readable::default() })
}

/// The characters at `first`: as many as `length` says, else up to a NUL.
fn text<'d>(
    first: &Object<'d>,
    length: &Option<Path>,
    object: &Object<'d>,
    scene: Scene<'d>,
) -> Option<Text> {
    let is_array = matches!(first.resolved(scene).get().kind, TypeKind::Array(_));
    let size = size_of(first.index(scene, 0)?.ty, scene)?;
    let unit = usize::try_from(size).ok().filter(|unit| matches!(unit, 1 | 2 | 4))?;
    let start = if is_array { first.address()? } else { Avma(first.unsigned(scene).ok()?) };
    let stated = match length {
        Some(length) => Some(length.count(object, scene)?),
        None => None,
    };
    let room = stated.or_else(|| first.length(scene));
    if room.is_some_and(|room| !is_mapped(scene, start, room.saturating_mul(size))) {
        return None;
    }
    let most = u64::try_from(scene.limits.string_bytes).ok()?.checked_div(size)?;
    let wanted = room.unwrap_or(most).min(most);
    let wanted = usize::try_from(wanted).ok()?.checked_mul(unit)?;
    let mut bytes = scene.memory.read_up_to(start, wanted);
    if bytes.is_empty() && wanted > 0 {
        return None;
    }
    let nul = bytes.chunks_exact(unit).position(|unit| unit.iter().all(|byte| *byte == 0));
    let nul = nul.filter(|_| stated.is_none());
    if let Some(units) = nul {
        bytes.truncate(units.checked_mul(unit)?);
    }
    let read = u64::try_from(bytes.len().checked_div(unit)?).ok()?;
    let rest = room.map(|room| room.saturating_sub(read));
    let left_out = if nul.is_some() { Some(0) } else { rest };
    let text = counted_text(&bytes, unit, scene.memory.is_little_endian(), 0);
    Some(Text { left_out, ..text })
}

fn members<'d>(object: &Object<'d>, paths: &[Path], scene: Scene<'d>) -> Readable<'d> {
    let found = paths
        .iter()
        .filter_map(|path| Some((Arc::from(path.to_string()), path.of(object, scene)?)));
    let elements: Vec<_> = found.collect();
    let total = u64::try_from(elements.len()).ok();
    Readable { elements, total, ..Readable::default() }
}
