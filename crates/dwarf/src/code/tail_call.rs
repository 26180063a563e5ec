//! Calls that left no frame: a function that ends by calling another may jump there, and
//! then only the call site entries of DWARF show that it was ever entered.

use std::collections::HashSet;

use crate::code::callee;
use crate::model::code::TailCall;
use crate::units::file::DwarfFile;
use crate::units::functions::{CallSite, Function, Functions, StatedTarget};
use crate::units::split;
use crate::units::unit::{Die, Unit};
use obit_corefile::addr::Svma;

/// Jumps tried before a search is given up; gdb has no such limit and can take minutes.
const MAX_STEPS: usize = 10_000;

/// What the search needs to know of an image besides its DWARF.
pub(crate) struct Symbols<'x> {
    /// The start of the function at an address.
    pub(crate) start_of: &'x dyn Fn(u64) -> Option<u64>,
    /// The address of the function with a linkage name.
    pub(crate) named: &'x dyn Fn(&[u8]) -> Option<u64>,
}

/// A function and where its entry was read.
#[derive(Clone, Copy)]
struct LocatedFunction<'x, 'd> {
    file: &'x DwarfFile<'d>,
    unit: &'x Unit<'d>,
    function: &'x Function,
}

/// The jumps that lead from the call that returns to `return_pc` to the function at
/// `callee`, the innermost first, as far as all possible ways agree.
///
/// This is gdb's `call_site_find_chain`: depth first through the tail call sites of each
/// function reached. A site whose target is not known makes all paths doubtful, and then
/// there is no answer.
pub(crate) fn chain<'d>(
    file: &DwarfFile<'d>,
    symbols: &Symbols<'_>,
    return_pc: u64,
    callee: u64,
) -> Vec<TailCall> {
    let search = JumpSearch { file, symbols };
    let first = search.call_site(return_pc).and_then(|(caller, site)| search.target(caller, site));
    search.jumps(first, callee)
}

/// The jumps that lead from the start of the function called `name` to the function at
/// `callee`, for a call that comes from another image.
pub(crate) fn chain_from<'d>(
    file: &DwarfFile<'d>,
    symbols: &Symbols<'_>,
    name: &[u8],
    callee: u64,
) -> Vec<TailCall> {
    JumpSearch { file, symbols }.jumps((symbols.named)(name), callee)
}

/// The name of the function called by the call that returns to `return_pc`, if DWARF only
/// declares it.
pub(crate) fn called_name<'d>(
    file: &DwarfFile<'d>,
    symbols: &Symbols<'_>,
    return_pc: u64,
) -> Option<Vec<u8>> {
    let search = JumpSearch { file, symbols };
    let (caller, site) = search.call_site(return_pc)?;
    let origin = origin(caller, site)?;
    Some(callee::declared_name(caller.file, origin)?.slice().to_vec())
}

/// Whether the function entered at `entry` may, by jumps alone, come to run anew in the
/// same frame: then what its caller passed says nothing of its parameters. gdb's
/// `func_verify_no_selftailcall`; jumps to an unknown target count as doubt.
pub(crate) fn may_run_anew<'d>(file: &DwarfFile<'d>, symbols: &Symbols<'_>, entry: u64) -> bool {
    let search = JumpSearch { file, symbols };
    let mut entered = HashSet::from([entry]);
    let mut waiting = vec![entry];
    while let Some(function) = waiting.pop() {
        // A function without call sites is one of which nothing speaks against it.
        if search.function_at(function).is_none() {
            continue;
        }
        let Some(sites) = search.tail_sites(function) else { return true };
        for (_, target) in sites {
            if target == entry || entered.len() > MAX_STEPS {
                return true;
            }
            if entered.insert(target) {
                waiting.push(target);
            }
        }
    }
    false
}

struct JumpSearch<'x, 's, 'd> {
    file: &'x DwarfFile<'d>,
    symbols: &'x Symbols<'s>,
}

/// What the ways found so far have in common.
struct Agreed {
    /// The first way, the outermost jump first.
    first: Vec<u64>,
    /// Jumps at its start that all ways share.
    callers: usize,
    /// Jumps at its end that all ways share.
    callees: usize,
}

