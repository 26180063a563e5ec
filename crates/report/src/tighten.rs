//! A report that was made at one level, at a stricter one.

use obit_redact::{Level, Named, Origin, Redactor, Shown, is_token};

use crate::module::ModuleReport;
use crate::words::is_character;
use crate::{
    Blame, Cause, Evidence, FrameReport, ModulePlace, Package, ProcessReport, Redactions, Report,
    SourcePlace, ThreadReport, Variable, VariableValue,
};

/// Characters of a message or a name that is looked for within sentences.
const LEAST_QUOTED: usize = 4;

impl Redactions {
    /// The level of the report.
    pub fn level(&self) -> Level {
        match self.policy.as_str() {
            "strict" => Level::Strict,
            "off" => Level::Off,
            _ => Level::Default,
        }
    }
}

impl Report {
    /// Hides what `redactor` hides beyond what is hidden already. If the report was made at a
    /// level as strict, nothing changes.
    ///
    /// Of a text it is not known what its variable's type says of where it came from, so more
    /// may be hidden than in a report that was made at this level.
    pub fn tighten(&mut self, redactor: &mut Redactor) {
        let was = self.redactions.level();
        if redactor.level() <= was {
            return;
        }
        let mut tightener = Tightener { redactor, was, quoted: Vec::new() };
        tightener.report(self);
        let redactor = tightener.redactor;
        self.redactions.policy = redactor.level().word().to_owned();
        for (kind, count) in redactor.counts() {
            *self.redactions.counts.entry((*kind).to_owned()).or_default() += count;
        }
        self.redactions.total = self.redactions.counts.values().sum();
    }
}

struct Tightener<'r> {
    redactor: &'r mut Redactor,
    was: Level,
    /// Texts that sentences may quote, and what is in their place.
    quoted: Vec<(String, String)>,
}

