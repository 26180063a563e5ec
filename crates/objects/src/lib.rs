//! Files kept by what is in them: in a directory, or on a server that speaks S3.
//!
//! The name of an object is the SHA-256 of its bytes ([`Id`]), so the same bytes are stored once,
//! and anyone who reads an object sees whether it is the one that was stored. [`Objects::put`] leaves
//! all of an object or nothing; [`Objects::get`] gives bytes out only after comparing them with
//! the name. Both kinds of stores have the same names (`PREFIX/ab/cdef…`), so that one may be
//! copied to the other by any tool.
//!
//! Not for: deciding what may leave the machine; that is for those who put something in.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod directory;
mod error;
mod id;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use directory::{Directory, Found};
pub use error::ObjectError;
pub use id::Id;

/// Bytes of an object: what one request to S3 can store.
pub const MOST_OF_AN_OBJECT: u64 = 5 << 30;
/// Objects that are listed.
const MOST_LISTED: u64 = 4_000_000;

/// An object of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub id: Id,
    /// Its bytes.
    pub size: u64,
    /// When it was stored: seconds since 1970; `None` if the store does not say.
    pub stored: Option<i64>,
}

/// What became of an object that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub id: Id,
    /// Its bytes.
    pub size: u64,
    /// It was not there before.
    pub is_new: bool,
}

/// A store of objects.
#[derive(Debug)]
pub struct Objects {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Directory(Directory),
    #[cfg(feature = "s3")]
    S3(Box<s3::Bucket>),
}

impl Objects {
    /// The store at `address`: a directory, which is made when something is put in, or
    /// `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// The address is none, or there are no credentials for it.
    pub fn open(address: &Path) -> Result<Self, ObjectError> {
        let text = address.to_string_lossy();
        if let Some(bucket) = text.strip_prefix("s3://") {
            #[cfg(feature = "s3")]
            return Ok(Self { kind: Kind::S3(Box::new(s3::Bucket::of(bucket)?)) });
            #[cfg(not(feature = "s3"))]
            {
                let _ = bucket;
                return Err(ObjectError::NoS3);
            }
        }
        // What looks like the address of a server is no directory of that name.
        if text.is_empty() || text.contains("://") {
            return Err(ObjectError::Address(text.into_owned()));
        }
        Ok(Self { kind: Kind::Directory(Directory::at(address)) })
    }

    /// Stores the bytes of `file`, from its start to its end.
    ///
    /// # Errors
    /// They cannot be read or stored. Nothing is left of them then.
    pub fn put(&self, file: &mut File) -> Result<Stored, ObjectError> {
        let failed = |source| ObjectError::Source { source };
        if file.metadata().is_ok_and(|known| known.len() > MOST_OF_AN_OBJECT) {
            return Err(ObjectError::TooLarge);
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let (id, size) = id::digest(file, MOST_OF_AN_OBJECT, |_| Ok(())).map_err(failed)?;
        if size > MOST_OF_AN_OBJECT {
            return Err(ObjectError::TooLarge);
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        let is_new = match &self.kind {
            Kind::Directory(directory) => directory.put(id, size, file)?,
            #[cfg(feature = "s3")]
            Kind::S3(bucket) => bucket.put(id, size, file)?,
        };
        Ok(Stored { id, size, is_new })
    }

    /// Writes an object into `into`, an empty file. What is in the file counts only if this
    /// succeeds. Gives its bytes.
    ///
    /// # Errors
    /// There is no such object, it cannot be read, or it is not what its name says.
    pub fn get(&self, id: Id, into: &mut File) -> Result<u64, ObjectError> {
        match &self.kind {
            Kind::Directory(directory) => directory.get(id, into),
            #[cfg(feature = "s3")]
            Kind::S3(bucket) => bucket.get(id, into),
        }
    }

    /// Calls `take` with each object. What has another name than an object is skipped, and so is
    /// what has the name of one and is no file.
    ///
    /// # Errors
    /// They cannot be listed, or there are more than 4 million.
    pub fn list(&self, take: &mut dyn FnMut(Entry)) -> Result<(), ObjectError> {
        self.list_with(take, &mut |_| {})
    }

    /// As [`Self::list`], and calls `other` with each place of an object where a link, a pipe or
    /// a directory lies.
    ///
    /// # Errors
    /// As those of [`Self::list`].
    pub fn list_with(
        &self,
        take: &mut dyn FnMut(Entry),
        other: &mut dyn FnMut(&Path),
    ) -> Result<(), ObjectError> {
        let (mut left, mut is_cut) = (MOST_LISTED, false);
        let mut take = |found| {
            match (left.checked_sub(1), found) {
                (None, _) => is_cut = true,
                (Some(fewer), Found::Object(entry)) => {
                    left = fewer;
                    take(entry);
                }
                (Some(fewer), Found::Other(path)) => {
                    left = fewer;
                    other(&path);
                }
            }
            !is_cut
        };
        match &self.kind {
            Kind::Directory(directory) => directory.list(&mut take)?,
            #[cfg(feature = "s3")]
            Kind::S3(bucket) => bucket.list(&mut |entry| take(Found::Object(entry)))?,
        }
        if is_cut { Err(ObjectError::TooMany) } else { Ok(()) }
    }

    /// Deletes an object; one that is not there is deleted already.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn remove(&self, id: Id) -> Result<(), ObjectError> {
        match &self.kind {
            Kind::Directory(directory) => directory.remove(id),
            #[cfg(feature = "s3")]
            Kind::S3(bucket) => bucket.remove(id),
        }
    }

    /// Deletes what puts that were interrupted left, and gives how much that was.
    ///
    /// # Errors
    /// It cannot be deleted.
    pub fn remove_parts(&self) -> Result<u64, ObjectError> {
        match &self.kind {
            Kind::Directory(directory) => directory.remove_parts(),
            // There, an object is stored by one request.
            #[cfg(feature = "s3")]
            Kind::S3(_) => Ok(0),
        }
    }
}
