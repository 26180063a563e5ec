//! The two sides that `differ` compares.

use std::collections::BTreeSet;

use super::connection::Store;
use super::error::StoreError;
use super::files::StoredFile;
use crate::differ::Features;
use crate::views::{CrashFacts, CrashRecord};

/// Crashes of a side that are compared.
const COMPARED: usize = 300;
/// As many others of the same program are enough.
const ENOUGH: usize = 8;

/// What a group is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Against {
    /// The other crashes of its programs; all others if these are too few.
    #[default]
    Program,
    /// All other crashes.
    All,
    /// Another group.
    Group(String),
}

/// A crash that is compared.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// What its record says.
    pub features: Features,
    /// The file of its core.
    pub file: Option<StoredFile>,
}

/// Both sides.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// The group.
    pub group: Vec<Compared>,
    /// The others.
    pub others: Vec<Compared>,
    /// What the others are, in words.
    pub against: String,
}

impl Store {
    /// Crashes of `group` and others, a sample of each.
    ///
    /// # Errors
    /// Those of the database.
    pub fn sides(&self, group: &str, against: &Against) -> Result<Sides, StoreError> {
        let census = self.census()?;
        let place = |id: &str| census.groups.iter().position(|known| known.id == id);
        let here = place(group);
        let of_group = |place: Option<usize>| -> Vec<i64> {
            let all = census.sightings.iter().filter(|_| place.is_some());
            all.filter(|sighting| sighting.group == place).map(|s| s.dump).collect()
        };
        let members = of_group(here);
        let program = |build: usize| census.builds.get(build).map(|build| build.program.as_str());
        let of_members = census.sightings.iter().filter(|s| here.is_some() && s.group == here);
        let programs: BTreeSet<Option<&str>> =
            of_members.map(|sighting| program(sighting.event.build)).collect();
        let others = || census.sightings.iter().filter(|s| here.is_none() || s.group != here);
        let of_program: Vec<i64> = others()
            .filter(|sighting| programs.contains(&program(sighting.event.build)))
            .map(|sighting| sighting.dump)
            .collect();
        let (rows, words) = match against {
            Against::Group(id) => (of_group(place(id)), format!("group {id}")),
            Against::Program if of_program.len() >= ENOUGH => {
                let names: Vec<&str> = programs.into_iter().flatten().collect();
                (of_program, format!("other crashes of {}", names.join(", ")))
            }
            Against::Program | Against::All => {
                (others().map(|sighting| sighting.dump).collect(), "all other crashes".to_owned())
            }
        };
        Ok(Sides { group: self.compared(&members)?, others: self.compared(&rows)?, against: words })
    }

    /// A sample of the dumps in `rows`, evenly.
    fn compared(&self, rows: &[i64]) -> Result<Vec<Compared>, StoreError> {
        let step = rows.len().div_ceil(COMPARED).max(1);
        let mut all = Vec::new();
        for row in rows.iter().step_by(step) {
            let json = self.json_in(*row).map_err(|source| self.failed(source))?;
            let record = json.and_then(|json| CrashRecord::read(&json));
            let features = record.map(|record| CrashFacts::of(&record).features());
            all.push(Compared { features: features.unwrap_or_default(), file: self.file(*row)? });
        }
        Ok(all)
    }
}
