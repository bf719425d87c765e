//! The host's keys: which there are, what each is for, and how one of them is replaced.
//!
//! The operator keeps a *root* of 32 bytes. What is sealed or committed to is so under *data keys*, which
//! the ledger keeps wrapped under the root: so a root is replaced by wrapping a few keys again, and while
//! it is being replaced the ledger opens to the old one and to the new one. Each use has a data key of
//! its own, so that nothing made with one can be confused with what was made with another.
//! `docs/decisions/0014-two-keys-open-the-ledger-while-one-replaces-the-other.md` says why.

mod ledger;
mod root;

use std::sync::{Arc, PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::ZeroizeOnDrop;

pub use self::ledger::{KeyLedger, Purpose, Resealed, RootChange, StoredKeys, WrappedKey};
use self::root::Form;
pub use self::root::RootKey;
use crate::chance::{self, Chance};
use crate::generation::GenerationKey;

/// The key that commitments are made with, and the one that names credentials.
const COMMIT: &str = "commit";
const NAME: &str = "name";

/// A key that secrets are sealed with.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SealKey {
    #[zeroize(skip)]
    id: String,
    bytes: [u8; 32],
}

impl SealKey {
    /// What a sealed value says that it was sealed with.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

/// The keys for sealing: the one in use first, then all others that this process ever had. None is let
/// go, because what was read a moment ago may have been sealed with any of them.
type Ring = Vec<SealKey>;

/// The keys in use.
pub struct Keys {
    /// The current one first.
    roots: Vec<RootKey>,
    commit: [u8; 32],
    /// What the wrapping of that key says.
    form: Form,
    name: [u8; 32],
    ring: RwLock<Arc<Ring>>,
}

/// The keys that the ledger keeps do not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It was made under another root.
    #[error("the database does not open to this host's key")]
    Foreign,
    /// One of them was changed, or is missing.
    #[error("the stored key `{0}` is damaged")]
    Damaged(String),
}

impl Keys {
    /// The first keys of a ledger, which are derived from its root: so of hosts that start at the same time
    /// each makes the same ones.
    pub fn new(root: &RootKey) -> Self {
        let first = SealKey {
            id: root.id().to_owned(),
            bytes: root.derive("seal"),
        };
        Self {
            roots: vec![root.clone()],
            commit: root.derive(COMMIT),
            form: Form::Sealed,
            name: root.derive(NAME),
            ring: RwLock::new(Arc::new(vec![first])),
        }
    }

    /// The first keys, as the ledger is to keep them.
    pub fn first(root: &RootKey, chance: &dyn Chance) -> Vec<WrappedKey> {
        let keys = Self::new(root);
        keys.wrapped_under(root, chance)
    }

    /// The keys that the ledger keeps, opened with whichever of `roots` opens them; the current one comes
    /// first.
    pub fn open(roots: Vec<RootKey>, stored: &StoredKeys) -> Result<Self, KeysError> {
        let one = |purpose| {
            let opened = opened(&roots, stored, purpose)?;
            opened.into_iter().next().ok_or(KeysError::Foreign)
        };
        let (commit, name) = (one(Purpose::Commit)?, one(Purpose::Name)?);
        Ok(Self {
            commit: commit.bytes,
            form: form(&roots, stored),
            name: name.bytes,
            ring: RwLock::new(Arc::new(ring(&roots, stored)?)),
            roots,
        })
    }

    /// Takes over what the ledger keeps by now: another host may have replaced the key for sealing.
    pub fn refresh(&self, stored: &StoredKeys) -> Result<(), KeysError> {
        let mut fresh = ring(&self.roots, stored)?;
        let mut kept = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        for known in kept.iter() {
            if fresh.iter().all(|key| key.id != known.id) {
                fresh.push(known.clone());
            }
        }
        *kept = Arc::new(fresh);
        Ok(())
    }

    /// Which root is the current one: eight hex characters that reveal nothing of it.
    pub fn root(&self) -> &str {
        self.roots[0].id()
    }

