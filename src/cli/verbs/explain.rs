//! `obit explain CLASS`: a section of docs/causes.md; without a class, the list of them.

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
    /// The class, as in `cause.class` of a report: null-read, stack-overflow, …; without
    /// one, all classes are listed
    #[arg(value_name = "CLASS")]
    class: Option<String>,
    #[command(flatten)]
    file: OutputFile,
}

pub(crate) fn run(args: &ExplainArgs, general: &General) -> Result<Exit, Failure> {
    let destination = Destination::of(&args.file, TERMINAL, general, None)?;
    let Some(name) = &args.class else {
        destination.write(|out| write!(out, "{}", catalogue()))?;
        return Ok(Exit::Success);
    };
    let Some(class) = CauseClass::named(name) else {
        let known: Vec<_> = CauseClass::ALL.iter().map(|class| class.word()).collect();
        let problem = match nearest(name, &known) {
            Some(near) => format!("no cause class {name}; did you mean {near}?"),
            None => format!("no cause class {name}; `obit explain` lists them"),
        };
        return Err(Failure::usage(&problem));
    };
    destination.write(|out| writeln!(out, "{}", section(class.word()).trim_end()))?;
    Ok(Exit::Success)
}

/// A line for each class: identifier, severity, title.
fn catalogue() -> String {
    let all = CauseClass::ALL;
    let width = all.iter().map(|class| class.word().len()).max().unwrap_or(0);
    let line = |class: &CauseClass| {
        let (word, severity) = (class.word(), class.severity().word());
        format!("{word:width$}  {severity:6}  {}\n", class.title())
    };
    all.iter().map(line).collect()
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
    fn the_catalogue_lists_every_class_once() {
        let text = catalogue();
        assert_eq!(text.lines().count(), CauseClass::ALL.len());
        assert!(
            text.contains("unmapped-read           medium  read from unmapped memory\n"),
            "{text}"
        );
    }

    #[test]
    fn every_class_has_its_section_and_its_severity() {
        for class in CauseClass::ALL {
            let text = section(class.word());
            assert!(text.starts_with(&format!("## {}\n", class.word())), "{}", class.word());
            assert!(!text.contains("\n## ") && !text.contains("\n# "), "{text}");
            let severity = format!("\n- Severity: {}", class.severity().word());
            assert!(text.contains(&severity), "{text}");
            assert!(text.contains(&format!("\n- Title: {}.\n", class.title())), "{text}");
            let cwe: Vec<_> = class.cwe().iter().map(|number| format!("CWE-{number}")).collect();
            let cwe = if cwe.is_empty() { "none".to_owned() } else { cwe.join(", ") };
            assert!(text.contains(&format!("\n- CWE: {cwe}.\n")), "{text}");
        }
    }
}
