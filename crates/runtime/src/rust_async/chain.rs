//! The chain of awaits of a future: each `async fn` says where it waits and holds the future that
//! it waits for.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::names;
use super::spot::{Reader, Spot, plain};
use crate::model::{Place, TaskFrame, TaskFrameKind};
use obit_dwarf::types::{Member, Record};
use obit_dwarf::{TypeId, TypeKind};
use obit_process::value::TypeRef;

/// Futures within one another that are followed.
const DEEPEST: usize = 512;
/// Types within one another that are searched for a future.
const DEEPEST_TYPE: usize = 16;
/// Futures that one future polls.
pub(super) const MOST_BRANCHES: usize = 4096;
/// Frames, and objects that are searched for futures, in all.
const MOST_STEPS: usize = 1 << 22;

/// A future and where it waits.
pub(super) struct Chain<'p> {
    /// The leaf first.
    pub(super) frames: Vec<TaskFrame>,
    pub(super) end: End<'p>,
    /// What async code on the way has captured as `self`: the leaf first.
    pub(super) selves: Vec<Option<Spot<'p>>>,
    /// Beside what is awaited a timer runs, as `timeout` has one.
    pub(super) timeout: Option<Spot<'p>>,
    /// It does not end within what is read.
    pub(super) is_cut: bool,
    /// All on the way is known to wait for nothing besides.
    pub(super) is_exact: bool,
}

