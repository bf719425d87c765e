//! Identity assertions: which signed header of which edge proves who a person is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::http::HeaderName;
use reqwest::Url;
use serde_json::{Map, Value};

use super::Flags;
use super::values::{parsed, set};

/// Headers that mean something else here. One that an edge passes through from its clients would make
/// them whoever they say.
const TAKEN: &[&str] = &[
    "approval-id",
    "authorization",
    "cookie",
    "forwarded",
    "host",
    "origin",
    "proxy-authorization",
    "sec-fetch-site",
    "x-countersign-proof",
    "x-forwarded-for",
    "x-provision-token",
];
/// Cloudflare Access names a service token so, and Google's proxies, Auth0, Entra and Keycloak like the
/// others: `countersign --help` lists them.
const SERVICES: &str = "common_name,email=*.gserviceaccount.com,gty=client-credentials,idtyp=app,preferred_username=service-account-*";
/// Names in one setting, at most.
const MAX_NAMES: usize = 1_000;

/// What an assertion must be to prove who a person is.
#[derive(Clone, Debug)]
pub struct AssertionRules {
    /// The header that holds it.
    pub header: HeaderName,
    /// Its `iss`.
    pub issuer: String,
    /// One of these is in its `aud`.
    pub audiences: BTreeSet<String>,
    /// Where the issuer's keys are.
    pub keys: KeySource,
    /// What names the person.
    pub person: Claim,
    /// What names their groups.
    pub groups: Claim,
    /// Who may come.
    pub allowed: Allowed,
    /// What marks a program.
    pub services: Vec<ServiceMark>,
}

/// Where an issuer's JWKS is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// It is fetched.
    Url(Url),
    /// It is read.
    File(PathBuf),
}

/// A claim: its name, or a JSON pointer (RFC 6901) to one within another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim(String);

impl Claim {
    /// `text` as one.
    pub fn parse(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Its value. null is the absence of a claim.
    pub fn of<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let value = match self.0.strip_prefix('/') {
            None => claims.get(&self.0),
            Some(pointer) => {
                let (first, rest) = match pointer.split_once('/') {
                    Some((first, _)) => (first, &pointer[first.len()..]),
                    None => (pointer, ""),
                };
                let first = first.replace("~1", "/").replace("~0", "~");
                claims.get(&first)?.pointer(rest)
            }
        };
        value.filter(|value| !value.is_null())
    }

    /// Whether this is the claim `name`.
    pub fn is(&self, name: &str) -> bool {
        self.0 == name
    }
}

/// The people who may come: those whom either list names, or everybody where both are empty.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Allowed {
    #[cfg(test)]
    pub fn of(users: &[&str], groups: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            users: owned(users),
            groups: owned(groups),
        }
    }

    /// Whether `user`, who is in `groups`, may come.
    pub fn include(&self, user: &str, groups: &[String]) -> bool {
        (self.users.is_empty() && self.groups.is_empty())
            || self.users.contains(user)
            || groups.iter().any(|group| self.groups.contains(group))
    }
}

/// What marks a program among those whom the issuer signs for: a claim that is there, or that has a value.
#[derive(Clone, Debug)]
pub struct ServiceMark {
    claim: Claim,
    value: Option<String>,
}

impl ServiceMark {
    fn parse(text: &str) -> Self {
        match text.split_once('=') {
            None => Self {
                claim: Claim::parse(text),
                value: None,
            },
            Some((claim, value)) => Self {
                claim: Claim::parse(claim),
                value: Some(value.to_ascii_lowercase()),
            },
        }
    }

    /// Whether `claims` are a program's.
    pub fn is_on(&self, claims: &Map<String, Value>) -> bool {
        match (self.claim.of(claims), &self.value) {
            (None, _) => false,
            (Some(Value::Array(values)), Some(wanted)) => {
                values.iter().any(|value| has(value, wanted))
            }
            (Some(value), Some(wanted)) => has(value, wanted),
            (Some(Value::Bool(flag)), None) => *flag,
            (Some(Value::String(text)), None) => !text.is_empty(),
            (Some(Value::Array(values)), None) => !values.is_empty(),
            (Some(_), None) => true,
        }
    }
}

/// Whether `value` is `wanted`, in which one `*` stands for anything. Case says nothing in what marks a
/// program: addresses come in either.
fn has(value: &Value, wanted: &str) -> bool {
    let value = match value {
        Value::String(text) => text.to_ascii_lowercase(),
        other => other.to_string(),
    };
    match wanted.split_once('*') {
        None => value == wanted,
        Some((before, after)) => {
            value.len() >= before.len() + after.len()
                && value.starts_with(before)
                && value.ends_with(after)
        }
    }
}

