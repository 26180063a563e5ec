//! `ptype`: the definition of a type in the syntax of C and C++, as gdb writes it. Access
//! labels and member functions are left out.

use std::sync::Arc;

use super::operand::Ty;
use crate::value::{Scene, TypeRef};
use obit_dwarf::types::{
    Array, DimensionEnd, Enumeration, FunctionType, Member, MemberRole, PointerKind, Qualifier,
    Record, RecordKeyword,
};
use obit_dwarf::{Bound, Language, TypeId, TypeKind};

use super::declaration_scoped::scoped;

/// Types within types that are followed.
const DEEPEST: usize = 32;
/// Lines and enumerators of one definition.
const MOST: usize = 5000;
/// Columns of one level.
const INDENT: usize = 4;

/// The lines of a type's definition.
pub(super) fn declaration<'d>(ty: &Ty<'d>, scene: Scene<'d>) -> Vec<String> {
    let mut writer = Writer { scene, left: MOST };
    writer.any(ty, String::new(), DEEPEST)
}

/// Writes types that consist of others.
pub(super) struct Writer<'d> {
    pub(super) scene: Scene<'d>,
    /// Members and enumerators that may yet be written.
    left: usize,
}

/// How much of a type is written, as gdb counts: above 0 its definition, at 0 its name, or
/// the definition of one without a name, below 0 its name or `{...}`.
type Show = i32;

impl<'d> Writer<'d> {
    fn any(&mut self, ty: &Ty<'d>, inner: String, depth: usize) -> Vec<String> {
        let Some(depth) = depth.checked_sub(1) else { return vec!["...".to_owned()] };
        match ty {
            Ty::Known(ty) => match ty.resolved(self.scene).get().language {
                Language::Rust | Language::Go if inner.is_empty() => scoped(self, *ty),
                _ => self.declare(*ty, inner, 1, depth),
            },
            Ty::Pointer(target) => {
                let is_array = matches!(**target, Ty::Array(..) | Ty::Function)
                    || matches!(&**target, Ty::Known(ty) if is_suffixed(*ty));
                let inner = if is_array { format!("(*{inner})") } else { format!("*{inner}") };
                self.any(target, inner, depth)
            }
            Ty::Array(element, count) => self.any(element, format!("{inner}[{count}]"), depth),
            Ty::Void | Ty::Boolean | Ty::Integer(_) | Ty::Float { .. } => {
                vec![joined(&ty.name(self.scene), &inner)]
            }
            Ty::Function => vec![joined("void", &format!("{inner}()"))],
        }
    }

    /// `ty inner`, in C's syntax: a declarator adds its parts around the name.
    pub(super) fn declare(
        &mut self,
        ty: TypeRef<'d>,
        inner: String,
        show: Show,
        depth: usize,
    ) -> Vec<String> {
        let (mut ty, mut inner) = (ty, inner);
        let mut qualifiers: Vec<&'static str> = Vec::new();
        for _ in 0..DEEPEST {
            let entry = ty.get();
            let target = match &entry.kind {
                TypeKind::Typedef(target) if show > 0 => *target,
                TypeKind::Qualified { qualifier, target } => {
                    qualifiers.extend(word_of(*qualifier));
                    *target
                }
                TypeKind::Pointer { kind, target } => {
                    let mark = match kind {
                        PointerKind::Pointer => "*",
                        PointerKind::LvalueReference => "&",
                        PointerKind::RvalueReference => "&&",
                    };
                    inner = pointed(mark, &mut qualifiers, &inner);
                    let target = target.map(|target| ty.other(target));
                    if target.is_some_and(is_suffixed) {
                        inner = format!("({inner})");
                    }
                    target.map(|target| target.id)
                }
                TypeKind::MemberPointer { class, target } => {
                    let class = class.map_or_else(|| "?".into(), |class| ty.other(class).name());
                    inner = pointed(&format!("{class}::*"), &mut qualifiers, &inner);
                    let target = target.map(|target| ty.other(target));
                    if target.is_some_and(is_suffixed) {
                        inner = format!("({inner})");
                    }
                    target.map(|target| target.id)
                }
                TypeKind::Array(array) => {
                    inner += &dimensions(array);
                    array.element
                }
                TypeKind::Function(function) => {
                    inner += &parameters(ty, function);
                    function.result
                }
                TypeKind::Typedef(_)
                | TypeKind::Unspecified
                | TypeKind::Base(_)
                | TypeKind::String(_)
                | TypeKind::Record(_)
                | TypeKind::Enumeration(_)
                | TypeKind::Subrange(_)
                | TypeKind::Unsupported(_) => {
                    let mut lines = self.base(ty, show, depth);
                    if let Some(first) = lines.first_mut() {
                        for qualifier in &qualifiers {
                            *first = format!("{qualifier} {first}");
                        }
                    }
                    if let Some(last) = lines.last_mut() {
                        *last = joined(last, &inner);
                    }
                    return lines;
                }
            };
            match target {
                Some(target) => ty = ty.other(target),
                None => {
                    let words: String = qualifiers.iter().map(|word| format!("{word} ")).collect();
                    return vec![joined(&format!("{words}void"), &inner)];
                }
            }
        }
        vec![joined("...", &inner)]
    }

