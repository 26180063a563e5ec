//! What a file that is not a core looks like, for the error message.

/// Bytes from the start of a file that are looked at.
pub(super) const WANTED: u64 = 4096;

const KNOWN: &[(&[u8], &str)] = &[
    (b"PAGEDU64", "a Windows kernel dump (try WinDbg)"),
    (b"PAGEDUMP", "a Windows kernel dump (try WinDbg)"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O file (try lldb)"),
    (b"\xce\xfa\xed\xfe", "a Mach-O file (try lldb)"),
    (b"\xca\xfe\xba\xbe", "a Mach-O universal file or a Java class"),
    (b"KDUMP   ", "a compressed kernel dump (try crash)"),
    (b"DISKDUMP", "a compressed kernel dump (try crash)"),
    (
        b"makedumpfile\0",
        "a flattened kernel dump of makedumpfile (try makedumpfile -R, then crash)",
    ),
    (b"\xed\x23\x8f\x61\x73\x01\x19\xa8", "a kernel dump of LKCD (try crash)"),
    (b"JAVA PROFILE", "a Java heap dump (try Eclipse MAT)"),
    (
        b"#\n# A fatal error has been detected by the Java Runtime",
        "a fatal error log of a Java VM; give the core that it names",
    ),
    (b"*** *** *** *** ***", "a tombstone of Android, which is text (try ndk-stack)"),
    (b"{\"snapshot\":{\"meta\":", "a heap snapshot of V8 (try Chrome's developer tools)"),
    (b"{\"app_name\":", "a crash report of macOS"),
    (b"PK\x03\x04", "a ZIP archive"),
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
    if start.starts_with(b"MDMP") {
        return minidump(start).to_owned();
    }
    if let Some((_, name)) = KNOWN.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*name).to_owned();
    }
    if start.get(257..262) == Some(b"ustar") {
        return "a tar archive".to_owned();
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

/// Whose minidump it is: Windows's own, or one that Breakpad or Crashpad wrote on another
/// system. `MINIDUMP_HEADER` has the number of streams at 8 and where their directory is at
/// 12, `MINIDUMP_DIRECTORY` a type (0) and a place (8); stream 7 has `PlatformId` at 8.
fn minidump(start: &[u8]) -> &'static str {
    let word = |at: usize| {
        let bytes = start.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let directory = word(12).and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
    let count = word(8).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let entries = (directory..start.len()).step_by(12).take(count);
    let mut platform = None;
    for entry in entries {
        let (Some(kind), Some(at)) = (word(entry), word(entry.saturating_add(8))) else { break };
        match kind {
            // Breakpad's own, of files of /proc.
            0x4767_0003..=0x4767_000b => platform = Some(0x8201),
            7 => {
                let at = usize::try_from(at).unwrap_or(usize::MAX).saturating_add(8);
                platform = platform.or(word(at));
            }
            _ => {}
        }
    }
    match platform {
        Some(0x8201) => {
            "a minidump of a process of Linux (Breakpad, Crashpad; try minidump-stackwalk)"
        }
        Some(0x8203) => "a minidump of a process of Android (try minidump-stackwalk)",
        Some(0x8101) => "a minidump of a process of macOS (try minidump-stackwalk)",
        Some(0..=0xff) => "a minidump of a process of Windows (try WinDbg or minidump-stackwalk)",
        _ => "a minidump (try minidump-stackwalk)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minidump_says_of_which_system_it_is() {
        let of = |streams: &[(u32, u32)], platform: u32| {
            let mut file = b"MDMP\x93\xa7\0\0".to_vec();
            file.extend((streams.len() as u32).to_le_bytes());
            file.extend(32_u32.to_le_bytes());
            file.resize(32, 0);
            for (kind, at) in streams {
                file.extend([*kind, 56, *at].iter().flat_map(|word| word.to_le_bytes()));
            }
            file.resize(200, 0);
            file[108..112].copy_from_slice(&platform.to_le_bytes());
            looks_like(&file)
        };
        assert!(of(&[(3, 150), (7, 100)], 2).contains("a process of Windows"));
        assert!(of(&[(7, 100)], 0x8201).contains("a process of Linux"));
        assert!(of(&[(0x4767_0005, 1), (7, 0xffff_ffff)], 2).contains("a process of Linux"));
        assert!(of(&[(7, 5000)], 2).starts_with("a minidump (try"));
    }

    #[test]
    fn foreign_dumps_are_named() {
        assert!(looks_like(b"MDMP\x93\xa7").starts_with("a minidump (try"));
        assert!(looks_like(b"makedumpfile\0\0\0\0\0").starts_with("a flattened kernel dump"));
        assert!(looks_like(b"\xcf\xfa\xed\xfe\x07").starts_with("a Mach-O"));
        assert_eq!(looks_like("Käse\n".as_bytes()), "text");
        assert!(looks_like(&[0; 20]).contains("zeros"));
        assert!(looks_like(&[1, 2, 3, 4, 5]).contains("01 02 03 04"));
    }
}
