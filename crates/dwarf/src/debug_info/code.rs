//! What is asked of code: functions, lines, symbols, calls.

use std::sync::PoisonError;

use super::DebugInfo;
use crate::code::{symbolize, tail_call};
use crate::model::call::Call;
use crate::model::code::{GoFrame, NamedFunction, SourceFrame, SymbolAt, TailCall};
use crate::model::language::Language;
use crate::names::demangle::demangle;
use crate::variables::call_site;
use obit_corefile::addr::Svma;
use obit_corefile::elf::{CodeSet, Symbol};

impl DebugInfo {
    /// The functions at `at`, the innermost first: the calls inlined there, and last the
    /// physical function. Empty if nothing is known.
    ///
    /// `at` is the address to look up: inside the instruction, hence one less than a
    /// return address.
    pub fn frames_at(&self, at: Svma) -> Vec<SourceFrame> {
        let mut frames = self.with_dwarf(|file| symbolize::frames(file, at.0)).unwrap_or_default();
        let has_name = frames.last().is_some_and(|physical| physical.function.is_some());
        if !has_name && let Some(go) = self.go_functions() {
            let of_go = go.frames(at.0, self.context.limits.inline_depth);
            if !of_go.is_empty() {
                return of_go;
            }
        }
        if !has_name && let Some(symbol) = self.symbol_at(at) {
            let location = frames.pop().and_then(|unnamed| unnamed.location);
            frames.push(SourceFrame {
                function: Some(symbol.name),
                linkage_name: Some(symbol.linkage_name),
                location,
                language: None,
                is_inline: false,
                from_symbol: true,
            });
        } else if let Some(physical) = frames.last_mut()
            && physical.linkage_name.is_none()
            && physical.function.as_deref().is_some_and(is_mangled_by_linkers)
        {
            physical.linkage_name = self.mangled_symbol_at(at);
        }
        frames
    }

    /// The linker's name of the function around `at`, which its DWARF leaves out where
    /// no other unit may call it: local functions, lambdas.
    fn mangled_symbol_at(&self, at: Svma) -> Option<String> {
        let symbol = self.symbol_at(at).filter(|symbol| symbol.offset < symbol.size)?;
        let name = symbol.linkage_name;
        (name.starts_with("_Z") || name.starts_with("_R")).then_some(name)
    }

