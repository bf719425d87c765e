//! Bearer tokens: shown once, kept as a hash.
//!
//! `cso_` (organisation) or `csw_` (workspace), then 43 base64url characters of 256 random bits, then
//! six base62 characters of the CRC-32 of all that precedes them, so that a scanner can tell a leaked
//! token from noise without asking anybody.

use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::chance::{self, Chance};

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// The organisation.
    Organisation,
    /// One workspace.
    Workspace,
}

impl TokenKind {
    const fn marker(self) -> &'static str {
        match self {
            Self::Organisation => "cso_",
            Self::Workspace => "csw_",
        }
    }
}

const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;
/// The length of every token.
pub const TOKEN_LENGTH: usize = 4 + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;

/// A token in clear. It is made, shown once and dropped; nothing that reaches the database, a log or a
/// policy takes one.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PlainToken(String);

impl PlainToken {
    /// A new token.
    pub fn generate(kind: TokenKind, chance: &dyn Chance) -> Self {
        let mut random = chance::bytes::<32>(chance);
        let mut text = String::with_capacity(TOKEN_LENGTH);
        text.push_str(kind.marker());
        URL_SAFE_NO_PAD.encode_string(random, &mut text);
        random.zeroize();
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self(text)
    }

    /// The text, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The first eight characters, by which people tell tokens apart.
    pub fn prefix(&self) -> &str {
        &self.0[..8]
    }
}

impl std::fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainToken(…)")
    }
}

/// SHA-256 of a token. A token has 256 random bits, so a fast hash is enough, and looking one up by its
/// hash leaks nothing that helps to guess another.
#[derive(Clone, Copy, Eq)]
pub struct TokenHash([u8; 32]);

/// In a time that tells nothing of where two differ.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Its first bits are as evenly spread as any hash of them would be.
impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.bits());
    }
}

impl TokenHash {
    /// The hash of what a caller presented, whatever it is.
    pub fn of(presented: &str) -> Self {
        Self(Sha256::digest(presented.as_bytes()).into())
    }

    /// Its first bits, by which it is found among others that this host keeps: those are hashes of tokens
    /// that were minted here, so that nobody chooses where they fall.
    pub fn bits(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// In lower-case hex, as the database keeps it.
    pub fn to_hex(self) -> String {
        crate::keys::hex(&self.0)
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// Whether `presented` has the shape and the checksum of a token of `kind`. What fails this was never
/// minted here, and need not be looked up.
pub fn is_well_formed(presented: &str, kind: TokenKind) -> bool {
    let Some((body, check)) = presented
        .is_ascii()
        .then(|| presented.split_at_checked(4 + RANDOM_CHARACTERS))
        .flatten()
    else {
        return false;
    };
    presented.len() == TOKEN_LENGTH && body.starts_with(kind.marker()) && checksum(body) == check
}

/// Whether something in `text` begins like a token of this host, whole or not.
pub fn has_marker(text: &str) -> bool {
    [TokenKind::Organisation, TokenKind::Workspace]
        .into_iter()
        .any(|kind| text.contains(kind.marker()))
}

fn checksum(body: &str) -> String {
    const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM_CHARACTERS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[rest % 62];
        rest /= 62;
    }
    digits.iter().map(|digit| *digit as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::OsChance;

    #[test]
    fn a_minted_token_has_the_shape_that_scanners_know() {
        let token = PlainToken::generate(TokenKind::Organisation, &OsChance);
        assert_eq!(token.reveal().len(), 53);
        assert!(token.reveal().starts_with("cso_"));
        assert!(is_well_formed(token.reveal(), TokenKind::Organisation));
        assert!(!is_well_formed(token.reveal(), TokenKind::Workspace));
    }

    #[test]
    fn what_begins_like_a_token_is_known_wherever_it_stands() {
        assert!(has_marker("my key is cso_ab") && has_marker("csw_"));
        assert!(!has_marker("cs_o and sw_"));
    }

    #[test]
    fn any_one_changed_character_fails_the_checksum() {
        let token = PlainToken::generate(TokenKind::Organisation, &OsChance);
        for at in 4..TOKEN_LENGTH {
            let mut bytes = token.reveal().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(bytes).expect("ascii");
            assert!(!is_well_formed(&changed, TokenKind::Organisation));
        }
    }

    #[test]
    fn a_token_says_nothing_when_it_is_printed() {
        let token = PlainToken::generate(TokenKind::Organisation, &OsChance);
        assert_eq!(format!("{token:?}"), "PlainToken(…)");
    }

    #[test]
    fn odd_bearers_are_not_tokens() {
        for odd in ["", "cso_", "Zoë", &"é".repeat(30), &"x".repeat(53)] {
            assert!(!is_well_formed(odd, TokenKind::Organisation));
        }
    }
}
