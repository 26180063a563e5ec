//! Tasks of tokio as its lists have them: a header, the table of functions that says which future
//! the task runs, and the cell around both. All offsets are those of the debug information.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::search::Search;
use super::spot::{Reader, Spot, plain, record};
use obit_corefile::addr::Avma;
use obit_process::value::TypeRef;

/// Tasks that are read.
const MOST_TASKS: usize = 1 << 18;
/// Objects that are looked at in search of the lists within one owner.
const MOST_OBJECTS: usize = 1 << 14;
/// Types called the same that are looked at.
const MOST_SAME: usize = 64;

/// A list of tasks.
#[derive(Clone, Copy)]
pub(super) struct Owner<'p> {
    spot: Spot<'p>,
    /// Tasks say to which list they belong.
    pub(super) id: u64,
}

/// One task.
pub(super) struct Cell<'p> {
    /// Of its header.
    pub(super) at: Avma,
    /// Bits of tokio's state.
    pub(super) state: u64,
    /// Its number; `None` before tokio numbered tasks.
    pub(super) id: Option<u64>,
    /// What is known of tasks with its table of functions.
    pub(super) layout: Option<Rc<Layout<'p>>>,
}

/// Where the parts of a task lie, for one type of future.
pub(super) struct Layout<'p> {
    pub(super) future: TypeRef<'p>,
    /// From the header to the stage, which is the future or what it returned.
    stage: Spot<'p>,
    id: Option<Spot<'p>>,
    next: Spot<'p>,
    pub(super) spawned_at: Option<Spot<'p>>,
}

impl<'p> Layout<'p> {
    /// The stage of the task whose header is at `at`.
    pub(super) fn stage(&self, at: Avma) -> Option<Spot<'p>> {
        from(self.stage, at)
    }
}

/// A part that is so far from the start of its whole, in the whole at `at`.
pub(super) fn from<'p>(part: Spot<'p>, at: Avma) -> Option<Spot<'p>> {
    Some(Spot { at: at.checked_add(part.at.0)?, ..part })
}

/// What went wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// It leads to what is no task of it.
    List,
    /// It holds more than are read.
    TooLong,
}

pub(super) struct Cells<'r, 'p> {
    reader: &'r Reader<'p>,
    layouts: HashMap<u64, Option<Rc<Layout<'p>>>>,
}

/// Whether a type with this name holds a list of tasks.
pub(super) fn is_owner(name: &str) -> bool {
    ["OwnedTasks<", "LocalOwnedTasks<"].iter().any(|own| {
        name.strip_prefix("tokio::runtime::task::list::").is_some_and(|it| it.starts_with(own))
    })
}

impl<'r, 'p> Cells<'r, 'p> {
    pub(super) fn new(reader: &'r Reader<'p>) -> Self {
        Self { reader, layouts: HashMap::new() }
    }

