//! Whether two kinds of crashes are one bug's.

use super::key::Called;
use super::profile::Profile;
use super::rule::{Likeness, MergeRule};
use super::subgroups::{Origins, Subgroup};

/// So alike are crashes of one bug.
pub(super) const SAME: f64 = 0.6;
/// So alike are crashes that a person should look at.
pub(super) const SUSPECTED: f64 = 0.35;
/// What speaks against it leaves a suspicion at most.
pub(super) const DOUBTED: f64 = 0.55;

/// Functions that compilers replace by each other: `printf("%s\n", s)` is `puts(s)` at -O2,
/// and a part of the C library does its work by the other of the row.
const REPLACED: &[&[&str]] = &[
    &["printf", "puts", "putchar", "fprintf", "fputs", "fwrite", "vprintf", "vfprintf", "fputc"],
    &["strcpy", "stpcpy", "strncpy", "stpncpy", "memmove", "mempcpy", "strcat", "strncat"],
    &["sprintf", "snprintf", "strcpy", "vsprintf", "vsnprintf"],
    &["strlen", "strnlen", "strchr", "rawmemchr", "memchr", "strchrnul", "strdup"],
    &["strcmp", "strncmp", "memcmp", "bcmp"],
    &["malloc", "calloc", "realloc", "operator new", "operator new[]", "reallocarray"],
    &["free", "operator delete", "operator delete[]"],
    &["memset", "bzero", "explicit_bzero"],
];

/// Functions that compilers put in line.
const INLINED: &[&str] = &[
    "memmove", "mempcpy", "memset", "memcmp", "bcmp", "strlen", "strcmp", "strcpy", "strncmp",
    "strchr", "stpcpy",
];

/// Functions of the C++ runtime in which an exception without a handler ends the process:
/// compilers differ in which of them is the outermost.
const EXCEPTION: &[&str] = &[
    "cxa_throw",
    "cxa_rethrow",
    "cxa_call_terminate",
    "cxa_call_unexpected",
    "clang_call_terminate",
    "std::terminate",
    "std::rethrow_exception",
    "std::unexpected",
    "Unwind_RaiseException",
    "Unwind_Resume",
];
/// Beginning of the names of functions that Go's checks of one slice expression call.
const SLICE_CHECKS: &str = "runtime.goPanicSlice";
/// The classes of their causes.
const EXCEPTION_CLASSES: &[&str] = &["uncaught-exception", "noexcept-violation", "terminate"];

/// How alike two kinds of crashes are: from [`SAME`] on they are one bug. `None` where there
/// is nothing to go by: no function of the program, or another image.
pub(super) fn likeness(one: &Subgroup<'_>, other: &Subgroup<'_>) -> Option<Likeness> {
    if one.image != other.image {
        return None;
    }
    let (first, second) = (one.first?, other.first?);
    let (called, calls) = (one.called?, other.called?);
    if *called == Called::Recursion || *calls == Called::Recursion {
        let is_one = called == calls;
        return is_one.then(|| Likeness::of(MergeRule::SameCycle, circles(one, other)));
    }
    if let (Some(damaged), Some(damages)) = (one.damaged, other.damaged)
        && damaged == damages
    {
        return Some(Likeness::of(MergeRule::SameHeapDamage, 1.0));
    }
    let stacks = one.profile.likeness(&other.profile);
    let same_stack = Likeness::of(MergeRule::SameStack, stacks);
    // They were parted because they differ, or one of them may belong to the other.
    let is_parted = one.signature == other.signature && one.mark != other.mark;
    let has_other_damage = one.damaged.is_some() && other.damaged.is_some();
    if may_be_one_damage(one, other) {
        return Some(
            same_stack.max(Likeness::of(MergeRule::SameHeapDamage, DOUBTED)).at_most(DOUBTED),
        );
    }
    if is_parted || has_other_damage {
        let is_open = one.is_open || other.is_open;
        return Some(same_stack.at_most(if is_open { DOUBTED } else { 0.0 }));
    }
    if called != calls {
        let rule = Some(first).filter(|first| *first == second);
        let rule = rule.and_then(|_| may_be_one(called, calls, one, other));
        return Some(match rule {
            Some(rule) => Likeness::of(rule, stacks),
            None => same_stack.at_most(DOUBTED),
        });
    }
    // Two jumps to nowhere in one function are two pointers.
    let is_jump = matches!(called, Called::Function(name) if name == "(no code)");
    if is_jump {
        return Some(if first == second { same_stack } else { same_stack.at_most(DOUBTED) });
    }
    let by_blame = by_blame(one, other);
    Some(match agreement(one, other) {
        Agreement::Same => same_stack.max(by_blame),
        Agreement::Unknown => same_stack.max(by_blame.at_most(DOUBTED)),
        // The function hands on several values, each of which may be bad.
        Agreement::Differ => same_stack.at_most(0.0),
    })
}

