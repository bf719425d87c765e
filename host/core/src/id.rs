//! Identifiers: UUIDs, each of a type of its own.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chance::{self, Chance};
use crate::time::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one (UUID version 7, RFC 9562), so that later ones sort later.
            pub fn new(now: Timestamp, chance: &dyn Chance) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                let random = chance::bytes::<10>(chance);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// Reads the hyphenated form; upper case is accepted, and written back in lower case.
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() != 36 {
                    return None;
                }
                Uuid::try_parse(text).ok().map(Self)
            }

            /// From a UUID made elsewhere.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0.hyphenated())
            }
        }
    )*};
}

ids! {
    /// The organisation that this host serves.
    OrgId,
    /// A workspace.
    WorkspaceId,
    /// An organisation token, or a workspace's.
    TokenId,
    /// An approval, from its request to its use.
    ApprovalId,
    /// A recorded decision.
    DecisionId,
    /// A session of the host's own login.
    SessionId,
}

/// The approval anchor that an organisation has if nobody configures another: version 5 of the
/// organisation's id, so that every host of one organisation finds the same.
pub fn default_anchor(org: OrgId) -> WorkspaceId {
    WorkspaceId(Uuid::new_v5(&org.0, b"molecule-platform-agent"))
}
