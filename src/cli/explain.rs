//! `obit explain CLASS`: a section of docs/causes.md.

use obit::analysis::CauseClass;

use super::Failure;
use super::args::{Cli, Explain};
use super::exit::Exit;
use super::outlet::Outlet;

const CAUSES: &str = include_str!("../../docs/causes.md");

pub(super) fn explain(cli: &Cli, args: &Explain) -> Result<Exit, Failure> {
    let Some(class) = CauseClass::named(&args.class) else {
        let known: Vec<_> = CauseClass::ALL.iter().map(|class| class.word()).collect();
        let problem =
            format!("no cause is called {:?}; there are {}", args.class, known.join(", "));
        return Err(Failure::new(Exit::Usage, &problem));
    };
    let outlet = Outlet::of(&cli.options.output, None)?;
    outlet.write(|out| writeln!(out, "{}", section(class.word()).trim_end()))?;
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
