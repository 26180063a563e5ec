//! The table of loaded images.

use std::io;

use comfy_table::{ContentArrangement, Table, presets};

use super::notices::write_notices;
use crate::identity::short_build_id;
use crate::layout::{counted, cut_start};
use crate::name;
use crate::style::Style;
use crate::{Detail, PageOptions};
use obit_report::module::{DebugReport, ModuleFile, ModuleReport};
use obit_report::{Package, Report};

/// Columns of a path that a narrow table leaves.
const NARROWEST_PATH: usize = 24;
/// Columns of a table without its path.
const OTHER_COLUMNS: usize = 62;

/// Writes one line for each image: where it lay, which build, what was found of it.
pub(crate) fn write_modules(
    out: &mut dyn io::Write,
    report: &Report,
    options: &PageOptions,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["base", "build ID", "file", "debug info", "module", "package"]);
    for module in &report.modules {
        table.add_row(cells(module, options));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    let without = report.modules.iter().filter(|module| module.file == ModuleFile::Missing).count();
    let mut text = counted(report.modules.len(), "module");
    if without > 0 {
        text.push_str(&format!(", {without} without a file"));
    }
    writeln!(out, "{}", options.color.paint(Style::Aside, &text))?;
    write_notices(out, report, options)
}

fn cells(module: &ModuleReport, options: &PageOptions) -> [String; 6] {
    let verbose = options.detail == Detail::Verbose;
    let whole = verbose || !options.shorten_tables;
    let build_id =
        module.build_id.as_ref().map(|id| if whole { id.clone() } else { short_build_id(id) });
    let mut path = name::shown(&module.path);
    if !whole {
        path = cut_start(&path, options.width.saturating_sub(OTHER_COLUMNS).max(NARROWEST_PATH));
    }
    let debug = match (verbose, &module.debug_path) {
        (true, Some(debug_path)) => {
            format!("{} {}", debug_word(module.debug), name::shown(debug_path))
        }
        _ => debug_word(module.debug).to_owned(),
    };
    [
        format!("{:#014x}", module.base.0),
        build_id.unwrap_or_else(|| "none".to_owned()),
        file_word(module.file).to_owned(),
        debug,
        path,
        module.package.as_ref().map(package).unwrap_or_default(),
    ]
}

/// Whether its file was found, in a word.
pub(crate) fn file_word(file: ModuleFile) -> &'static str {
    match file {
        ModuleFile::Found => "found",
        ModuleFile::Mismatch => "mismatch",
        ModuleFile::Missing => "missing",
        ModuleFile::InCore => "in core",
    }
}

/// How much is known of its code, in a word.
pub(crate) fn debug_word(debug: DebugReport) -> &'static str {
    match debug {
        DebugReport::None => "none",
        DebugReport::Symbols => "symbols",
        DebugReport::LineTables => "line tables",
        DebugReport::Full => "full",
    }
}

/// Name and version.
pub(crate) fn package(package: &Package) -> String {
    let fields = [package.name.as_ref(), package.version.as_ref()];
    fields.into_iter().flatten().map(name::shown).collect::<Vec<_>>().join(" ")
}
