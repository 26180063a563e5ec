//! Reads the code of the functions on the stacks of groups that are new or were gone, in
//! the builds that have them and those before: history tells from it whether a release
//! could have shown the group.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::image_code::ImageCode;
use crate::report::ModuleRole;
use obit_corefile::elf::BuildId;
use obit_dwarf::locate::{Locator, Role};
use obit_triage::code::{CodeRow, StackFunction};
use obit_triage::overview::Census;
use obit_triage::store::{Store, StoreError};
use obit_triage::{Rules, module_name, stack_functions, wanted};

/// Groups that are looked at, those with most dumps first.
const GROUPS: usize = 200;
/// After this, no further file is opened; another run goes on.
const LONGEST: Duration = Duration::from_secs(10);
/// Records of one build in which an image is looked for.
const RECORDS: usize = 8;

/// Brings the store's hashes up to date; opens no file for what it has.
///
/// # Errors
/// Those of the store.
pub(super) fn compare(store: &mut Store, locator: &Locator) -> Result<(), StoreError> {
    let begun = Instant::now();
    let mut census = store.census()?;
    let wanted = wanted(&mut census);
    let rules = Rules::built_in();
    let mut stacks: Vec<(i64, Vec<StackFunction>)> = Vec::new();
    // By build and image, the functions that are not known there.
    let mut needs: BTreeMap<(usize, String), BTreeSet<String>> = BTreeMap::new();
    for group in wanted.into_iter().take(GROUPS) {
        for dump in group.dumps {
            let stack = match census.code.stacks.entry(dump) {
                Entry::Occupied(known) => known.get().clone(),
                Entry::Vacant(unknown) => {
                    let Some(record) = store.record(dump)? else { continue };
                    let stack = stack_functions(record, &rules);
                    stacks.push((dump, stack.clone()));
                    unknown.insert(stack).clone()
                }
            };
            for function in &stack {
                for at in &group.builds {
                    let Some(build) = census.builds.get(*at) else { continue };
                    if !census.code.knows(&build.id, function) {
                        let need = needs.entry((*at, function.module.clone())).or_default();
                        need.insert(function.symbol.clone());
                    }
                }
            }
        }
    }
    let mut rows = Vec::new();
    let mut images: BTreeMap<usize, Images> = BTreeMap::new();
    for ((build, module), symbols) in &needs {
        if begun.elapsed() > LONGEST {
            break;
        }
        let images = match images.entry(*build) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(unknown) => unknown.insert(images_of(store, &census, *build)?),
        };
        let Some((path, id, role)) = images.get(module) else { continue };
        let Some(code) = ImageCode::find(locator, path, id, *role) else { continue };
        let symbols = symbols.iter().map(String::as_str).collect();
        let Some(build) = census.builds.get(*build).map(|build| &build.id) else { continue };
        rows.extend(code.hashes(&symbols).into_iter().map(|(symbol, hash)| CodeRow {
            build: build.clone(),
            module: module.clone(),
            symbol,
            hash,
        }));
    }
    if stacks.is_empty() && rows.is_empty() {
        return Ok(());
    }
    store.add_code(&stacks, &rows)
}

/// Images by name: where each was, and which build it is.
type Images = BTreeMap<String, (PathBuf, BuildId, Role)>;

/// The images that processes of a build had on their stacks, by its newest dumps.
fn images_of(store: &Store, census: &Census, build: usize) -> Result<Images, StoreError> {
    let mut images = Images::new();
    let mut dumps: Vec<_> =
        census.sightings.iter().filter(|sighting| sighting.event.build == build).collect();
    dumps.sort_by_key(|sighting| std::cmp::Reverse((sighting.event.time, sighting.dump)));
    for sighting in dumps.into_iter().take(RECORDS) {
        let Some(record) = store.record(sighting.dump)? else { continue };
        for module in &record.modules {
            let id = module.build_id.as_deref().and_then(BuildId::from_hex);
            let (path, role) = match (module.role, id.is_some()) {
                (ModuleRole::Vdso, _) | (_, false) => continue,
                (ModuleRole::Executable, _) => (module.path.as_str(), Role::Executable),
                (ModuleRole::Shared, _) => (module.path.as_str(), Role::Shared),
            };
            let Some(id) = id else { continue };
            images.entry(module_name(path)).or_insert((PathBuf::from(path), id, role));
        }
    }
    Ok(images)
}
