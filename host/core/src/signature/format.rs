//! minisign's format: <https://jedisct1.github.io/minisign/>.
//!
//! Read here and not by a crate, because the sentences need what crates keep to themselves: which key a
//! signature names, and whether the module or the comment was changed. What is cryptography is `ring` and
//! `blake2`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest as _};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The longest text that is read as a signature; `minisign`'s own bound for a comment is 8,192.
pub const MOST_BYTES: usize = 16 * 1024;

const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";
const ID: usize = 8;
const KEY: usize = 32;
const SIGNATURE: usize = 64;
/// A secret key's length, encrypted or not: whoever gives it away by mistake is told.
const SECRET_KEY: usize = 158;

/// Why a text is no signature, or no key. None of them repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is too long.
    #[error("it is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// It is not text.
    #[error("it is not text")]
    NotText,
    /// It has fewer lines than a signature, or shorter ones.
    #[error("it is cut off: a signature has four lines, each of them whole")]
    CutOff,
    /// It has another form.
    #[error("it is no signature in minisign's format")]
    NoSignature,
    /// It is of a kind that is not known.
    #[error("it is a signature of a kind that is not known here: Ed25519 is, plain and prehashed")]
    Kind,
    /// It is no public key.
    #[error(
        "it is no public key of minisign: give the line of 56 characters in the `.pub` file that begins with `RW`"
    )]
    NoKey,
    /// It is a secret key.
    #[error(
        "it is a secret key, and now known to whoever could read this: give the public one, in the `.pub` file, and make another pair"
    )]
    SecretKey,
}

/// Which key, as minisign names it: it tells keys apart, and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId([u8; ID]);

impl KeyId {
    /// These bytes.
    pub fn new(bytes: [u8; ID]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn bytes(self) -> [u8; ID] {
        self.0
    }
}

/// As `minisign` shows it.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_le_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl serde::Serialize for KeyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    id: KeyId,
    key: [u8; KEY],
}

impl PublicKey {
    /// This key under this id.
    pub fn new(id: KeyId, key: [u8; KEY]) -> Self {
        Self { id, key }
    }

    /// One line of base64, or a `.pub` file with such a line.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut lines = lines.skip_while(|line| line.starts_with(UNTRUSTED.trim_end()));
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Err(FormatError::NoKey);
        };
        let bytes = STANDARD.decode(line).map_err(|_| FormatError::NoKey)?;
        if bytes.len() == SECRET_KEY {
            return Err(FormatError::SecretKey);
        }
        let (kind, rest) = bytes.split_first_chunk().ok_or(FormatError::NoKey)?;
        let (id, key) = rest.split_first_chunk().ok_or(FormatError::NoKey)?;
        let key = key.try_into().map_err(|_| FormatError::NoKey)?;
        match kind {
            b"Ed" => Ok(Self::new(KeyId(*id), key)),
            _ => Err(FormatError::NoKey),
        }
    }

    /// Which.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The line of base64.
    pub fn line(&self) -> String {
        STANDARD.encode([&b"Ed"[..], &self.id.0, &self.key].concat())
    }

    /// The `.pub` file, as `minisign` writes it.
    pub fn file(&self) -> String {
        let (id, line) = (self.id, self.line());
        format!("{UNTRUSTED}minisign public key {id}\n{line}\n")
    }

    fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(message, signature).is_ok()
    }
}

/// What is signed: the bytes, or their digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The bytes: what `minisign` made before version 0.10, and still makes if asked.
    Plain,
    /// Their BLAKE2b-512 digest.
    Prehashed,
}

/// What a prehashed signature signs.
pub fn prehash(bytes: &[u8]) -> [u8; 64] {
    Blake2b512::digest(bytes).into()
}

/// A signature, whoever made it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    key_id: KeyId,
    algorithm: Algorithm,
    signature: [u8; SIGNATURE],
    comment: String,
    over_all: [u8; SIGNATURE],
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", self.key_id)
    }
}

