//! The public keys of an issuer (RFC 7517), each bound to its one algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Keys of one issuer, at most. Real ones have two to ten.
const MAX_KEYS: usize = 100;
/// Bytes of an RSA modulus: 2,048 bits, below which they can be broken, to 8,192.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// Bytes of an RSA exponent, at most. Everybody has 65,537, in three.
const MAX_EXPONENT: usize = 4;
/// Bytes of a coordinate, on the curves that are taken.
const COORDINATE: usize = 32;

/// A public key.
#[derive(Clone)]
pub(super) struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

impl Key {
    /// The one algorithm that it verifies.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key itself.
    pub(super) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

/// What is wrong with a JWKS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// It is not `{"keys": […]}`.
    #[error("it is no JWKS")]
    NotAJwks,
    /// It has more keys than anybody needs.
    #[error("it has more than {MAX_KEYS} keys")]
    TooMany,
}

/// The usable keys of a JWKS.
#[derive(Clone, Default)]
pub(super) struct KeySet {
    keys: Vec<Key>,
    ignored: Vec<&'static str>,
}

impl KeySet {
    /// Those of `json` that can be used: of the others it is known why not (RFC 7517, section 5).
    pub(super) fn parse(json: &[u8]) -> Result<Self, KeysError> {
        #[derive(Deserialize)]
        struct Published {
            keys: Vec<Value>,
        }

        let published: Published = serde_json::from_slice(json).map_err(|_| KeysError::NotAJwks)?;
        if published.keys.len() > MAX_KEYS {
            return Err(KeysError::TooMany);
        }
        let mut set = Self::default();
        for key in published.keys {
            match serde_json::from_value::<Jwk>(key).map_err(|_| "it is malformed") {
                Ok(jwk) => match jwk.usable() {
                    Ok(key) => set.keys.push(key),
                    Err(why) => set.ignored.push(why),
                },
                Err(why) => set.ignored.push(why),
            }
        }
        Ok(set)
    }

    /// How many can be used.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Why each of the others cannot.
    pub(super) fn ignored(&self) -> &[&'static str] {
        &self.ignored
    }

    /// The key `id` for `algorithm`. A JWT that names none is taken where there is only one to mean.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let found = match (id, self.keys.as_slice()) {
            (Some(_), keys) => keys
                .iter()
                .find(|key| key.id.as_deref() == id && key.algorithm == algorithm),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        found.filter(|key| key.algorithm == algorithm)
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

impl Jwk {
    fn usable(self) -> Result<Key, &'static str> {
        // Whoever can read the set could sign with it.
        if self.d.is_some() || self.p.is_some() || self.k.is_some() {
            return Err("it is a private or symmetric key, which nobody may publish: replace it");
        }
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err("it is not for signatures");
        }
        let verifies = |ops: &Vec<String>| ops.iter().any(|op| op == "verify");
        if !self.key_ops.as_ref().is_none_or(verifies) {
            return Err("it is not for verifying");
        }
        let (algorithm, decoding) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", None) => (Algorithm::RS256, self.rsa()?),
            ("EC", Some("P-256")) => (Algorithm::ES256, self.point()?),
            ("OKP", Some("Ed25519")) => (Algorithm::EdDSA, self.edwards()?),
            _ => return Err("its kind or curve is not taken"),
        };
        let is_for = |alg: &str| match algorithm {
            Algorithm::RS256 => alg == "RS256",
            Algorithm::ES256 => alg == "ES256",
            // RFC 9864 names the curve as the algorithm.
            _ => matches!(alg, "EdDSA" | "Ed25519"),
        };
        if !self.alg.as_deref().is_none_or(is_for) {
            return Err("its algorithm is not taken");
        }
        Ok(Key {
            id: self.kid,
            algorithm,
            decoding,
        })
    }

    fn rsa(&self) -> Result<DecodingKey, &'static str> {
        let modulus = bytes(self.n.as_deref())?;
        // Some publish the sign byte of their integer.
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(&modulus);
        let exponent = bytes(self.e.as_deref())?;
        if !MODULUS.contains(&modulus.len()) || exponent.len() > MAX_EXPONENT {
            return Err("it has an RSA modulus or exponent of a length that is not taken");
        }
        Ok(DecodingKey::from_rsa_raw_components(modulus, &exponent))
    }

    fn point(&self) -> Result<DecodingKey, &'static str> {
        // Uncompressed (SEC 1, section 2.3.3).
        let mut point = vec![4];
        point.extend(coordinate(self.x.as_deref())?);
        point.extend(coordinate(self.y.as_deref())?);
        Ok(DecodingKey::from_ec_der(&point))
    }

    fn edwards(&self) -> Result<DecodingKey, &'static str> {
        Ok(DecodingKey::from_ed_der(&coordinate(self.x.as_deref())?))
    }
}

fn bytes(text: Option<&str>) -> Result<Vec<u8>, &'static str> {
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or("it is malformed")
}

fn coordinate(text: Option<&str>) -> Result<Vec<u8>, &'static str> {
    let bytes = bytes(text)?;
    if bytes.len() == COORDINATE {
        Ok(bytes)
    } else {
        Err("it has a coordinate of a wrong length")
    }
}
