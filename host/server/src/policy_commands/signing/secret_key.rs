//! minisign's secret keys: <https://jedisct1.github.io/minisign/#secret-key-format>.
//!
//! Written here because crates print them in `Debug` and leave them in memory. What is cryptography is `ring`,
//! `blake2` and `scrypt`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest as _};
use countersign_core::chance::{Chance, bytes};
use countersign_core::signature::{KeyId, PublicKey};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::config::Hidden;

const COMMENT: &str = "untrusted comment: countersign policy secret key";
const LENGTH: usize = 158;
/// What the password's stream covers: id, seed, public key and checksum.
const COVERED: usize = 8 + 64 + 32;
/// scrypt with N = 2^17, r = 8, p = 1, as libsodium writes it: what OWASP recommends where a person waits, and a
/// small machine can still do.
const OPERATIONS: u64 = 1 << 22;
const MEMORY: u64 = 1 << 27;
/// What `minisign` itself asks for; more would be a way to have this program use all memory there is.
const MOST_LOG_N: u8 = 20;
const MOST_PARALLEL: u32 = 16;

/// Why a secret key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretKeyError {
    /// It is none.
    #[error("it is no secret key of `countersign policy keygen` or `minisign -G`")]
    NoKey,
    /// Its password is to be stretched too far.
    #[error("it asks for more memory for its password than minisign ever does")]
    TooMuch,
    /// The password is not its.
    #[error("the password is wrong, or the key is damaged")]
    Password,
    /// There is no password, and it does not hold together.
    #[error("the key is damaged")]
    Damaged,
}

/// A secret key, open.
pub struct SecretKey {
    id: KeyId,
    pair: Ed25519KeyPair,
    seed: Zeroizing<[u8; 32]>,
}

/// A secret key, as its file holds it.
pub struct Sealed {
    is_encrypted: bool,
    salt: [u8; 32],
    operations: u64,
    memory: u64,
    covered: Zeroizing<[u8; COVERED]>,
}

impl SecretKey {
    /// A new one.
    pub fn make(chance: &dyn Chance) -> Self {
        let seed = Zeroizing::new(bytes(chance));
        Self {
            id: KeyId::new(bytes(chance)),
            pair: pair(&seed),
            seed,
        }
    }

    /// The other half of the pair.
    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.id, public_of(&self.pair))
    }

    /// The signature of `message`.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.pair.sign(message);
        let signature = signature.as_ref().try_into();
        signature.expect("INVARIANT: an Ed25519 signature has 64 bytes")
    }

    /// Its file, for everybody who can read it.
    pub fn plain(&self) -> Hidden {
        self.file((*b"\0\0", [0; 32], 0, 0), &self.covered())
    }

    /// Its file, for those who know `password`.
    pub fn encrypted(&self, password: &str, chance: &dyn Chance) -> Result<Hidden, SecretKeyError> {
        let salt = bytes(chance);
        let mut covered = self.covered();
        let stream = stream(password, &salt, (OPERATIONS, MEMORY))?;
        cover(&mut covered, &stream);
        Ok(self.file((*b"Sc", salt, OPERATIONS, MEMORY), &covered))
    }

    /// Reads a key's file.
    pub fn parse(text: &str) -> Result<Sealed, SecretKeyError> {
        let line = text.lines().nth(1).ok_or(SecretKeyError::NoKey)?.trim();
        let bytes = STANDARD.decode(line).map_err(|_| SecretKeyError::NoKey)?;
        let bytes = Zeroizing::new(bytes);
        if bytes.len() != LENGTH {
            return Err(SecretKeyError::NoKey);
        }
        let part = |from: usize, length: usize| &bytes[from..from + length];
        let number = |from| {
            let bytes = part(from, 8).try_into();
            u64::from_le_bytes(bytes.expect("INVARIANT: eight bytes"))
        };
        let is_encrypted = match part(2, 2) {
            b"\0\0" => false,
            b"Sc" => true,
            _ => return Err(SecretKeyError::NoKey),
        };
        if part(0, 2) != b"Ed" || part(4, 2) != b"B2" {
            return Err(SecretKeyError::NoKey);
        }
        let (salt, covered) = (part(6, 32).try_into(), part(54, COVERED).try_into());
        Ok(Sealed {
            is_encrypted,
            salt: salt.expect("INVARIANT: 32 bytes"),
            operations: number(38),
            memory: number(46),
            covered: Zeroizing::new(covered.expect("INVARIANT: as long as it is covered")),
        })
    }

    /// Id, seed, public key and checksum.
    fn covered(&self) -> Zeroizing<[u8; COVERED]> {
        let mut covered = Zeroizing::new([0; COVERED]);
        covered[..8].copy_from_slice(&self.id.bytes());
        covered[8..40].copy_from_slice(&*self.seed);
        covered[40..72].copy_from_slice(&public_of(&self.pair));
        let sum = checksum(&covered);
        covered[72..].copy_from_slice(&sum);
        covered
    }

    fn file(
        &self,
        (kind, salt, operations, memory): ([u8; 2], [u8; 32], u64, u64),
        covered: &[u8; COVERED],
    ) -> Hidden {
        let (operations, memory) = (operations.to_le_bytes(), memory.to_le_bytes());
        let parts: [&[u8]; 7] = [b"Ed", &kind, b"B2", &salt, &operations, &memory, covered];
        let bytes = Zeroizing::new(parts.concat());
        let line = Zeroizing::new(STANDARD.encode(&*bytes));
        Hidden::new(format!("{COMMENT}\n{}\n", *line))
    }
}

