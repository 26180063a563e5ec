//! A bucket, and what of it begins with a prefix.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use super::credentials::{Credentials, Sources, file, variable};
use super::request::{Ask, Client, Failure, NO_BODY, Upload, text};
use super::{listing, sign, time};
use crate::id::digest;
use crate::{Entry, Id, MOST_OF_AN_OBJECT, ObjectError};

/// Pages of a list that are read, of 1,000 objects each.
const MOST_PAGES: usize = 10_000;

pub(crate) struct Bucket {
    client: Client,
    /// Of the server, before the keys: `/BUCKET`, or nothing where the host names the bucket.
    root: String,
    /// Empty, or with `/` at its end.
    prefix: String,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bucket")
    }
}

impl Bucket {
    /// That of `BUCKET/PREFIX`.
    pub(crate) fn of(address: &str) -> Result<Self, ObjectError> {
        let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
        let is_of_name = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
        };
        let is_prefix = |text: &str| {
            text.len() <= 512
                && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
                && !text.chars().any(char::is_control)
        };
        let prefix = prefix.trim_end_matches('/');
        if !(3..=63).contains(&bucket.len())
            || !bucket.bytes().all(is_of_name)
            || !(prefix.is_empty() || is_prefix(prefix))
        {
            return Err(ObjectError::Address(format!("s3://{address}")));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let who = Credentials::find(&Sources { variable: &variable, file: &file })?;
        let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        let (scheme, host, root) = match endpoint {
            Some(url) => {
                let (scheme, host) = endpoint_of(&url).map_err(ObjectError::Endpoint)?;
                (scheme, host, format!("/{bucket}"))
            }
            // A certificate is for one label below the server's name.
            None if bucket.contains('.') => {
                ("https", format!("s3.{}.amazonaws.com", who.region), format!("/{bucket}"))
            }
            None => ("https", format!("{bucket}.s3.{}.amazonaws.com", who.region), String::new()),
        };
        Ok(Self { client: Client::new(who, scheme, host), root, prefix })
    }

    fn path(&self, id: Id) -> String {
        let (start, rest) = id.parts();
        sign::encoded(&format!("{}/{}{start}/{rest}", self.root, self.prefix), true)
    }

    /// Whether the object was not there before.
    pub(crate) fn put(&self, id: Id, size: u64, file: &mut File) -> Result<bool, ObjectError> {
        if self.size_of(id)? == Some(size) {
            return Ok(false);
        }
        let (path, digest) = (self.path(id), id.to_string());
        let ask = Ask { method: "PUT", path: &path, query: &[], digest: &digest };
        let mut upload = Upload { file, size };
        let status = Client::repeat(&mut || {
            let answer = self.client.once(ask, Some(&mut upload))?;
            let status = answer.status().as_u16();
            Ok((status, text(answer)?))
        })?;
        match status {
            (404, text) => Err(refused(404, &text)),
            // The server compares what it got with the digest that was signed.
            _ => Ok(true),
        }
    }

    fn size_of(&self, id: Id) -> Result<Option<u64>, ObjectError> {
        let path = self.path(id);
        let ask = Ask { method: "HEAD", path: &path, query: &[], digest: NO_BODY };
        let answer = Client::repeat(&mut || self.client.once(ask, None))?;
        if answer.status().as_u16() == 404 {
            return Ok(None);
        }
        let length = answer.headers().get("content-length");
        Ok(length.and_then(|length| length.to_str().ok()?.parse().ok()))
    }

    pub(crate) fn get(&self, id: Id, into: &mut File) -> Result<u64, ObjectError> {
        let path = self.path(id);
        let ask = Ask { method: "GET", path: &path, query: &[], digest: NO_BODY };
        Client::repeat(&mut || {
            let target = |source| Failure::Final(ObjectError::Target { source });
            // An attempt before may have been cut.
            into.set_len(0).map_err(target)?;
            into.seek(SeekFrom::Start(0)).map_err(target)?;
            let answer = self.client.once(ask, None)?;
            if answer.status().as_u16() == 404 {
                let text = text(answer)?;
                return Err(Failure::Final(match listing::code(&text).as_str() {
                    "NoSuchKey" | "" => ObjectError::Missing(id),
                    _ => refused(404, &text),
                }));
            }
            let length = answer.body().content_length();
            if length.is_some_and(|length| length > MOST_OF_AN_OBJECT) {
                return Err(Failure::Final(ObjectError::TooLarge));
            }
            let mut written = Ok(());
            let mut reader = answer.into_body().into_reader();
            let read = digest(&mut reader, MOST_OF_AN_OBJECT, |bytes| {
                into.write_all(bytes).map_err(|error| {
                    written = Err(error);
                    std::io::ErrorKind::Other.into()
                })
            });
            written.map_err(target)?;
            let (found, size) = read.map_err(|error| Failure::Passing(error.to_string()))?;
            if size > MOST_OF_AN_OBJECT {
                return Err(Failure::Final(ObjectError::TooLarge));
            }
            if found == id {
                return Ok(size);
            }
            match length.filter(|length| size < *length) {
                Some(length) => Err(Failure::Passing(format!(
                    "the connection ended after {size} of {length} bytes"
                ))),
                None => Err(Failure::Final(ObjectError::Damaged(id))),
            }
        })
    }

