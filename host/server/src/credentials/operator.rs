//! The host's own login: a one-time link, and a session in a cookie.
//!
//! Browsers send a host's cookies to every port of its name, so other servers there see ours. Whoever
//! has the cookie alone can read; to change anything takes the session's proof as well, which the
//! browser keeps for this origin alone, port included.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_core::chance::{self, Chance};
use countersign_core::id::SessionId;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::session::{LOGIN_LINK_TTL, NewSession, ProofHash, SESSION_TTL};
use countersign_core::time::{Clock, Timestamp};
use countersign_core::token::TokenHash;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::known::{Evidence, KnownSessions};

/// The length of 32 bytes in base64url.
const SECRET_LENGTH: usize = 43;

/// How many cookies of our name are looked up. A browser has one, or a few where a path or a parent
/// domain has its own; a request with more is made to have the ledger read.
const MAX_COOKIES: usize = 4;

/// The names of our cookie, over http and over https. A host that people now reach by the other one still
/// knows the old name for its own.
pub const OWN_COOKIES: [&str; 2] = ["countersign", "__Host-countersign"];

/// Makes login links, and verifies the sessions that they start.
pub struct Operator {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    base_url: String,
    cookie: &'static str,
    known: KnownSessions,
}

/// The `Set-Cookie` of a new session, or of its end.
pub struct SetCookie(pub HeaderValue);

/// A session that was started, as its browser has to know it.
pub struct Started {
    /// Its cookie.
    pub cookie: SetCookie,
    /// Its proof, for the one page that hands it over.
    pub proof: Zeroizing<String>,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Operator {
    /// For a host that people reach at `base_url`.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        base_url: &str,
    ) -> Self {
        // Browsers take a `__Host-` cookie only over https, from this very host, for the whole of it.
        let [over_http, over_https] = OWN_COOKIES;
        let cookie = if base_url.starts_with("https:") {
            over_https
        } else {
            over_http
        };
        Self {
            ledger,
            clock,
            chance,
            base_url: base_url.to_owned(),
            cookie,
            known: KnownSessions::default(),
        }
    }

    /// A new link; the one before it stops working.
    pub async fn new_link(&self) -> Result<String, LedgerError> {
        let secret = self.secret();
        let now = self.clock.now();
        self.ledger
            .save_login_link(TokenHash::of(&secret), now.plus(LOGIN_LINK_TTL), now)
            .await?;
        Ok(format!("{}/console/sign-in?link={secret}", self.base_url))
    }

    /// Uses the link up. `None`: it is unknown, used or too old.
    pub async fn redeem(&self, link: &str) -> Result<Option<Started>, LedgerError> {
        if link.len() != SECRET_LENGTH {
            return Ok(None);
        }
        let cookie = self.secret();
        let proof = Zeroizing::new(self.secret());
        let now = self.clock.now();
        let expires_at = now.plus(SESSION_TTL);
        let session = NewSession {
            id: SessionId::new(now, &*self.chance),
            cookie: TokenHash::of(&cookie),
            proof: ProofHash::of(&proof),
            expires_at,
        };
        let redeemed = self
            .ledger
            .redeem_login_link(TokenHash::of(link), session, now)
            .await?;
        if redeemed {
            self.known.remember(evidence(&cookie)).await;
        }
        Ok(redeemed.then(|| Started {
            cookie: self.set_cookie(&cookie, SESSION_TTL.as_secs()),
            proof,
            expires_at,
        }))
    }

    /// The live session that `headers` present.
    pub async fn verify(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<SessionId>, LedgerError> {
        for value in self.presented(headers) {
            if let Some(session) = self.ledger.session(TokenHash::of(value), now).await? {
                self.known.remember(evidence(value)).await;
                return Ok(Some(session));
            }
        }
        Ok(None)
    }

    /// What tells the session that `headers` present from others, if it was verified here before.
    pub async fn known(&self, headers: &HeaderMap) -> Option<Evidence> {
        for value in self.presented(headers) {
            let evidence = evidence(value);
            if self.known.has(&evidence).await {
                return Some(evidence);
            }
        }
        None
    }

    /// What could be one of our cookies.
    fn presented<'h>(&self, headers: &'h HeaderMap) -> Vec<&'h str> {
        let presented: Vec<&str> = cookies(headers)
            .filter(|(name, _)| *name == self.cookie)
            .map(|(_, value)| value)
            .take(MAX_COOKIES + 1)
            .collect();
        if presented.len() > MAX_COOKIES {
            return Vec::new();
        }
        let could_be = |value: &&str| value.len() == SECRET_LENGTH;
        presented.into_iter().filter(could_be).collect()
    }

    /// Whether `presented` is the proof of this live session.
    pub async fn is_proved(
        &self,
        session: SessionId,
        presented: &str,
    ) -> Result<bool, LedgerError> {
        let now = self.clock.now();
        let proof = self.ledger.session_proof(session, now).await?;
        Ok(proof.is_some_and(|proof| proof.is_of(presented)))
    }

    /// Ends a session, and its cookie.
    pub async fn end(&self, session: SessionId) -> Result<SetCookie, LedgerError> {
        self.ledger.end_session(session, self.clock.now()).await?;
        Ok(self.set_cookie("", 0))
    }

    /// The cookies that are not ours, as one header value: ours never leave this host.
    pub fn cookies_of_others(&self, headers: &HeaderMap) -> String {
        cookies(headers)
            .filter(|(name, _)| !OWN_COOKIES.contains(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(chance::bytes::<32>(&*self.chance))
    }

    fn set_cookie(&self, value: &str, max_age: u64) -> SetCookie {
        let secure = if self.cookie.starts_with("__Host-") {
            "; Secure"
        } else {
            ""
        };
        let cookie = format!(
            "{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}",
            self.cookie
        );
        SetCookie(HeaderValue::from_str(&cookie).expect("INVARIANT: base64url is fit for a header"))
    }
}

fn evidence(cookie: &str) -> Evidence {
    Sha256::digest(cookie).into()
}

/// The cookies of a request; what is not `name=value` in ASCII is none.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_others(value: &HeaderValue) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, value.clone());
        cookies(&headers)
            .filter(|(name, _)| !OWN_COOKIES.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    proptest! {
        /// A slow reader of RFC 6265's `cookie-string`: pairs between semicolons, the first `=` parts them.
        #[test]
        fn cookies_are_read_as_they_are_written(
            pairs in proptest::collection::vec(("[a-z_]{1,9}|__Host-countersign|countersign", "[!#-:<-~]{0,12}"), 0..6),
        ) {
            let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let value = HeaderValue::from_str(&text.join("; ")).expect("fit for a header");
            let expected: Vec<(String, String)> = pairs
                .into_iter()
                .filter(|(name, _)| name != "countersign" && name != "__Host-countersign")
                .collect();
            prop_assert_eq!(of_others(&value), expected);
        }

        #[test]
        fn no_bytes_bring_a_cookie_of_ours_among_those_of_others(
            bytes in proptest::collection::vec(any::<u8>(), 0..120),
            at in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = bytes;
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, *b";countersign=secret");
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            for (name, _) in of_others(&value) {
                prop_assert!(name != "countersign" && name != "__Host-countersign");
            }
        }
    }
}
