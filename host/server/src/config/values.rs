//! How single values are written.

use super::Hidden;

/// An empty setting is an unset one: shells and orchestrators pass empty variables for absent ones.
pub fn set(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

/// What `parse` makes of a value, or a mistake that says what it should be.
pub fn parsed<T>(
    mistakes: &mut Vec<String>,
    name: &str,
    value: &str,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<T> {
    match parse(value) {
        Ok(parsed) => Some(parsed),
        Err(expected) if value.is_empty() => {
            mistakes.push(format!("{name}: expected {expected}"));
            None
        }
        Err(expected) => {
            mistakes.push(format!("{name}: `{value}` is not {expected}"));
            None
        }
    }
}

/// A secret from the environment, else from the file.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub fn secret(name: &str, from_file: Option<Hidden>, mistakes: &mut Vec<String>) -> Option<Hidden> {
    let from_environment = match std::env::var(name) {
        Ok(value) => Some(Hidden::new(value)),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => {
            mistakes.push(format!("{name}: is not UTF-8"));
            None
        }
    };
    let is_set = |value: &Hidden| !value.reveal().is_empty();
    from_environment.filter(is_set).or(from_file.filter(is_set))
}

/// Scheme and authority, without a slash at the end.
pub fn origin(url: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "an origin, such as https://countersign.example.org";
    let url = reqwest::Url::parse(url).map_err(|_| EXPECTED)?;
    let plain = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.scheme() {
        "http" | "https" if plain => Ok(url.origin().ascii_serialization()),
        _ => Err(EXPECTED),
    }
}

/// 32 bytes in hex or in base64, standard or URL-safe, padded or not.
pub fn decode_key(text: &str) -> Option<[u8; 32]> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        let mut bytes = [0; 32];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        return Some(bytes);
    }
    let text = text.trim_end_matches('=');
    STANDARD_NO_PAD
        .decode(text)
        .or_else(|_| URL_SAFE_NO_PAD.decode(text))
        .ok()?
        .try_into()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_in_hex_or_base64() {
        assert_eq!(decode_key(&"ab".repeat(32)), Some([0xab; 32]));
        assert_eq!(
            decode_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            Some([0; 32])
        );
        assert_eq!(decode_key("short"), None);
    }
}
