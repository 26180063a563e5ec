//! `obit CORE`: why the process crashed.

mod options;
mod several;

use clap::Args;
use obit::render::Format;

use crate::cli::args::core_files::ManyFiles;
use crate::cli::args::general::General;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;

use super::snapshot;
pub(crate) use options::ReportOptions;

/// Which cores, what to show of them and how.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    files: ManyFiles,
    #[command(flatten)]
    pub(crate) options: ReportOptions,
}

pub(crate) fn run(args: &ReportArgs, general: &General) -> Result<Exit, Failure> {
    if let Some(process) = args.files.process() {
        return snapshot::of_process(process, &args.options, general);
    }
    let options = &args.options;
    let format = options.output.format();
    let writer = formats::writer(format, "a report", Format::report)?;
    let all = args.files.all()?;
    let [inputs] = all.as_slice() else { return several::run(options, &all, format, general) };
    let destination = Destination::of(&options.output.file, format, general, Some(inputs))?;
    let page = options.page(general, &destination);
    let (rest, portions) = options.report(inputs, format, &page, general.quiet)?;
    let written = (&rest, &portions);
    destination.write(|out| writer.write_portions(out, written, options.view(), &page))?;
    options.say_unused_rules(&rest.report, general);
    Ok(options.exit(&rest.report))
}
