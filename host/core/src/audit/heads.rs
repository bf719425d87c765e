//! The audit's heads, signed: whoever has one can tell a chain that it belongs to from one that was
//! rewritten or cut since.
//!
//! Ed25519 (RFC 8032) over a line that names what it is, the ledger's entry and its hash, which stands for
//! all entries before it.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::keys::{from_hex, hex};
use crate::time::Timestamp;

/// Where a chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The number of its last entry; 0 where there is none.
    pub seq: i64,
    /// The hash of that entry.
    pub hash: String,
    /// The hash of the earlier entry that was asked for, if it is there.
    pub then: Option<String>,
}

/// A head, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    /// The number of the last entry.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
    /// The public key, in hex.
    pub public_key: String,
    /// The signature, in hex.
    pub signature: String,
}

impl SignedHead {
    /// Whether the signature is that of the public key. Whose key that is, is another question.
    pub fn is_genuine(&self) -> bool {
        let (Some(key), Some(signature)) = (
            from_hex::<32>(&self.public_key),
            from_hex::<64>(&self.signature),
        ) else {
            return false;
        };
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&message(self.seq, &self.hash, self.at), &signature)
            .is_ok()
    }
}

/// A host's key for signing heads.
pub struct HeadKey {
    pair: Ed25519KeyPair,
    public: String,
}

impl HeadKey {
    /// The key that these 32 secret bytes are.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .expect("INVARIANT: 32 bytes are an Ed25519 seed");
        let public = hex(pair.public_key().as_ref());
        Self { pair, public }
    }

    /// What others verify with, in hex.
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// Signs a head.
    pub fn sign(&self, seq: i64, hash: &str, at: Timestamp) -> SignedHead {
        let signature = self.pair.sign(&message(seq, hash, at));
        SignedHead {
            seq,
            hash: hash.to_owned(),
            at,
            public_key: self.public.clone(),
            signature: hex(signature.as_ref()),
        }
    }
}

impl std::fmt::Debug for HeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HeadKey({})", self.public)
    }
}

fn message(seq: i64, hash: &str, at: Timestamp) -> Vec<u8> {
    format!(
        "countersign audit head v1\n{seq}\n{hash}\n{}\n",
        at.as_micros()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_genuine_as_it_was_signed_and_no_other_way() {
        let key = HeadKey::from_seed(&[7; 32]);
        let head = key.sign(3, "ab", Timestamp::from_micros(5));
        assert!(head.is_genuine());
        let other = HeadKey::from_seed(&[8; 32]).public_key().to_owned();
        let changes: [&dyn Fn(&mut SignedHead); 6] = [
            &|head| head.seq = 2,
            &|head| head.hash = "ac".to_owned(),
            &|head| head.at = Timestamp::from_micros(6),
            &|head| head.public_key.clone_from(&other),
            &|head| head.signature.replace_range(0..1, "x"),
            &|head| head.signature.clear(),
        ];
        for change in changes {
            let mut changed = head.clone();
            change(&mut changed);
            assert!(!changed.is_genuine(), "{changed:?}");
        }
    }

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn the_public_key_is_that_of_the_standard() {
        let seed = from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        assert_eq!(
            HeadKey::from_seed(&seed.expect("hex")).public_key(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
    }
}
