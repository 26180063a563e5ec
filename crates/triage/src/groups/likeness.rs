//! Whether two kinds of crashes are one bug's.

use super::key::Called;
use super::profile::Profile;
use super::subgroups::Subgroup;

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

/// How alike two kinds of crashes are, from 0 to 1: [`SAME`] and more is one bug. `None`
/// where there is nothing to go by: no function of the program, or another image.
pub(super) fn likeness(one: &Subgroup<'_>, other: &Subgroup<'_>) -> Option<f64> {
    if one.image != other.image {
        return None;
    }
    let (first, second) = (one.first?, other.first?);
    let (called, calls) = (one.called?, other.called?);
    if *called == Called::Recursion || *calls == Called::Recursion {
        return (called == calls).then(|| circles(one, other));
    }
    let stacks = one.profile.likeness(&other.profile);
    if called != calls {
        let may_be = first == second && may_be_one(called, calls, one, other);
        return Some(if may_be { stacks } else { stacks.min(DOUBTED) });
    }
    // Two jumps to nowhere in one function are two pointers.
    let is_jump = matches!(called, Called::Function(name) if name == "(no code)");
    if is_jump {
        return Some(if first == second { stacks } else { stacks.min(DOUBTED) });
    }
    Some(stacks.max(by_blame(one, other)))
}

/// Both failed on what the same function did, at least one of them further in.
fn by_blame(one: &Subgroup<'_>, other: &Subgroup<'_>) -> f64 {
    fn of<'c>(subgroup: &'c Subgroup<'_>) -> (Option<u32>, &'c Profile) {
        match subgroup.blamed {
            Some(_) => (subgroup.blamed, &subgroup.from_blamed),
            None => (subgroup.first, &subgroup.profile),
        }
    }
    let is_further_out = one.blamed.is_some() || other.blamed.is_some();
    let ((blamed, stacks), (blames, others)) = (of(one), of(other));
    if is_further_out && blamed == blames { stacks.likeness(others) } else { 0.0 }
}

/// How alike they are if `less` has lost the function that failed: it was inlined into its
/// caller without a key, its work was moved there, or it ended in a jump. No build shows
/// both then, and the cause is of one class.
pub(super) fn lost_function(more: &Subgroup<'_>, less: &Subgroup<'_>) -> Option<f64> {
    let is_lost = more.image == less.image
        && more.called == less.called
        && more.called != Some(&Called::Recursion)
        && more.caller.is_some()
        && more.caller == less.first
        && more.builds.is_disjoint(&less.builds)
        && !more.classes.is_disjoint(&less.classes);
    is_lost.then(|| more.from_caller.likeness(&less.profile))
}

/// Whether the library functions called may be one, seen in two builds.
fn may_be_one(called: &Called, calls: &Called, one: &Subgroup<'_>, other: &Subgroup<'_>) -> bool {
    match (called, calls) {
        (Called::Function(f), Called::Function(g)) => {
            REPLACED.iter().any(|row| row.contains(&f.as_str()) && row.contains(&g.as_str()))
        }
        (Called::Nothing, Called::Function(f)) | (Called::Function(f), Called::Nothing) => {
            INLINED.contains(&f.as_str()) && one.builds.is_disjoint(&other.builds)
        }
        _ => false,
    }
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
    let is_code = !matches!(&other.called, Some(Called::Function(name)) if name == "(no code)");
    let is_open = !matches!(other.called, Some(Called::Recursion) | None);
    (is_alike && is_open && is_code).then(|| subgroup.profile.likeness(&other.profile))
}