/// Whether what was written to both heaps is of one kind, and at most one of them shows where
/// the pointer to the block is kept.
fn may_be_one_damage(one: &Subgroup<'_>, other: &Subgroup<'_>) -> bool {
    one.damaged != other.damaged
        && !one.written.is_disjoint(&other.written)
        && !(one.is_placed && other.is_placed)
}

/// Both failed on what the same function did, at least one of them further in.
fn by_blame(one: &Subgroup<'_>, other: &Subgroup<'_>) -> Likeness {
    fn of<'c>(subgroup: &'c Subgroup<'_>) -> (Option<u32>, &'c Profile) {
        match subgroup.blamed {
            Some(_) => (subgroup.blamed, &subgroup.from_blamed),
            None => (subgroup.first, &subgroup.profile),
        }
    }
    let ((blamed, stacks), (blames, others)) = (of(one), of(other));
    let is_one = is_further_out(one, other) && blamed == blames;
    Likeness::of(MergeRule::SameBlame, if is_one { stacks.likeness(others) } else { 0.0 })
}

fn is_further_out(one: &Subgroup<'_>, other: &Subgroup<'_>) -> bool {
    one.blamed.is_some() || other.blamed.is_some()
}

/// Whether two kinds of crashes failed on the same value of the function to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agreement {
    Same,
    Unknown,
    Differ,
}

/// By what the function to blame calls it, or by which function returned it and where. One
/// build shows whether two calls are one; another may inline what returned the value.
fn agreement(one: &Subgroup<'_>, other: &Subgroup<'_>) -> Agreement {
    let (ours, theirs) = (&one.origins, &other.origins);
    if !ours.expressions.is_disjoint(&theirs.expressions) {
        return Agreement::Same;
    }
    let (is_same_line, is_other_line) = lines(ours, theirs);
    let has_same_maker = !ours.returned_by.is_disjoint(&theirs.returned_by);
    let has_other_maker = !has_same_maker
        && !ours.returned_by.is_empty()
        && !theirs.returned_by.is_empty()
        && !one.builds.is_disjoint(&other.builds);
    let is_of_one = one.blamed.is_some() && one.blamed == other.blamed;
    if is_same_line && !has_other_maker {
        Agreement::Same
    } else if is_of_one && (is_other_line || has_other_maker) {
        Agreement::Differ
    } else {
        Agreement::Unknown
    }
}

/// Whether a build shows both to come from one line, and whether one shows them to come from
/// two.
fn lines(ours: &Origins<'_>, theirs: &Origins<'_>) -> (bool, bool) {
    let is_same = !ours.made_at.is_disjoint(&theirs.made_at);
    let is_in = |build: &str| theirs.made_at.iter().any(|(other, _)| *other == build);
    let is_other = !is_same && ours.made_at.iter().any(|(build, _)| is_in(build));
    (is_same, is_other)
}

/// How alike they are if `less` has lost the function that failed: it was inlined into its
/// caller without a key, its work was moved there, or it ended in a jump. No build shows
/// both then, and the cause is of one class.
pub(super) fn lost_function(more: &Subgroup<'_>, less: &Subgroup<'_>) -> Option<Likeness> {
    let is_lost = more.image == less.image
        && (more.called == less.called || are_exceptions(more, less))
        && more.called != Some(&Called::Recursion)
        && more.caller.is_some()
        && more.caller == less.first
        && more.builds.is_disjoint(&less.builds)
        && !more.classes.is_disjoint(&less.classes);
    let likeness = || more.from_caller.likeness(&less.profile);
    is_lost.then(|| Likeness::of(MergeRule::LostFunction, likeness()))
}

/// Whether both failed in an access to one member of what is NULL, where the compiler proved
/// that one of the accesses fails; `None` where it proved none, or an address is not known.
pub(super) fn is_same_member(one: &Subgroup<'_>, other: &Subgroup<'_>) -> Option<bool> {
    let (ours, theirs) = (&one.null_addresses, &other.null_addresses);
    let is_known = (one.is_fixed || other.is_fixed) && !ours.is_empty() && !theirs.is_empty();
    is_known.then(|| !ours.is_disjoint(theirs))
}

