//! Names of Ada as GNAT writes them into debug information: in lower case, with two
//! underscores between scopes (`exp_dbug.ads` of GNAT).

/// `pack.proc` for `pack__proc__2`: as the source writes it, without the number of an
/// overloaded one. Names that the compiler made are left alone: those have capitals or
/// three underscores.
pub(crate) fn source_name(encoded: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if !encoded.bytes().all(is_plain) || encoded.contains("___") || encoded.starts_with('_') {
        return None;
    }
    let mut parts: Vec<&str> = encoded.split("__").collect();
    let is_number =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.len() > 1 && parts.last().is_some_and(is_number) {
        parts.pop();
    }
    let is_name = |part: &&str| part.starts_with(|c: char| c.is_ascii_lowercase());
    parts.iter().all(is_name).then(|| parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::source_name;

    #[test]
    fn two_underscores_separate_scopes() {
        let shown = |name| source_name(name);
        assert_eq!(shown("a1__inner").as_deref(), Some("a1.inner"));
        assert_eq!(shown("ada__text_io__put_line__2").as_deref(), Some("ada.text_io.put_line"));
        assert_eq!(shown("main").as_deref(), Some("main"));
    }

    #[test]
    fn names_that_the_compiler_made_are_left_alone() {
        for name in ["a3__workerTB", "a1__TA75bP1___U", "pack___elabb", "__gnat_raise", "a__", ""] {
            assert_eq!(source_name(name), None, "{name}");
        }
    }
}