impl Signature {
    /// A signature with its comment; `sign` makes signatures, without randomness, with the key of that id.
    pub fn make(
        bytes: &[u8],
        key_id: KeyId,
        comment: &str,
        sign: impl Fn(&[u8]) -> [u8; SIGNATURE],
    ) -> Self {
        // A line more would be read as something else.
        let comment = comment.replace(['\n', '\r'], " ");
        let signature = sign(&prehash(bytes));
        let over_all = sign(&[&signature, comment.as_bytes()].concat());
        Self {
            key_id,
            algorithm: Algorithm::Prehashed,
            signature,
            comment,
            over_all,
        }
    }

    /// The text of a `.minisig` file.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        if text.len() > MOST_BYTES {
            return Err(FormatError::TooLong);
        }
        let mut lines = text.lines();
        let untrusted = lines.next().ok_or(FormatError::CutOff)?;
        if !untrusted.starts_with(UNTRUSTED) {
            return Err(begun(untrusted, UNTRUSTED));
        }
        let bytes = decoded(lines.next())?;
        let (kind, rest) = bytes.split_first_chunk().ok_or(FormatError::CutOff)?;
        let algorithm = match kind {
            b"Ed" => Algorithm::Plain,
            b"ED" => Algorithm::Prehashed,
            _ => return Err(FormatError::Kind),
        };
        let (id, signature) = rest.split_first_chunk().ok_or(FormatError::CutOff)?;
        let signature = whole(signature)?;
        let trusted = lines.next().ok_or(FormatError::CutOff)?;
        let Some(comment) = trusted.strip_prefix(TRUSTED) else {
            return Err(begun(trusted, TRUSTED));
        };
        let over_all = whole(&decoded(lines.next())?)?;
        if lines.any(|line| !line.trim().is_empty()) {
            return Err(FormatError::NoSignature);
        }
        Ok(Self {
            key_id: KeyId(*id),
            algorithm,
            signature,
            comment: comment.to_owned(),
            over_all,
        })
    }

    /// The text of a `.minisig` file.
    pub fn file(&self) -> String {
        let kind = match self.algorithm {
            Algorithm::Plain => b"Ed",
            Algorithm::Prehashed => b"ED",
        };
        let signature = [&kind[..], &self.key_id.0, &self.signature].concat();
        format!(
            "{UNTRUSTED}signature from countersign, key {}\n{}\n{TRUSTED}{}\n{}\n",
            self.key_id,
            STANDARD.encode(signature),
            self.comment,
            STANDARD.encode(self.over_all)
        )
    }

    /// The key that it names.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// What is signed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The comment, which [`Signature::is_whole`] is about.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Whether `key` signed `bytes`.
    pub fn is_of(&self, bytes: &[u8], key: &PublicKey) -> bool {
        match self.algorithm {
            Algorithm::Plain => key.verify(bytes, &self.signature),
            Algorithm::Prehashed => key.verify(&prehash(bytes), &self.signature),
        }
    }

    /// Whether `key` signed this signature together with its comment.
    pub fn is_whole(&self, key: &PublicKey) -> bool {
        let all = [&self.signature, self.comment.as_bytes()].concat();
        key.verify(&all, &self.over_all)
    }
}

/// What is wrong with a line that should begin otherwise.
fn begun(line: &str, prefix: &str) -> FormatError {
    match prefix.starts_with(line) {
        true => FormatError::CutOff,
        false => FormatError::NoSignature,
    }
}

/// A line of base64; one that is cut off is no whole number of bytes, or of bytes that belong together.
fn decoded(line: Option<&str>) -> Result<Vec<u8>, FormatError> {
    let line = line.ok_or(FormatError::CutOff)?.trim();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    match STANDARD.decode(line) {
        Ok(bytes) => Ok(bytes),
        Err(_) if line.chars().all(is_base64) => Err(FormatError::CutOff),
        Err(_) => Err(FormatError::NoSignature),
    }
}

fn whole(bytes: &[u8]) -> Result<[u8; SIGNATURE], FormatError> {
    match bytes.len() > SIGNATURE {
        true => Err(FormatError::NoSignature),
        false => bytes.try_into().map_err(|_| FormatError::CutOff),
    }
}