    /// The roots that this host was given, the current one first.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(RootKey::id)
    }

    /// The key to seal with.
    pub fn sealing(&self) -> SealKey {
        self.ring()[0].clone()
    }

    /// The key to open with what says that it was sealed with `id`.
    pub fn opening(&self, id: &str) -> Option<SealKey> {
        self.ring().iter().find(|key| key.id == id).cloned()
    }

    /// Whether there is one.
    pub fn has(&self, id: &str) -> bool {
        self.ring().iter().any(|key| key.id == id)
    }

    /// What makes the current root one that the ledger opens to, with a new key for sealing, which every
    /// root that this host was given opens.
    pub fn change_root(&self, chance: &dyn Chance) -> RootChange {
        let root = &self.roots[0];
        let fresh = SealKey {
            id: hex(&chance::bytes::<8>(chance)),
            bytes: chance::bytes(chance),
        };
        let mut keys = self.wrapped_under(root, chance);
        let known = keys.iter().map(|key| key.id.clone()).collect();
        for root in &self.roots {
            keys.push(root.wrap(
                (Purpose::Seal, Form::Plain),
                &fresh.id,
                &fresh.bytes,
                chance,
            ));
        }
        RootChange {
            root: root.id().to_owned(),
            held: self.roots().map(str::to_owned).collect(),
            sealing: fresh.id.clone(),
            known,
            keys,
        }
    }

    /// A commitment to a secret value: it tells two values apart and says nothing about either to
    /// whoever lacks the key. Bound to what surrounds it, so that equal values elsewhere do not show.
    pub fn commit(&self, context: &[&str], value: &[u8]) -> String {
        let mut parts: Vec<&[u8]> = context.iter().map(|part| part.as_bytes()).collect();
        parts.push(value);
        hex(&mac(&self.commit, &parts))
    }

    /// What generations of policies are sealed with.
    pub fn generations(&self) -> GenerationKey {
        // No commitment has this for whose request it is, and so none is this key.
        GenerationKey::new(mac(&self.commit, &[b"countersign key v1", b"generations"]))
    }

    /// Whether each generation of the ledger has a seal. It has from the beginning, or since the first start
    /// after there were seals.
    pub fn are_generations_sealed(&self) -> bool {
        self.form == Form::Sealed
    }

    /// What says so from now on, under each root that this host was given.
    pub fn with_generations_sealed(&self, chance: &dyn Chance) -> Vec<WrappedKey> {
        let says = (Purpose::Commit, Form::Sealed);
        let wrap = |root: &RootKey| root.wrap(says, COMMIT, &self.commit, chance);
        self.roots.iter().map(wrap).collect()
    }

    /// A stable name for a configured credential, such as ADMIN_TOKEN, which changes when it is
    /// replaced: so a grant does not outlive the credential that asked for it.
    pub fn fingerprint(&self, credential: &str) -> String {
        hex(&mac(&self.name, &[credential.as_bytes()])[..8])
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn wrapped_under(&self, root: &RootKey, chance: &dyn Chance) -> Vec<WrappedKey> {
        let mut wrapped = vec![
            root.wrap((Purpose::Commit, self.form), COMMIT, &self.commit, chance),
            root.wrap((Purpose::Name, Form::Plain), NAME, &self.name, chance),
        ];
        for key in self.ring().iter() {
            wrapped.push(root.wrap((Purpose::Seal, Form::Plain), &key.id, &key.bytes, chance));
        }
        wrapped
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.commit.zeroize();
        self.name.zeroize();
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({})", self.root())
    }
}

/// The stored keys for sealing, the active one first.
fn ring(roots: &[RootKey], stored: &StoredKeys) -> Result<Ring, KeysError> {
    let ring = opened(roots, stored, Purpose::Seal)?;
    let active = stored
        .keys
        .iter()
        .find(|key| key.purpose == Purpose::Seal && key.is_active);
    match (active, ring.first()) {
        (Some(active), Some(first)) if active.id == first.id => Ok(ring),
        _ => Err(KeysError::Foreign),
    }
}

/// What the wrapping of the key for commitments says, under any root: what was once said is not taken back by
/// another root's.
fn form(roots: &[RootKey], stored: &StoredKeys) -> Form {
    let says = |wrapped: &WrappedKey| {
        let root = roots.iter().find(|root| root.id() == wrapped.root)?;
        root.unwrap(wrapped).map(|(_, form)| form)
    };
    let mut commit = stored
        .keys
        .iter()
        .filter(|key| key.purpose == Purpose::Commit);
    match commit.any(|wrapped| says(wrapped) == Some(Form::Sealed)) {
        true => Form::Sealed,
        false => Form::Plain,
    }
}

/// The stored keys of one purpose that one of `roots` opens, those in use first.
fn opened(
    roots: &[RootKey],
    stored: &StoredKeys,
    purpose: Purpose,
) -> Result<Vec<SealKey>, KeysError> {
    let mut keys: Vec<SealKey> = Vec::new();
    let of_purpose = stored.keys.iter().filter(|key| key.purpose == purpose);
    let (active, others): (Vec<_>, Vec<_>) = of_purpose.partition(|key| key.is_active);
    for wrapped in active.into_iter().chain(others) {
        let Some(root) = roots.iter().find(|root| root.id() == wrapped.root) else {
            continue;
        };
        if keys.iter().any(|key| key.id == wrapped.id) {
            continue;
        }
        let (bytes, _) = root
            .unwrap(wrapped)
            .ok_or_else(|| KeysError::Damaged(wrapped.id.clone()))?;
        keys.push(SealKey {
            id: wrapped.id.clone(),
            bytes,
        });
    }
    Ok(keys)
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

/// What [`hex`] wrote, of exactly `N` bytes.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