    pub(super) fn owner(&self, spot: Spot<'p>) -> Option<Owner<'p>> {
        let id = self.reader.word(self.reader.field(spot, "id")?.at)?;
        (id != 0).then_some(Owner { spot, id })
    }

    /// The tasks of a list, and what is wrong with it.
    pub(super) fn tasks(&mut self, owner: Owner<'p>) -> (Vec<Cell<'p>>, Option<Broken>) {
        let mut lists = Vec::new();
        let mut search = Search::new(self.reader, MOST_OBJECTS);
        search.from(owner.spot, |spot, name| {
            let is_list = name.starts_with("tokio::util::linked_list::LinkedList<");
            if is_list {
                lists.push(spot);
            }
            is_list
        });
        let (mut found, mut broken) = (Vec::new(), None);
        let mut seen = HashSet::new();
        for list in lists {
            let Some(head) = self.reader.field(list, "head").and_then(Spot::pointer_here) else {
                broken = Some(Broken::List);
                continue;
            };
            let Some(header) = head.target() else { continue };
            let mut next = self.reader.word(head.at);
            loop {
                let Some(at) = next else {
                    broken = Some(Broken::List);
                    break;
                };
                if at == 0 {
                    break;
                }
                if found.len() >= MOST_TASKS {
                    broken = Some(Broken::TooLong);
                    break;
                }
                let spot = Spot { ty: header, at: Avma(at) };
                let cell = seen.insert(at).then(|| self.cell(spot, Some(owner.id))).flatten();
                let Some(cell) = cell else {
                    broken = Some(Broken::List);
                    break;
                };
                next = self.next(&cell, spot);
                found.push(cell);
            }
        }
        (found, broken)
    }

    /// The task whose header is at `spot`, if it belongs to the list `owner`.
    pub(super) fn cell(&mut self, spot: Spot<'p>, owner: Option<u64>) -> Option<Cell<'p>> {
        let reader = self.reader;
        let state = reader.word(reader.field(spot, "state")?.at)?;
        if let Some(owner) = owner
            && let Some(of_task) = reader.field(spot, "owner_id")
            && reader.word(of_task.at)? != owner
        {
            return None;
        }
        let vtable = reader.pointee(reader.field(spot, "vtable")?)?;
        let layout = self.layout(vtable);
        let id = layout
            .as_ref()
            .and_then(|layout| reader.word(from(layout.id?, spot.at)?.at).filter(|id| *id != 0));
        let id = id.or_else(|| {
            let offset = reader.word(reader.field(vtable, "id_offset")?.at)?;
            reader.word(spot.at.checked_add(offset)?).filter(|id| *id != 0)
        });
        Some(Cell { at: spot.at, state, id, layout })
    }

    /// The header that comes after a task in its list.
    fn next(&self, cell: &Cell<'p>, spot: Spot<'p>) -> Option<u64> {
        if let Some(layout) = &cell.layout {
            return self.reader.word(from(layout.next, cell.at)?.at);
        }
        if let Some(owned) = self.reader.field(spot, "owned") {
            return self.reader.word(owned.inside("next")?.at);
        }
        // A task of which the future is not known: the table of functions says where the end is.
        let vtable = self.reader.pointee(self.reader.field(spot, "vtable")?)?;
        let offset = self.reader.word(self.reader.field(vtable, "trailer_offset")?.at)?;
        let debug = spot.ty.debug;
        let id = debug.find_type("tokio::runtime::task::core::Trailer", |_| true)?;
        let trailer = Spot { ty: TypeRef { debug, id }, at: cell.at.checked_add(offset)? };
        self.reader.word(self.reader.field(trailer, "owned")?.inside("next")?.at)
    }

    fn layout(&mut self, vtable: Spot<'p>) -> Option<Rc<Layout<'p>>> {
        if let Some(known) = self.layouts.get(&vtable.at.0) {
            return known.clone();
        }
        let found = self.find_layout(vtable).map(Rc::new);
        self.layouts.insert(vtable.at.0, found.clone());
        found
    }

    /// By the function that polls the future: it is made for the future's type.
    fn find_layout(&self, vtable: Spot<'p>) -> Option<Layout<'p>> {
        let reader = self.reader;
        let modules = &reader.process.modules;
        let poll = Avma(reader.word(reader.field(vtable, "poll")?.at)?);
        let module = modules.index_at(poll)?;
        modules.index_at(vtable.at)?;
        let debug = modules.debug(module)?;
        let entry = modules.get(module)?.to_svma(poll);
        let [(_, future), (_, scheduler)] = debug.type_arguments_at(entry).try_into().ok()?;
        let names = [future, scheduler].map(|id| debug.type_name(id));
        let [first, second] = &names;
        let name = format!("tokio::runtime::task::core::Cell<{first}, {second}>");
        let trailer_offset =
            reader.field(vtable, "trailer_offset").and_then(|field| reader.word(field.at));
        let agrees = |id| {
            let cell = Spot { ty: TypeRef { debug, id }, at: Avma(0) };
            let trailer = reader.field(cell, "trailer").map(|it| it.at.0);
            trailer.is_some() && trailer_offset.is_none_or(|offset| trailer == Some(offset))
        };
        let is_for = |id| {
            let cell = record(TypeRef { debug, id });
            let first = cell.and_then(|cell| cell.template_arguments.first()?.ty);
            first == Some(future) && agrees(id)
        };
        let same = debug.types_named(&name);
        let same = || same.iter().copied().take(MOST_SAME);
        let id = same().find(|id| is_for(*id)).or_else(|| same().find(|id| agrees(*id)))?;
        let cell = Spot { ty: TypeRef { debug, id }, at: Avma(0) };
        let future = record(cell.ty)?.template_arguments.first()?.ty?;
        let core = reader.field(cell, "core")?;
        let header = reader.field(cell, "header")?;
        let trailer = reader.field(cell, "trailer")?;
        let owned = reader.field(header, "owned").or_else(|| reader.field(trailer, "owned"))?;
        let stage = reader.field(core, "stage")?;
        Some(Layout {
            future: plain(cell.ty.other(future)),
            stage: enum_inside(stage)?,
            id: reader.field(core, "task_id"),
            next: owned.inside("next")?,
            spawned_at: reader.field(core, "spawned_at"),
        })
    }
}

/// The enum within cells that begin where `spot` does.
fn enum_inside(spot: Spot<'_>) -> Option<Spot<'_>> {
    let mut spot = spot;
    for _ in 0..MOST_SAME {
        let record = spot.record()?;
        if !record.variant_parts.is_empty() {
            return Some(spot);
        }
        spot = record
            .members
            .iter()
            .find_map(|member| spot.member(member).filter(|it| it.record().is_some()))?;
    }
    None
}
