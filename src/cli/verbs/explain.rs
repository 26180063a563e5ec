//! `obit explain CLASS`: a section of docs/causes.md.

use clap::Args;
use obit::analysis::CauseClass;

use crate::cli::args::OutputFile;
use crate::cli::args::general::General;
use crate::cli::destination::Destination;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::formats::TERMINAL;
use crate::cli::nearest::nearest;

const CAUSES: &str = include_str!("../../../docs/causes.md");

/// Which class.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The class, as in `cause.class` of a report: null-read, stack-overflow, …
    #[arg(value_name = "CLASS")]
    class: String,
    #[command(flatten)]
    file: OutputFile,
}

pub(crate) fn run(args: &ExplainArgs, general: &General) -> Result<Exit, Failure> {
    let Some(class) = CauseClass::named(&args.class) else {
        let known: Vec<_> = CauseClass::ALL.iter().map(|class| class.word()).collect();
        let problem = match nearest(&args.class, &known) {
            Some(near) => format!("no cause class {}; did you mean {near}?", args.class),
            None => {
                format!("no cause class {}; the classes are {}", args.class, known.join(", "))
            }
        };
        return Err(Failure::usage(&problem));
    };
    let destination = Destination::of(&args.file, TERMINAL, general, None)?;
    destination.write(|out| writeln!(out, "{}", section(class.word()).trim_end()))?;
    Ok(Exit::Success)
}

/// The section of a class, its heading included.
fn section(word: &str) -> &'static str {
    let heading = format!("\n## {word}\n");
    let start = CAUSES.find(&heading).map_or(0, |at| at + 1);
    let text = &CAUSES[start..];
    let ends = ["\n## ", "\n# "].into_iter().filter_map(|heading| text[3..].find(heading));
    ends.min().map_or(text, |end| &text[..end + 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_section_and_its_severity() {
        for class in CauseClass::ALL {
            let text = section(class.word());
            assert!(text.starts_with(&format!("## {}\n", class.word())), "{}", class.word());
            assert!(!text.contains("\n## ") && !text.contains("\n# "), "{text}");
            let severity = format!("Severity: {:?}.", class.severity()).to_lowercase();
            assert!(text.to_lowercase().contains(&severity), "{text}");
            assert!(text.contains(class.summary()), "{text}");
            assert!(!text.contains("\n# "), "{text}");
        }
    }
}
