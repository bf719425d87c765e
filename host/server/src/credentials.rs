//! From a request's evidence to a verified [`Caller`].
//!
//! Order 1 is a person's session (the control plane's, the host's own, or what a trusted proxy's edge
//! signed), order 2 a bearer. A cookie or an assertion that does not verify is no credential, and the bearer
//! beside it still counts as its own class. A bearer that is present and wrong fails the request, unless a
//! verified session stands beside it.
//! Order 3 is a workspace's own token, which the gate confines to that workspace's routes. The provisioner's
//! secret stands alone: beside any other credential it is refused.

mod assertion;
mod control_plane;
mod known;
mod memberships;
mod operator;
mod remembered;
mod shared_secret;
mod tokens;
mod uses;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use countersign_core::caller::{Caller, Door, Identity, Issuer, Person};
use countersign_core::id::WorkspaceId;
use countersign_core::keys::Keys;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::session::OPERATOR;
use countersign_core::text;
use countersign_core::time::Clock;
use tokio::sync::watch;

pub use self::assertion::Assertions;
pub use self::control_plane::{ControlPlaneSessions, Unverifiable};
pub use self::known::Evidence;
pub use self::operator::{OWN_COOKIES, Operator};
use self::shared_secret::SharedSecret;
use self::tokens::Tokens;
use crate::config::{Hidden, TrustedProxies};

/// Why the evidence is not a credential.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A bearer is wrong. All ways to be wrong look the same.
    #[error("the bearer token is not valid")]
    Bearer,
    /// The provisioner's secret is wrong, or not alone. All ways to be wrong look the same.
    #[error(
        "the provision token is not valid here: send PROVISION_TOKEN once, and no other credential beside it"
    )]
    Provisioner,
    /// Two proofs of who the person is disagree.
    #[error(
        "two sessions of different people were presented: sign out of one, or come without the edge that asserts the other"
    )]
    Disagreement,
    /// The session could not be verified, and nothing else was presented.
    #[error(transparent)]
    Unverifiable(#[from] Unverifiable),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// The longest name of a person or a group that is taken.
const MAX_NAME: usize = 256;

/// How fresh a session's verification must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// A remembered answer will do.
    Remembered,
    /// Ask again: the caller is about to decide, or to change the policies.
    Fresh,
}

