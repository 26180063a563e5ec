//! The name that a function has in all builds.

/// Suffixes of the symbols of functions that a compiler split or copied.
const PARTS: &[&str] = &[".cold", ".isra", ".part", ".constprop", ".lto_priv", ".llvm."];
/// Before the hash of a Rust symbol of the older kind, which each build has anew.
const RUST_HASH: &str = "17h";

/// The name that a function has in all builds, of its symbol's.
pub fn symbol_of_function(symbol: &str) -> &str {
    let mut name = symbol;
    let has_parts = symbol.bytes().skip(1).any(|byte| byte == b'.');
    for part in PARTS.iter().filter(|_| has_parts) {
        if let Some(at) = name.find(part).filter(|at| *at > 0) {
            name = &name[..at];
        }
    }
    // A static function of C++: debug information calls it by its plain name.
    if let Some(local) = name.strip_prefix("_ZL") {
        let digits = local.len() - local.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (length, rest) = local.split_at(digits);
        let plain = length.parse().ok().and_then(|length: usize| rest.get(..length));
        return plain.filter(|plain| !plain.is_empty()).unwrap_or(name);
    }
    let is_hash = |hash: &str| {
        hash.len() == RUST_HASH.len() + 17
            && hash.starts_with(RUST_HASH)
            && hash.ends_with('E')
            && hash[3..19].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match name.rfind(RUST_HASH) {
        Some(at) if name.starts_with("_ZN") && name.get(at..).is_some_and(is_hash) => &name[..at],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_copies_are_the_function_they_come_from() {
        for (symbol, function) in [
            ("parse", "parse"),
            ("parse.cold", "parse"),
            ("parse.part.0.isra.1", "parse"),
            (".cold", ".cold"),
            ("main.parse", "main.parse"),
            ("_ZL5parsePKc", "parse"),
            ("_ZL5parsePKc.part.0", "parse"),
            ("_ZL", "_ZL"),
            ("_ZL99parse", "_ZL99parse"),
            ("_ZN3app5parse17h0123456789abcdefE", "_ZN3app5parse"),
            ("_ZN3app5parse17h0123456789abcdefE.llvm.77", "_ZN3app5parse"),
            ("_ZN3app5parse17hnodigits89abcdefE", "_ZN3app5parse17hnodigits89abcdefE"),
        ] {
            assert_eq!(symbol_of_function(symbol), function);
        }
    }
}
