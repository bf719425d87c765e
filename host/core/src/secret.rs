//! Secrets: in clear for as long as a request takes, sealed for ever after.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chance::{self, Chance};
use crate::id::WorkspaceId;
use crate::keys::Keys;

/// A secret's value in clear.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PlainSecret(String);

impl PlainSecret {
    /// From what the caller sent.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for sealing, committing, and the one route that returns values.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PlainSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainSecret(…)")
    }
}

/// A secret's key: `[A-Za-z_][A-Za-z0-9_]{0,127}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey(String);

impl SecretKey {
    /// The key, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let goes_on_well = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (starts_well && goes_on_well && text.len() <= 128).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom a secret reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretScope {
    /// Every workspace.
    Global,
    /// One workspace.
    Workspace(WorkspaceId),
}

impl SecretScope {
    /// `global` or `workspace`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Workspace(_) => "workspace",
        }
    }

    /// The workspace, of a workspace's secret.
    pub fn workspace(self) -> Option<WorkspaceId> {
        match self {
            Self::Global => None,
            Self::Workspace(workspace) => Some(workspace),
        }
    }
}

impl std::fmt::Display for SecretScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Workspace(workspace) => write!(f, "{workspace}"),
        }
    }
}

/// Where a secret is: its scope and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretAddress {
    /// Whom it reaches.
    pub scope: SecretScope,
    /// Its key.
    pub key: SecretKey,
}

impl std::fmt::Display for SecretAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.scope, self.key)
    }
}

/// A sealed value: AES-256-GCM under a random nonce, its address and key id as associated data, so that
/// a row copied over another does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// [`crate::keys::SealKey::id`] of the key that opens it.
    pub key_id: String,
    /// Nonce, then ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// The value did not open: another key, or the row was changed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored secret `{0}` does not open with this host's key")]
pub struct OpenError(pub String);

/// Seals `value` for `address`.
pub fn seal(
    keys: &Keys,
    address: &SecretAddress,
    value: &PlainSecret,
    chance: &dyn Chance,
) -> SealedSecret {
    let key = keys.sealing();
    let nonce = chance::bytes::<12>(chance);
    let aad = associated_data(address, key.id());
    let payload = Payload {
        msg: value.0.as_bytes(),
        aad: aad.as_bytes(),
    };
    let ciphertext = Aes256Gcm::new(key.bytes().into())
        .encrypt(&Nonce::from(nonce), payload)
        .expect("INVARIANT: a value within the body limit can be sealed");
    SealedSecret {
        key_id: key.id().to_owned(),
        bytes: [nonce.as_slice(), &ciphertext].concat(),
    }
}

/// Opens what [`seal`] sealed for the same address.
pub fn open(
    keys: &Keys,
    address: &SecretAddress,
    sealed: &SealedSecret,
) -> Result<PlainSecret, OpenError> {
    let failed = || OpenError(address.to_string());
    let key = keys.opening(&sealed.key_id).ok_or_else(failed)?;
    let (nonce, ciphertext) = sealed.bytes.split_first_chunk::<12>().ok_or_else(failed)?;
    let aad = associated_data(address, &sealed.key_id);
    let payload = Payload {
        msg: ciphertext,
        aad: aad.as_bytes(),
    };
    let bytes = Aes256Gcm::new(key.bytes().into())
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|_| failed())?;
    String::from_utf8(bytes)
        .map(PlainSecret)
        .map_err(|_| failed())
}

/// The same value, sealed with the key that is in use by now.
pub fn reseal(
    keys: &Keys,
    address: &SecretAddress,
    sealed: &SealedSecret,
    chance: &dyn Chance,
) -> Result<SealedSecret, OpenError> {
    let value = open(keys, address, sealed)?;
    Ok(seal(keys, address, &value, chance))
}

fn associated_data(address: &SecretAddress, key_id: &str) -> String {
    format!("countersign secret v1 {key_id} {address}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::OsChance;
    use crate::keys::RootKey;

    fn address(key: &str) -> SecretAddress {
        SecretAddress {
            scope: SecretScope::Global,
            key: SecretKey::parse(key).expect("a key"),
        }
    }

    #[test]
    fn a_sealed_value_opens_at_its_own_address_under_its_own_key_only() {
        let keys = Keys::new(&RootKey::new([1; 32]));
        let value = PlainSecret::new("hunter2".to_owned());
        let sealed = seal(&keys, &address("A"), &value, &OsChance);
        let opened = open(&keys, &address("A"), &sealed).expect("it opens");
        assert_eq!(opened.reveal(), "hunter2");
        assert!(open(&keys, &address("B"), &sealed).is_err());
        let others = Keys::new(&RootKey::new([2; 32]));
        assert!(open(&others, &address("A"), &sealed).is_err());
        assert!(!sealed.bytes.windows(7).any(|w| w == b"hunter2"));
    }

    #[test]
    fn keys_have_the_shape_of_variables() {
        for good in ["A", "_", "API_KEY_2", &"a".repeat(128)] {
            assert!(SecretKey::parse(good).is_some(), "{good}");
        }
        for bad in ["", "2A", "A-B", "Ä", "A B", "A\n", &"a".repeat(129)] {
            assert!(SecretKey::parse(bad).is_none(), "{bad}");
        }
    }
}
