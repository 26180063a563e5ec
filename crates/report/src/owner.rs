//! Whose code a frame is, of reports that state it and of those that do not.

use obit_ownership::{Answer, Evidence, Frame, Owner, answer};

use super::module::ModuleRole;
use super::{FrameKind, FrameReport, Report};
use obit_redact::Shown;

impl Report {
    /// The path of the executable.
    pub fn executable(&self) -> Option<&str> {
        let module = self.modules.iter().find(|module| module.role == ModuleRole::Executable);
        module.map(|module| &module.path).or(self.process.exe.as_ref()).map(Shown::as_str)
    }
}

impl FrameReport {
    /// Whose code it is, as the report states, and what in the report says the same.
    /// `executable` is [`Report::executable`].
    pub fn ownership(&self, executable: Option<&str>) -> Answer {
        let found = answer(&Frame {
            function: self.function.as_ref().map(Shown::as_str),
            linkage_name: self.linkage_name.as_ref().map(Shown::as_str),
            module: self.module.as_ref().map(|module| module.path.as_str()),
            executable,
            source: self.source.as_ref().map(|source| source.file.as_str()),
            language: None,
        });
        // A physical function's line may be that of a header.
        let is_doubtful = found.evidence == Evidence::Source && self.kind != FrameKind::Inline;
        let stated = self.owner.or(is_doubtful.then_some(Owner::Application));
        match stated.filter(|owner| *owner != found.owner) {
            // The unit's language and the ends of the function are not in the report.
            Some(owner) => Answer { owner, evidence: Evidence::None, rule: None, is_called: false },
            None => found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ModulePlace, SourcePlace};

    const PROGRAM: &str = "/opt/shop/bin/shop";

    fn frame(function: &str, module: &str) -> FrameReport {
        let shown = |text: &str| Shown::from_report(text.to_owned());
        FrameReport {
            function: Some(shown(function)),
            module: Some(ModulePlace { path: shown(module), ..ModulePlace::default() }),
            ..FrameReport::default()
        }
    }

    #[test]
    fn what_a_report_states_holds_whatever_the_names_say() {
        let mut stated = frame("core::Engine::spin", PROGRAM);
        let old = stated.ownership(Some(PROGRAM));
        assert_eq!(old.owner, Owner::LanguageRuntime);
        stated.owner = Some(Owner::Application);
        assert_eq!(stated.ownership(Some(PROGRAM)).owner, Owner::Application);
    }

    #[test]
    fn a_report_that_states_nothing_is_asked_by_its_names_and_modules() {
        let owner = |frame: FrameReport| frame.ownership(Some(PROGRAM)).owner;
        assert_eq!(owner(frame("pool_take", "/opt/shop/libQt5Core.so.5")), Owner::SystemLibrary);
        assert_eq!(owner(frame("_start", PROGRAM)), Owner::Startup);
        let file = Shown::from_report("/usr/include/queue.h".to_owned());
        let source = Some(SourcePlace { file, ..SourcePlace::default() });
        let physical = FrameReport { source, ..frame("walk", PROGRAM) };
        let inline = FrameReport { kind: FrameKind::Inline, ..physical.clone() };
        assert_eq!(owner(physical), Owner::Application);
        assert_eq!(owner(inline), Owner::SystemLibrary);
    }
}
