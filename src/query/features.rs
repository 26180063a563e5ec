//! What a core says of its process beyond what a record keeps: environment, globals, libraries,
//! processor. By it, crashes of one group are distinguished from others.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::batch::{Answer, Code};
use crate::report::values::{Whose, file_of, variable};
use crate::report::{BuildOptions, VariableValue};
use obit_corefile::addr::Avma;
use obit_corefile::dump::{AuxKind, CoreFile, Dump};
use obit_process::process::{Options, Process};
use obit_process::value::{Budget, Scalar, State, Value, tree};
use obit_redact::{Level, Origin, Redactor, is_token};
use obit_triage::differ::{FeatureKind, Features};

/// Words of the command line that are read.
const MOST_ARGUMENTS: usize = 64;
/// Variables of the environment that are read.
const MOST_VARIABLES: usize = 512;
/// Globals that are read.
const MOST_GLOBALS: usize = 1_000;
/// Shared libraries that are read.
const MOST_LIBRARIES: usize = 512;
/// A number beyond that is rather an address, or rubbish.
const LARGEST: u128 = 1 << 40;
/// Bits of `AT_HWCAP` and `AT_HWCAP2`.
const BITS: u32 = 64;

/// The features of a core; `None` if it cannot be read, which is no failure here: its record is
/// compared all the same.
#[derive(Debug, Default)]
pub struct CoreFeatures(pub Option<Features>);

impl CoreFeatures {
    /// The message of a worker.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn to_message(&self) -> io::Result<Vec<u8>> {
        self.0.as_ref().map_or_else(|| Ok(Vec::new()), Features::to_message)
    }
}

impl Answer for CoreFeatures {
    fn of_message(message: &[u8]) -> io::Result<Self> {
        let is_none = message.is_empty();
        Ok(Self(if is_none { None } else { Some(Features::of_message(message)?) }))
    }

    fn failed(_: &Path, _: Option<&File>, _: &BuildOptions, _: Code, _: &str) -> io::Result<Self> {
        Ok(Self(None))
    }
}

/// The features of a core, as far as they may be shown.
pub fn features(core: CoreFile, options: Options, build: &BuildOptions) -> CoreFeatures {
    let Ok(dump) = Dump::open_file(core, &options.limits) else { return CoreFeatures(None) };
    let process = Process::of_dump(dump, options, &());
    let mut redactor = build.redactor(&process);
    let mut features = Features::default();
    // As far as this run may show them: the record may hide more.
    let arguments = redactor.show_arguments(&process.argv().unwrap_or_default());
    for argument in arguments.iter().skip(1).take(MOST_ARGUMENTS) {
        features.add_argument(argument.as_str());
    }
    // Without any, the core does not hold them.
    if (1..=MOST_ARGUMENTS + 1).contains(&arguments.len()) {
        features.complete(FeatureKind::Argument);
    }
    environment(&process, &mut redactor, &mut features);
    libraries(&process, &mut redactor, &mut features);
    processor(&process, &mut features);
    globals(&process, &mut redactor, &mut features);
    let threads = process.threads.len().to_string();
    features.add(FeatureKind::Process, "number of threads", &threads);
    CoreFeatures(Some(features))
}

/// Names as they are, values as far as they may be shown. Of one that is hidden, only that it
/// is set.
fn environment(process: &Process, redactor: &mut Redactor, features: &mut Features) {
    let Some(entries) = process.environment() else { return };
    for entry in entries.iter().take(MOST_VARIABLES) {
        let text = String::from_utf8_lossy(entry);
        let Some((name, value)) = text.split_once('=') else { continue };
        let shown = redactor.show(Origin::Environment, &text);
        let name = redactor.show(Origin::SymbolName, name).into_string();
        let is_shown = shown.as_str() == text && !name.is_empty();
        let value = match (is_shown, value) {
            (true, "") => "empty",
            (true, value) => value,
            (false, _) => "set",
        };
        features.add(FeatureKind::Environment, &name, value);
    }
    if entries.len() <= MOST_VARIABLES {
        features.complete(FeatureKind::Environment);
    }
}