    /// A type that is written as its name or definition only.
    fn base(&mut self, ty: TypeRef<'d>, show: Show, depth: usize) -> Vec<String> {
        let is_named = ty.get().name.is_some();
        let name = ty.name();
        if show <= 0 && is_named {
            return vec![name.to_string()];
        }
        let plain = ty.resolved(self.scene);
        let depth = depth.checked_sub(1);
        match (&plain.get().kind, depth) {
            (TypeKind::Record(record), Some(depth)) if show >= 0 => {
                self.record(plain, record, show, depth)
            }
            (TypeKind::Enumeration(enumeration), _) if show >= 0 => {
                vec![self.enumeration(plain, enumeration)]
            }
            _ => vec![name.to_string()],
        }
    }

    fn record(
        &mut self,
        ty: TypeRef<'d>,
        record: &Record,
        show: Show,
        depth: usize,
    ) -> Vec<String> {
        let keyword = match record.keyword {
            RecordKeyword::Struct => "struct",
            RecordKeyword::Class => "class",
            RecordKeyword::Union => "union",
        };
        let mut head = keyword.to_owned();
        if ty.get().name.is_some() {
            let name = ty.name();
            let name = name.strip_prefix(keyword).map_or(&*name, str::trim_start);
            head = format!("{keyword} {name}");
        }
        let bases = self.bases(ty, record);
        if !bases.is_empty() {
            head = format!("{head} : {}", bases.join(", "));
        }
        let mut lines = vec![format!("{head} {{")];
        let mut body = Vec::new();
        if record.is_declaration {
            body.push("<incomplete type>".to_owned());
        } else {
            for member in &record.members {
                let is_base = member.role != MemberRole::Field;
                let name = member.name.as_deref().unwrap_or_default();
                if is_base || name.starts_with("_vptr") {
                    continue;
                }
                if !self.take() {
                    body.push("...".to_owned());
                    break;
                }
                body.extend(self.member(ty, member, show, depth));
            }
            for part in &record.statics {
                let Some(id) = part.ty.filter(|_| self.take()) else { continue };
                let name = part.name.to_string();
                let mut declared = self.declare(ty.other(id), name, show.saturating_sub(1), depth);
                if let Some(first) = declared.first_mut() {
                    *first = format!("static {first}");
                }
                body.extend(ended(declared));
            }
            if body.is_empty() {
                body.push("<no data fields>".to_owned());
            }
        }
        lines.extend(body.into_iter().map(|line| format!("{:INDENT$}{line}", "")));
        lines.push("}".to_owned());
        lines
    }

    fn member(
        &mut self,
        of: TypeRef<'d>,
        member: &Member,
        show: Show,
        depth: usize,
    ) -> Vec<String> {
        let name = member.name.as_deref().unwrap_or_default().to_owned();
        let Some(id) = member.ty else { return vec![format!("<unknown type> {name};")] };
        // An anonymous member is a part of this definition.
        let inner = if name.is_empty() { show } else { show.saturating_sub(1) };
        let mut lines = self.declare(of.other(id), name, inner, depth);
        if let (Some(bits), Some(last)) = (member.bit_size, lines.last_mut()) {
            *last = format!("{last} : {bits}");
        }
        ended(lines)
    }

    fn bases(&self, ty: TypeRef<'d>, record: &Record) -> Vec<Arc<str>> {
        let bases = record.members.iter().filter_map(|member| match member.role {
            MemberRole::Field => None,
            MemberRole::Base => Some(ty.other(member.ty?).name()),
            MemberRole::VirtualBase => {
                Some(format!("virtual {}", ty.other(member.ty?).name()).into())
            }
        });
        bases.take(MOST).collect()
    }