impl Tightener<'_> {
    fn text(&mut self, origin: Origin, text: &mut Shown) {
        if !text.as_str().is_empty() && !is_token(text.as_str()) {
            *text = self.redactor.show(origin, text.as_str());
        }
    }

    fn texts<'t>(&mut self, origin: Origin, texts: impl IntoIterator<Item = &'t mut Shown>) {
        texts.into_iter().for_each(|text| self.text(origin, text));
    }

    /// The same, and sentences no longer quote it.
    fn quotable(&mut self, origin: Origin, text: &mut Shown) {
        let before = text.as_str().to_owned();
        self.text(origin, text);
        if before.chars().count() >= LEAST_QUOTED && before != text.as_str() {
            self.quoted.push((before, text.as_str().to_owned()));
        }
    }

    fn sentence(&mut self, text: &mut Shown) {
        let known = self.quoted.iter().filter(|(before, _)| text.as_str().contains(before));
        let plain = known.fold(None, |plain: Option<String>, (before, token)| {
            Some(plain.as_deref().unwrap_or(text.as_str()).replace(before, token))
        });
        if let Some(plain) = plain {
            *text = Shown::from_report(plain);
        }
        self.text(Origin::OwnWords, text);
    }

    fn sentences<'t>(&mut self, texts: impl IntoIterator<Item = &'t mut Shown>) {
        texts.into_iter().for_each(|text| self.sentence(text));
    }

    fn report(&mut self, report: &mut Report) {
        // What sentences quote comes first.
        if let Some(message) = report.cause.as_mut().and_then(|cause| cause.message.as_mut()) {
            self.quotable(Origin::MessageText, message);
        }
        let names = report.threads.iter_mut().filter_map(|thread| thread.name.as_mut());
        names.for_each(|name| self.quotable(Origin::ThreadName, name));
        self.process(&mut report.process);
        self.text(Origin::Path, &mut report.core.path);
        let circumstances = &mut report.circumstances;
        let names =
            [&mut circumstances.host, &mut circumstances.container, &mut circumstances.unit];
        self.texts(Origin::ProcessName, names.into_iter().flatten());
        if let Some(recorded) = &mut circumstances.recorded {
            self.texts(Origin::Path, recorded.exe.iter_mut());
            self.texts(Origin::PackageMetadata, recorded.package.iter_mut());
        }
        report.threads.iter_mut().for_each(|thread| self.thread(thread));
        if let Some(cause) = &mut report.cause {
            self.cause(cause);
        }
        if let Some(signature) = &mut report.signature {
            self.text(Origin::SymbolName, &mut signature.text);
            self.texts(Origin::SymbolName, &mut signature.frames);
        }
        report.modules.iter_mut().for_each(|module| self.module(module));
        let ranges = report.memory.iter_mut().flat_map(|memory| &mut memory.ranges);
        self.texts(Origin::Path, ranges.filter_map(|range| range.path.as_mut()));
        for finding in &mut report.findings {
            self.sentence(&mut finding.title);
            finding.evidence.iter_mut().for_each(|evidence| self.evidence(evidence));
            self.texts(Origin::SymbolName, finding.locks.iter_mut().map(|lock| &mut lock.name));
            self.sentences(&mut finding.pointed_from);
            self.texts(Origin::VariableText, &mut finding.pattern);
        }
        for notice in &mut report.notices {
            self.sentences(&mut notice.subject);
            self.sentences([&mut notice.text, &mut notice.hint]);
        }
    }

    fn process(&mut self, process: &mut ProcessReport) {
        let exe = process.exe.as_ref().map(|exe| exe.as_str().to_owned()).unwrap_or_default();
        if let Some(comm) = &mut process.comm {
            let file = exe.rsplit('/').next().unwrap_or_default();
            let is_of_file = !comm.as_str().is_empty() && file.starts_with(comm.as_str());
            match self.redactor.level() {
                Level::Strict if !is_of_file => self.quotable(Origin::ThreadName, comm),
                _ => self.text(Origin::ProcessName, comm),
            }
        }
        self.texts(Origin::Path, &mut process.exe);
        // At other levels they are masked already.
        if self.was == Level::Off {
            let words: Vec<&str> = process.args.iter().map(Shown::as_str).collect();
            process.args = self.redactor.show_arguments(&words);
        } else {
            self.texts(Origin::Path, process.args.first_mut());
        }
        self.package(process.package.as_mut());
    }

    fn package(&mut self, package: Option<&mut Package>) {
        let Some(Package { format, os, name, version, architecture }) = package else { return };
        let all = [format, os, name, version, architecture];
        self.texts(Origin::PackageMetadata, all.into_iter().flatten());
    }

    fn module(&mut self, module: &mut ModuleReport) {
        self.text(Origin::Path, &mut module.path);
        let paths = [&mut module.file_path, &mut module.debug_path];
        self.texts(Origin::Path, paths.into_iter().flatten());
        self.package(module.package.as_mut());
    }

    fn thread(&mut self, thread: &mut ThreadReport) {
        for value in thread.registers.values_mut() {
            value.0 = self.redactor.show_word(value.0);
        }
        if let Some(recursion) = thread.truncated.as_mut().and_then(|it| it.recursion.as_mut()) {
            self.text(Origin::SymbolName, recursion);
        }
        thread.frames.iter_mut().for_each(|frame| self.frame(frame));
    }

    fn frame(&mut self, frame: &mut FrameReport) {
        let names = [&mut frame.function, &mut frame.linkage_name];
        self.texts(Origin::SymbolName, names.into_iter().flatten());
        let function = frame.function.as_ref().map(|name| name.as_str().to_owned());
        for variable in frame.args.iter_mut().chain(&mut frame.locals) {
            self.variable(variable, "", function.as_deref());
        }
        if let Some(ModulePlace { path, .. }) = &mut frame.module {
            self.text(Origin::Path, path);
        }
        if let Some(source) = &mut frame.source {
            self.source(source);
        }
        for instruction in &mut frame.disassembly {
            self.text(Origin::Code, &mut instruction.text);
            self.sentences(&mut instruction.note);
        }
        frame.tail_calls.iter_mut().for_each(|call| self.frame(call));
    }

    fn source(&mut self, source: &mut SourcePlace) {
        self.text(Origin::SourcePath, &mut source.file);
        self.texts(Origin::SourcePath, &mut source.directory);
        self.texts(Origin::Path, &mut source.found);
        self.sentences(&mut source.doubt);
        for line in &mut source.lines {
            self.text(Origin::SourceText, &mut line.text);
            // They are words of variables, which have been judged.
            line.values.retain(|value| !value.text.as_str().contains(['"', '\'']));
        }
    }

    fn variable(&mut self, variable: &mut Variable, outer: &str, function: Option<&str>) {
        let name = variable.name.as_str();
        let path = match (outer.is_empty(), name.is_empty() || name.starts_with('[')) {
            (_, true) => outer.to_owned(),
            (true, _) => name.to_owned(),
            (false, _) => format!("{outer}.{name}"),
        };
        let type_name = variable.type_name.as_ref().map(|name| name.as_str().to_owned());
        let named = Named { name: &path, type_name: type_name.as_deref(), function, module: None };
        self.text(Origin::SymbolName, &mut variable.name);
        self.texts(Origin::SymbolName, &mut variable.type_name);
        self.sentences(&mut variable.reason);
        let is_data = is_data(variable);
        let mut is_hidden = false;
        if let Some(text) = variable.text.as_mut().filter(|text| !is_token(text.as_str())) {
            let shown = match is_data {
                true => self.redactor.show_value(Origin::VariableText, &named, text.as_str()),
                false => self.redactor.show(Origin::SymbolName, text.as_str()),
            };
            is_hidden = is_data && shown != *text;
            *text = shown;
        }
        match &mut variable.value {
            // A character.
            Some(VariableValue::Integer(_)) if is_hidden => variable.value = None,
            Some(VariableValue::Text(text)) => {
                if let Some(address) = text.strip_prefix("0x")
                    && let Ok(address) = u64::from_str_radix(address, 16)
                {
                    *text = format!("{:#x}", self.redactor.show_word(address));
                } else if !is_token(text)
                    && let Some(token) = self.redactor.hide_number(&named, text)
                {
                    *text = token.into_string();
                }
            }
            Some(VariableValue::Integer(number)) => {
                if let Some(token) = self.redactor.hide_number(&named, &number.to_string()) {
                    variable.value = Some(VariableValue::Text(token.into_string()));
                    variable.text = None;
                }
            }
            Some(VariableValue::Float(number)) => {
                if let Some(token) = self.redactor.hide_number(&named, &number.to_string()) {
                    variable.value = Some(VariableValue::Text(token.into_string()));
                    variable.text = None;
                }
            }
            Some(VariableValue::Bool(_)) | None => {}
        }
        if is_hidden {
            // What is hidden as a text must not be shown letter by letter.
            let letters = variable.members.len().saturating_add(variable.elements.len());
            variable.omitted = variable.omitted.saturating_add(letters as u64);
            variable.members.clear();
            variable.elements.clear();
        }
        for values in [&mut variable.members, &mut variable.elements] {
            if spells(values) && self.redactor.level() == Level::Strict {
                variable.omitted = variable.omitted.saturating_add(values.len() as u64);
                values.clear();
            }
        }
        let parts = variable.members.iter_mut().chain(&mut variable.elements);
        for part in parts.chain(variable.pointee.as_deref_mut()) {
            self.variable(part, &path, function);
        }
    }

    fn cause(&mut self, cause: &mut Cause) {
        self.sentence(&mut cause.title);
        self.sentences(&mut cause.explanation);
        cause.evidence.iter_mut().for_each(|evidence| self.evidence(evidence));
        if let Some(Blame { function, source, expression, returned_by, reason, .. }) =
            &mut cause.blame
        {
            let names = [function, expression, returned_by];
            self.texts(Origin::SymbolName, names.into_iter().flatten());
            self.sentences(reason);
            if let Some(source) = source {
                self.source(source);
            }
        }
        self.sentences(&mut cause.next);
    }

    fn evidence(&mut self, evidence: &mut Evidence) {
        self.sentence(&mut evidence.text);
        if let Some(address) = &mut evidence.address {
            address.0 = self.redactor.show_word(address.0);
        }
    }
}

