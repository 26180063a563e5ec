//! `obit memory`: output that never left the process, and what it was working on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use clap::Args;
use obit::logs::{LogFile, MOST_BYTES};
use obit::render::Format;
use obit::report::{ContentsLimits, contents};

use crate::cli::args::Output;
use crate::cli::args::core_files::CoreFiles;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::core_source::is_standard_input;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Which core, and how much of what is found.
#[derive(Clone, Debug, Args)]
pub(crate) struct MemoryArgs {
    #[command(flatten)]
    files: CoreFiles,
    /// A log whose lines around the crash are joined into a timeline; - reads the standard input
    ///
    /// Lines that name the process, the crashed thread or a trace of the request in flight, and
    /// those of the minute before the crash. Times are read as ISO 8601, syslog, nginx and Apache
    /// write them, and of the journal's export and JSON (`journalctl -o export`, `-o json`).
    #[arg(long = "log", value_name = "FILE")]
    logs: Vec<PathBuf>,
    /// Lines of all logs that are shown: the last
    #[arg(long, value_name = "N", default_value = "200", hide_short_help = true)]
    log_lines: usize,
    /// Lines of one writer that are shown: the last
    #[arg(long, value_name = "N", default_value = "1000")]
    lines: usize,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &MemoryArgs, general: &General) -> Result<Exit, Failure> {
    let format = args.output.format();
    let write = formats::writer(format, "what memory holds", Format::contents)?;
    let inputs = args.files.inputs()?;
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let logs = args.logs.iter().map(|path| log(path)).collect::<Result<Vec<_>, _>>()?;
    let limits = ContentsLimits { lines: args.lines, log_lines: args.log_lines };
    let found = request
        .on_process(general, |process| Ok(contents(process, &request.build, &logs, limits)))?;
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &found, &page))?;
    Ok(Exit::Success)
}

/// The last bytes of a log.
fn log(path: &Path) -> Result<LogFile, Failure> {
    let failed = |error: io::Error| {
        let problem = format!("--log: cannot read {}: {error}", path.display());
        Failure::new(Exit::Unusable, &problem)
    };
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    if is_standard_input(path) {
        io::stdin().lock().take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        return Ok(LogFile { name, bytes, omitted: 0 });
    }
    // A pipe without a writer would be waited for.
    let metadata = path.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let problem = format!("--log: {} is not a file; pass - for a pipe", path.display());
        return Err(Failure::usage(&problem));
    }
    let mut file = File::open(path).map_err(failed)?;
    let omitted = metadata.len().saturating_sub(MOST_BYTES);
    file.seek(SeekFrom::Start(omitted)).map_err(failed)?;
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(LogFile { name, bytes, omitted })
}
