//! Who signed a policy module, and whether that counts here.
//!
//! Signatures are detached and in minisign's format, so that `minisign` makes and checks them as well. What
//! they say of themselves is believed only once a key that this host trusts has verified it.

mod format;
#[cfg(test)]
mod tests;

use async_trait::async_trait;

pub use self::format::{Algorithm, FormatError, KeyId, MOST_BYTES, PublicKey, Signature, prehash};
use crate::ports::LedgerError;
use crate::text::escaped;
use crate::time::Timestamp;

/// The most of a trusted comment that is shown.
const SHOWN_COMMENT: usize = 200;
/// The longest name that a key is given.
const NAME_BYTES: usize = 64;

/// A public key whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// What people call it.
    pub name: Option<String>,
}

/// Why a trusted key is not understood. No text repeats what was written: it may be a secret key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no public key.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Its name is not fit.
    #[error("a key's name is of 1 to {NAME_BYTES} letters, digits, spaces and `.`, `_`, `-`, `@`")]
    Name,
    /// It is there twice.
    #[error("key {0} is there twice")]
    Twice(KeyId),
}

/// The keys whose signatures count, and whether a module needs one.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    keys: Vec<TrustedKey>,
    is_required: bool,
}

/// Whose signature a module has.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Signer {
    /// Which key.
    pub key_id: KeyId,
    /// What people call it, where it is trusted and has a name.
    pub name: Option<String>,
    /// Whether the key is trusted, and so its signature was verified.
    pub trusted: bool,
    /// The comment that was signed with the module, fit to be shown. Of a key that is not trusted, nobody
    /// knows whether it is that key's.
    pub comment: String,
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} ({})", self.key_id),
            None => write!(f, "{}", self.key_id),
        }
    }
}

/// Why a module's signatures do not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// What should be a signature is none.
    #[error(
        "its signature cannot be read: {0}; whoever meant it to be signed signs it anew, with `countersign policy sign`"
    )]
    Unreadable(#[from] FormatError),
    /// A trusted key's signature is not for these bytes.
    #[error(
        "its signature names key {signer} and does not hold: it was changed after it was signed, or the signature is another file's, or another key's; bring the module and its signature as they were signed"
    )]
    Bytes {
        /// Whose signature it would be.
        signer: Box<Signer>,
    },
    /// A trusted key's signature is for these bytes, and its comment is another one.
    #[error(
        "the signature of key {signer} is for this module, and its trusted comment `{}` was changed after it was signed; bring the signature as it was made", signer.comment
    )]
    Comment {
        /// Whose signature it is.
        signer: Box<Signer>,
    },
    /// Those who signed are not trusted, and somebody who is must have.
    #[error(
        "it is signed by key {}, which this host does not trust (its comment says `{}`, which nobody vouches for); trusted are {trusted}: have one of them sign it, or add that key to COUNTERSIGN_POLICY_KEYS", signer.key_id, signer.comment
    )]
    Unknown {
        /// One of those who signed.
        signer: Box<Signer>,
        /// Who could have.
        trusted: String,
    },
    /// Nobody signed it, and somebody must have.
    #[error(
        "nobody signed it, and this host takes signed modules only (COUNTERSIGN_REQUIRE_SIGNATURE); trusted are {trusted}: sign it with `countersign policy sign`, which puts a `.minisig` beside it"
    )]
    Nobody {
        /// Who could have.
        trusted: String,
    },
}

impl TrustedKeys {
    /// These keys; with `is_required`, modules that none of them signed do not load.
    pub fn new(keys: Vec<TrustedKey>, is_required: bool) -> Self {
        Self { keys, is_required }
    }

