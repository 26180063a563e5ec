//! What can be set while a shell runs.

use std::io::Write;

use super::state::{Done, Shell, refuse, say};
use super::words::Words;
use obit_render::Color;

/// Narrower pages are not laid out.
const NARROWEST: usize = 40;
/// A line that is never too long.
const WIDEST: usize = 100_000;

pub(super) fn set(shell: &mut Shell, words: &Words<'_>, _: &mut dyn Write) -> Done {
    let (what, rest) = Words::first(words.rest);
    match (what, rest) {
        ("pagination" | "height", "off" | "0" | "unlimited") => shell.is_unpaged = true,
        ("pagination", "" | "on") => shell.is_unpaged = false,
        ("height", _) if rest.parse::<u32>().is_ok() => shell.is_unpaged = false,
        ("width", _) => match (rest, rest.parse::<usize>()) {
            ("0" | "unlimited", _) => shell.page.width = WIDEST,
            (_, Ok(columns)) => shell.page.width = columns.clamp(NARROWEST, WIDEST),
            _ => return refuse("`set width N` takes a number of columns; 0 is no limit"),
        },
        ("style", "enabled off") => shell.page.color = Color::Never,
        ("style", "enabled on" | "enabled") => shell.page.color = Color::Always,
        // Nothing is ever asked, and nothing is reported meanwhile.
        ("confirm" | "verbose", _) => {}
        ("print" | "p", _) => {
            return refuse(
                "set print: values are shown in full; --max-elements, --max-depth and --formatters of `obit shell` say how",
            );
        }
        ("var" | "variable", _) => return refuse("set var: a dump is only read"),
        ("sysroot" | "solib-search-path" | "debug-file-directory" | "substitute-path", _) => {
            return refuse(format!("set {what}: start `obit shell` with --{what}"));
        }
        ("debuginfod", _) => {
            return refuse("set debuginfod: start `obit shell` with --debuginfod or --offline");
        }
        ("disassembly-flavor", _) => {
            return refuse(
                "set disassembly-flavor: instructions are in AT&T's notation here; `obit CORE --no-source --disassembly-flavor intel` has the other",
            );
        }
        _ if what.contains('=') || rest.starts_with('=') || what.starts_with(['$', '*', '(']) => {
            return refuse("set: a dump is only read");
        }
        _ => {
            return refuse(
                "set: pagination, height, width, style and confirm can be set; the rest are options of `obit shell`",
            );
        }
    }
    Ok(())
}

pub(super) fn show(_: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    match words.rest {
        "version" => say(out, &format!("obit {}", env!("CARGO_PKG_VERSION"))),
        _ => refuse("show: `show version` is what there is; `help` lists the commands"),
    }
}

/// Writes a text; `\n` is a new line, as in gdb.
pub(super) fn echo(_: &mut Shell, words: &Words<'_>, out: &mut dyn Write) -> Done {
    let mut parts = words.rest.split("\\n");
    if let Some(first) = parts.next() {
        write!(out, "{}", obit_render::visible(first.trim_end_matches('\\')))?;
    }
    for part in parts {
        write!(out, "\n{}", obit_render::visible(part.trim_end_matches('\\')))?;
    }
    Ok(())
}
