//! Reads the code of the functions on the stacks of groups that are new or were gone, in
//! the builds that have them and those before: history learns from it whether a release
//! could have shown the group.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::image_code::ImageCode;
use crate::report::module::ModuleRole;
use obit_corefile::elf::BuildId;
use obit_dwarf::locate::{Locator, Role};
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
/// for what it has.
///
/// # Errors
/// Those of the store.
pub(super) fn compare_code(
    store: &mut Store,
    locator: &Locator,
    after: i64,
) -> Result<(), StoreError> {
    let begun = Instant::now();
    let wanted = store.code_to_read(&Rules::built_in(), GROUPS, after)?;
    let mut rows = Vec::new();
    'builds: for need in &wanted.needs {
        let mut images = None;
        for (module, symbols) in &need.symbols {
            if begun.elapsed() > LONGEST {
                break 'builds;
            }
            let images = match &mut images {
                Some(images) => images,
                unknown => unknown.insert(images_of(store, &need.dumps)?),
            };
            let Some((path, id, role)) = images.get(module) else { continue };
            let Some(code) = ImageCode::find(locator, path, id, *role) else { continue };
            let symbols = symbols.iter().map(String::as_str).collect();
            rows.extend(code.hashes(&symbols).into_iter().map(|(symbol, hash)| CodeRow {
                build: need.build.clone(),
                module: module.clone(),
                symbol,
                hash,
            }));
        }
    }
    if wanted.stacks.is_empty() && rows.is_empty() {
        return Ok(());
    }
    store.add_code(&wanted.stacks, &rows)
}

/// Images by name: where each was, and which build it is.
type Images = BTreeMap<String, (PathBuf, BuildId, Role)>;

/// The images that processes of a build had on their stacks, by its newest dumps.
fn images_of(store: &Store, dumps: &[i64]) -> Result<Images, StoreError> {
    let mut images = Images::new();
    for dump in dumps.iter().take(RECORDS) {
        let Some(record) = store.record(*dump)? else { continue };
        for module in &record.modules {
            let role = match module.role {
                ModuleRole::Vdso | ModuleRole::Jit => continue,
                ModuleRole::Executable => Role::Executable,
                ModuleRole::Shared => Role::Shared,
            };
            let id = module.build_id.as_deref().and_then(BuildId::from_hex);
            let Some(id) = id else { continue };
            let path = module.path.as_str();
            images.entry(module_name(path)).or_insert((PathBuf::from(path), id, role));
        }
    }
    Ok(images)
}