    /// The keys in a list with commas between them, each a public key in minisign's base64, or `name=key`.
    ///
    /// # Errors
    ///
    /// The first that is wrong, by its place from 1.
    pub fn parse(list: &str) -> Result<Vec<TrustedKey>, (usize, KeyError)> {
        let mut keys: Vec<TrustedKey> = Vec::new();
        for (place, one) in (1..).zip(list.split(',')) {
            let key = TrustedKey::parse(one).map_err(|error| (place, error))?;
            if keys.iter().any(|known| known.key.id() == key.key.id()) {
                return Err((place, KeyError::Twice(key.key.id())));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// Whether a module needs a signature.
    pub fn is_required(&self) -> bool {
        self.is_required
    }

    /// The keys.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The key with this id.
    pub fn key(&self, id: KeyId) -> Option<&TrustedKey> {
        self.keys.iter().find(|known| known.key.id() == id)
    }

    /// Who signed `bytes`, by these signatures. Each that is a trusted key's must hold, whether or not one is
    /// required: somebody meant the module to be signed.
    ///
    /// # Errors
    ///
    /// A sentence for whoever brought the module.
    pub fn check(&self, bytes: &[u8], signatures: &[String]) -> Result<Vec<Signer>, Unsigned> {
        let mut signers = Vec::new();
        for text in signatures {
            let signature = Signature::parse(text)?;
            signers.push(self.one(bytes, &signature)?);
        }
        if self.is_required && !signers.iter().any(|signer| signer.trusted) {
            let trusted = self.names();
            return Err(match signers.pop() {
                Some(signer) => Unsigned::Unknown {
                    signer: Box::new(signer),
                    trusted,
                },
                None => Unsigned::Nobody { trusted },
            });
        }
        Ok(signers)
    }

    fn one(&self, bytes: &[u8], signature: &Signature) -> Result<Signer, Unsigned> {
        let known = self.key(signature.key_id());
        let signer = Signer {
            key_id: signature.key_id(),
            name: known.and_then(|known| known.name.clone()),
            trusted: known.is_some(),
            comment: shown_comment(signature.comment()),
        };
        let Some(known) = known else {
            return Ok(signer);
        };
        if !signature.is_of(bytes, &known.key) {
            let signer = Box::new(signer);
            return Err(Unsigned::Bytes { signer });
        }
        if !signature.is_whole(&known.key) {
            let signer = Box::new(signer);
            return Err(Unsigned::Comment { signer });
        }
        Ok(signer)
    }

    /// The keys, for people.
    fn names(&self) -> String {
        let name = |known: &TrustedKey| match &known.name {
            Some(name) => format!("{name} ({})", known.key.id()),
            None => known.key.id().to_string(),
        };
        self.keys.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

impl TrustedKey {
    fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        // What base64 ends in is no name's end.
        let is_named = text.trim_end_matches('=').contains('=');
        let (name, key) = match text.split_once('=') {
            Some((name, key)) if is_named => (Some(name.trim()), key),
            _ => (None, text),
        };
        let is_fit = |c: char| c.is_ascii_alphanumeric() || " ._-@".contains(c);
        if name.is_some_and(|name| {
            name.is_empty() || name.len() > NAME_BYTES || !name.chars().all(is_fit)
        }) {
            return Err(KeyError::Name);
        }
        Ok(Self {
            key: PublicKey::parse(key.trim())?,
            name: name.map(str::to_owned),
        })
    }
}

/// A comment, as people see it: what would mislead a reader is escaped, and it ends somewhere.
pub fn shown_comment(comment: &str) -> String {
    let mut shown = escaped(comment);
    if shown.len() > SHOWN_COMMENT {
        shown.truncate(shown.floor_char_boundary(SHOWN_COMMENT));
        shown.push('…');
    }
    shown
}

/// A signature that a trusted key made, as it is kept beside the module's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSignature {
    /// The module's digest.
    pub digest: String,
    /// The key's id, as it was when it was kept.
    pub key_id: String,
    /// The signature, in minisign's format.
    pub text: String,
    /// When it was kept.
    pub at: Timestamp,
    /// Who or what brought it: an audit label.
    pub by: String,
}

/// The record of who signed which module.
#[async_trait]
pub trait SignatureLedger: Send + Sync {
    /// Those that are kept of the module with this digest, by key.
    async fn policy_signatures(&self, digest: &str) -> Result<Vec<KeptSignature>, LedgerError>;

    /// Keeps one, in the place of one by the same key; false where it is kept already.
    async fn keep_policy_signature(&self, signature: &KeptSignature) -> Result<bool, LedgerError>;
}