/// Whether the text of a variable is data of the process, and no name of the program.
fn is_data(variable: &Variable) -> bool {
    let text = variable.text.as_ref().map(Shown::as_str).unwrap_or_default();
    match &variable.value {
        None => true,
        Some(VariableValue::Text(_)) => variable.points_at_text(),
        Some(VariableValue::Integer(code)) => is_character(*code, text),
        Some(VariableValue::Bool(_) | VariableValue::Float(_)) => false,
    }
}

/// Whether values in a row are bytes that spell a text.
fn spells(values: &[Variable]) -> bool {
    const LEAST_TEXT: usize = 4;
    let is_letter = |value: &Variable| match value.value {
        Some(VariableValue::Integer(code)) => u8::try_from(code)
            .is_ok_and(|byte| byte == 0 || byte == b' ' || byte.is_ascii_graphic()),
        _ => false,
    };
    let is_byte = |value: &Variable| {
        let name = value.type_name.as_ref().map(Shown::as_str).unwrap_or_default();
        ["char", "8", "byte"].iter().any(|part| name.contains(part))
    };
    let letters = values.iter().filter(|value| is_letter(value)).count();
    letters == values.len() && letters >= LEAST_TEXT && values.iter().all(is_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Shown {
        Shown::from_report(text.to_owned())
    }

    fn report() -> Report {
        let text = Variable {
            name: shown("note"),
            type_name: Some(shown("std::string")),
            text: Some(shown("see the doctor")),
            ..Variable::default()
        };
        let color = Variable {
            name: shown("color"),
            type_name: Some(shown("enum color")),
            value: Some(VariableValue::Integer(2)),
            text: Some(shown("GREEN")),
            ..Variable::default()
        };
        let frame = FrameReport {
            function: Some(shown("admit")),
            locals: vec![text, color],
            ..FrameReport::default()
        };
        let thread = ThreadReport {
            name: Some(shown("desk rosalind")),
            frames: vec![frame],
            ..ThreadReport::default()
        };
        let cause = Cause {
            title: shown("uncaught C++ exception"),
            explanation: Some(shown("the exception says: no bed for rosalind")),
            message: Some(shown("no bed for rosalind")),
            ..Cause::default()
        };
        let mut report = Report { threads: vec![thread], cause: Some(cause), ..Report::default() };
        report.process.exe = Some(shown("/home/orsolya/desk"));
        report.process.comm = Some(shown("desk rosalind"));
        report.redactions.policy = "default".to_owned();
        report
    }

    #[test]
    fn a_stricter_level_hides_texts_names_of_threads_and_owners() {
        let mut report = report();
        report.tighten(&mut Redactor::without_key(Level::Strict));
        let json = serde_json::to_string(&report).unwrap();
        for text in ["rosalind", "doctor", "orsolya"] {
            assert!(!json.contains(text), "{text}: {json}");
        }
        for text in ["GREEN", "admit", "uncaught C++ exception", "std::string", "/desk"] {
            assert!(json.contains(text), "{text}: {json}");
        }
        assert_eq!(report.redactions.level(), Level::Strict);
        assert!(report.redactions.total > 0);
    }

    #[test]
    fn a_level_that_is_not_stricter_changes_nothing() {
        for level in [Level::Default, Level::Off] {
            let mut same = report();
            same.tighten(&mut Redactor::without_key(level));
            assert_eq!(same, report());
        }
    }

    #[test]
    fn what_was_stored_without_redaction_is_judged_by_its_names() {
        let mut report = report();
        report.redactions.policy = "off".to_owned();
        report.process.args = vec![shown("desk"), shown("--password=hunter2")];
        let frame = &mut report.threads[0].frames[0];
        frame.locals[0].name = shown("password");
        frame.locals[1].name = shown("card_no");
        frame.locals[1].value = Some(VariableValue::Integer(4_929_804_463_622_139));
        report.tighten(&mut Redactor::without_key(Level::Default));
        let json = serde_json::to_string(&report).unwrap();
        for text in ["hunter2", "doctor", "4929804463622139"] {
            assert!(!json.contains(text), "{text}: {json}");
        }
        assert!(json.contains("no bed for") && json.contains("<password>"), "{json}");
    }
}