    /// The symbol that stands for `at`, by gdb's choice among those of the image, its
    /// debug file and its MiniDebugInfo; where none holds it, the function of Go's own table.
    pub fn symbol_at(&self, at: Svma) -> Option<SymbolAt> {
        let lock = || self.symbols_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&at) {
            return known.clone();
        }
        let found = self.find_symbol_at(at);
        let mut known = lock();
        if known.len() >= SYMBOLS_KEPT {
            known.clear();
        }
        known.insert(at, found.clone());
        found
    }

    fn find_symbol_at(&self, at: Svma) -> Option<SymbolAt> {
        let symbol = self.nearest_symbol(at);
        let holds = |symbol: &Symbol<'_>| at.0.wrapping_sub(symbol.address.0) < symbol.size;
        if !symbol.as_ref().is_some_and(holds)
            && let Some(function) = self.go_symbol_at(at)
        {
            return Some(function);
        }
        let symbol = symbol?;
        let linkage_name = String::from_utf8_lossy(symbol.name).into_owned();
        let name = demangle(&linkage_name, Language::Unknown, &self.context.limits);
        Some(SymbolAt {
            name: name.unwrap_or_else(|| linkage_name.clone()),
            linkage_name,
            address: symbol.address,
            offset: at.0.wrapping_sub(symbol.address.0),
            size: symbol.size,
        })
    }

    fn go_symbol_at(&self, at: Svma) -> Option<SymbolAt> {
        let go = self.go_functions()?;
        let function = go.at(at.0)?;
        let name = go.name(function)?;
        Some(SymbolAt {
            linkage_name: name.clone(),
            name,
            address: Svma(function.entry),
            offset: at.0.wrapping_sub(function.entry),
            size: function.end.wrapping_sub(function.entry),
        })
    }

    /// How many bytes the frame of the Go function at `at` takes there, below its return
    /// address: what Go's own unwinder goes by. `None` where no table of Go's covers `at`, and
    /// for the function that calls on another stack.
    pub fn go_frame_at(&self, at: Svma) -> Option<GoFrame> {
        let go = self.go_functions()?;
        let function = go.at(at.0)?;
        let name = go.name(function)?;
        let name = name.trim_end_matches(".abi0");
        if name == "runtime.systemstack" {
            return None;
        }
        let is_outermost = OUTERMOST_OF_GO.contains(&name);
        let size = go.stack_bytes(function, at.0);
        size.map(|size| GoFrame { size, is_outermost })
    }

    /// The functions that tail-called between the call that returns to `return_pc` and
    /// the physical function that holds `callee_pc`, both in this image, the innermost
    /// first. Empty if there are none or which ones is ambiguous: only what all
    /// possible paths have in common is reported.
    pub fn tail_calls(&self, return_pc: Svma, callee_pc: Svma) -> Vec<TailCall> {
        let found = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::chain(file, symbols, return_pc.0, callee_pc.0))
        });
        found.unwrap_or_default()
    }

    /// The linkage name of the function called by the call that returns to `return_pc`,
    /// where it is defined elsewhere: in another unit, or in another image.
    pub fn called_name(&self, return_pc: Svma) -> Option<String> {
        let name = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::called_name(file, symbols, return_pc.0))
        });
        Some(String::from_utf8_lossy(&name??).into_owned())
    }

    /// As [`DebugInfo::tail_calls`] for a call that comes from another image and goes to
    /// the function of this one with linkage name `called`.
    pub fn tail_calls_from(&self, called: &str, callee_pc: Svma) -> Vec<TailCall> {
        let name = called.as_bytes();
        let found = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::chain_from(file, symbols, name, callee_pc.0))
        });
        found.unwrap_or_default()
    }

    /// The call that returns to `return_pc`, as its call site entry has it.
    pub fn call_returning_to(&self, return_pc: Svma) -> Option<Call> {
        self.with_dwarf(|file| call_site::call(file, return_pc.0))?
    }

    /// Whether the function entered at `entry` may come to run anew without a new frame,
    /// so that what its caller passed says nothing of its parameters.
    pub fn may_run_anew(&self, entry: Svma) -> bool {
        let found = self.with_dwarf(|file| {
            self.with_symbols(|symbols| tail_call::may_run_anew(file, symbols, entry.0))
        });
        found.unwrap_or(true)
    }

    /// The address of the function with this linkage name.
    pub fn function_named(&self, name: &str) -> Option<Svma> {
        let lock = || self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(name) {
            return *known;
        }
        let found = self.with_symbols(|symbols| (symbols.named)(name.as_bytes())).map(Svma);
        let by_go = || Some(Svma(self.go_functions()?.named(name.as_bytes())?.entry));
        let found = found.or_else(by_go);
        lock().insert(name.to_owned(), found);
        found
    }

    /// The functions called `name` that have code, as in [`DebugInfo::types_named`].
    pub fn functions_named(&self, name: &str) -> Vec<NamedFunction> {
        self.with_function_names(|file, names| names.functions(file, name)).unwrap_or_default()
    }

    fn with_symbols<T>(&self, ask: impl FnOnce(&tail_call::Symbols<'_>) -> T) -> T {
        ask(&tail_call::Symbols {
            start_of: &|at| self.nearest_symbol(Svma(at)).map(|symbol| symbol.address.0),
            named: &|name| {
                (0..self.symbols.len()).find_map(|number| {
                    let (image, table) = self.symbols(number)?;
                    table.function_named(image, name).map(|at| at.0)
                })
            },
        })
    }

    /// The instruction set of the code at `at` (32-bit Arm), by the symbols of the image, its
    /// debug file and its MiniDebugInfo; `None` where none says.
    pub fn code_set_at(&self, at: Svma) -> Option<CodeSet> {
        (0..self.symbols.len()).find_map(|number| {
            let (image, table) = self.symbols(number)?;
            table.code_set_at(image, at)
        })
    }

    fn nearest_symbol(&self, at: Svma) -> Option<Symbol<'_>> {
        let mut best: Option<Symbol<'_>> = None;
        for number in 0..self.symbols.len() {
            let Some((image, table)) = self.symbols(number) else { continue };
            let Some(found) = table.lookup(image, at) else { continue };
            if best.is_none_or(|best| best.address < found.address) {
                best = Some(found);
            }
        }
        best
    }
}

/// Answers about symbols that are remembered: deep stacks and tables of pointers ask for the same
/// ones again.
const SYMBOLS_KEPT: usize = 4096;

/// Functions that nothing of the same stack called (`topofstack` of runtime/traceback.go).
const OUTERMOST_OF_GO: [&str; 5] =
    ["runtime.goexit", "runtime.mstart", "runtime.rt0_go", "runtime.mcall", "runtime.morestack"];

/// Whether a name is one that C could not have: its symbol is another. Spares C the search.
fn is_mangled_by_linkers(name: &str) -> bool {
    name.contains(['<', '(']) || name.contains("::")
}
