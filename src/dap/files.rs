//! Modules and source files.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::debuggee::{Debuggee, FoundSource, arguments, no_answer};
use super::text::{base_name, plain};
use super::wire::Failed;
use crate::session::{Answer, FrameHandle, Place, Question};
use obit_report::module::{DebugReport, ModuleFile, ModuleReport};

/// Modules of one answer.
const MOST_MODULES: usize = 2000;
/// Files that are listed.
const MOST_FILES: usize = 2000;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modules {
    start_module: Option<u64>,
    module_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    #[serde(default)]
    source: Option<Named>,
    #[serde(default)]
    source_reference: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    #[serde(default)]
    source_reference: Option<i64>,
}

impl Debuggee {
    pub(super) fn modules(&self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Modules = arguments(given)?;
        let skip = usize::try_from(wanted.start_module.unwrap_or(0)).unwrap_or(usize::MAX);
        let count = wanted.module_count.filter(|count| *count > 0);
        let take = count.map_or(MOST_MODULES, |count| usize::try_from(count).unwrap_or(0));
        let all = self.report.modules.iter().enumerate().skip(skip).take(take.min(MOST_MODULES));
        let modules: Vec<_> = all.map(|(id, module)| described(id, module)).collect();
        Ok(json!({ "modules": modules, "totalModules": self.report.modules.len() }))
    }

    /// The files of the frames.
    pub(super) fn loaded_sources(&mut self) -> Value {
        let report = std::sync::Arc::clone(&self.report);
        let mut seen = std::collections::BTreeSet::new();
        let mut sources = Vec::new();
        for thread in &report.threads {
            for frame in &thread.frames {
                let Some(place) = &frame.source else { continue };
                if sources.len() < MOST_FILES
                    && seen.insert((place.directory.as_ref(), &place.file))
                {
                    let at = FrameHandle { thread: thread.tid, frame: frame.index };
                    sources.push(self.source_of(place, Some(at)));
                }
            }
        }
        json!({ "sources": sources })
    }

    /// The text of a file that the client cannot open itself.
    pub(super) fn source(&mut self, given: Map<String, Value>) -> Result<Value, Failed> {
        let wanted: Source = arguments(given)?;
        let named = wanted.source.and_then(|named| named.source_reference);
        let at = self.file(named.unwrap_or(wanted.source_reference))?;
        let answer = self.file_of(at, true)?;
        if answer.lines.is_empty() {
            let doubt = answer.doubt.as_ref().map_or_else(|| "it has no lines".to_owned(), plain);
            return Err(Failed::Shown(doubt));
        }
        let mut content = String::new();
        for line in &answer.lines {
            // Tabs are layout here.
            let cells = line.as_str().trim_end_matches(['\r', '\n']).split('\t');
            let cells: Vec<_> = cells.map(|cell| obit_render::visible(cell).into_owned()).collect();
            content.push_str(&cells.join("\t"));
            content.push('\n');
        }
        Ok(json!({ "content": content }))
    }

    fn file_of(
        &mut self,
        at: FrameHandle,
        whole: bool,
    ) -> Result<crate::session::FileAnswer, Failed> {
        let at = Place { thread: Some(at.thread), frame: Some(at.frame) };
        match self.ask(&Question::File { at, whole })? {
            Answer::File(answer) => Ok(answer),
            _ => Err(no_answer()),
        }
    }

    /// Where the file is that was compiled as `compiled`, by the frame `at` in it.
    pub(super) fn found_source(&mut self, compiled: &str, at: Option<FrameHandle>) -> FoundSource {
        if let Some(known) = self.sources.get(compiled) {
            return known.clone();
        }
        let nowhere = FoundSource { path: None, reference: 0 };
        let Some(at) = at else { return nowhere };
        let path = match self.file_of(at, false) {
            Ok(answer) => answer.found.map(|path| path.as_str().to_owned()),
            Err(_) => return nowhere,
        };
        let found = match path {
            None => nowhere,
            // One that is partly hidden, escaped or in an archive leads nowhere.
            Some(path) if obit_render::visible(&path) == path && Path::new(&path).is_file() => {
                FoundSource { path: Some(path), reference: 0 }
            }
            Some(_) => FoundSource { path: None, reference: self.file_reference(at) },
        };
        self.sources.insert(compiled.to_owned(), found.clone());
        found
    }
}

fn described(id: usize, module: &ModuleReport) -> Value {
    let path = plain(&module.path);
    let end = module.base.0.saturating_add(module.size);
    let file = match module.file {
        ModuleFile::Found => None,
        ModuleFile::Mismatch => Some("the file is another build"),
        ModuleFile::Missing => Some("the file was not found"),
        ModuleFile::InCore => Some("read from the core"),
    };
    let debug = match module.debug {
        DebugReport::None => "no symbols",
        DebugReport::Symbols => "symbols",
        DebugReport::LineTables => "functions and lines",
        DebugReport::Full => "full debug information",
    };
    let status = file.map_or_else(|| debug.to_owned(), |file| format!("{debug}; {file}"));
    let mut shown = json!({
        "id": id,
        "name": base_name(&path),
        "path": path,
        "symbolStatus": status,
        "addressRange": format!("{}-{end:#x}", module.base),
    });
    if let Some(fields) = shown.as_object_mut() {
        if let Some(build_id) = &module.build_id {
            fields.insert("version".to_owned(), format!("build ID {build_id}").into());
        }
        if let Some(path) = &module.debug_path {
            fields.insert("symbolFilePath".to_owned(), plain(path).into());
        }
    }
    shown
}