/// By which rule the library functions called may be one, seen in two builds.
fn may_be_one(
    called: &Called,
    calls: &Called,
    one: &Subgroup<'_>,
    other: &Subgroup<'_>,
) -> Option<MergeRule> {
    let are_apart = || one.builds.is_disjoint(&other.builds);
    match (called, calls) {
        (Called::Function(f), Called::Function(g)) => {
            let is_row = |row: &&[&str]| row.contains(&f.as_str()) && row.contains(&g.as_str());
            let is_replaced = REPLACED.iter().any(is_row);
            // Two places of one build are two.
            let is_exception = || are_exceptions(one, other) && are_apart();
            // One expression of Go has several checks.
            let is_slice = |name: &str| name.starts_with(SLICE_CHECKS);
            let is_slice = is_slice(f) && is_slice(g);
            if is_replaced || is_slice && !one.panicked_at.is_disjoint(&other.panicked_at) {
                Some(MergeRule::ReplacedCall)
            } else if is_exception() {
                Some(MergeRule::SameException)
            } else {
                // The allocator found the same damage, asked for a block or given one.
                let is_same = !one.damages.is_disjoint(&other.damages);
                is_same.then_some(MergeRule::SameHeapDamage)
            }
        }
        (Called::Nothing, Called::Function(f)) | (Called::Function(f), Called::Nothing) => {
            let is_inlined = INLINED.contains(&f.as_str()) && are_apart();
            is_inlined.then_some(MergeRule::InlinedCall)
        }
        _ => None,
    }
}

/// Whether a person should look at two groups that contain these: what speaks for one bug
/// must not be outweighed by a build that shows both as two.
pub(super) fn is_worth_a_look(one: &Subgroup<'_>, other: &Subgroup<'_>, found: Likeness) -> bool {
    let is_same_class = !one.classes.is_disjoint(&other.classes);
    let are_apart = one.builds.is_disjoint(&other.builds);
    let is_damage = one.damaged.is_some() || other.damaged.is_some();
    match found.rule {
        MergeRule::UnnamedLibrary | MergeRule::SameHeapDamage | MergeRule::SameCycle => true,
        // Damage is found in functions that have nothing to do with it.
        _ if one.first == other.first => is_same_class || are_apart && !is_damage,
        _ => is_same_class && are_apart,
    }
}

/// Whether an exception ended both.
fn are_exceptions(one: &Subgroup<'_>, other: &Subgroup<'_>) -> bool {
    let is_end = |subgroup: &Subgroup<'_>| matches!(subgroup.called, Some(Called::Function(name)) if EXCEPTION.contains(&name.as_str()));
    let mut classes = one.classes.intersection(&other.classes);
    is_end(one) && is_end(other) && classes.any(|class| EXCEPTION_CLASSES.contains(class))
}

/// Circles of calls that have most functions in common: the others were inlined.
fn circles(one: &Subgroup<'_>, other: &Subgroup<'_>) -> f64 {
    let shared = one.functions.iter().filter(|f| other.functions.contains(f)).count();
    let (ours, theirs) = (one.functions.len(), other.functions.len());
    if shared == 0 {
        return 0.0;
    }
    // One is a part of the other.
    if shared == ours.min(theirs) && 2 * shared >= ours.max(theirs) {
        return 1.0;
    }
    shared as f64 / (ours + theirs - shared) as f64
}

/// Whether `subgroup` fails in a library without symbols and `other` may say in what: all else
/// agrees this much.
pub(super) fn named(subgroup: &Subgroup<'_>, other: &Subgroup<'_>) -> Option<f64> {
    let is_alike =
        subgroup.image == other.image && subgroup.first.is_some() && subgroup.first == other.first;
    let is_exception = |subgroup: &Subgroup<'_>| {
        EXCEPTION_CLASSES.iter().any(|class| subgroup.classes.contains(class))
    };
    let is_alike = is_alike && is_exception(subgroup) == is_exception(other);
    let is_code = !matches!(&other.called, Some(Called::Function(name)) if name == "(no code)");
    let is_open = !matches!(other.called, Some(Called::Recursion) | None);
    (is_alike && is_open && is_code).then(|| subgroup.profile.likeness(&other.profile))
}
