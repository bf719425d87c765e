//! The host's keys: what they are for, and how they are derived from the one that the operator keeps.
//!
//! One 32-byte root (`SECRETS_ENCRYPTION_KEY`) and HKDF-like labels: each use has a key of its own, so
//! that nothing made with one can be confused with what was made with another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Thirty-two secret bytes.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RootKey([u8; 32]);

impl RootKey {
    /// From bytes that were generated or read elsewhere.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn derive(&self, label: &str) -> [u8; 32] {
        mac(&self.0, &[b"countersign key v1", label.as_bytes()])
    }
}

/// The keys in use.
#[derive(ZeroizeOnDrop)]
pub struct Keys {
    seal: [u8; 32],
    commit: [u8; 32],
    name: [u8; 32],
    #[zeroize(skip)]
    id: String,
}

impl Keys {
    /// All keys that `root` stands for.
    pub fn new(root: &RootKey) -> Self {
        Self {
            seal: root.derive("seal"),
            commit: root.derive("commit"),
            name: root.derive("name"),
            id: hex(&root.derive("id")[..4]),
        }
    }

    /// Which root they come from: eight hex characters that reveal nothing of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// For [`crate::secret`].
    pub(crate) fn seal(&self) -> &[u8; 32] {
        &self.seal
    }

    /// A commitment to a secret value: it tells two values apart and says nothing about either to
    /// whoever lacks the key. Bound to what surrounds it, so that equal values elsewhere do not show.
    pub fn commit(&self, context: &[&str], value: &[u8]) -> String {
        let mut parts: Vec<&[u8]> = context.iter().map(|part| part.as_bytes()).collect();
        parts.push(value);
        hex(&mac(&self.commit, &parts))
    }

    /// A stable name for a configured credential, such as ADMIN_TOKEN, which changes when it is
    /// replaced: so a grant does not outlive the credential that asked for it.
    pub fn fingerprint(&self, credential: &str) -> String {
        hex(&mac(&self.name, &[credential.as_bytes()])[..8])
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.id)
    }
}

/// HMAC-SHA256 over `parts`, each preceded by its length, so that no two lists of parts look the same.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key)
        .expect("INVARIANT: HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("INVARIANT: writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_depends_on_key_context_and_value() {
        let keys = Keys::new(&RootKey::new([1; 32]));
        let others = Keys::new(&RootKey::new([2; 32]));
        let base = keys.commit(&["a", "b"], b"value");
        assert_eq!(base, keys.commit(&["a", "b"], b"value"));
        assert_ne!(base, others.commit(&["a", "b"], b"value"));
        assert_ne!(base, keys.commit(&["ab", ""], b"value"));
        assert_ne!(base, keys.commit(&["a", "b"], b"other"));
        assert!(!base.contains("value"));
    }
}
