//! The proxies in front of the host, whose word for where a request comes from counts.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv4Net};

/// Networks that may be named. Each costs a comparison for every request from a proxy.
const MAX_NETWORKS: usize = 256;
/// Proxies one behind the other, at most: nobody has more, and a forged chain costs no more than this.
const MAX_HOPS: usize = 16;

/// `COUNTERSIGN_TRUSTED_PROXIES`: whose forwarding and identity headers count. By default nobody's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Addresses and CIDR networks, with commas between them.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "addresses and networks of proxies with commas between them, such as 10.0.0.7,192.0.2.0/24 (256 at most, and no network of everybody)";
        let networks: Vec<IpNet> = text
            .split(',')
            .map(|network| canonical_network(network.trim()))
            .collect::<Option<_>>()
            .ok_or(EXPECTED)?;
        // Who trusts everybody lets everybody say who they are.
        let names_everybody = networks.iter().any(|network| network.prefix_len() == 0);
        if names_everybody || networks.len() > MAX_NETWORKS {
            return Err(EXPECTED);
        }
        Ok(Self(networks))
    }

    /// Whether what `peer` says in forwarding and identity headers counts.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }

    /// Where a request comes from: the rightmost entry of `X-Forwarded-For` that no trusted proxy has, as
    /// far as trusted proxies wrote it; else the peer.
    ///
    /// Each proxy appends whom it was asked by, so only what stands right of the first stranger is known.
    /// What cannot be read ends what is known as well.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = peer.to_canonical();
        let entries = headers
            .get_all("x-forwarded-for")
            .iter()
            .rev()
            .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','))
            .take(MAX_HOPS);
        for entry in entries {
            if !self.trusts(known) {
                break;
            }
            let Some(before) = hop(entry.trim()) else {
                break;
            };
            known = before;
        }
        known
    }
}

/// One entry: an address, perhaps in brackets, perhaps with a port.
fn hop(entry: &str) -> Option<IpAddr> {
    let address = if let Some(bracketed) = entry.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        if !port.is_empty() {
            is_port(port.strip_prefix(':')?).then_some(())?;
        }
        IpAddr::V6(address.parse().ok()?)
    } else if let Ok(address) = entry.parse() {
        address
    } else {
        let (address, port) = entry.split_once(':')?;
        is_port(port).then_some(())?;
        IpAddr::V4(address.parse().ok()?)
    };
    Some(address.to_canonical())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// An address or a network; of IPv4 addresses that are written as IPv6, the IPv4 network.
fn canonical_network(text: &str) -> Option<IpNet> {
    const MAPPED_PREFIX: u8 = 96;
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().ok()?,
    };
    let mapped = match network.network().to_canonical() {
        IpAddr::V4(address) if network.network().is_ipv6() => {
            let length = network.prefix_len().checked_sub(MAPPED_PREFIX)?;
            Ipv4Net::new(address, length).ok().map(IpNet::V4)
        }
        _ => None,
    };
    Some(mapped.unwrap_or(network).trunc())
}

#[cfg(test)]
#[path = "proxies/tests.rs"]
mod tests;