/// The rules, if any of the settings is there. What is needed and missing is named all at once.
pub fn assertion(
    flags: &mut Flags,
    file: &mut Flags,
    mistakes: &mut Vec<String>,
) -> Option<AssertionRules> {
    let mut said = |setting: fn(&mut Flags) -> &mut Option<String>| {
        set(setting(flags).take()).or(set(setting(file).take()))
    };
    let header = said(|flags| &mut flags.assertion_header);
    let issuer = said(|flags| &mut flags.assertion_issuer);
    let audience = said(|flags| &mut flags.assertion_audience);
    let keys = said(|flags| &mut flags.assertion_jwks);
    let person = said(|flags| &mut flags.assertion_person_claim);
    let groups = said(|flags| &mut flags.assertion_groups_claim);
    let users = said(|flags| &mut flags.assertion_users);
    let allowed_groups = said(|flags| &mut flags.assertion_groups);
    let services = said(|flags| &mut flags.assertion_services);
    let all = [
        &header,
        &issuer,
        &audience,
        &keys,
        &person,
        &groups,
        &users,
        &allowed_groups,
        &services,
    ];
    if all.iter().all(|setting| setting.is_none()) {
        return None;
    }
    for (setting, name) in [
        (&header, "HEADER"),
        (&issuer, "ISSUER"),
        (&audience, "AUDIENCE"),
        (&keys, "JWKS"),
    ] {
        if setting.is_none() {
            mistakes.push(format!(
                "COUNTERSIGN_ASSERTION_{name}: is missing, and no identity assertion can be verified without it"
            ));
        }
    }
    let header = header
        .and_then(|name| parsed(mistakes, "COUNTERSIGN_ASSERTION_HEADER", &name, header_name));
    let audiences =
        audience.and_then(|list| parsed(mistakes, "COUNTERSIGN_ASSERTION_AUDIENCE", &list, names));
    let keys =
        keys.and_then(|text| parsed(mistakes, "COUNTERSIGN_ASSERTION_JWKS", &text, key_source));
    let users =
        users.and_then(|list| parsed(mistakes, "COUNTERSIGN_ASSERTION_USERS", &list, names));
    let allowed_groups = allowed_groups
        .and_then(|list| parsed(mistakes, "COUNTERSIGN_ASSERTION_GROUPS", &list, names));
    let services = services.unwrap_or_else(|| SERVICES.to_owned());
    let services = parsed(
        mistakes,
        "COUNTERSIGN_ASSERTION_SERVICES",
        &services,
        service_marks,
    );
    Some(AssertionRules {
        header: header?,
        issuer: issuer?,
        audiences: audiences?,
        keys: keys?,
        person: Claim::parse(person.as_deref().unwrap_or("sub")),
        groups: Claim::parse(groups.as_deref().unwrap_or("groups")),
        allowed: Allowed {
            users: users.unwrap_or_default(),
            groups: allowed_groups.unwrap_or_default(),
        },
        services: services?,
    })
}

fn header_name(name: &str) -> Result<HeaderName, &'static str> {
    HeaderName::from_bytes(name.as_bytes())
        .ok()
        .filter(|name| !TAKEN.contains(&name.as_str()))
        .ok_or("a header of its own, such as Cf-Access-Jwt-Assertion")
}

fn names(list: &str) -> Result<BTreeSet<String>, &'static str> {
    let names: BTreeSet<String> = list.split(',').map(|name| name.trim().to_owned()).collect();
    if names.len() > MAX_NAMES || names.contains("") {
        return Err("a list of names with commas between them (1000 at most, none empty)");
    }
    Ok(names)
}

fn service_marks(list: &str) -> Result<Vec<ServiceMark>, &'static str> {
    let marks = names(list)?;
    let is_right = |mark: &String| {
        let (claim, value) = mark.split_once('=').unwrap_or((mark, "x"));
        !claim.is_empty() && !value.is_empty() && value.matches('*').count() <= 1
    };
    if !marks.iter().all(is_right) {
        return Err("a list of `claim` and `claim=value`, with one `*` in a value at most");
    }
    Ok(marks.iter().map(|mark| ServiceMark::parse(mark)).collect())
}

/// What is fetched in clear can be changed on the way, and whoever changes it signs for everybody.
fn key_source(text: &str) -> Result<KeySource, &'static str> {
    const EXPECTED: &str = "an https URL (http on this machine alone) or a file";
    if !text.contains("://") {
        return Ok(KeySource::File(PathBuf::from(text)));
    }
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_safe = match (url.scheme(), url.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => matches!(host, "127.0.0.1" | "localhost" | "[::1]"),
        _ => false,
    };
    if is_plain && is_safe {
        Ok(KeySource::Url(url))
    } else {
        Err(EXPECTED)
    }
}

#[cfg(test)]
#[path = "assertion/tests.rs"]
mod tests;
