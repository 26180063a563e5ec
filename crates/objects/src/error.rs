//! Why an object was not stored or not read.

use std::io;
use std::path::PathBuf;

use crate::Id;

/// Why an object was not stored or not read. No text has a credential in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// It is no place of objects.
    #[error("{0:?} is no store of objects: expected a directory or s3://BUCKET/PREFIX")]
    Address(String),
    /// This program has no client for S3.
    #[error("this obit is built without S3; build it with `cargo build --release --features s3`")]
    NoS3,
    /// It is no name of an object.
    #[error(
        "{0:?} is not the name of an object: expected 64 digits of a SHA-256, in small letters"
    )]
    NotAnId(String),
    /// What is to be stored cannot be read.
    #[error("cannot read what is to be stored: {source}")]
    Source {
        /// What happened.
        source: io::Error,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// What came cannot be kept.
    #[error("cannot write what was read: {source}")]
    Target {
        /// What happened.
        source: io::Error,
    },
    /// There is no such object.
    #[error("there is no object {0} in this store")]
    Missing(Id),
    /// An object is not what its name says.
    #[error("object {0} is damaged: its content has another SHA-256; it was not used")]
    Damaged(Id),
    /// It has more bytes than one object may.
    #[error("more than 5 GiB: too large for one object")]
    TooLarge,
    /// A list would not end.
    #[error("more than 4 million objects in one place; use several directories or prefixes")]
    TooMany,
    /// What is to be stored changed meanwhile.
    #[error("what is to be stored changed while it was read")]
    Changed,
    /// There is nothing to identify oneself with, or it cannot be used.
    #[error("no credentials for S3: {0}")]
    Credentials(&'static str),
    /// A part of the environment says no server.
    #[error("the address of the server (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL) is not usable: {0}")]
    Endpoint(&'static str),
    /// The server refuses.
    #[error("the server refused (status {status}{}): {}", named(code), advice(*status, code))]
    Refused {
        /// Of its answer.
        status: u16,
        /// Its own word for the reason, if it said one.
        code: String,
    },
    /// The server does not answer, or only by errors of its own.
    #[error("given up after {attempts} attempts: {why}")]
    Unreachable {
        /// How many there were.
        attempts: u32,
        /// What came of the last one.
        why: String,
    },
    /// The answer makes no sense.
    #[error("the server's answer is not one of S3: {0}")]
    Answer(&'static str),
}

fn named(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(", {code}") }
}

/// What to do about it.
fn advice(status: u16, code: &str) -> &'static str {
    match (status, code) {
        (_, "NoSuchBucket") => "there is no such bucket; make it, or correct the address",
        (_, "InvalidAccessKeyId") => "it does not know the access key; look at AWS_ACCESS_KEY_ID",
        (_, "SignatureDoesNotMatch") => {
            "the secret key does not belong to the access key; look at AWS_SECRET_ACCESS_KEY"
        }
        (_, "RequestTimeTooSkewed") => {
            "its clock and the one of this machine differ by more than 15 minutes; set this one"
        }
        (_, "ExpiredToken" | "InvalidToken") => "the session token is not valid any more",
        (_, "EntityTooLarge") => "the object is larger than it takes",
        (_, "BadDigest" | "XAmzContentSHA256Mismatch") => "the object was changed on its way",
        (300..=399, _) | (_, "AuthorizationHeaderMalformed" | "PermanentRedirect") => {
            "the bucket is in another region; set AWS_REGION"
        }
        (401 | 403, _) => "these credentials do not allow it",
        (404, _) => "there is no such bucket or address",
        _ => "it does not say what to do",
    }
}