impl<'x, 'd> JumpSearch<'x, '_, 'd> {
    /// The call that returns to `return_pc`, and the function it is in.
    fn call_site(&self, return_pc: u64) -> Option<(LocatedFunction<'x, 'd>, &'x CallSite)> {
        let caller = self.function_at(return_pc.checked_sub(1)?)?;
        let calls = &caller.function.body(caller.file, caller.unit).calls;
        Some((caller, calls.iter().find(|site| site.return_pc == return_pc)?))
    }

    fn jumps(&self, first: Option<u64>, callee: u64) -> Vec<TailCall> {
        let agreed = first.and_then(|first| self.run(first, callee)).unwrap_or_default();
        agreed.into_iter().map(|pc| TailCall { pc: Svma(pc) }).collect()
    }

    /// What all ways from the function entered at `first` to the one at `callee` share.
    fn run(&self, first: u64, callee: u64) -> Option<Vec<u64>> {
        let callee = match self.function_at(callee) {
            Some(found) => found.function.entry,
            None => (self.symbols.start_of)(callee)?,
        };
        if first == callee {
            return None;
        }
        let mut agreed: Option<Agreed> = None;
        // The way to the function looked at: of each jump its address, and the sites of
        // its function that were not tried yet.
        let mut way: Vec<(u64, std::vec::IntoIter<(u64, u64)>)> = Vec::new();
        let mut entered = HashSet::new();
        let mut untried = self.tail_sites(first)?.into_iter();
        let mut steps = 0_usize;
        loop {
            steps = steps.checked_add(1).filter(|steps| *steps < MAX_STEPS)?;
            let Some((pc, target)) = untried.next() else {
                let Some((pc, rest)) = way.pop() else { break };
                entered.remove(&pc);
                untried = rest;
                continue;
            };
            if !entered.insert(pc) {
                continue;
            }
            if target == callee {
                let pcs = way.iter().map(|jump| jump.0).chain([pc]);
                agreed = Some(Agreed::with(agreed, pcs.collect())?);
                entered.remove(&pc);
                continue;
            }
            let inner = self.tail_sites(target)?.into_iter();
            way.push((pc, std::mem::replace(&mut untried, inner)));
        }
        Some(agreed?.innermost_first())
    }

    fn function_at(&self, at: u64) -> Option<LocatedFunction<'x, 'd>> {
        self.file.units_at(at).find_map(|unit| {
            let (file, unit) = split::whole(self.file, unit);
            let function = Functions::at(file, unit, at)?;
            Some(LocatedFunction { file, unit, function })
        })
    }

    /// Return addresses and targets of the tail calls in the function entered at `entry`;
    /// `None` if there is no such function or one of the targets is not known.
    fn tail_sites(&self, entry: u64) -> Option<Vec<(u64, u64)>> {
        let found = self.function_at(entry).filter(|found| found.function.entry == entry)?;
        let body = found.function.body(found.file, found.unit);
        if !body.lists_tail_calls {
            return Some(Vec::new());
        }
        let tail_calls = body.calls.iter().filter(|site| site.is_tail);
        tail_calls.map(|site| Some((site.return_pc, self.target(found, site)?))).collect()
    }

    /// Where `site` of the function `from` goes.
    fn target(&self, from: LocatedFunction<'x, 'd>, site: &CallSite) -> Option<u64> {
        *site.goes_to.get_or_init(|| {
            let origin = origin(from, site)?;
            match callee::declared_name(from.file, origin) {
                Some(name) => (self.symbols.named)(name.slice()),
                None => callee::entry_pc(from.file, origin),
            }
        })
    }
}

/// The function that `site` of `from` refers to.
fn origin<'x, 'd>(from: LocatedFunction<'x, 'd>, site: &CallSite) -> Option<Die<'x, 'd>> {
    let StatedTarget::Origin(offset) = site.target else { return None };
    callee::call_origin(from.file, Die { unit: from.unit, offset })
}

impl Agreed {
    /// `None` once nothing is left that all ways share.
    fn with(before: Option<Self>, way: Vec<u64>) -> Option<Self> {
        let Some(mut agreed) = before else {
            return Some(Self { callers: way.len(), callees: way.len(), first: way });
        };
        let same = |(a, b): &(&u64, &u64)| a == b;
        let callers = agreed.first.iter().zip(&way).take_while(same).count();
        let callees = agreed.first.iter().rev().zip(way.iter().rev()).take_while(same).count();
        agreed.callers = agreed.callers.min(callers);
        agreed.callees = agreed.callees.min(callees);
        (agreed.callers > 0 || agreed.callees > 0).then_some(agreed)
    }

    fn innermost_first(self) -> Vec<u64> {
        let length = self.first.len();
        let inner = self.first.iter().rev().take(self.callees);
        if self.callees == length {
            return inner.copied().collect();
        }
        let outer = self.first.iter().take(self.callers).rev();
        inner.chain(outer).copied().collect()
    }
}
