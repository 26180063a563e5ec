//! Objects on a server that speaks S3.
//!
//! Source: Amazon S3 API Reference, and "Authenticating Requests (AWS Signature Version 4)".

mod bucket;
mod credentials;
mod listing;
mod request;
mod sign;
mod time;

pub(crate) use bucket::Bucket;
