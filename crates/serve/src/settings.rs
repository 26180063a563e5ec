//! How a server is set up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use obit_triage::history::BuildOrder;

use crate::cores::AskCores;
use crate::exposures::ExposureFile;
use crate::http::Peer;

/// How a server is set up.
pub struct Settings {
    /// The store.
    pub store: PathBuf,
    /// Where it listens.
    pub listen: Listen,
    /// Who may ask.
    pub auth: Auth,
    /// Names, beside those of this machine, by which browsers ask for it: `HOST` or `HOST:PORT`.
    pub hosts: Vec<String>,
    /// Its address for people, where a proxy is before it: `https://crashes.example`.
    pub url: Option<String>,
    /// Requests a second of each client; `None` is no limit.
    pub rate: Option<u32>,
    /// The order of releases.
    pub order: Option<BuildOrder>,
    /// The file that says how much each ran; it is read again when it changes.
    pub exposure: Option<ExposureFile>,
    /// What asks cores, if anything does.
    pub cores: Option<Box<dyn AskCores>>,
    /// The published description of the API.
    pub description: &'static str,
    /// Messages for the one who runs it: nothing of them leaves.
    pub log: Box<dyn Fn(&str) + Send + Sync>,
    /// Seconds since 1970.
    pub clock: fn() -> i64,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An address of this machine.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() {
                Err("expected the path of a socket behind unix:")
            } else {
                Ok(Self::Unix(path.into()))
            };
        }
        let address = text.parse().map(Self::Tcp);
        address.map_err(|_| "expected an address and a port, such as 127.0.0.1:7878, or unix:PATH")
    }
}

/// How a server knows who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// It does not: everyone who can connect is an analyst. For this machine alone.
    None,
    /// By tokens, whose hashes are in this file.
    Tokens(PathBuf),
    /// By a field that a proxy sets.
    Proxy {
        /// The name of the field.
        header: String,
        /// The proxies.
        trusted: Vec<Trusted>,
        /// Who has which role; who is not in it is a viewer.
        users: Option<PathBuf>,
    },
}

/// Where a proxy that is believed may connect from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// A network: an address and how many of its first bits count.
    Network(IpAddr, u8),
    /// The socket in the file system.
    Unix,
}

impl Trusted {
    pub(crate) fn is(self, peer: Peer) -> bool {
        match (self, peer) {
            (Self::Unix, Peer::Unix) => true,
            (Self::Network(IpAddr::V4(network), bits), Peer::Ip(IpAddr::V4(address))) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            (Self::Network(IpAddr::V6(network), bits), Peer::Ip(IpAddr::V6(address))) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
                network.to_bits() & mask == address.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl Trusted {
    /// Whether every process of this machine can connect from there.
    pub(crate) fn is_of_machine(self) -> bool {
        let is_loopback = |address: IpAddr| self.is(Peer::Ip(address));
        match self {
            Self::Network(network, _) => {
                network.is_loopback()
                    || is_loopback(Ipv4Addr::LOCALHOST.into())
                    || is_loopback(Ipv6Addr::LOCALHOST.into())
            }
            Self::Unix => false,
        }
    }
}

impl FromStr for Trusted {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WANTED: &str = "expected unix, an address, or a network such as 10.0.0.0/8";
        if text == "unix" {
            return Ok(Self::Unix);
        }
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().map_err(|_| WANTED)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.map_or(Ok(most), str::parse).map_err(|_| WANTED)?;
        if bits > most { Err(WANTED) } else { Ok(Self::Network(address, bits)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        let is = |network: &str, address: &str| {
            network.parse::<Trusted>().unwrap().is(Peer::Ip(address.parse().unwrap()))
        };
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false),
            ("fd00::/8", "fd12::1", true),
            ("::/0", "::1", true),
            ("::1", "::2", false),
        ] {
            assert_eq!(is(network, address), inside, "{network} {address}");
        }
        let of_machine = |text: &str| text.parse::<Trusted>().unwrap().is_of_machine();
        for network in ["127.0.0.1", "127.0.0.5", "127.0.0.0/8", "0.0.0.0/0", "::1", "::/0"] {
            assert!(of_machine(network), "{network}");
        }
        assert!(!of_machine("10.0.0.0/8") && !of_machine("fd00::/8") && !of_machine("unix"));
        assert!("unix".parse::<Trusted>().unwrap().is(Peer::Unix));
        assert!(!"0.0.0.0/0".parse::<Trusted>().unwrap().is(Peer::Unix));
        for bad in ["", "10.0.0.0/33", "::/129", "host", "10.0.0.0/-1", "10.0.0.0/"] {
            assert!(bad.parse::<Trusted>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_server_listens_on_an_address_or_a_socket() {
        assert!(matches!("127.0.0.1:0".parse(), Ok(Listen::Tcp(_))));
        assert!(matches!("[::1]:80".parse(), Ok(Listen::Tcp(_))));
        assert_eq!("unix:/run/x".parse(), Ok(Listen::Unix("/run/x".into())));
        for bad in ["unix:", "7878", "localhost", "127.0.0.1"] {
            assert!(bad.parse::<Listen>().is_err(), "{bad}");
        }
    }
}
