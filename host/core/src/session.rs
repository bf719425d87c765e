//! The host's own login: a one-time link, and the session that it starts.

use std::time::Duration;

use crate::id::SessionId;
use crate::time::Timestamp;
use crate::token::TokenHash;

/// How long a login link can be used.
pub const LOGIN_LINK_TTL: Duration = Duration::from_secs(10 * 60);

/// How long a session of the host's own login lasts. A working day: an operator signs in each morning.
pub const SESSION_TTL: Duration = Duration::from_secs(12 * 60 * 60);

/// The name under which the operator is known as a person. All operator sessions are one person.
pub const OPERATOR: &str = "operator";

/// A session to be started.
#[derive(Clone, Copy, Debug)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// The hash of its cookie.
    pub cookie: TokenHash,
    /// When it ends.
    pub expires_at: Timestamp,
}