/// By name, with their build IDs. The vDSO's is that of the kernel.
fn libraries(process: &Process, redactor: &mut Redactor, features: &mut Features) {
    let executable = process.modules.executable();
    let modules = process.modules.list();
    for (at, module) in modules.iter().enumerate().take(MOST_LIBRARIES) {
        if Some(at) == executable {
            continue;
        }
        let name = module.path.file_name().unwrap_or(module.path.as_os_str());
        let name = redactor.show(Origin::Path, &name.to_string_lossy());
        let build =
            module.build_id.as_ref().map_or_else(|| "loaded".to_owned(), ToString::to_string);
        let (kind, name) = match name.as_str() {
            "[vdso]" => (FeatureKind::Host, "vDSO of the kernel"),
            name => (FeatureKind::Library, name),
        };
        features.add(kind, name, &build);
    }
    if modules.len() <= MOST_LIBRARIES {
        features.complete(FeatureKind::Library);
    }
}

/// What the kernel reported about the processor.
fn processor(process: &Process, features: &mut Features) {
    let auxv = &process.dump.auxv;
    for (name, kind) in [("hwcap", AuxKind::Hwcap), ("hwcap2", AuxKind::Hwcap2)] {
        let Some(bits) = auxv.get(kind) else { continue };
        for bit in (0..BITS).filter(|bit| bits >> bit & 1 == 1) {
            features.add(FeatureKind::Processor, &format!("{name} bit {bit}"), "yes");
        }
        features.complete(FeatureKind::Processor);
    }
    let text = |kind| {
        let bytes = process.memory.read_c_string(Avma(auxv.get(kind)?), 64)?;
        String::from_utf8(bytes).ok().filter(|text| text.chars().all(char::is_alphanumeric))
    };
    if let Some(platform) = text(AuxKind::Platform) {
        features.add(FeatureKind::Host, "platform", &platform);
    }
    for (name, kind) in [("page size", AuxKind::PageSize), ("secure", AuxKind::Secure)] {
        if let Some(value) = auxv.get(kind) {
            features.add(FeatureKind::Host, name, &value.to_string());
        }
    }
}

/// Scalar variables of the program that have one place.
fn globals(process: &Process, redactor: &mut Redactor, features: &mut Features) {
    let Some(executable) = process.modules.executable() else { return };
    let Some(debug) = process.modules.debug(executable) else { return };
    let mut threads = process.threads.iter().enumerate();
    let view = threads.find_map(|(at, thread)| {
        thread.frames.first()?;
        process.frame_view(at, 0)
    });
    let Some(view) = view else { return };
    let file = file_of(process, view.frame());
    let whose = Whose::of(process, view.frame(), file.as_deref());
    let budget = Budget::default().with(Some(1), Some(1));
    for found in debug.placed_variables(MOST_GLOBALS) {
        let Some(name) = &found.name else { continue };
        let Some(object) = view.object(executable, &found) else { continue };
        let value = tree(&object, found.name.clone(), view.scene(), &budget);
        if let Some(text) = scalar(&value, whose, redactor) {
            features.add(FeatureKind::Global, name, &text);
        }
    }
}

/// A scalar in words, if it may be shown. An address is null or not.
fn scalar(value: &Value, whose: Whose<'_>, redactor: &mut Redactor) -> Option<String> {
    let State::Scalar(scalar) = &value.state else { return None };
    if let Scalar::Address(at) = scalar {
        return Some(if *at == 0 { "NULL" } else { "not NULL" }.to_owned());
    }
    let shown = variable(value, whose, redactor);
    let text = shown.text.as_ref().map(obit_redact::Shown::as_str);
    let is_hidden = |text: &str| redactor.level() != Level::Off && is_token(text);
    if text.is_some_and(is_hidden) {
        return None;
    }
    match (scalar, shown.value?) {
        (_, VariableValue::Text(text)) if is_hidden(&text) => None,
        (Scalar::Unsigned(number), _) if *number > LARGEST => None,
        (Scalar::Signed(number), _) if number.unsigned_abs() > LARGEST => None,
        (Scalar::Signed(_) | Scalar::Unsigned(_), _) if text.is_some() => text.map(str::to_owned),
        (_, VariableValue::Integer(number)) => Some(number.to_string()),
        (_, VariableValue::Bool(value)) => Some(value.to_string()),
        (_, VariableValue::Float(number)) => Some(number.to_string()),
        _ => None,
    }
}