    /// `enum color {RED, GREEN = 5, BLUE}`: values where they do not follow the last.
    pub(super) fn enumeration(&mut self, ty: TypeRef<'d>, enumeration: &Enumeration) -> String {
        let name = ty.name();
        let bare = name.strip_prefix("enum ").unwrap_or(&name);
        let mut text = if enumeration.is_class { "enum class ".to_owned() } else { "enum ".into() };
        if ty.get().name.is_some() {
            text += bare;
            text.push(' ');
        }
        if let Some(below) = enumeration.underlying.filter(|_| enumeration.is_class) {
            text += &format!(": {} ", ty.other(below).name());
        }
        if enumeration.is_declaration {
            return text + "{<incomplete type>}";
        }
        let mut next = 0_i128;
        let mut items = Vec::new();
        for (name, value) in &enumeration.enumerators {
            if !self.take() {
                items.push("...".to_owned());
                break;
            }
            let name = match enumeration.is_class {
                true => format!("{bare}::{name}"),
                false => name.to_string(),
            };
            items.push(if *value == next { name } else { format!("{name} = {value}") });
            next = value.wrapping_add(1);
        }
        text + &format!("{{{}}}", items.join(", "))
    }

    /// Takes one of the lines that are left.
    pub(super) fn take(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

/// With a semicolon behind the last line.
fn ended(mut lines: Vec<String>) -> Vec<String> {
    if let Some(last) = lines.last_mut() {
        last.push(';');
    }
    lines
}

/// `int x`, `int *x`, `struct {...} [3]`, `int`.
fn joined(base: &str, inner: &str) -> String {
    if inner.is_empty() { base.to_owned() } else { format!("{base} {inner}") }
}

/// `*inner`, `* const inner`.
fn pointed(mark: &str, qualifiers: &mut Vec<&'static str>, inner: &str) -> String {
    if qualifiers.is_empty() {
        return format!("{mark}{inner}");
    }
    qualifiers.reverse();
    let words = std::mem::take(qualifiers).join(" ");
    let gap = if inner.is_empty() { "" } else { " " };
    format!("{mark} {words}{gap}{inner}")
}

/// Whether its declarator follows the name: a pointer to it needs parentheses.
fn is_suffixed(ty: TypeRef<'_>) -> bool {
    let mut ty = ty;
    for _ in 0..DEEPEST {
        match &ty.get().kind {
            TypeKind::Array(_) | TypeKind::Function(_) => return true,
            TypeKind::Qualified { target: Some(target), .. } => ty = ty.other(*target),
            _ => return false,
        }
    }
    false
}

fn word_of(qualifier: Qualifier) -> Option<&'static str> {
    match qualifier {
        Qualifier::Const => Some("const"),
        Qualifier::Volatile => Some("volatile"),
        Qualifier::Restrict => Some("restrict"),
        Qualifier::Atomic => Some("_Atomic"),
        Qualifier::Other => None,
    }
}

/// `[2][3]`.
fn dimensions(array: &Array) -> String {
    let count = |end: &DimensionEnd, lower: &Bound| match (end, lower) {
        (DimensionEnd::Count(Bound::Constant(count)), _) => count.to_string(),
        (DimensionEnd::Upper(Bound::Constant(upper)), Bound::Constant(lower)) => {
            upper.wrapping_sub(*lower).wrapping_add(1).to_string()
        }
        (DimensionEnd::Open, _) => String::new(),
        _ => "variable length".to_owned(),
    };
    let counts = array.dimensions.iter().map(|one| count(&one.end, &one.lower));
    if array.is_vector {
        let counts: Vec<_> = counts.collect();
        return format!(" __attribute__ ((vector_size({})))", counts.join(", "));
    }
    let text: String = counts.map(|count| format!("[{count}]")).collect();
    if text.is_empty() { "[]".to_owned() } else { text }
}

/// `(int, ...)`.
fn parameters(ty: TypeRef<'_>, function: &FunctionType) -> String {
    let name = |id: &Option<TypeId>| match id {
        Some(id) => ty.other(*id).name().to_string(),
        None => "void".to_owned(),
    };
    let mut names: Vec<_> = function.parameters.iter().take(MOST).map(name).collect();
    if function.is_variadic {
        names.push("...".to_owned());
    }
    let list = if names.is_empty() { "void".to_owned() } else { names.join(", ") };
    format!("({list})")
}