    pub(crate) fn list(&self, take: &mut dyn FnMut(Entry) -> bool) -> Result<(), ObjectError> {
        let path =
            if self.root.is_empty() { "/".to_owned() } else { sign::encoded(&self.root, true) };
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![("list-type", "2"), ("prefix", self.prefix.as_str())];
            query.extend(next.as_deref().map(|next| ("continuation-token", next)));
            let ask = Ask { method: "GET", path: &path, query: &query, digest: NO_BODY };
            let (status, text) = Client::repeat(&mut || {
                let answer = self.client.once(ask, None)?;
                Ok((answer.status().as_u16(), text(answer)?))
            })?;
            if status == 404 {
                return Err(refused(404, &text));
            }
            let page = listing::page(&text)?;
            for object in page.objects {
                let key = object.key.strip_prefix(&self.prefix);
                let parts = key.and_then(|key| key.split_once('/'));
                let id = parts.and_then(|(start, rest)| Id::of_parts(start, rest));
                let stored = time::parse(&object.modified);
                if let Some(id) = id
                    && !take(Entry { id, size: object.size, stored })
                {
                    return Ok(());
                }
            }
            match page.next {
                Some(token) if Some(&token) != next.as_ref() => next = Some(token),
                Some(_) => return Err(ObjectError::Answer("the list does not go on")),
                None => return Ok(()),
            }
        }
        Err(ObjectError::Answer("the list has more than 10,000 pages"))
    }

    pub(crate) fn remove(&self, id: Id) -> Result<(), ObjectError> {
        let path = self.path(id);
        let ask = Ask { method: "DELETE", path: &path, query: &[], digest: NO_BODY };
        let answer = Client::repeat(&mut || {
            let answer = self.client.once(ask, None)?;
            Ok((answer.status().as_u16(), text(answer)?))
        })?;
        match answer {
            (404, text) if listing::code(&text) == "NoSuchBucket" => Err(refused(404, &text)),
            _ => Ok(()),
        }
    }
}

fn refused(status: u16, text: &str) -> ObjectError {
    ObjectError::Refused { status, code: listing::code(text) }
}

/// The scheme and the host of a server that is not Amazon's.
fn endpoint_of(url: &str) -> Result<(&'static str, String), &'static str> {
    let (scheme, host) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(host), _) => ("https", host),
        (_, Some(host)) => ("http", host),
        _ => return Err("it begins with neither https:// nor http://"),
    };
    let host = host.trim_end_matches('/');
    let is_host =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':' | b'[' | b']');
    if host.is_empty() || !host.bytes().all(is_host) {
        return Err("expected https://HOST or https://HOST:PORT, without a user or a path");
    }
    let is_here = |name: &str| {
        let rest = host.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    };
    if scheme == "http" && !["localhost", "127.0.0.1", "[::1]"].into_iter().any(is_here) {
        return Err("http:// is for this machine alone: others would read what is sent");
    }
    Ok((scheme, host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_host_and_reached_encrypted_unless_it_is_this_machine() {
        assert_eq!(endpoint_of("https://s3.example/"), Ok(("https", "s3.example".to_owned())));
        for here in ["localhost:9000", "127.0.0.1", "[::1]:9000"] {
            assert_eq!(endpoint_of(&format!("http://{here}")), Ok(("http", here.to_owned())));
        }
        for wrong in [
            "s3.example",
            "ftp://s3.example",
            "https://",
            "https://u:p@s3.example",
            "https://s3.example/path",
            "http://s3.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            let error = endpoint_of(wrong).unwrap_err();
            assert!(!error.contains("s3.example"), "{error}");
        }
    }
}
