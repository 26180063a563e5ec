//! HTTP/1.1 as values: what was asked, and what is answered. The connections are `server`.

mod limits;
mod server;
mod stream;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use hyper::HeaderMap;

pub(crate) use limits::Limits;
pub(crate) use server::{Answers, Bound, run};

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Peer {
    /// An address.
    Ip(IpAddr),
    /// A process of this machine, by a socket in the file system.
    Unix,
}

impl Peer {
    /// The one as which it is counted: who has an IPv6 address has a whole network of them.
    pub(crate) fn counted(self) -> Self {
        match self {
            Self::Ip(IpAddr::V6(address)) => {
                let network = address.to_bits() >> 64 << 64;
                Self::Ip(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
            other => other,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

/// What a request is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// `GET`, and `HEAD`, whose answer has no body.
    Get,
    /// `POST`.
    Post,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
    /// Anything else.
    Other,
}

impl Method {
    /// Its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other => "",
        }
    }
}

/// A request, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What is to be done.
    pub(crate) method: Method,
    /// The path as it was sent, with its escapes.
    pub(crate) path: String,
    /// Behind `?`, as it was sent.
    pub(crate) query: String,
    /// The fields.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    /// Who sent it.
    pub(crate) peer: Peer,
    /// Whether it was answered before, by that there is no answer yet.
    pub(crate) is_again: bool,
    /// Set when no one waits for the answer any more.
    pub(crate) gone: Arc<AtomicBool>,
}

impl Request {
    /// A field that is there once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?;
        if all.next().is_some() {
            return None;
        }
        first.to_str().ok()
    }

    /// Whether the field is there, however often.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    /// Whether the body is of this type, whatever its parameters are.
    pub(crate) fn is_of_type(&self, wanted: &str) -> bool {
        let of = self.header("content-type").unwrap_or_default();
        of.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// Its status.
    pub(crate) status: u16,
    /// Its fields.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Its body.
    pub(crate) body: Bytes,
}

impl Response {
    /// One with a body of this type.
    pub(crate) fn of(status: u16, media: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", media.to_owned())];
        Self { status, headers, body: body.into() }
    }

    /// To another page, by `GET`.
    pub(crate) fn see_other(place: &str) -> Self {
        let headers = vec![("location", place.to_owned())];
        Self { status: 303, headers, body: Bytes::new() }
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_are_counted_together() {
        let of = |text: &str| Peer::Ip(text.parse().unwrap()).counted();
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
        assert_eq!(Peer::Unix.counted(), Peer::Unix);
    }
}
