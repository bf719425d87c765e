//! From a request's evidence to a verified [`Caller`].
//!
//! Order 1 is a person's session (the control plane's or the host's own), order 2 a bearer. A cookie
//! that does not verify is no credential, and the bearer beside it still counts as its own class. A
//! bearer that is present and wrong fails the request, unless a verified session stands beside it.
//! Order 3 is a workspace's own token, which the gate confines to that workspace's routes.

mod control_plane;
mod known;
mod operator;
mod tokens;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use countersign_core::caller::{Caller, Door, Identity, Issuer, Person};
use countersign_core::id::WorkspaceId;
use countersign_core::keys::Keys;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::session::OPERATOR;
use countersign_core::time::Clock;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub use self::control_plane::{ControlPlaneSessions, Unverifiable};
pub use self::known::Evidence;
pub use self::operator::{OWN_COOKIES, Operator};
use self::tokens::Tokens;
use crate::config::{Hidden, TrustedProxies};

/// Why the evidence is not a credential.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A bearer is wrong. All ways to be wrong look the same.
    #[error("the bearer token is not valid")]
    Bearer,
    /// Two proofs of who the person is disagree.
    #[error("two sessions of different people were presented: sign out of one")]
    Disagreement,
    /// The session could not be verified, and nothing else was presented.
    #[error(transparent)]
    Unverifiable(#[from] Unverifiable),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// How fresh a session's verification must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// A remembered answer will do.
    Remembered,
    /// Ask again: the caller is about to decide, or to change the policies.
    Fresh,
}

/// ADMIN_TOKEN, as it is compared.
struct AdminToken {
    digest: [u8; 32],
    fingerprint: String,
}

/// Everything that can be verified.
pub struct Credentials {
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    control_plane: Option<ControlPlaneSessions>,
    operator: Operator,
    admin_token: Option<AdminToken>,
    proxies: TrustedProxies,
    anchor: Option<WorkspaceId>,
}

impl Credentials {
    /// What this host can verify.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        control_plane: Option<ControlPlaneSessions>,
        operator: Operator,
        anchor: Option<WorkspaceId>,
    ) -> Self {
        Self {
            tokens: Tokens::new(ledger),
            clock,
            control_plane,
            operator,
            admin_token: None,
            proxies: TrustedProxies::default(),
            anchor,
        }
    }

    /// Takes ADMIN_TOKEN as a credential.
    pub fn with_admin_token(mut self, token: Option<&Hidden>, keys: &Keys) -> Self {
        self.admin_token = token.map(|token| AdminToken {
            digest: Sha256::digest(token.reveal()).into(),
            fingerprint: keys.fingerprint(token.reveal()),
        });
        self
    }

    /// Believes `proxies` where a request comes from.
    pub fn with_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The host's own login.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Whether people can sign in without the host's own login.
    pub fn has_another_way_in(&self) -> bool {
        self.control_plane.is_some()
    }

    /// Verifies what `headers`, received from `peer`, present. `None`: nothing was presented, or nothing that proves anything.
    pub async fn verify(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        door: Door,
        freshness: Freshness,
    ) -> Result<Option<Caller>, CredentialError> {
        let from = self.client_address(peer, headers);
        let caller = |identity| Caller {
            identity,
            anchor: self.anchor,
            door,
            address: from.to_string(),
        };
        let unverifiable = match self.session(headers, freshness, from).await {
            Ok(Some(session)) => return Ok(Some(caller(session))),
            Ok(None) => None,
            Err(CredentialError::Unverifiable(why)) => Some(why),
            Err(other) => return Err(other),
        };
        match (self.bearer(headers).await?, unverifiable) {
            (Some(identity), _) => Ok(Some(caller(identity))),
            (None, Some(why)) => Err(why.into()),
            (None, None) => Ok(None),
        }
    }

    /// Where a request from `peer` comes from, as far as trusted proxies say so.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.proxies.client_address(peer, headers)
    }

    /// What tells the session that `headers` present from others, if it was verified here before. It says
    /// nothing of whether it still lives.
    pub async fn known_session(&self, headers: &HeaderMap) -> Option<Evidence> {
        if let Some(own) = self.operator.known(headers).await {
            return Some(own);
        }
        let cookies = self.operator.cookies_of_others(headers);
        match &self.control_plane {
            Some(control_plane) => control_plane.known(&cookies).await,
            None => None,
        }
    }

    /// Whether an Authorization header holds a bearer of this host, live or not, in whatever dress.
    pub fn is_ours(&self, authorization: &HeaderValue) -> bool {
        let Ok(text) = authorization.to_str() else {
            return true;
        };
        let is_token = |piece: &str| piece.starts_with("cso_") || piece.starts_with("csw_");
        let is_part_of_token = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let after_scheme = text.split_once(' ').map_or(text, |(_, rest)| rest);
        text.split(|c| !is_part_of_token(c)).any(is_token)
            || [text, after_scheme]
                .into_iter()
                .chain(text.split([' ', ',', '=', '"', ';']))
                .any(|piece| self.is_admin_token(piece.trim()))
    }

    fn is_admin_token(&self, text: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(text).into();
        let admin = self.admin_token.as_ref();
        admin.is_some_and(|admin| admin.digest.ct_eq(&digest).into())
    }

    async fn session(
        &self,
        headers: &HeaderMap,
        freshness: Freshness,
        from: IpAddr,
    ) -> Result<Option<Identity>, CredentialError> {
        let own = self.operator.verify(headers, self.clock.now()).await?;
        let own = own.map(|session| Identity::Session {
            person: Person {
                issuer: Issuer::Operator,
                user: OPERATOR.to_owned(),
            },
            groups: Vec::new(),
            session: Some(session),
        });
        let upstream = match &self.control_plane {
            None => None,
            Some(control_plane) => {
                let cookies = self.operator.cookies_of_others(headers);
                match control_plane.verify(&cookies, freshness, from).await {
                    // Who signed in here is known without it: a broken control plane locks nobody out.
                    Err(_) if own.is_some() => None,
                    verified => verified?,
                }
            }
        };
        let upstream = upstream.map(|user| Identity::Session {
            person: Person {
                issuer: Issuer::ControlPlane,
                user,
            },
            groups: Vec::new(),
            session: None,
        });
        match (own, upstream) {
            (Some(_), Some(_)) => Err(CredentialError::Disagreement),
            (own, upstream) => Ok(own.or(upstream)),
        }
    }

    async fn bearer(&self, headers: &HeaderMap) -> Result<Option<Identity>, CredentialError> {
        let mut presented = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = presented.next() else {
            return Ok(None);
        };
        if presented.next().is_some() {
            return Err(CredentialError::Bearer);
        }
        let bearer = value
            .to_str()
            .ok()
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, bearer)| bearer.trim())
            .filter(|bearer| !bearer.is_empty())
            .ok_or(CredentialError::Bearer)?;
        if let Some(identity) = self.tokens.find(bearer, self.clock.now()).await? {
            return Ok(Some(identity));
        }
        match &self.admin_token {
            Some(admin) if self.is_admin_token(bearer) => Ok(Some(Identity::AdminToken {
                fingerprint: admin.fingerprint.clone(),
            })),
            _ => Err(CredentialError::Bearer),
        }
    }
}
