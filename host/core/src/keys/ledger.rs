//! Keys as the ledger keeps them, and how it replaces them.

use async_trait::async_trait;

use crate::policy::words;
use crate::ports::LedgerError;
use crate::secret::{SealedSecret, SecretAddress};
use crate::time::Timestamp;

words! {
    /// What a data key is for.
    Purpose {
        /// Secrets are sealed with it.
        Seal = "seal",
        /// Commitments to secret values are made with it.
        Commit = "commit",
        /// Configured credentials are named by it.
        Name = "name",
    }
}

/// A data key, wrapped under one root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Which.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// Whether it is the one in use; another one only opens what it sealed before.
    pub is_active: bool,
    /// [`super::RootKey::id`] of the root that opens it.
    pub root: String,
    /// Nonce, then ciphertext and tag.
    pub bytes: Vec<u8>,
}

/// All keys that the ledger keeps.
#[derive(Clone, Debug, Default)]
pub struct StoredKeys {
    /// The roots that it opens to, the newest last.
    pub roots: Vec<String>,
    /// The data keys, under each root that opens them.
    pub keys: Vec<WrappedKey>,
}

impl StoredKeys {
    /// Whether a key for sealing is being replaced.
    pub fn is_changing(&self) -> bool {
        self.keys.iter().any(|key| !key.is_active)
    }

    /// The newest root.
    pub fn newest_root(&self) -> Option<&str> {
        self.roots.last().map(String::as_str)
    }
}

/// A further root that the ledger is to open to, and a new key to seal with.
#[derive(Clone, Debug)]
pub struct RootChange {
    /// The new root.
    pub root: String,
    /// The roots that open the new key: every root that is there must be among them.
    pub held: Vec<String>,
    /// The new key.
    pub sealing: String,
    /// The data keys that are wrapped under the new root: those that are there, and no others.
    pub known: Vec<String>,
    /// All of it.
    pub keys: Vec<WrappedKey>,
}

/// A secret, sealed again under another key.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// Where it is.
    pub address: SecretAddress,
    /// What is there.
    pub from: SealedSecret,
    /// What takes its place: the same value.
    pub to: SealedSecret,
}

/// What the ledger does with keys. It opens none of them.
#[async_trait]
pub trait KeyLedger: Send + Sync {
    /// The keys; `first` where there are none, and it is not known that the ledger was made under another
    /// root than theirs.
    async fn keys(&self, first: &[WrappedKey], now: Timestamp) -> Result<StoredKeys, LedgerError>;

    /// The keys that there are.
    async fn stored_keys(&self) -> Result<StoredKeys, LedgerError>;

    /// Opens the ledger to a further root, and puts a new key for sealing in use. False, and nothing is
    /// changed, where that root is there already, another one is there that does not open the new key, or
    /// the data keys are others than those that it wraps.
    async fn add_root(&self, change: &RootChange, now: Timestamp) -> Result<bool, LedgerError>;

    /// Secrets that are sealed with another key than `key`, after an address, in order of their addresses.
    async fn sealed_otherwise(
        &self,
        key: &str,
        after: Option<&SecretAddress>,
        limit: u32,
    ) -> Result<Vec<(SecretAddress, SealedSecret)>, LedgerError>;

    /// How many there are.
    async fn count_sealed_otherwise(&self, key: &str) -> Result<u64, LedgerError>;

    /// Puts secrets sealed again in the place of what is there, where that is what they were made from:
    /// how many were replaced. A value stays what it is, and so does its version; the audit has an entry
    /// when the last one is done.
    async fn reseal(&self, resealed: &[Resealed]) -> Result<u64, LedgerError>;

    /// Forgets the keys for sealing that are not in use, and that no secret needs: which.
    async fn retire_keys(&self, now: Timestamp) -> Result<Vec<String>, LedgerError>;

    /// Closes the ledger to all roots that are older than `root`, which must be the newest, unless a key
    /// for sealing is being replaced: which.
    async fn forget_roots(&self, root: &str, now: Timestamp) -> Result<Vec<String>, LedgerError>;
}
