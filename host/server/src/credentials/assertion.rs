//! Identity assertions: what an edge or an identity-aware proxy signed about the person at its other side.
//!
//! `jsonwebtoken` takes the compact form apart and holds the algorithm to the key's, `ring` verifies, and
//! what the claims must say is asked here, by the host's own clock. The keys are the issuer's JWKS and
//! nothing else: what a header says of other keys (`jwk`, `jku`, `x5u`, `x5c`) is never looked at.

mod claims;
mod jwks;
mod keys;
mod signature;

use axum::http::{HeaderMap, HeaderName};
use countersign_core::caller::{Identity, Issuer, Person};
use countersign_core::time::Timestamp;
use jsonwebtoken::{Header, Validation, decode, decode_header};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use self::jwks::Jwks;
pub use self::jwks::JwksError;
use self::keys::Key;
use super::known::{Evidence, KnownSessions};
use crate::config::AssertionRules;

/// The longest assertion that is looked at. Real ones are one or two kilobytes, with many groups four.
const MAX_ASSERTION: usize = 16 * 1024;

/// Why an assertion proves nothing. None of it repeats what the assertion says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Flaw {
    #[error("its header is there more than once")]
    Twice,
    #[error("it is too long")]
    TooLong,
    #[error("it is no JWT that is signed by an algorithm that is taken (RS256, ES256, EdDSA)")]
    Malformed,
    #[error("it is encrypted, nested, or demands what this host does not know (`crit`)")]
    Demanding,
    #[error("its issuer's JWKS has no such key for its algorithm")]
    UnknownKey,
    #[error("its signature does not hold")]
    Signature,
    #[error("its `iss` is not the configured issuer")]
    Issuer,
    #[error("its `aud` is not a configured audience")]
    Audience,
    #[error("its `{0}` is missing or no instant")]
    NoInstant(&'static str),
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet: if its issuer's clock is right, this host's is slow")]
    NotYetValid,
    #[error(
        "it lives longer than ten minutes, or ends before it begins: have its issuer sign for less"
    )]
    Life,
    #[error("its `sub` is missing or empty, as that of a program may be")]
    NoSubject,
    #[error("it is a program's, as COUNTERSIGN_ASSERTION_SERVICES recognises them")]
    Service,
    #[error("its person claim is missing, or no name that can be shown")]
    NoPerson,
    #[error("its issuer has not verified the email address that is to name the person")]
    Unverified,
    #[error("its groups claim is no list of names that can be shown")]
    Groups,
    #[error("the person is not among COUNTERSIGN_ASSERTION_USERS and _GROUPS")]
    NotAllowed,
}

/// Verifies assertions.
pub struct Assertions {
    rules: AssertionRules,
    jwks: Jwks,
    known: KnownSessions,
}

impl Assertions {
    /// By `rules`. A JWKS file is read at once, so that a wrong one shows at the start; a URL is not, for
    /// it may be served by the edge that waits for this host.
    pub async fn start(rules: AssertionRules) -> Result<Self, JwksError> {
        signature::install();
        let jwks = Jwks::start(rules.keys.clone()).await?;
        Ok(Self {
            rules,
            jwks,
            known: KnownSessions::default(),
        })
    }

    /// Keeps the issuer's keys fresh until told to stop.
    pub async fn follow(&self, stop: watch::Receiver<bool>) {
        self.jwks.follow(stop).await;
    }

    /// The person whom `headers`, received from a trusted proxy, assert. What does not verify asserts
    /// nobody; the log says why, and not what.
    pub async fn verify(&self, headers: &HeaderMap, now: Timestamp) -> Option<Identity> {
        let assertion = presented(headers, &self.rules.header).transpose()?;
        let verified = match assertion {
            Ok(assertion) => self.verified(assertion, now).await,
            Err(flaw) => Err(flaw),
        };
        if let (Ok(_), Ok(assertion)) = (&verified, assertion) {
            self.known.remember(Sha256::digest(assertion).into()).await;
        }
        verified
            .inspect_err(|flaw| tracing::warn!(%flaw, "an identity assertion proves nothing"))
            .ok()
    }

    /// What tells the assertion in `headers` from others, if it was verified here before.
    pub async fn known(&self, headers: &HeaderMap) -> Option<Evidence> {
        let assertion = presented(headers, &self.rules.header).ok()??;
        let evidence = Sha256::digest(assertion).into();
        self.known.has(&evidence).await.then_some(evidence)
    }

    async fn verified(&self, assertion: &[u8], now: Timestamp) -> Result<Identity, Flaw> {
        let header = header(assertion)?;
        let key = self.jwks.find(header.kid.as_deref(), header.alg).await;
        let claims = signed(assertion, &key.ok_or(Flaw::UnknownKey)?)?;
        let asserted = claims::asserted(&claims, &self.rules, now)?;
        Ok(Identity::Session {
            person: Person {
                issuer: Issuer::IdentityAssertion,
                user: asserted.user,
            },
            groups: asserted.groups,
            session: None,
            expires_at: Some(asserted.ends_at),
        })
    }
}

fn header(assertion: &[u8]) -> Result<Header, Flaw> {
    let header = decode_header(assertion).map_err(|_| Flaw::Malformed)?;
    let demands = header.crit.is_some() || header.cty.is_some();
    if demands || header.enc.is_some() || header.zip.is_some() {
        return Err(Flaw::Demanding);
    }
    Ok(header)
}

/// The claims, if `key` signed them. The library is asked nothing about them: its clock is not the host's.
fn signed(assertion: &[u8], key: &Key) -> Result<Map<String, Value>, Flaw> {
    let mut validation = Validation::new(key.algorithm());
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    decode(assertion, key.decoding(), &validation)
        .map(|decoded| decoded.claims)
        .map_err(|_| Flaw::Signature)
}

fn presented<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, Flaw> {
    let mut presented = headers.get_all(name).iter();
    let assertion = match (presented.next(), presented.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.as_bytes(),
        // An edge that adds its own to its client's header does not say which is which.
        (Some(_), Some(_)) => return Err(Flaw::Twice),
    };
    if assertion.len() > MAX_ASSERTION {
        return Err(Flaw::TooLong);
    }
    Ok(Some(assertion))
}

#[cfg(test)]
mod tests;
