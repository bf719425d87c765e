//! The host's own login: a one-time link, and the session that it starts.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::id::SessionId;
use crate::time::Timestamp;
use crate::token::TokenHash;

/// How long a login link can be used.
pub const LOGIN_LINK_TTL: Duration = Duration::from_secs(10 * 60);

/// How long a session of the host's own login lasts. A working day: an operator signs in each morning.
pub const SESSION_TTL: Duration = Duration::from_secs(12 * 60 * 60);

/// The name under which the operator is known as a person. All operator sessions are one person.
pub const OPERATOR: &str = "operator";

/// SHA-256 of a session's proof: the secret that a browser keeps for this origin alone, port included,
/// and without which a session's cookie changes nothing. It has no `==`: [`ProofHash::is_of`] compares.
#[derive(Clone, Copy)]
pub struct ProofHash([u8; 32]);

impl ProofHash {
    /// The hash of a proof.
    pub fn of(proof: &str) -> Self {
        Self(Sha256::digest(proof.as_bytes()).into())
    }

    /// What [`ProofHash::to_hex`] wrote.
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let mut hash = [0; 32];
        for (at, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(hash))
    }

    /// In lower-case hex, as the database keeps it.
    pub fn to_hex(self) -> String {
        crate::keys::hex(&self.0)
    }

    /// Whether it is the hash of what a caller presented, in a time that tells nothing of the hash.
    pub fn is_of(self, presented: &str) -> bool {
        Self::of(presented).0.ct_eq(&self.0).into()
    }
}

impl std::fmt::Debug for ProofHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProofHash(…)")
    }
}

/// A session to be started.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The hash of its cookie.
    pub cookie: TokenHash,
    /// The hash of its proof.
    pub proof: ProofHash,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_was_kept_is_of_the_same_proof_and_of_no_other() {
        let hash = ProofHash::of("proof");
        let kept = ProofHash::from_hex(&hash.to_hex()).expect("its own hex");
        assert!(kept.is_of("proof"));
        for other in ["", "Proof", "proof ", &hash.to_hex()] {
            assert!(!kept.is_of(other), "{other}");
        }
    }

    #[test]
    fn what_is_no_hash_is_none() {
        for odd in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
            assert!(ProofHash::from_hex(odd).is_none(), "{odd}");
        }
    }
}