/// Everything that can be verified.
pub struct Credentials {
    tokens: Tokens,
    clock: Arc<dyn Clock>,
    control_plane: Option<ControlPlaneSessions>,
    operator: Operator,
    admin_token: Option<SharedSecret>,
    provision_token: Option<SharedSecret>,
    assertions: Option<Assertions>,
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
            provision_token: None,
            assertions: None,
            proxies: TrustedProxies::default(),
            anchor,
        }
    }

    /// The organisation's approval anchor.
    pub fn anchor(&self) -> Option<WorkspaceId> {
        self.anchor
    }

    /// Takes ADMIN_TOKEN and PROVISION_TOKEN as credentials.
    pub fn with_shared_secrets(
        mut self,
        admin: Option<&Hidden>,
        provision: Option<&Hidden>,
        keys: &Keys,
    ) -> Self {
        self.admin_token = admin.map(|token| SharedSecret::new(token, keys));
        self.provision_token = provision.map(|token| SharedSecret::new(token, keys));
        self
    }

    /// Takes what an edge asserts, from the proxies that are believed.
    pub fn with_assertions(mut self, assertions: Option<Assertions>) -> Self {
        self.assertions = assertions;
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
        self.control_plane.is_some() || self.assertions.is_some()
    }

    /// Whether a control plane, and whether a proxy that asserts identities, signs people in.
    pub fn ways_in(&self) -> (bool, bool) {
        (self.control_plane.is_some(), self.assertions.is_some())
    }

    /// Keeps what is remembered fresh and small, until told to stop.
    pub async fn keep(&self, stop: watch::Receiver<bool>) {
        let sweep = async {
            if let Some(control_plane) = &self.control_plane {
                control_plane.sweep(stop.clone()).await;
            }
        };
        let follow = async {
            if let Some(assertions) = &self.assertions {
                assertions.follow(stop.clone()).await;
            }
        };
        tokio::join!(sweep, follow);
    }

    /// Tokens may have ended, or begun to drain: none is taken to live because it did a moment ago.
    pub fn forget_tokens(&self) {
        self.tokens.forget();
    }

    /// Writes down how often tokens were used.
    pub async fn write_uses(&self) -> Result<(), LedgerError> {
        self.tokens.write_uses().await
    }

    /// Verifies what `headers`, received from `peer`, present. `None`: nothing was presented, or nothing
    /// that proves anything.
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
        // Before anybody is asked whose cookie stands beside it.
        let provisioner = shared_secret::provisioner(self.provision_token.as_ref(), headers)?;
        if provisioner.is_some() && headers.contains_key(header::AUTHORIZATION) {
            return Err(CredentialError::Provisioner);
        }
        let unverifiable = match self.session(headers, peer, freshness).await {
            Ok(Some(_)) if provisioner.is_some() => return Err(CredentialError::Provisioner),
            Ok(Some(session)) => return Ok(Some(caller(session))),
            Ok(None) => None,
            Err(CredentialError::Unverifiable(why)) => Some(why),
            Err(other) => return Err(other),
        };
        if let Some(provisioner) = provisioner {
            return Ok(Some(caller(provisioner)));
        }
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

    /// What tells the session that `headers`, received from `peer`, present from others, if it was verified here before. It says
    /// nothing of whether it still lives.
    pub async fn known_session(&self, peer: IpAddr, headers: &HeaderMap) -> Option<Evidence> {
        if let Some(assertions) = &self.assertions
            && self.proxies.trusts(peer)
            && let Some(asserted) = assertions.known(headers).await
        {
            return Some(asserted);
        }
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
                .any(|piece| self.is_shared_secret(piece.trim()))
    }

    fn is_shared_secret(&self, text: &str) -> bool {
        let mut secrets = [&self.admin_token, &self.provision_token]
            .into_iter()
            .flatten();
        secrets.any(|secret| secret.is(text.as_bytes()))
    }

    async fn session(
        &self,
        headers: &HeaderMap,
        peer: IpAddr,
        freshness: Freshness,
    ) -> Result<Option<Identity>, CredentialError> {
        let from = self.client_address(peer, headers);
        let now = self.clock.now();
        let own = self.operator.verify(headers, now).await?;
        let own = own.map(|session| Identity::Session {
            person: Person {
                issuer: Issuer::Operator,
                user: OPERATOR.to_owned(),
            },
            groups: Vec::new(),
            session: Some(session),
            expires_at: None,
        });
        // From anybody else, the header is one that anybody can send.
        let asserted = match &self.assertions {
            Some(assertions) if self.proxies.trusts(peer) => assertions.verify(headers, now).await,
            _ => None,
        };
        if own.is_some() && asserted.is_some() {
            return Err(CredentialError::Disagreement);
        }
        let known = own.or(asserted);
        let upstream = match &self.control_plane {
            None => None,
            Some(control_plane) => {
                let cookies = self.operator.cookies_of_others(headers);
                match control_plane.verify(&cookies, freshness, from).await {
                    // Who it is is known without it: a broken control plane locks nobody out.
                    Err(_) if known.is_some() => None,
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
            expires_at: None,
        });
        // People of two issuers are two people, whatever they are called.
        match (known, upstream) {
            (Some(_), Some(_)) => Err(CredentialError::Disagreement),
            (known, upstream) => Ok(known.or(upstream)),
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
        let admin = self.admin_token.as_ref();
        match admin.filter(|admin| admin.is(bearer.as_bytes())) {
            Some(admin) => Ok(Some(Identity::AdminToken {
                fingerprint: admin.fingerprint(),
            })),
            None => Err(CredentialError::Bearer),
        }
    }
}

/// Whether an issuer's name for a person or a group can be shown, and compared, as it is.
fn is_usable_name(name: &str) -> bool {
    !name.is_empty() && text::displayable(name, MAX_NAME).is_ok_and(|shown| shown == name)
}
