//! The root key's part of the configuration.

use countersign_core::keys::RootKey;

use super::Hidden;
use super::values::{decode_key, parsed, secret};

/// A key of 32 bytes.
pub fn root_key(
    name: &str,
    from_file: Option<Hidden>,
    mistakes: &mut Vec<String>,
) -> Option<RootKey> {
    let key = secret(name, from_file, mistakes)?;
    parsed(mistakes, name, "…", |_| {
        decode_key(key.reveal())
            .map(RootKey::new)
            .ok_or("32 bytes in base64 or hex")
    })
}

/// The key that `current` replaces.
pub fn root_key_old(
    from_file: Option<Hidden>,
    current: Option<&RootKey>,
    mistakes: &mut Vec<String>,
) -> Option<RootKey> {
    let old = root_key("SECRETS_ENCRYPTION_KEY_OLD", from_file, mistakes)?;
    match current {
        None => mistakes.push(
            "SECRETS_ENCRYPTION_KEY_OLD: needs SECRETS_ENCRYPTION_KEY beside it, the key that replaces it"
                .to_owned(),
        ),
        Some(current) if current.id() == old.id() => mistakes.push(
            "SECRETS_ENCRYPTION_KEY_OLD: is the same as SECRETS_ENCRYPTION_KEY: make another key, for example with `openssl rand -base64 32`, and keep both"
                .to_owned(),
        ),
        Some(_) => {}
    }
    Some(old)
}
