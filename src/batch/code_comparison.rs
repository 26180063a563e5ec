//! Reads the code of the functions on the stacks of groups that are new or were gone, in
//! the builds that have them and those before: history learns from it whether a release
//! could have shown the group.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::image_code::CodeQuestion;
use super::worker_process::{WorkerCommand, WorkerProcess};
use crate::report::module::ModuleRole;
use crate::sandbox::Broker;
use obit_triage::history::CodeRow;
use obit_triage::store::{Store, StoreError};
use obit_triage::{Rules, module_name};

/// Groups that are looked at, those with most dumps first.
const GROUPS: usize = 200;
/// After this, no further file is opened; another run goes on.
const LONGEST: Duration = Duration::from_secs(10);
/// Records of one build in which an image is looked for.
const RECORDS: usize = 8;

/// Brings the store's hashes up to date with the dumps behind the row `after`; opens no file
/// for what it has. The files are read in a worker started by `command`; one that ends early
/// costs the hashes of the image it read.
///
/// # Errors
/// Those of the store.
pub(super) fn compare_code(
    store: &mut Store,
    command: &WorkerCommand,
    broker: &Broker,
    after: i64,
) -> Result<(), StoreError> {
    let begun = Instant::now();
    let mut worker: Option<WorkerProcess> = None;
    let wanted = store.code_to_read(&Rules::built_in(), GROUPS, after)?;
    let mut rows = Vec::new();
    'builds: for need in &wanted.needs {
        let mut images = None;
        for (module, symbols) in &need.symbols {
            let patience = LONGEST.saturating_sub(begun.elapsed());
            if patience.is_zero() {
                break 'builds;
            }
            let images = match &mut images {
                Some(images) => images,
                unknown => unknown.insert(images_of(store, &need.dumps)?),
            };
            let Some((path, build_id, is_executable)) = images.get(module) else { continue };
            let question = CodeQuestion {
                path: path.clone(),
                build_id: build_id.clone(),
                is_executable: *is_executable,
                symbols: symbols.iter().cloned().collect(),
            };
            let mut asked = match worker.take() {
                Some(worker) => worker,
                None => match WorkerProcess::start(command) {
                    Ok(worker) => worker,
                    Err(_) => break 'builds,
                },
            };
            let Ok(answer) = asked.ask_for_code(&question, broker, patience) else { continue };
            worker = Some(asked);
            rows.extend(answer.into_iter().flatten().map(|(symbol, hash)| CodeRow {
                build: need.build.clone(),
                module: module.clone(),
                symbol,
                hash,
            }));
        }
    }
    if let Some(worker) = worker {
        worker.dismiss();
    }
    if wanted.stacks.is_empty() && rows.is_empty() {
        return Ok(());
    }
    store.add_code(&wanted.stacks, &rows)
}

/// Images by name: where each was, its build ID, and whether it is a program.
type Images = BTreeMap<String, (String, String, bool)>;

/// The images that processes of a build had on their stacks, by its newest dumps.
fn images_of(store: &Store, dumps: &[i64]) -> Result<Images, StoreError> {
    let mut images = Images::new();
    for dump in dumps.iter().take(RECORDS) {
        let Some(record) = store.record(*dump)? else { continue };
        for module in &record.modules {
            let is_executable = match module.role {
                ModuleRole::Vdso | ModuleRole::Jit => continue,
                ModuleRole::Executable => true,
                ModuleRole::Shared => false,
            };
            let Some(id) = module.build_id.clone() else { continue };
            let path = module.path.as_str();
            let image = || (path.to_owned(), id, is_executable);
            images.entry(module_name(path)).or_insert_with(image);
        }
    }
    Ok(images)
}
