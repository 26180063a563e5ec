//! What a file that is no core looks like, for the message that says so.

/// Bytes from the start of a file that are looked at.
pub(super) const WANTED: u64 = 512;

const KNOWN: &[(&[u8], &str)] = &[
    (b"MDMP", "a Windows minidump (try minidump-stackwalk)"),
    (b"PAGEDU64", "a Windows kernel dump (try WinDbg)"),
    (b"PAGEDUMP", "a Windows kernel dump (try WinDbg)"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O file (try lldb)"),
    (b"\xce\xfa\xed\xfe", "a Mach-O file (try lldb)"),
    (b"\xca\xfe\xba\xbe", "a Mach-O universal file or a Java class"),
    (b"KDUMP   ", "a compressed kernel dump (try crash)"),
    (b"JAVA PROFILE", "a Java heap dump"),
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (b"!<arch>\n", "an ar archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"#!", "a script"),
    (b"\x1f\x8b", "gzip data; unpack it once, then try again"),
    (b"\x28\xb5\x2f\xfd", "zstd data; unpack it once, then try again"),
    (b"\xfd7zXZ\0", "xz data; unpack it once, then try again"),
    (b"\x04\x22\x4d\x18", "lz4 data; unpack it once, then try again"),
    (b"BZh", "bzip2 data; unpack it once, then try again"),
    (b"\x02\x21\x4c\x18", "lz4 data of the legacy format; unpack it first"),
];

/// A guess from the first bytes, to follow "looks like".
pub(super) fn looks_like(start: &[u8]) -> String {
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*name).to_owned();
    }
    if start.get(257..262) == Some(b"ustar") {
        return "a tar archive; unpack it first".to_owned();
    }
    if start.iter().all(|byte| *byte == 0) {
        return "nothing but zeros (was the disk full, or the file not synced?)".to_owned();
    }
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x1b | b' '..=b'~' | 0x80..);
    let is_utf8 = match std::str::from_utf8(start) {
        Ok(_) => true,
        // Cut within a character by the length that is looked at.
        Err(error) => error.error_len().is_none(),
    };
    if is_utf8 && start.iter().all(is_text) {
        return "text".to_owned();
    }
    let bytes: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("data of an unknown kind (it starts with {})", bytes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_dumps_are_named() {
        assert!(looks_like(b"MDMP\x93\xa7").starts_with("a Windows minidump"));
        assert!(looks_like(b"\xcf\xfa\xed\xfe\x07").starts_with("a Mach-O"));
        assert_eq!(looks_like("Käse\n".as_bytes()), "text");
        assert!(looks_like(&[0; 20]).contains("zeros"));
        assert!(looks_like(&[1, 2, 3, 4, 5]).contains("01 02 03 04"));
    }
}
