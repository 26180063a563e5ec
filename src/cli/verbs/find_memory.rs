//! `obit find`: where a text, bytes, a number or pointers are in memory.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use obit::render::Format;
use obit::report::heap::HeapAnswer;
use obit::session::{Opened, Wanted};

use super::memory_place::{address_of, number};
use crate::cli::args::Output;
use crate::cli::args::core_files::NamedFiles;
use crate::cli::args::general::General;
use crate::cli::args::page::Width;
use crate::cli::args::redaction::Redaction;
use crate::cli::args::search::Search;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats;
use crate::cli::page_layout::page_options;
use crate::cli::request::Request;

/// Places that are shown, unless the user says how many.
const PLACES: usize = 50;

/// Which core, and what is searched for.
#[derive(Clone, Debug, Args)]
#[command(group = ArgGroup::new("what").required(true))]
pub(crate) struct FindArgs {
    /// The core file
    #[arg(value_name = "CORE")]
    core: Option<PathBuf>,
    /// A text, byte by byte
    #[arg(long, value_name = "TEXT", group = "what")]
    string: Option<String>,
    /// Bytes, as hexadecimal digits: `deadbeef`, `'de ad be ef'`
    #[arg(long, value_name = "HEX", group = "what")]
    bytes: Option<String>,
    /// A number, in 4 or 8 bytes
    #[arg(long, value_name = "NUMBER", group = "what")]
    value: Option<String>,
    /// Words that point to an address or to the object of an expression; in a block of the heap,
    /// to any of its bytes
    #[arg(long, value_name = "EXPR", group = "what")]
    pointer_to: Option<String>,
    /// Blocks of the heap that hold an object of a class: its name, or the end of it behind `::`
    #[arg(long = "type", value_name = "NAME", group = "what")]
    type_name: Option<String>,
    /// Bytes of the number: 4 or 8
    #[arg(long, value_name = "BYTES", default_value_t = 8,
        value_parser = clap::value_parser!(u8).range(4..=8))]
    size: u8,
    /// Places that are shown [default: 50]
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    files: NamedFiles,
    #[command(flatten)]
    search: Search,
    #[command(flatten)]
    pub(crate) redaction: Redaction,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    width: Width,
}

pub(crate) fn run(args: &FindArgs, general: &General) -> Result<Exit, Failure> {
    let inputs = args.files.with(&args.core)?;
    let format = args.output.format();
    let destination = Destination::of(&args.output.file, format, general, Some(&inputs))?;
    let write = formats::writer(format, "places in memory", Format::heap)?;
    let request = Request::new(inputs, &args.search, &args.redaction)?;
    let most = args.limit.unwrap_or(PLACES);
    let wanted = wanted(args)?;
    let found = request.with_process(general, |process| {
        let wanted = match (&wanted, &args.pointer_to) {
            (None, Some(text)) => Wanted::PointerTo(address_of(&process, text, None)?),
            (Some(wanted), _) => wanted.clone(),
            (None, None) => return Err(Failure::usage(&"nothing to search for")),
        };
        let opened = Opened::new(process, request.build.clone());
        opened.found(&wanted, most).map_err(|problem| Failure::usage(&problem.text.as_str()))
    })?;
    let is_empty = found.hits.is_empty();
    let page = page_options(general, &args.width, &destination);
    destination.write(|out| write(out, &HeapAnswer::Found(found), &page))?;
    // As grep and ripgrep do.
    Ok(if is_empty { Exit::Incomplete } else { Exit::Success })
}

/// What is known before the core is read; pointers are to an object of it.
fn wanted(args: &FindArgs) -> Result<Option<Wanted>, Failure> {
    let wrong = |text: &str, what: &str| Failure::usage(&format!("{text:?} is not {what}"));
    Ok(match (&args.string, &args.bytes, &args.value, &args.type_name) {
        (Some(text), ..) => Some(Wanted::Text(text.clone())),
        (_, Some(text), ..) => {
            let bytes = bytes(text).ok_or_else(|| wrong(text, "bytes in hexadecimal digits"))?;
            Some(Wanted::Bytes(bytes))
        }
        (_, _, Some(text), _) => {
            let value = number(text).ok_or_else(|| wrong(text, "a number, as 0x1f or 31"))?;
            if args.size != 4 && args.size != 8 {
                return Err(Failure::usage(&"--size is 4 or 8"));
            }
            Some(Wanted::Value(value, args.size))
        }
        (.., Some(name)) => Some(Wanted::Type(name.clone())),
        _ => None,
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let pairs = digits.chunks_exact(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(bytes("de ad be EF"), Some(vec![0xde, 0xad, 0xbe, 0xef]));
        assert_eq!((bytes("abc"), bytes("zz"), bytes("")), (None, None, None));
    }
}
