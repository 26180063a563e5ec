//! `siginfo_t` of a 32-bit process, from that of a 64-bit kernel
//! (`kernel/signal.c`, `copy_siginfo_to_external32`).

use obit_corefile::elf::Encoding;

use super::fields::Fields;

/// Bytes of either.
const LENGTH: usize = 128;
/// Where the part begins that depends on the signal: behind three ints, and in 64 bits behind
/// padding.
const UNION_32: usize = 12;
const UNION_64: usize = 16;

const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGBUS: i32 = 7;
const SIGFPE: i32 = 8;
const SIGSEGV: i32 = 11;
const SIGCHLD: i32 = 17;
const SIGPOLL: i32 = 29;
const SIGSYS: i32 = 31;
const SI_TIMER: i32 = -2;
const SI_KERNEL: i32 = 0x80;
/// `SEGV_BNDERR` and `SEGV_PKUERR`.
const BOUNDS: i32 = 3;
const KEY: i32 = 4;

/// A field of the part that depends on the signal: where it lies in 64 bits and in 32, and
/// its bytes in each.
type Field = (usize, usize, usize, usize);

/// Fields by the kind of signal (`union __sifields`).
fn fields_of(signal: i32, code: i32) -> &'static [Field] {
    const FAULT: Field = (0, 8, 0, 4);
    match (signal, code) {
        (_, SI_KERNEL) => &[],
        // timer id, overrun, value
        (_, SI_TIMER) => &[(0, 4, 0, 4), (4, 4, 4, 4), (8, 8, 8, 4)],
        // sender, its user, and for rt_sigqueueinfo the value
        (_, ..=0) => &[(0, 4, 0, 4), (4, 4, 4, 4), (8, 8, 8, 4)],
        (SIGSEGV, BOUNDS) => &[FAULT, (16, 8, 8, 4), (24, 8, 12, 4)],
        (SIGSEGV, KEY) => &[FAULT, (16, 4, 8, 4)],
        (SIGILL | SIGTRAP | SIGFPE | SIGSEGV, _) => &[FAULT],
        // `si_addr_lsb`
        (SIGBUS, _) => &[FAULT, (8, 2, 4, 2)],
        // child, user, status, times
        (SIGCHLD, _) => &[(0, 4, 0, 4), (4, 4, 4, 4), (8, 4, 8, 4), (16, 8, 12, 4), (24, 8, 16, 4)],
        // band, descriptor
        (SIGPOLL, _) => &[(0, 8, 0, 4), (8, 4, 4, 4)],
        // address, system call, architecture
        (SIGSYS, _) => &[FAULT, (8, 4, 4, 4), (12, 4, 8, 4)],
        _ => &[],
    }
}

/// What `NT_SIGINFO` holds: as it is, or in the layout of 32 bits. `native` comes from a kernel
/// of the same byte order, with words of this program's own size.
pub(super) fn of_class(native: &[u8], encoding: Encoding) -> Vec<u8> {
    if encoding.is_64 || size_of::<usize>() == 4 {
        return native.to_vec();
    }
    let order = Encoding { is_64: true, ..encoding };
    let int = |at: usize| order.u32(native, at).map_or(0, u32::cast_signed);
    let (signal, code) = (int(0), int(8));
    let mut fields = Fields::new(LENGTH, encoding);
    fields.put_bytes(0, native.get(..UNION_32).unwrap_or(native));
    for (from, from_size, to, to_size) in fields_of(signal, code) {
        if let Some(value) = order.unsigned(native, UNION_64.saturating_add(*from), *from_size) {
            fields.put(UNION_32.saturating_add(*to), *to_size, value);
        }
    }
    fields.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const I386: Encoding = Encoding { is_64: false, little_endian: true };

    fn native(signal: i32, code: i32, fields: &[(usize, u64)]) -> Vec<u8> {
        let mut bytes = vec![0; LENGTH];
        bytes[..4].copy_from_slice(&signal.to_le_bytes());
        bytes[8..12].copy_from_slice(&code.to_le_bytes());
        for (at, value) in fields {
            bytes[16 + at..24 + at].copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn the_address_of_a_fault_follows_the_code_at_once() {
        let short = of_class(&native(11, 1, &[(0, 0x1234)]), I386);
        assert_eq!(short.len(), 128);
        assert_eq!(short[12..16], 0x1234_u32.to_le_bytes());
    }

    #[test]
    fn the_sender_of_a_signal_keeps_its_user() {
        let short = of_class(&native(6, -6, &[(0, (1000 << 32) | 42)]), I386);
        assert_eq!(short[12..16], 42_u32.to_le_bytes());
        assert_eq!(short[16..20], 1000_u32.to_le_bytes());
    }

    #[test]
    fn that_of_a_64_bit_process_is_as_it_is() {
        let bytes = native(11, 1, &[(0, 0x1234)]);
        assert_eq!(of_class(&bytes, Encoding { is_64: true, ..I386 }), bytes);
    }
}
