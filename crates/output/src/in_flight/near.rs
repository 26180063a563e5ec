//! Requests somewhere in memory: of HTTP alone, since statements lie in caches and commands in
//! histories.

use memchr::memmem;

use super::{InFlight, RequestKind, Trust, recognise};
use obit_corefile::addr::Avma;
use obit_process::process::Process;

/// Bytes of memory that are searched.
const BUDGET: u64 = 64 << 20;
const PIECE: usize = 1 << 20;
/// Bytes before the version that a request line may have.
const BEFORE: usize = 4096;
const MOST: usize = 16;

/// The requests in writable memory.
pub(super) fn requests(process: &Process) -> Vec<InFlight> {
    let memory = &process.memory;
    let mut found = Vec::new();
    let mut left = BUDGET;
    let regions = memory.regions().iter();
    for region in regions.filter(|region| region.permissions.write && region.backing.core_len > 0) {
        let mut at = region.range.start;
        while at.0 < region.range.end.0 && left > 0 && found.len() < MOST {
            let bytes = memory.peek_up_to(at, PIECE.saturating_add(BEFORE));
            for version in memmem::find_iter(&bytes, b" HTTP/1.") {
                let start = version.saturating_sub(BEFORE);
                let before = bytes.get(start..version).unwrap_or_default();
                let line = before
                    .iter()
                    .rposition(|byte| *byte < b' ')
                    .map_or(0, |end| end.saturating_add(1));
                let start = start.saturating_add(line);
                let request = bytes.get(start..).and_then(recognise);
                let Some(request) = request.filter(|it| it.kind == RequestKind::Http) else {
                    continue;
                };
                // A line of a log has no header.
                if request.headers.is_empty() || found.len() >= MOST {
                    continue;
                }
                let at = Avma(at.0.saturating_add(start as u64));
                let (trust, frame, variable) = (Trust::Memory, None, None);
                let (pointers, objects) = (0, 0);
                found.push(InFlight { request, trust, frame, variable, at, pointers, objects });
            }
            if bytes.len() < PIECE {
                break;
            }
            left = left.saturating_sub(PIECE as u64);
            at = Avma(at.0.saturating_add(PIECE as u64));
        }
    }
    found
}
