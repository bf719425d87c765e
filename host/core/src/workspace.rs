//! Workspaces: a tree, the secrets and tokens that hang on it, and one that always stands.

use sha2::{Digest as _, Sha256};

use crate::id::{TokenId, WorkspaceId};
use crate::keys::hex;
use crate::policy::words;
use crate::time::Timestamp;

/// The longest name, in characters.
pub const MAX_NAME: usize = 100;

/// How deep the tree may be. Every guard walks it to a root, and nobody finds their way in a deeper one.
pub const MAX_DEPTH: i64 = 16;

/// How many workspaces can stand. Agents may create them without a person, a list shows all of them, and
/// one transaction may have to remove all of them.
pub const LIVE_LIMIT: i64 = 1_000;

/// How many tokens of one workspace can live.
pub const TOKEN_LIMIT: i64 = 50;

/// What the anchor is called, where the host has to make it.
pub const ANCHOR_NAME: &str = "Platform agent";

words! {
    /// Where a workspace is in its life.
    Status {
        /// It was created, and stands. What runs in it is nothing that this host knows.
        Provisioning = "provisioning",
        /// It was removed. Its row stays, for whoever reads the record of what it was.
        Removed = "removed",
    }
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// What people call it.
    pub name: String,
    /// The workspace that it is below; a root has none.
    pub parent: Option<WorkspaceId>,
    /// Where it is in its life.
    pub status: Status,
    /// Names this state of it, and no other: it changes with every change and never comes back.
    pub version: String,
    /// Who created it: an audit label.
    pub created_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One text for all that falls with a workspace, in the state in which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FallDigest(String);

impl FallDigest {
    /// Of things and their versions, in any order.
    pub fn of<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(digest_of(members))
    }

    /// What was written, if it could be one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }
}

impl std::fmt::Display for FallDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A workspace's token, as it is listed.
#[derive(Clone, Debug)]
pub struct WorkspaceToken {
    /// Its id.
    pub id: TokenId,
    /// Its first eight characters.
    pub prefix: String,
    /// The workspace that it is for.
    pub workspace: WorkspaceId,
    /// The minter's audit label.
    pub created_by: String,
    /// The credential at the root of its lineage.
    pub lineage: String,
    /// When it was minted.
    pub created_at: Timestamp,
    /// When it was last presented, within the writing's delay.
    pub last_used_at: Option<Timestamp>,
    /// How often it was presented within a day, by whole hours; where it is listed.
    pub uses_24h: u64,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Until when it still works, where it is revoked already.
    pub draining_until: Option<Timestamp>,
}

/// Which part of a list that is counted from its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

/// One text for a set of things in the state in which they are: it differs as soon as one is added, taken
/// away or changed. `members` are ids with versions, in any order.
pub fn digest_of<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut members: Vec<_> = members.into_iter().collect();
    members.sort_unstable();
    let mut hash = Sha256::new();
    for (id, version) in members {
        for part in [id, version] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_known_by_its_members_and_their_versions_and_not_by_their_order() {
        let set = digest_of([("a", "1"), ("b", "2")]);
        assert_eq!(set, digest_of([("b", "2"), ("a", "1")]));
        for other in [
            digest_of([("a", "1")]),
            digest_of([("a", "1"), ("b", "3")]),
            digest_of([("a", "1"), ("b", "2"), ("c", "3")]),
            digest_of([("a", "2"), ("b", "1")]),
            digest_of([("a1", ""), ("b", "2")]),
        ] {
            assert_ne!(set, other);
        }
    }
}
