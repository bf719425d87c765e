//! The root: what the operator keeps, and the ledger never sees.

use aes_gcm::aead::{Aead, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Purpose, WrappedKey, hex, mac};
use crate::chance::{self, Chance};

/// What the wrapping of a key says beside the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing.
    Plain,
    /// That each generation of the ledger is sealed. Only who has the root can say it, and only who kept a
    /// wrapping from before can take it back.
    Sealed,
}

/// Thirty-two secret bytes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RootKey {
    bytes: [u8; 32],
    #[zeroize(skip)]
    id: String,
}

impl RootKey {
    /// From bytes that were generated or read elsewhere.
    pub fn new(bytes: [u8; 32]) -> Self {
        let mut root = Self {
            bytes,
            id: String::new(),
        };
        root.id = hex(&root.derive("id")[..4]);
        root
    }

    /// Which it is: eight hex characters that reveal nothing of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes, for the file that keeps them.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub(super) fn derive(&self, label: &str) -> [u8; 32] {
        mac(&self.bytes, &[b"countersign key v1", label.as_bytes()])
    }

    /// AES-256-GCM under a random nonce, with what the key is and under what as associated data, so that
    /// one wrapped key put in the place of another does not open.
    pub(super) fn wrap(
        &self,
        (purpose, form): (Purpose, Form),
        id: &str,
        key: &[u8; 32],
        chance: &dyn Chance,
    ) -> WrappedKey {
        let nonce = chance::bytes::<12>(chance);
        let aad = self.associated_data((purpose, form), id);
        let payload = Payload {
            msg: key.as_slice(),
            aad: aad.as_bytes(),
        };
        let sealed = Aes256Gcm::new((&self.derive("wrap")).into())
            .encrypt(&Nonce::from(nonce), payload)
            .expect("INVARIANT: 32 bytes can be sealed");
        WrappedKey {
            id: id.to_owned(),
            purpose,
            is_active: true,
            root: self.id.clone(),
            bytes: [nonce.as_slice(), &sealed].concat(),
        }
    }

    /// What [`RootKey::wrap`] wrapped, in whichever form.
    pub(super) fn unwrap(&self, wrapped: &WrappedKey) -> Option<([u8; 32], Form)> {
        let one = |form| Some((self.unwrap_as(wrapped, form)?, form));
        one(Form::Sealed).or_else(|| one(Form::Plain))
    }

    fn unwrap_as(&self, wrapped: &WrappedKey, form: Form) -> Option<[u8; 32]> {
        let (nonce, sealed) = wrapped.bytes.split_first_chunk::<12>()?;
        let aad = self.associated_data((wrapped.purpose, form), &wrapped.id);
        let payload = Payload {
            msg: sealed,
            aad: aad.as_bytes(),
        };
        let bytes = Aes256Gcm::new((&self.derive("wrap")).into())
            .decrypt(&Nonce::from(*nonce), payload)
            .ok()?;
        Zeroizing::new(bytes).as_slice().try_into().ok()
    }

    fn associated_data(&self, (purpose, form): (Purpose, Form), id: &str) -> String {
        let says = match form {
            Form::Plain => "v1",
            Form::Sealed => "v1 sealed-generations",
        };
        format!("countersign data key {says} {} {purpose} {id}", self.id)
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RootKey({})", self.id)
    }
}
