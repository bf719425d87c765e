use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn proxies(text: &str) -> TrustedProxies {
    TrustedProxies::parse(text).expect(text)
}

fn forwarded(lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let line = HeaderValue::from_bytes(line.as_bytes()).expect("a header's value");
        headers.append("x-forwarded-for", line);
    }
    headers
}

#[test]
fn addresses_and_networks_of_both_kinds_are_trusted_and_nothing_else() {
    let proxies = proxies("10.0.0.7, 192.0.2.9/24,2001:db8::/32,::ffff:198.51.100.0/120");
    for trusted in [
        "10.0.0.7",
        "::ffff:10.0.0.7",
        "192.0.2.255",
        "2001:db8:1::1",
        "198.51.100.4",
        "::ffff:198.51.100.4",
    ] {
        assert!(proxies.trusts(ip(trusted)), "{trusted}");
    }
    for stranger in ["10.0.0.8", "192.0.3.0", "2001:db9::", "::1", "198.51.101.4"] {
        assert!(!proxies.trusts(ip(stranger)), "{stranger}");
    }
    assert!(!TrustedProxies::default().trusts(ip("127.0.0.1")));
}

#[test]
fn what_is_no_network_or_one_of_everybody_is_a_mistake() {
    for mistake in [
        "",
        ",",
        "10.0.0.1,",
        "10.0.0.0/33",
        "::/129",
        "10.0.0",
        "example.org",
        "10.0.0.1:80",
        "[::1]",
        "0.0.0.0/0",
        "::/0",
        "::ffff:0:0/96",
        "10.0.0.1 10.0.0.2",
        "loopback",
    ] {
        TrustedProxies::parse(mistake).expect_err(mistake);
    }
    let many = vec!["10.0.0.1"; MAX_NETWORKS + 1].join(",");
    TrustedProxies::parse(&many).expect_err("too many");
}

#[test]
fn the_client_is_the_rightmost_stranger_that_trusted_proxies_name() {
    let proxies = proxies("10.0.0.0/8,2001:db8::/32");
    for (peer, lines, client) in [
        // Nobody trusted said anything.
        ("203.0.113.1", &["1.2.3.4"][..], "203.0.113.1"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &[""], "10.0.0.1"),
        // What a client forges stands left of what the proxy saw.
        ("10.0.0.1", &["6.6.6.6, 203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", &["10.9.9.9,203.0.113.5"], "203.0.113.5"),
        ("::ffff:10.0.0.1", &["203.0.113.5"], "203.0.113.5"),
        // Several proxies, and several lines, in order.
        (
            "10.0.0.1",
            &["6.6.6.6,203.0.113.5 , 10.0.0.2"],
            "203.0.113.5",
        ),
        (
            "10.0.0.1",
            &["6.6.6.6", "203.0.113.5", "10.0.0.2,10.0.0.3"],
            "203.0.113.5",
        ),
        ("10.0.0.1", &["10.0.0.4, 10.0.0.2"], "10.0.0.4"),
        // What cannot be read ends what is known, at the last hop that could.
        ("10.0.0.1", &["203.0.113.5, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.5, nonsense, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["203.0.113.5,, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["203.0.113.5", "é", "10.0.0.2"], "10.0.0.2"),
        // Ports, brackets, and IPv4 in the clothes of IPv6.
        ("10.0.0.1", &["203.0.113.5:4711"], "203.0.113.5"),
        ("10.0.0.1", &["[2001:db9::1]:4711"], "2001:db9::1"),
        ("10.0.0.1", &["[2001:db9::1]"], "2001:db9::1"),
        ("10.0.0.1", &["2001:db9::1"], "2001:db9::1"),
        ("10.0.0.1", &["::ffff:203.0.113.5"], "203.0.113.5"),
        ("10.0.0.1", &["203.0.113.5, [2001:db8::1]:1"], "203.0.113.5"),
        ("10.0.0.1", &["[::ffff:203.0.113.5]:80"], "203.0.113.5"),
        // Nearly addresses.
        ("10.0.0.1", &["203.0.113.5:"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.5:65536"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.5:+80"], "10.0.0.1"),
        ("10.0.0.1", &["[203.0.113.5]"], "10.0.0.1"),
        ("10.0.0.1", &["[2001:db9::1"], "10.0.0.1"),
        ("10.0.0.1", &["[2001:db9::1]4711"], "10.0.0.1"),
        ("10.0.0.1", &["fe80::1%eth0"], "10.0.0.1"),
        ("10.0.0.1", &["203.0.113.05"], "10.0.0.1"),
        ("10.0.0.1", &["\"203.0.113.5\""], "10.0.0.1"),
    ] {
        let told = proxies.client_address(ip(peer), &forwarded(lines));
        assert_eq!(told, ip(client), "{peer} {lines:?}");
    }
}

#[test]
fn a_chain_has_an_end() {
    let proxies = proxies("10.0.0.0/8");
    let chain = format!("203.0.113.5{}", ",10.0.0.2".repeat(MAX_HOPS));
    let told = proxies.client_address(ip("10.0.0.1"), &forwarded(&[&chain]));
    assert_eq!(told, ip("10.0.0.2"));
}

/// What a reader of the contract would write who does not care how long it takes: `None` is an entry that
/// is no address.
fn obvious(proxies: &TrustedProxies, peer: IpAddr, chain: &[Option<IpAddr>]) -> IpAddr {
    let mut whole: Vec<Option<IpAddr>> = chain.to_vec();
    whole.push(Some(peer));
    while whole.len() > 1 {
        let (Some(last), before) = (whole[whole.len() - 1], whole[whole.len() - 2]) else {
            unreachable!("only addresses become last")
        };
        if !proxies.trusts(last) || before.is_none() {
            break;
        }
        whole.pop();
    }
    whole[whole.len() - 1].expect("an address")
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (1..4_u8).prop_map(|n| IpAddr::from([10, 0, 0, n])),
        (1..4_u8).prop_map(|n| IpAddr::from([203, 0, 113, n])),
        (1..4_u16).prop_map(|n| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, n])),
        (1..4_u16).prop_map(|n| IpAddr::from([0x2001, 0xdb9, 0, 0, 0, 0, 0, n])),
    ]
}

