//! Names of images without what differs between systems and releases.

/// The name of an image without directory, version and hash: `libglib-2.0.so.0.7200.4` is
/// `libglib.so`, `libstd-d1237ef7159db0a2.so` `libstd.so`, `python3.11` `python`.
pub fn module_name(path: &str) -> String {
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let base = path.rsplit('/').next().unwrap_or(path);
    let (stem, is_library) = match base.find(".so") {
        Some(at) if matches!(base.as_bytes().get(at + 3), None | Some(b'.' | b'-')) && at > 0 => {
            (&base[..at], true)
        }
        _ => (base, false),
    };
    let mut stem = without_version(stem);
    if let Some((before, hash)) = stem.rsplit_once('-')
        && hash.len() == 16
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        stem = before;
    }
    let stem = stem.replace(char::is_control, " ");
    if is_library { stem + ".so" } else { stem }
}

/// Less a version: `-2.0`, `3.11`, `-12`. A lone number that touches the name is part of
/// it: `lib32`, `worker2`.
fn without_version(stem: &str) -> &str {
    let before = stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let version = &stem[before.len()..];
    let name = before.strip_suffix(['-', '_']).unwrap_or(before);
    let is_version = version.starts_with(|c: char| c.is_ascii_digit())
        && (version.contains('.') || before.ends_with('-'));
    if is_version && !name.is_empty() { name } else { stem }
}

#[cfg(test)]
mod tests {
    use super::module_name;

    #[test]
    fn an_image_has_no_version() {
        for (path, name) in [
            ("/usr/lib/libc.so.6", "libc.so"),
            ("/lib/libc-2.31.so", "libc.so"),
            ("/usr/lib/libglib-2.0.so.0.7200.4", "libglib.so"),
            ("/x/libstd-d1237ef7159db0a2.so", "libstd.so"),
            ("/usr/bin/python3.11", "python"),
            ("/opt/shop/bin/shop-1.2 (deleted)", "shop"),
            ("/opt/worker2", "worker2"),
            ("[vdso]", "[vdso]"),
            ("7", "7"),
        ] {
            assert_eq!(module_name(path), name, "{path}");
        }
    }
}
