//! What the claims of an assertion must say, after its signature was verified.

use std::time::Duration;

use countersign_core::time::Timestamp;
use serde_json::{Map, Value};

use super::Flaw;
use crate::config::AssertionRules;
use crate::credentials::is_usable_name;

/// How far the issuer's clock and the host's may be apart.
const SKEW: Duration = Duration::from_secs(60);
/// The longest life. A session that nobody can revoke here is one that ends by itself.
const LONGEST_LIFE: Duration = Duration::from_secs(10 * 60);
/// Groups of one person, at most: more do not fit into a header.
const MAX_GROUPS: usize = 1_000;
/// The last second of the year 9999, after which no instant can be written.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// What an assertion says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asserted {
    /// The issuer's name for the person.
    pub(super) user: String,
    /// Their groups, in order, each once.
    pub(super) groups: Vec<String>,
    /// When the host stops to take it: its `exp`, and what clocks may be apart.
    pub(super) ends_at: Timestamp,
}

/// Whom `claims` assert at `now`.
pub(super) fn asserted(
    claims: &Map<String, Value>,
    rules: &AssertionRules,
    now: Timestamp,
) -> Result<Asserted, Flaw> {
    if claims.get("iss").and_then(Value::as_str) != Some(rules.issuer.as_str()) {
        return Err(Flaw::Issuer);
    }
    if !is_for_us(claims.get("aud"), rules) {
        return Err(Flaw::Audience);
    }
    let ends_at = within_its_life(claims, now)?;
    if rules.services.iter().any(|mark| mark.is_on(claims)) {
        return Err(Flaw::Service);
    }
    let subject = claims.get("sub").and_then(Value::as_str);
    if subject.is_none_or(str::is_empty) {
        return Err(Flaw::NoSubject);
    }
    let user = person(claims, rules)?;
    let groups = groups(claims, rules)?;
    if !rules.allowed.include(&user, &groups) {
        return Err(Flaw::NotAllowed);
    }
    Ok(Asserted {
        user,
        groups,
        ends_at,
    })
}

fn is_for_us(audience: Option<&Value>, rules: &AssertionRules) -> bool {
    let is_ours = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| rules.audiences.contains(text))
    };
    match audience {
        Some(Value::Array(audiences)) => audiences.iter().any(is_ours),
        Some(audience) => is_ours(audience),
        None => false,
    }
}

/// When the host stops to take it, if it takes it at `now`.
fn within_its_life(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, Flaw> {
    let expires_at = instant(claims, "exp")?.ok_or(Flaw::NoInstant("exp"))?;
    let issued_at = instant(claims, "iat")?.ok_or(Flaw::NoInstant("iat"))?;
    let begins_at = instant(claims, "nbf")?.unwrap_or(issued_at);
    if expires_at <= issued_at || expires_at > issued_at.plus(LONGEST_LIFE) {
        return Err(Flaw::Life);
    }
    if issued_at.max(begins_at) > now.plus(SKEW) {
        return Err(Flaw::NotYetValid);
    }
    let ends_at = expires_at.plus(SKEW);
    if ends_at <= now {
        return Err(Flaw::Expired);
    }
    Ok(ends_at)
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction.
fn instant(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, Flaw> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value
        .as_f64()
        .filter(|seconds| (0.0..=LAST_SECOND).contains(seconds))
        .ok_or(Flaw::NoInstant(name))?;
    // What is below the year 10000 fits.
    Ok(Some(Timestamp::from_micros((seconds * 1e6) as i64)))
}

fn person(claims: &Map<String, Value>, rules: &AssertionRules) -> Result<String, Flaw> {
    let user = rules.person.of(claims).and_then(Value::as_str);
    let user = user
        .filter(|user| is_usable_name(user))
        .ok_or(Flaw::NoPerson)?;
    // Anybody can ask some issuers for an account in another one's address.
    let is_verified = match claims.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(verified)) => verified == "true",
        Some(_) => false,
        None => true,
    };
    if rules.person.is("email") && !is_verified {
        return Err(Flaw::Unverified);
    }
    Ok(user.to_owned())
}

/// Groups that cannot be read are not left out: a policy may deny because of one.
fn groups(claims: &Map<String, Value>, rules: &AssertionRules) -> Result<Vec<String>, Flaw> {
    let named = match rules.groups.of(claims) {
        None => &[],
        Some(Value::Array(groups)) => groups.as_slice(),
        Some(group) => std::slice::from_ref(group),
    };
    if named.len() > MAX_GROUPS {
        return Err(Flaw::Groups);
    }
    let mut groups = named
        .iter()
        .map(|group| group.as_str().filter(|group| is_usable_name(group)))
        .map(|group| group.map(str::to_owned).ok_or(Flaw::Groups))
        .collect::<Result<Vec<_>, _>>()?;
    groups.sort();
    groups.dedup();
    Ok(groups)
}
