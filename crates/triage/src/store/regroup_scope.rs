//! Which crashes are to be grouped anew.
//!
//! Grouping compares crashes of one image with each other and with nothing else, and a
//! function weighs by how many kinds of crashes of its image have it. So a new kind of
//! crash can change the groups of its image, and those that the user tied to them. One
//! more dump of a known kind changes nothing, unless it decides whether the signature's
//! function is a helper.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::groups::{CrashKey, is_same_division, rules};

/// Crashes that are grouped anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    All,
    /// Those of these images.
    Images(BTreeSet<String>),
}

impl Scope {
    /// What the dumps that came or went since the last time can change.
    pub(super) fn of_changes(transaction: &Transaction<'_>) -> rusqlite::Result<Self> {
        let made_by: Option<i64> =
            transaction.query_row("SELECT rules FROM grouping", [], |row| row.get(0)).optional()?;
        if made_by != Some(rules()) {
            return Ok(Self::All);
        }
        let mut images = BTreeSet::new();
        let mut recounted = BTreeSet::new();
        let mut statement = transaction.prepare(
            "SELECT coalesce(image, ''), signature, bug IS NOT NULL AND dumps > 0 AND grouped > 0
             FROM trace WHERE dumps <> grouped",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let image: String = row.get(0)?;
            match row.get(2)? {
                true => drop(recounted.insert((image, row.get::<_, Option<String>>(1)?))),
                false => drop(images.insert(image)),
            }
        }
        for (image, signature) in recounted {
            if !images.contains(&image) && !is_divided_as_before(transaction, signature.as_deref())?
            {
                images.insert(image);
            }
        }
        if !images.is_empty() {
            tie(transaction, &mut images)?;
        }
        Ok(Self::Images(images))
    }

    /// Writes down by which rules all are grouped now.
    pub(super) fn close(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if *self == Self::All {
            transaction.execute("DELETE FROM grouping", [])?;
            transaction.execute("INSERT INTO grouping (rules) VALUES (?1)", [rules()])?;
        }
        Ok(())
    }

    /// Whether a group has a dump that this leaves alone.
    pub(super) fn leaves_some_of(
        &self,
        connection: &Connection,
        bug: i64,
    ) -> rusqlite::Result<bool> {
        let Self::Images(images) = self else { return Ok(false) };
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT coalesce(image, '') FROM trace WHERE bug = ?1 AND dumps > 0",
        )?;
        let mut rows = statement.query([bug])?;
        while let Some(row) = rows.next()? {
            if !images.contains(&row.get::<_, String>(0)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the dumps that came or went leave the crashes of a signature divided as they are.
fn is_divided_as_before(
    transaction: &Transaction<'_>,
    signature: Option<&str>,
) -> rusqlite::Result<bool> {
    let (mut keys, mut before, mut after) = (Vec::<CrashKey>::new(), Vec::new(), Vec::new());
    let mut statement = transaction
        .prepare_cached("SELECT json, grouped, dumps FROM trace WHERE signature = ?1 ORDER BY n")?;
    let mut rows = statement.query([signature])?;
    while let Some(row) = rows.next()? {
        let count = |at| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or(0));
        let json: String = row.get(0)?;
        let (was, is) = (count(1)?, count(2)?);
        match (was, is) {
            (0, 0) => continue,
            (0, _) | (_, 0) => return Ok(false),
            _ => {}
        }
        keys.push(serde_json::from_str(&json).unwrap_or_default());
        before.push(was);
        after.push(is);
    }
    Ok(is_same_division(&keys, &before, &after))
}

/// Adds the images of crashes that the user tied to, or parted from, those of `images`, or
/// that are in one group with them.
fn tie(transaction: &Transaction<'_>, images: &mut BTreeSet<String>) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare("SELECT one, other FROM wish")?;
    let wishes =
        statement.query_map([], |row| Ok([row.get::<_, String>(0)?, row.get::<_, String>(1)?]))?;
    let wishes: Vec<[String; 2]> = wishes.collect::<rusqlite::Result<_>>()?;
    let mut ties: Vec<BTreeSet<String>> = Vec::new();
    let mut of_signature = transaction.prepare(
        "SELECT DISTINCT coalesce(other.image, '') FROM trace AS this
         JOIN trace AS other ON other.n = this.n OR other.bug = this.bug
         WHERE this.signature = ?1",
    )?;
    for pair in &wishes {
        let mut tied = BTreeSet::new();
        for name in pair {
            let signature = name.split('@').next().unwrap_or_default();
            for image in of_signature.query_map([signature], |row| row.get(0))? {
                tied.insert(image?);
            }
        }
        ties.push(tied);
    }
    loop {
        let before = images.len();
        for tied in &ties {
            if !tied.is_disjoint(images) {
                images.extend(tied.iter().cloned());
            }
        }
        if images.len() == before {
            return Ok(());
        }
    }
}