impl Sealed {
    /// Whether it takes a password.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// The key, if the password is its; one that is not encrypted needs none.
    pub fn open(mut self, password: &str) -> Result<SecretKey, SecretKeyError> {
        let wrong = match self.is_encrypted {
            true => SecretKeyError::Password,
            false => SecretKeyError::Damaged,
        };
        if self.is_encrypted {
            let stream = stream(password, &self.salt, (self.operations, self.memory))?;
            cover(&mut self.covered, &stream);
        }
        // `minisign` leaves the checksum out of what it does not encrypt.
        let has_none = !self.is_encrypted && self.covered[72..] == [0; 32];
        let sum = checksum(&self.covered);
        if !has_none && !bool::from(sum.ct_eq(&self.covered[72..])) {
            return Err(wrong);
        }
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(&self.covered[8..40]);
        let id: [u8; 8] = self.covered[..8].try_into().expect("INVARIANT: 8 bytes");
        let pair = pair(&seed);
        if !bool::from(public_of(&pair).ct_eq(&self.covered[40..72])) {
            return Err(wrong);
        }
        let id = KeyId::new(id);
        Ok(SecretKey { id, pair, seed })
    }
}

fn pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("INVARIANT: any 32 bytes are a seed")
}

fn public_of(pair: &Ed25519KeyPair) -> [u8; 32] {
    let public = pair.public_key().as_ref().try_into();
    public.expect("INVARIANT: a public key has 32 bytes")
}

fn checksum(covered: &[u8; COVERED]) -> [u8; 32] {
    let mut sum = Blake2b::<U32>::new();
    sum.update(b"Ed");
    sum.update(&covered[..72]);
    sum.finalize().into()
}

/// What a password covers a key with.
fn stream(
    password: &str,
    salt: &[u8; 32],
    limits: (u64, u64),
) -> Result<Zeroizing<[u8; COVERED]>, SecretKeyError> {
    let (log_n, parallel) = picked(limits);
    if log_n > MOST_LOG_N || parallel > MOST_PARALLEL {
        return Err(SecretKeyError::TooMuch);
    }
    let params = scrypt::Params::new(log_n, 8, parallel).map_err(|_| SecretKeyError::TooMuch)?;
    let mut stream = Zeroizing::new([0; COVERED]);
    scrypt::scrypt(password.as_bytes(), salt, &params, &mut *stream)
        .map_err(|_| SecretKeyError::TooMuch)?;
    Ok(stream)
}

fn cover(covered: &mut [u8; COVERED], stream: &[u8; COVERED]) {
    for (byte, over) in covered.iter_mut().zip(stream) {
        *byte ^= over;
    }
}

/// scrypt's log₂ N and p, as libsodium takes them from its two limits, with r = 8.
fn picked((operations, memory): (u64, u64)) -> (u8, u32) {
    let operations = operations.max(32_768);
    let log_n = |most_n: u64| (1..63).find(|n| 1 << n > most_n / 2).unwrap_or(63);
    if operations < memory / 32 {
        return (log_n(operations / 32), 1);
    }
    let log_n = log_n(memory / 1_024);
    let most = (operations / 4 / (1 << log_n)).min(0x3fff_ffff);
    (log_n, u32::try_from(most / 8).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use countersign_core::chance::OsChance;

    use super::*;

    #[test]
    fn a_key_comes_back_with_its_password_and_with_no_other() {
        let key = SecretKey::make(&OsChance);
        let file = key.encrypted("correct horse", &OsChance).expect("made");
        let opened = |password| {
            let sealed = SecretKey::parse(file.reveal()).expect("a key");
            assert!(sealed.is_encrypted());
            sealed.open(password)
        };
        assert_eq!(
            opened("correct horse").ok().map(|key| key.public()),
            Some(key.public())
        );
        assert!(matches!(
            opened("wrong horse"),
            Err(SecretKeyError::Password)
        ));
    }

    #[test]
    fn a_key_without_a_password_is_read_as_it_is_and_any_damage_shows() {
        let key = SecretKey::make(&OsChance);
        let file = key.plain();
        let sealed = SecretKey::parse(file.reveal()).expect("a key");
        assert_eq!(
            sealed.open("").ok().map(|key| key.public()),
            Some(key.public())
        );
        for at in 0..COVERED {
            let mut sealed = SecretKey::parse(file.reveal()).expect("a key");
            sealed.covered[at] ^= 1;
            assert!(sealed.open("").is_err(), "byte {at}");
        }
        for wrong in ["", "a\nb", "untrusted comment: x\nRW"] {
            assert!(SecretKey::parse(wrong).is_err(), "`{wrong}`");
        }
    }

    #[test]
    fn minisigns_own_key_is_read() {
        let text =
            include_str!("../../../../../tests/all/policy_signatures/minisign/test-only.key");
        let public =
            include_str!("../../../../../tests/all/policy_signatures/minisign/release.pub");
        let key = SecretKey::parse(text).and_then(|sealed| sealed.open(""));
        let expected = PublicKey::parse(public).expect("a key");
        assert_eq!(key.ok().map(|key| key.public()), Some(expected));
    }

    #[test]
    fn limits_are_taken_as_libsodium_takes_them() {
        assert_eq!(picked((OPERATIONS, MEMORY)), (17, 1));
        // minisign's own, and those of a small machine.
        assert_eq!(picked((33_554_432, 1 << 30)), (20, 1));
        assert_eq!(picked((524_288, 16_777_216)), (14, 1));
    }

    #[test]
    fn a_key_that_asks_for_all_memory_is_refused() {
        let refused = stream("", &[0; 32], (1 << 40, 1 << 40));
        assert!(matches!(refused, Err(SecretKeyError::TooMuch)));
    }
}