/// An entry as somebody writes it, and what it means.
fn entry() -> impl Strategy<Value = (String, Option<IpAddr>)> {
    prop_oneof![
        4 => (address(), 0..4_u8).prop_map(|(address, style)| {
            let text = match (address, style) {
                (address, 0) => address.to_string(),
                (IpAddr::V4(v4), 1) => v4.to_ipv6_mapped().to_string(),
                (IpAddr::V4(v4), _) => format!("{v4}:443"),
                (IpAddr::V6(v6), 1) => format!("[{v6}]"),
                (IpAddr::V6(v6), _) => format!("[{v6}]:443"),
            };
            (text, Some(address))
        }),
        1 => "[ -+.-~]{0,12}".prop_map(|text| {
            // Not what is under test: only that nonsense is none.
            let meaning = hop(text.trim());
            (text, meaning)
        }),
    ]
}

proptest! {
    #[test]
    fn the_client_is_whom_the_obvious_reader_finds(
        peer in address(),
        entries in proptest::collection::vec(entry(), 0..12),
        breaks in proptest::collection::vec(any::<bool>(), 12),
    ) {
        let proxies = proxies("10.0.0.0/8,2001:db8::/32");
        let mut lines = vec![String::new(); usize::from(!entries.is_empty())];
        for (at, ((text, _), starts_line)) in entries.iter().zip(breaks).enumerate() {
            if at > 0 && starts_line {
                lines.push(text.clone());
            } else {
                let line = lines.last_mut().expect("a line");
                line.push_str(if at > 0 { "," } else { "" });
                line.push_str(text);
            }
        }
        let chain: Vec<_> = entries.iter().map(|(_, meaning)| *meaning).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        prop_assert_eq!(
            proxies.client_address(peer, &forwarded(&lines)),
            obvious(&proxies, peer, &chain)
        );
    }

    #[test]
    fn no_header_makes_it_panic_or_lets_a_stranger_choose(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let proxies = proxies("10.0.0.0/8");
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            headers.append("x-forwarded-for", value);
        }
        let stranger = ip("203.0.113.1");
        prop_assert_eq!(proxies.client_address(stranger, &headers), stranger);
        proxies.client_address(ip("10.0.0.1"), &headers);
    }
}
