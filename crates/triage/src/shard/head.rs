//! What a file of records says of itself.

use serde::{Deserialize, Serialize};

use super::error::ShardProblem;
use super::split::{Listing, Shard};
use crate::signature::SIGNATURE_VERSION;
use obit_report::Tool;

/// The version of these files.
pub const SHARD_SCHEMA: &str = "obit.shard/1";
/// The beginning of any version.
const ANY_VERSION: &str = "obit.shard/";

/// What comes before the records of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ShardHead {
    /// `obit.shard/1`.
    pub schema: String,
    /// What wrote it.
    pub obit: Tool,
    /// The rules that the signatures are made by.
    pub signatures: u32,
    /// Which part it is, from 1.
    pub shard: u32,
    /// How many parts there are.
    pub of: u32,
    /// A digest of the paths of all files that were found, those of the other parts among them.
    pub listing: String,
    /// How many these are.
    pub files: u64,
    /// How many records follow.
    pub records: u64,
}

impl ShardHead {
    /// Of a part that this obit read.
    pub fn new(shard: Shard, listing: &Listing, records: u64) -> Self {
        Self {
            schema: SHARD_SCHEMA.to_owned(),
            obit: Tool { version: env!("CARGO_PKG_VERSION").to_owned() },
            signatures: SIGNATURE_VERSION,
            shard: shard.number(),
            of: shard.of(),
            listing: listing.digest(),
            files: listing.files(),
            records,
        }
    }

    /// Whether a line or a text is the head of any version.
    pub(super) fn is_one(json: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Any {
            schema: String,
        }
        serde_json::from_slice::<Any>(json).is_ok_and(|any| any.schema.starts_with(ANY_VERSION))
    }

    /// Reads the head of this version.
    pub(super) fn read(json: &[u8]) -> Result<Self, ShardProblem> {
        if !Self::is_one(json) {
            return Err(ShardProblem::NoHead);
        }
        let head: Self = serde_json::from_slice(json)
            .map_err(|error| ShardProblem::NotJson(error.to_string()))?;
        if head.schema != SHARD_SCHEMA {
            return Err(ShardProblem::OtherVersion { found: head.schema, wanted: SHARD_SCHEMA });
        }
        if head.signatures != SIGNATURE_VERSION {
            return Err(ShardProblem::OtherSignatures {
                found: head.signatures,
                obit: head.obit.version,
            });
        }
        Shard::new(head.shard, head.of)?;
        Ok(head)
    }

    /// Which part it is.
    pub fn part(&self) -> Option<Shard> {
        Shard::new(self.shard, self.of).ok()
    }
}
