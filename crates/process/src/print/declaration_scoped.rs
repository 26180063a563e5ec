//! `ptype` of Rust and Go: definitions in the language's own syntax, fields in the order of
//! the debug information.

use super::declaration::Writer;
use crate::value::TypeRef;
use obit_dwarf::types::{Member, MemberRole, Record, RecordKeyword};
use obit_dwarf::{Language, TypeKind};

/// Pointers to pointers that are followed to a definition.
const FOLLOWED: usize = 8;

/// The lines of a definition. Of a pointer, its name, and the definition of what it points
/// at.
pub(super) fn scoped<'d>(writer: &mut Writer<'d>, ty: TypeRef<'d>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut plain = ty.resolved(writer.scene);
    for _ in 0..FOLLOWED {
        let TypeKind::Pointer { target: Some(target), .. } = plain.get().kind else { break };
        if lines.is_empty() {
            lines.push(plain.name().to_string());
        }
        plain = plain.other(target).resolved(writer.scene);
    }
    let entry = plain.get();
    let is_go = entry.language == Language::Go;
    let definition = match &entry.kind {
        TypeKind::Record(record) if is_enum(record) => variants(writer, plain, record),
        TypeKind::Record(record) => fields(writer, plain, record, is_go),
        TypeKind::Enumeration(enumeration) => {
            let items = enumeration.enumerators.iter().take_while(|_| writer.take());
            let items = items.map(|(name, value)| format!("    {name} = {value},"));
            let head = format!("enum {} {{", plain.name());
            std::iter::once(head).chain(items).chain(["}".to_owned()]).collect()
        }
        _ if lines.is_empty() => vec![plain.name().to_string()],
        _ => return lines,
    };
    lines.extend(definition);
    lines
}

/// Rust's enums with data are records that consist of variants alone.
fn is_enum(record: &Record) -> bool {
    !record.variant_parts.is_empty() && record.members.is_empty()
}

fn fields<'d>(
    writer: &mut Writer<'d>,
    ty: TypeRef<'d>,
    record: &Record,
    is_go: bool,
) -> Vec<String> {
    let keyword = match record.keyword {
        RecordKeyword::Union => "union",
        RecordKeyword::Struct | RecordKeyword::Class => "struct",
    };
    let name = ty.name();
    if let Some(tuple) = tuple(ty, &record.members) {
        // A tuple's name says all.
        let is_unnamed = name.starts_with('(');
        return vec![if is_unnamed {
            name.to_string()
        } else {
            format!("{keyword} {name}{tuple}")
        }];
    }
    let mut lines = vec![format!("{keyword} {name} {{")];
    for member in record.members.iter().filter(|member| member.role == MemberRole::Field) {
        if !writer.take() {
            lines.push("    ...".to_owned());
            break;
        }
        let field = field(ty, member, is_go);
        lines.push(if is_go { format!("    {field}") } else { format!("    {field},") });
    }
    // Of a coroutine: states beside what it captured.
    if !record.variant_parts.is_empty() {
        lines.push("    ...".to_owned());
    }
    lines.push("}".to_owned());
    lines
}

fn variants<'d>(writer: &mut Writer<'d>, ty: TypeRef<'d>, record: &Record) -> Vec<String> {
    let mut lines = vec![format!("enum {} {{", ty.name())];
    let variants = record.variant_parts.iter().flat_map(|part| &part.variants);
    for member in variants.flat_map(|variant| &variant.members) {
        if !writer.take() {
            lines.push("    ...".to_owned());
            break;
        }
        let name = member.name.as_deref().unwrap_or("_");
        let content = member.ty.map(|id| ty.other(id).resolved(writer.scene));
        let content = content.and_then(|content| match &content.get().kind {
            TypeKind::Record(record) if record.members.is_empty() => None,
            TypeKind::Record(record) => {
                Some(tuple(content, &record.members).unwrap_or_else(|| {
                    let fields = record.members.iter().map(|member| field(content, member, false));
                    format!(" {{{}}}", fields.collect::<Vec<_>>().join(", "))
                }))
            }
            _ => None,
        });
        lines.push(format!("    {name}{},", content.unwrap_or_default()));
    }
    lines.push("}".to_owned());
    lines
}

/// `(i32, u8)`; `None` for a record whose fields have names.
fn tuple(ty: TypeRef<'_>, members: &[Member]) -> Option<String> {
    let is_numbered = |member: &Member| {
        let number = member.name.as_deref().and_then(|name| name.strip_prefix("__"));
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    if members.is_empty() || !members.iter().all(is_numbered) {
        return None;
    }
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|member| {
        let name = member.name.as_deref().unwrap_or_default();
        name.trim_start_matches('_').parse::<u32>().unwrap_or(u32::MAX)
    });
    let types = members.into_iter().map(|member| type_of(ty, member));
    Some(format!("({})", types.collect::<Vec<_>>().join(", ")))
}

fn field(ty: TypeRef<'_>, member: &Member, is_go: bool) -> String {
    let name = member.name.as_deref().unwrap_or("_");
    let separator = if is_go { " " } else { ": " };
    format!("{name}{separator}{}", type_of(ty, member))
}

fn type_of(ty: TypeRef<'_>, member: &Member) -> String {
    member.ty.map_or_else(|| "?".to_owned(), |id| ty.other(id).name().to_string())
}
