//! `std::function`: what it would call.

use super::family::{argument_list, arguments};
use super::form_result::{FormResult, Trouble};
use super::layout::{self, Field};
use super::object::CppObject;
use crate::value::Object;
use obit_corefile::addr::Avma;

pub(super) fn function<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    match view.named(&["_M_invoker"]) {
        Some(invoker) => libstdcxx(view, invoker),
        None => libcxx(view),
    }
}

/// A pointer to a function that knows the target's type and calls it. The target is in
/// the name of that function; where it is itself a pointer to a function, its name says
/// more.
fn libstdcxx<'d>(view: &CppObject<'d>, invoker: &Field<'d>) -> FormResult<'d> {
    let manager = view.named_number(&["_M_manager"])?;
    if manager == 0 {
        return Ok(view.summarized(", empty"));
    }
    let symbol = view.scene.around.symbol_at(Avma(view.number(invoker)?));
    let handler = symbol.as_ref().and_then(|(name, _)| last_argument(name, "_Function_handler<"));
    let Some(target) = handler else {
        return match view.scene.memory.range_at(Avma(manager)) {
            Some(_) => Ok(view.summarized("")),
            None => Err(Trouble::Damaged("its manager is not mapped")),
        };
    };
    let functor = view.named(&["_M_functor"]).ok_or(Trouble::Unfamiliar)?;
    let named = function_named(view, target, view.part(functor).address());
    Ok(view.summarized(&format!(" to {}", named.as_deref().unwrap_or(target))))
}

/// A pointer to an object with a vtable, the class of which knows the target's type. It
/// may point into the function itself.
fn libcxx<'d>(view: &CppObject<'d>) -> FormResult<'d> {
    let pointer = view.words().filter(|field| field.is_named(&["__f_"])).last();
    let pointer = pointer.ok_or(Trouble::Unfamiliar)?;
    let at = view.number(pointer)?;
    if at == 0 {
        return Ok(view.summarized(", empty"));
    }
    view.check_mapped(at, 1)?;
    let vtable = Avma(view.word(at)?);
    let Some((class, into)) = view.scene.around.class_of_vtable(vtable) else {
        let symbol = view.scene.around.symbol_at(vtable);
        let target = symbol.as_ref().and_then(|(name, _)| first_argument(name, "__func<"));
        let Some(target) = target else { return Ok(view.summarized("")) };
        // The target lies behind the vtable pointer.
        let behind = view.part(pointer).size(view.scene).and_then(|size| at.checked_add(size));
        let named = function_named(view, target, behind.map(Avma));
        return Ok(view.summarized(&format!(" to {}", named.as_deref().unwrap_or(target))));
    };
    let whole = Object::at(class, Avma(at).offset(into.wrapping_neg()));
    let fields = layout::fields(class, view.scene);
    let named = fields.iter().filter(|field| field.is_named(&["__f_", "__func_"]));
    let storage = named.min_by_key(|field| field.depth).ok_or(Trouble::Unfamiliar)?;
    let ty = layout::type_arguments(class, view.scene).first().copied();
    let target = storage.of(&whole).cast(ty.ok_or(Trouble::Unfamiliar)?);
    let function = target.pointee(view.scene).ok().and_then(|function| function.address());
    let named = function.and_then(|at| view.scene.around.symbol_at(at));
    let name = match named.filter(|(_, offset)| *offset == 0) {
        Some((name, _)) => name,
        None => target.ty.name().to_string(),
    };
    Ok(view.summarized_with(&format!(" to {name}"), "target()", target))
}

/// The name of the function that a target points at, if its type is such a pointer.
fn function_named(view: &CppObject<'_>, target: &str, at: Option<Avma>) -> Option<String> {
    let to = view.word(at.filter(|_| is_function_pointer(target))?.0).ok()?;
    let (name, offset) = view.scene.around.symbol_at(Avma(to))?;
    (offset == 0).then_some(name)
}

/// The last template argument of the class that a symbol belongs to.
pub(super) fn last_argument<'n>(symbol: &'n str, class: &str) -> Option<&'n str> {
    class_arguments(symbol, class)?.pop()
}

/// The first template argument of the class that a symbol belongs to.
pub(super) fn first_argument<'n>(symbol: &'n str, class: &str) -> Option<&'n str> {
    class_arguments(symbol, class)?.into_iter().next()
}

fn class_arguments<'n>(symbol: &'n str, class: &str) -> Option<Vec<&'n str>> {
    let at = symbol.find(class)?.checked_add(class.len())?.checked_sub(1)?;
    let (list, _) = argument_list(symbol.get(at..)?)?;
    Some(arguments(list))
}

/// Whether a type's name is that of a pointer to a function.
fn is_function_pointer(name: &str) -> bool {
    name.contains("(*)(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_in_the_name_of_what_calls_it() {
        let invoker = "std::_Function_handler<int (int), shop::total(int)::{lambda(int)#1}>::_M_invoke(std::_Any_data const&, int&&)";
        let target = last_argument(invoker, "_Function_handler<");
        assert_eq!(target, Some("shop::total(int)::{lambda(int)#1}"));
        let plain = "std::_Function_handler<int (int), int (*)(int)>::_M_invoke";
        assert!(last_argument(plain, "_Function_handler<").is_some_and(is_function_pointer));
        assert_eq!(last_argument("main", "_Function_handler<"), None);
    }
}
