//! Which host is meant, and the token of a program that asks it.

use std::path::Path;

use reqwest::Url;

use super::super::failure::Failure;
use super::super::terminal::Plain;
use crate::config::Hidden;

/// A token is shorter; a longer file is another one.
const MAX_TOKEN: u64 = 4096;

/// The origin that `text` names.
pub fn origin(text: &str) -> Result<Url, Failure> {
    let refuse = || {
        Failure::usage(format!(
            "`{}` is not the origin of a host, such as https://countersign.example.org",
            Plain::new(text)
        ))
    };
    let url = Url::parse(text).map_err(|_| refuse())?;
    let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    match url.scheme() {
        "http" | "https" if url.has_host() && is_plain && !has_user => Ok(url),
        _ => Err(refuse()),
    }
}

/// An origin as people write it.
pub fn shown(origin: &Url) -> String {
    origin.origin().ascii_serialization()
}

/// Whether what is sent there stays on this machine.
pub fn is_here(origin: &Url) -> bool {
    let host = origin.host_str().unwrap_or_default();
    let address: Result<std::net::IpAddr, _> = host.trim_matches(['[', ']']).parse();
    host == "localhost"
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// The token in a file, which holds nothing else.
pub fn token_in(file: &Path) -> Result<Hidden, Failure> {
    use std::io::Read as _;
    let shown = Plain::new(&file.display().to_string());
    let mut text = String::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(MAX_TOKEN + 1).read_to_string(&mut text))
        .map_err(|error| Failure::usage(format!("cannot read `{shown}`: {error}")))?;
    let token = text.trim();
    if token.is_empty() || text.len() as u64 > MAX_TOKEN || token.contains(char::is_whitespace) {
        return Err(Failure::usage(format!(
            "`{shown}` does not hold one token and nothing else"
        )));
    }
    Ok(Hidden::new(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_else() {
        for text in [
            "http://127.0.0.1:8080",
            "https://a.example/",
            "http://[::1]:1",
        ] {
            origin(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
        for text in [
            "",
            "127.0.0.1:8080",
            "ftp://a",
            "https://u@a.example",
            "https://:p@a.example",
            "https://a/b",
            "https://a?b",
            "https://a#b",
        ] {
            assert!(origin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_stays_on_this_machine_is_known_by_its_address() {
        let here = |text| is_here(&origin(text).expect("an origin"));
        assert!(here("http://127.0.0.1:1") && here("http://[::1]") && here("http://localhost"));
        assert!(!here("http://localhost.example") && !here("http://10.0.0.1"));
    }
}