/// Where a chain ends.
pub(super) enum End<'p> {
    /// At a future that is no async code.
    Leaf(Spot<'p>),
    /// It polls several, by what.
    Branches(Vec<Spot<'p>>, String),
    /// It was never polled.
    NotStarted,
    /// It has returned.
    Returned,
    /// It has panicked.
    Panicked,
    /// What it waits for is not in the debug information.
    Unknown,
}

/// Paths of source files by the type that has their numbers.
type Files = HashMap<(usize, TypeId, u64), Option<Arc<str>>>;

pub(super) struct Chains<'r, 'p> {
    reader: &'r Reader<'p>,
    leads: RefCell<HashMap<(usize, TypeId), bool>>,
    files: RefCell<Files>,
    /// Frames, and objects that are searched for futures, that may still be made.
    left: Cell<usize>,
}

impl<'r, 'p> Chains<'r, 'p> {
    pub(super) fn new(reader: &'r Reader<'p>) -> Self {
        Self {
            reader,
            leads: RefCell::default(),
            files: RefCell::default(),
            left: Cell::new(MOST_STEPS),
        }
    }

    /// Follows the future at `start`.
    pub(super) fn follow(&self, start: Spot<'p>) -> Chain<'p> {
        let mut chain = Chain {
            frames: Vec::new(),
            end: End::Unknown,
            selves: Vec::new(),
            timeout: None,
            is_cut: true,
            is_exact: true,
        };
        let mut seen = HashSet::new();
        let mut at = start;
        for _ in 0..DEEPEST {
            let ty = plain(at.ty);
            if !seen.insert((at.at, ty.id)) || !self.may_go_on() {
                break;
            }
            match self.step(at, &mut chain) {
                Step::To(next) => at = next,
                Step::End(end) => {
                    chain.is_cut = false;
                    chain.end = end;
                    break;
                }
            }
        }
        chain.frames.reverse();
        chain.selves.reverse();
        chain
    }

    fn may_go_on(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    fn step(&self, at: Spot<'p>, chain: &mut Chain<'p>) -> Step<'p> {
        let reader = self.reader;
        if at.target().is_some() {
            return reader.pointee(at).map_or(Step::End(End::Unknown), Step::To);
        }
        let Some(record) = at.record() else { return Step::End(End::Leaf(at)) };
        if is_coroutine(record) {
            return self.coroutine(at, chain);
        }
        let name = at.name();
        if names::is_leaf(&name) {
            self.push(at, &name, chain);
            return Step::End(End::Leaf(at));
        }
        if let Some(inside) = reader.behind_vtable(at) {
            return Step::To(inside);
        }
        if name.starts_with("tokio::time::timeout::Timeout<") {
            chain.timeout = reader.field(at, "delay");
            self.push(at, &name, chain);
            return reader.field(at, "value").map_or(Step::End(End::Unknown), Step::To);
        }
        if name.starts_with("futures_util::stream::futures_unordered::FuturesUnordered<") {
            self.push(at, &name, chain);
            let futures = self.unordered(at).unwrap_or_default();
            return Step::End(End::Branches(futures, "FuturesUnordered".to_owned()));
        }
        let mut inside = Vec::new();
        self.futures_in(at, DEEPEST_TYPE, &mut inside);
        match inside.as_slice() {
            [] => {
                self.push(at, &name, chain);
                Step::End(End::Leaf(at))
            }
            [one] => {
                chain.is_exact &= names::is_transparent(&name);
                Step::To(*one)
            }
            _ => Step::End(End::Branches(inside, self.polled_by(at, &name))),
        }
    }

    /// By what several futures are polled: the macros of tokio make closures whose variables are
    /// known.
    fn polled_by(&self, at: Spot<'p>, name: &str) -> String {
        let captured = self.reader.fields(at).into_iter().find_map(|(_, field)| field.record());
        let has = |name: &str| {
            let members = captured.into_iter().flat_map(|it| &it.members);
            members
                .filter_map(|it| it.name.as_deref())
                .any(|it| it.trim_start_matches("_ref__") == name)
        };
        if name.contains("::poll_fn::PollFn<") {
            let types = captured.into_iter().flat_map(|it| &it.members).filter_map(|it| it.ty);
            let mut types = types.map(|ty| at.ty.other(ty).name());
            if has("disabled") {
                return "select!".to_owned();
            }
            if types.any(|ty| ty.contains("::maybe_done::MaybeDone<")) {
                return "join!".to_owned();
            }
        }
        names::plain(name)
    }

    /// Async code: its place, and what it awaits there.
    fn coroutine(&self, at: Spot<'p>, chain: &mut Chain<'p>) -> Step<'p> {
        let reader = self.reader;
        let state = reader.active(at).and_then(<[Member]>::first);
        let Some((state, variables)) = state.and_then(|state| Some((state, at.member(state)?)))
        else {
            return Step::End(End::Unknown);
        };
        let own = reader.field(variables, "self");
        let of = own.map(|own| names::behind(&own.name()).to_owned());
        let line = state.line.filter(|line| *line != 0);
        let file = state.file.and_then(|number| self.file(plain(at.ty), number));
        let place = file.map(|file| Place { file: file.to_string(), line: line.map(u64::from) });
        chain.frames.push(TaskFrame {
            kind: TaskFrameKind::Await,
            function: Some(names::of_async(&at.name(), of.as_deref())),
            pc: None,
            place,
            physical: None,
            locals: Vec::new(),
        });
        chain.selves.push(own);
        let named = plain(variables.ty).get().name.clone().unwrap_or_default();
        Step::End(match &*named {
            "Unresumed" => End::NotStarted,
            "Returned" => End::Returned,
            "Panicked" => End::Panicked,
            _ => match reader.field(variables, "__awaitee") {
                Some(awaited) => return Step::To(awaited),
                None => End::Unknown,
            },
        })
    }

    fn push(&self, at: Spot<'p>, name: &str, chain: &mut Chain<'p>) {
        if names::is_glue(name) {
            return;
        }
        chain.frames.push(TaskFrame {
            kind: TaskFrameKind::Await,
            function: Some(name.to_owned()),
            pc: None,
            place: None,
            physical: None,
            locals: Vec::new(),
        });
        chain.selves.push(Some(at));
    }

    fn file(&self, ty: TypeRef<'p>, number: u64) -> Option<Arc<str>> {
        let key = (std::ptr::from_ref(ty.debug).addr(), ty.id, number);
        let find = || ty.debug.file_of_unit(ty.id, number).map(Arc::from);
        self.files.borrow_mut().entry(key).or_insert_with(find).clone()
    }

    /// The futures within what is no async code itself, not those within these.
    fn futures_in(&self, at: Spot<'p>, depth: usize, found: &mut Vec<Spot<'p>>) {
        let Some(deeper) = depth.checked_sub(1) else { return };
        if found.len() >= MOST_BRANCHES || !self.may_go_on() {
            return;
        }
        if let Some(elements) = self.reader.elements(at, MOST_BRANCHES as u64) {
            for element in elements {
                self.future_or_within(element, deeper, found);
            }
            return;
        }
        for (_, field) in self.reader.fields(at) {
            self.future_or_within(field, deeper, found);
        }
    }

    fn future_or_within(&self, field: Spot<'p>, depth: usize, found: &mut Vec<Spot<'p>>) {
        if !self.leads_to_future(field.ty, DEEPEST_TYPE) {
            return;
        }
        let is_one = field.record().is_some_and(is_coroutine) || names::is_future(&field.name());
        let is_dyn = || field.record().is_some_and(is_trait_object);
        if field.target().is_some() {
            let target = self.reader.pointee(field);
            let Some(deeper) = depth.checked_sub(1) else { return };
            target.into_iter().for_each(|it| self.future_or_within(it, deeper, found));
        } else if is_one || is_dyn() {
            found.push(field);
        } else {
            self.futures_in(field, depth, found);
        }
    }

    /// Whether a future may be found within an object of this type.
    fn leads_to_future(&self, ty: TypeRef<'p>, depth: usize) -> bool {
        let ty = plain(ty);
        let key = (std::ptr::from_ref(ty.debug).addr(), ty.id);
        if let Some(known) = self.leads.borrow().get(&key) {
            return *known;
        }
        let Some(deeper) = depth.checked_sub(1) else { return false };
        // For a type within itself.
        self.leads.borrow_mut().insert(key, false);
        let found = match &ty.get().kind {
            TypeKind::Pointer { target: Some(target), .. } => {
                let name = ty.name();
                let is_own = ["&", "alloc::boxed::Box<"].iter().any(|it| name.starts_with(it));
                is_own && self.leads_to_future(ty.other(*target), deeper)
            }
            TypeKind::Record(record) => {
                let name = ty.name();
                is_coroutine(record)
                    || names::is_future(&name)
                    || (is_trait_object(record) && names::is_dyn_future(&name))
                    || self.member_leads(ty, record, deeper)
            }
            _ => false,
        };
        self.leads.borrow_mut().insert(key, found);
        found
    }

    fn member_leads(&self, ty: TypeRef<'p>, record: &Record, depth: usize) -> bool {
        let boxed = record.members.iter().find(|it| it.name.as_deref() == Some("data_ptr"));
        if let Some(first) = boxed.and_then(|member| member.ty) {
            let slice = Spot { ty: ty.other(first), at: obit_corefile::addr::Avma(0) };
            return slice.target().is_some_and(|element| self.leads_to_future(element, depth));
        }
        let variants = record.variant_parts.iter().flat_map(|part| &part.variants);
        let mut members = record.members.iter().chain(variants.flat_map(|one| &one.members));
        members.any(|member| {
            member.ty.is_some_and(|member| self.leads_to_future(ty.other(member), depth))
        })
    }

    /// The futures of a `FuturesUnordered`: its list of all tasks, each with a future or none.
    fn unordered(&self, at: Spot<'p>) -> Option<Vec<Spot<'p>>> {
        let reader = self.reader;
        let head = reader.field(at, "head_all")?;
        let mut next =
            head.inside("p").or_else(|| head.inside("v")).or_else(|| head.pointer_here())?;
        let target = pointer_of_atomic(next)?;
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        while found.len() < MOST_BRANCHES {
            let word = reader.word(next.at).filter(|at| *at != 0 && seen.insert(*at));
            let Some(word) = word else { break };
            let task = Spot { ty: target, at: obit_corefile::addr::Avma(word) };
            next = reader.field(task, "next_all")?;
            let future = reader.field(task, "future")?;
            self.futures_in(future, DEEPEST_TYPE, &mut found);
        }
        Some(found)
    }
}

enum Step<'p> {
    To(Spot<'p>),
    End(End<'p>),
}

/// What an `AtomicPtr<T>` points to.
fn pointer_of_atomic(spot: Spot<'_>) -> Option<TypeRef<'_>> {
    spot.target().or_else(|| spot.pointer_here()?.target())
}

/// Async code is an enum with a variant for each place where it waits.
fn is_coroutine(record: &Record) -> bool {
    let discriminant = record.variant_parts.first().and_then(|part| part.discriminant.as_ref());
    discriminant.is_some_and(|it| it.name.as_deref() == Some("__state"))
}

fn is_trait_object(of: &Record) -> bool {
    let names: Vec<_> = of.members.iter().filter_map(|it| it.name.as_deref()).collect();
    names == ["pointer", "vtable"]
}
