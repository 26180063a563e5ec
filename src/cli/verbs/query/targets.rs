//! Which dumps a query is put to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use obit::batch::path_key;
use obit::query::Summary;
use obit::triage::store::{Found, Store};

use crate::cli::args::store::StoreArgs;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::verbs::find::find;

/// Which dumps.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Directories, files and patterns that the user named.
    pub(super) paths: Vec<PathBuf>,
    /// Files of the store's dumps.
    pub(super) files: Vec<PathBuf>,
    /// What is left out, in sentences.
    pub(super) notes: Vec<String>,
    /// The groups of files, if there is a store.
    groups: Option<BTreeMap<[u8; 32], String>>,
}

impl Targets {
    /// What `named` stands for: what is there as a file, else groups. The store is read if it is
    /// named or needed.
    pub(super) fn find(
        named: &[PathBuf],
        store: &StoreArgs,
        wants_groups: bool,
    ) -> Result<Self, Failure> {
        let is_path = |path: &Path| {
            let text = path.to_string_lossy();
            path.symlink_metadata().is_ok() || text.contains(['*', '?', '[', '/'])
        };
        let (paths, groups): (Vec<PathBuf>, Vec<PathBuf>) =
            named.iter().cloned().partition(|path| is_path(path));
        for path in &paths {
            let is_pattern = path.to_string_lossy().contains(['*', '?', '[']);
            if !is_pattern && path.symlink_metadata().is_err() {
                let problem = format!("no such file or directory: {}", path.display());
                return Err(Failure::new(Exit::Unusable, &problem));
            }
        }
        let mut targets = Self { paths, ..Self::default() };
        if groups.is_empty() && !named.is_empty() && store.db.is_none() && !wants_groups {
            return Ok(targets);
        }
        let at = store.path()?;
        if let Some(name) = groups.first().filter(|_| store.db.is_none() && !at.exists()) {
            let problem = format!(
                "no such file or directory: {} (nor a group: there is no store at {})",
                name.display(),
                at.display()
            );
            return Err(Failure::new(Exit::Unusable, &problem));
        }
        let store = Store::open(&at)?;
        targets.groups = Some(store.group_of_files()?);
        for name in &groups {
            targets.add_group(&store, &name.to_string_lossy())?;
        }
        if named.is_empty() {
            targets.add_files(&store, None)?;
        }
        Ok(targets)
    }

    fn add_group(&mut self, store: &Store, name: &str) -> Result<(), Failure> {
        let group = match find(store, name)? {
            Found::Group(group) => group,
            Found::Dump(dump) => match store.group_of(&dump)? {
                Some(group) => group,
                None => return Err(Failure::usage(&format!("{dump} is in no group"))),
            },
            Found::Several(ids) => {
                let problem = format!("{name:?} is ambiguous: {}", ids.join(", "));
                return Err(Failure::usage(&problem));
            }
            _ => {
                let problem = format!(
                    "{name} is no file or directory, and no group of the store; see `obit top`"
                );
                return Err(Failure::usage(&problem));
            }
        };
        self.add_files(store, Some(&group))
    }

    fn add_files(&mut self, store: &Store, group: Option<&str>) -> Result<(), Failure> {
        let mut hidden = 0_u64;
        for file in store.files(group)? {
            let path = PathBuf::from(file.shown);
            // A path of which a part is hidden leads nowhere, or elsewhere.
            match path_key(&path) == file.key {
                true => self.files.push(path),
                false => hidden += 1,
            }
        }
        if hidden > 0 {
            self.notes.push(format!(
                "dumps not read, as a part of their path is hidden in the store: {hidden}; name \
                 their directory instead"
            ));
        }
        Ok(())
    }

    /// Whether groups are known.
    pub(super) fn has_store(&self) -> bool {
        self.groups.is_some()
    }

    /// The group of the core of an answer, or why it is not known.
    pub(super) fn group_of(&self, summary: &Summary, at: usize) -> Result<String, String> {
        let Some(groups) = &self.groups else {
            return Err("no store was named (--db)".to_owned());
        };
        let group = summary.files.get(at).and_then(|key| groups.get(key));
        group.cloned().ok_or_else(|| "not in the store; `obit triage` adds it".to_owned())
    }
}
