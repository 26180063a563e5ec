//! `obit list`: the crashes that are remembered.

use std::io::{self, Write};

use clap::Args;
use obit::render;
use obit::render::exchange::{self, Item};
use obit::triage::store::Store;
use obit::triage::{Record, RecordStatus, write_record};

use super::args::general::General;
use super::args::store::StoreArgs;
use super::args::{Format, Output};
use super::destination::Destination;
use super::exit::Exit;
use super::failure::Failure;
use super::formats::{self, Plain};

/// What is to be listed.
#[derive(Clone, Debug, Args)]
pub(crate) struct ListArgs {
    /// Only files that could not be read
    #[arg(long)]
    pub(crate) failed: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How: these formats have a line for each crash, so that any number can be written.
#[derive(Clone, Copy)]
enum Listing {
    Plain(Plain),
    Brief,
    Github,
    Sentry,
}

pub(crate) fn run(args: &ListArgs, general: &General) -> Result<Exit, Failure> {
    let outlet = Destination::of(&args.output.file, args.output.format(), general, None)?;
    let store = Store::open(&args.store.path()?)?;
    let mut failure = None;
    let format = match args.output.format() {
        Format::Brief => Listing::Brief,
        Format::Github => Listing::Github,
        Format::Sentry => Listing::Sentry,
        Format::Sarif | Format::Junit | Format::Gitlab => {
            let problem = "this has one result for each group: `obit top --format \u{2026}`";
            return Err(Failure::new(Exit::Usage, &problem));
        }
        _ => Listing::Plain(formats::plain(args.output.format())?),
    };
    outlet.write(|out| {
        let mut comma: &[u8] = b"[";
        let mut written = Ok(());
        let outcome = store.each_record(&mut |record| {
            if args.failed && record.status == RecordStatus::Ok {
                return Ok(());
            }
            let one = match format {
                Listing::Plain(Plain::Text) => line(&record, out),
                Listing::Plain(Plain::Lines) => write_record(&record, &mut *out),
                Listing::Plain(Plain::Json) => {
                    out.write_all(comma).and_then(|()| write_record(&record, &mut *out))
                }
                // Of what could not be read there is no crash to tell.
                _ if record.status == RecordStatus::Failed => Ok(()),
                Listing::Brief => render::write_brief(out, &record.into_report()),
                Listing::Github => exchange::write_github(out, &[Item::of(&record.into_report())]),
                Listing::Sentry => exchange::write_sentry(out, &[Item::of(&record.into_report())]),
            };
            comma = b",";
            one.inspect_err(|error| {
                written = Err(io::Error::from(error.kind()));
            })
        });
        failure = outcome.err();
        written?;
        match format {
            Listing::Plain(Plain::Json) if comma == b"[" => out.write_all(b"[]\n"),
            Listing::Plain(Plain::Json) => out.write_all(b"]\n"),
            _ => Ok(()),
        }
    })?;
    failure.map_or(Ok(Exit::Success), |error| Err(error.into()))
}

/// Time, group, what it died of, file.
fn line(record: &Record, out: &mut dyn Write) -> io::Result<()> {
    let visible = |text: &str| render::visible(text).to_string();
    let cause = match (&record.cause, &record.reason) {
        (Some(cause), _) => cause.class.clone(),
        (None, Some(reason)) => format!("({})", reason.code),
        (None, None) => "-".to_owned(),
    };
    writeln!(
        out,
        "{}  {:<8}  {:<16}  {}  {}",
        record.time.map_or_else(|| "-".to_owned(), obit::triage::time::minute_of),
        record.group.as_deref().unwrap_or("-"),
        visible(&cause),
        visible(record.signature.as_ref().map_or("-", |signature| signature.text.as_str())),
        visible(record.core.path.as_str()),
    )
}
