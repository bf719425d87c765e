//! The form of a file: a head that says what the code is of, a seal over that and the code, the code.

use std::hash::Hasher;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Compilation, Unfit};

/// What a file begins with. The last byte is the form's version.
pub(super) const FORM: &[u8; 16] = b"countersign-cod\x01";

/// The form, the component, the engine, the seal.
pub(super) const HEAD: usize = 16 + 32 + 32 + 32;
const SEALED_HEAD: usize = HEAD - 32;

/// What only this host can make and tell: HMAC-SHA256 under its own key.
pub(super) struct Seal(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    pub(super) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// What a file of `code` begins with.
    pub(super) fn head(&self, made: &Compilation, code: &[u8]) -> Vec<u8> {
        let mut head = [&FORM[..], &made.component, &made.engine].concat();
        let seal = self.over(&head, code).finalize().into_bytes();
        head.extend_from_slice(&seal);
        head
    }

    /// The code in `file`, if it is of what is `wanted` and this host sealed it.
    pub(super) fn open<'f>(&self, wanted: &Compilation, file: &'f [u8]) -> Result<&'f [u8], Unfit> {
        let (head, code) = file.split_at_checked(HEAD).ok_or(Unfit::Form)?;
        let (said, seal) = head.split_at(SEALED_HEAD);
        // In constant time: who can ask often must not find a seal out byte by byte.
        self.over(said, code)
            .verify_slice(seal)
            .map_err(|_| Unfit::Seal)?;
        let (form, said) = said.split_at(FORM.len());
        let (component, engine) = said.split_at(32);
        if form != FORM {
            return Err(Unfit::Form);
        }
        if component != wanted.component {
            return Err(Unfit::Component);
        }
        if engine != wanted.engine {
            return Err(Unfit::Engine);
        }
        Ok(code)
    }

    pub(super) fn over(&self, head: &[u8], code: &[u8]) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0[..]);
        let mut mac = mac.expect("INVARIANT: HMAC takes keys of any length");
        mac.update(head);
        mac.update(code);
        mac
    }
}

/// Takes in what wasmtime says of an engine, all of it: a cache that takes one engine's code for another's
/// must not hang on 64 bits.
pub(super) struct Engines(pub(super) Sha256);

impl Hasher for Engines {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        let first = digest.first_chunk().copied().unwrap_or_default();
        u64::from_le_bytes(first)
    }
}
