//! Where the fields of `g`, `m` and `sudog` are: by the types in the debug information, else by
//! the version. The start of `g` up to `sched.g` has been the same since Go 1.4.

use obit_dwarf::types::MemberOffset;
use obit_dwarf::{DebugInfo, TypeId, TypeKind};

use super::image::GoImage;

/// Bytes from the start of a structure to its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Of `g`, as all here that have no other name: `stack.lo`, `stack.hi`.
    pub(super) stack: u64,
    pub(super) m: u64,
    /// `gobuf`, which begins with `sp`, `pc` and `g`.
    pub(super) sched: u64,
    /// `bp` in `gobuf`.
    pub(super) sched_bp: u64,
    /// Followed by `syscallpc`.
    pub(super) syscall_sp: u64,
    pub(super) status: u64,
    pub(super) number: u64,
    pub(super) wait_reason: u64,
    /// From Go 1.21 on.
    pub(super) parent: Option<u64>,
    pub(super) creator_pc: u64,
    pub(super) start_pc: u64,
    /// The first `sudog`.
    pub(super) waiting: u64,
    /// `procid` of `m`.
    pub(super) thread_id: u64,
    /// `curg` of `m`.
    pub(super) current: u64,
    /// `c` of `sudog`.
    pub(super) channel: u64,
    /// `waitlink` of `sudog`.
    pub(super) next_waiting: u64,
}

/// The bytes of `g` that hold all of these, and those of the others.
pub(super) const MOST_OF_G: u64 = 4096;

impl Layout {
    pub(super) fn of(image: &GoImage<'_>) -> Option<Self> {
        let by_types = image.debug().and_then(Self::by_types);
        by_types.or_else(|| Self::by_version(image.version.as_deref()?))
    }

    fn by_types(debug: &DebugInfo) -> Option<Self> {
        let structure = |name| {
            let is_record = |id| matches!(debug.type_at(id).kind, TypeKind::Record(_));
            debug.find_type(name, is_record)
        };
        let g = structure("runtime.g")?;
        let m = structure("runtime.m")?;
        let sudog = structure("runtime.sudog")?;
        let gobuf = structure("runtime.gobuf")?;
        let field = |of, name| field(debug, of, name);
        let is_as_known = field(gobuf, "sp")? == 0
            && field(gobuf, "pc")? == 8
            && field(gobuf, "g")? == 16
            && field(g, "syscallpc")? == field(g, "syscallsp")?.checked_add(8)?;
        if !is_as_known {
            return None;
        }
        Some(Self {
            stack: field(g, "stack")?,
            m: field(g, "m")?,
            sched: field(g, "sched")?,
            sched_bp: field(gobuf, "bp")?,
            syscall_sp: field(g, "syscallsp")?,
            status: field(g, "atomicstatus")?,
            number: field(g, "goid")?,
            wait_reason: field(g, "waitreason")?,
            parent: field(g, "parentGoid"),
            creator_pc: field(g, "gopc")?,
            start_pc: field(g, "startpc")?,
            waiting: field(g, "waiting")?,
            thread_id: field(m, "procid")?,
            current: field(m, "curg")?,
            channel: field(sudog, "c")?,
            next_waiting: field(sudog, "waitlink")?,
        })
    }

    /// As the compilers of these versions laid it out on 64-bit machines.
    fn by_version(version: &str) -> Option<Self> {
        let go1_19 = Self {
            stack: 0,
            m: 48,
            sched: 56,
            sched_bp: 48,
            syscall_sp: 112,
            status: 144,
            number: 152,
            wait_reason: 176,
            parent: None,
            creator_pc: 296,
            start_pc: 312,
            waiting: 328,
            thread_id: 72,
            current: 192,
            channel: 80,
            next_waiting: 64,
        };
        let go1_21 =
            Self { parent: Some(272), creator_pc: 280, start_pc: 296, waiting: 312, ..go1_19 };
        let go1_25 = Self { sched_bp: 40, syscall_sp: 104, thread_id: 64, current: 184, ..go1_21 };
        match minor(version)? {
            19 => Some(go1_19),
            21 | 22 => Some(go1_21),
            // `syscallbp` behind `syscallpc`.
            23 | 24 => Some(Self {
                status: 152,
                number: 160,
                wait_reason: 184,
                parent: Some(280),
                creator_pc: 288,
                start_pc: 304,
                waiting: 320,
                ..go1_21
            }),
            25 => Some(go1_25),
            26 | 27 => Some(Self {
                parent: Some(280),
                creator_pc: 288,
                start_pc: 304,
                waiting: 320,
                channel: 88,
                next_waiting: 72,
                ..go1_25
            }),
            _ => None,
        }
    }
}

/// Of `go1.22.10` it is 22.
fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("go1.")?;
    let end = rest.find(|one: char| !one.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

fn field(debug: &DebugInfo, of: TypeId, name: &str) -> Option<u64> {
    let TypeKind::Record(record) = &debug.type_at(of).kind else { return None };
    let mut members = record.members.iter();
    let member = members.find(|member| member.name.as_deref() == Some(name))?;
    match &member.offset {
        MemberOffset::Bits(bits) => Some(bits / 8).filter(|offset| *offset < MOST_OF_G),
        MemberOffset::Computed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_whose_layout_was_not_seen_has_none() {
        assert!(Layout::by_version("go1.19.8").is_some());
        assert!(Layout::by_version("go1.22rc1").is_some());
        assert_eq!(Layout::by_version("go1.99"), None);
        assert_eq!(Layout::by_version("devel"), None);
    }
}
