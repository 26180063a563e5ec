//! The builds that the store has dumps of.

use std::sync::Arc;

use super::connection::Store;
use super::error::StoreError;
use crate::history::{BuildOrder, Exposure};
use crate::views::{Builds, builds};

impl Store {
    /// The builds of each program, in the order that defines releases.
    ///
    /// # Errors
    /// Those of the database.
    pub fn builds(
        &self,
        order: Option<&BuildOrder>,
        exposure: Option<&Arc<Exposure>>,
    ) -> Result<Builds, StoreError> {
        Ok(builds(&mut self.census()?, order, exposure))
    }
}
