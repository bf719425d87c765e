//! The audit log: a hash chain, kept as data, whose head is signed now and then.

mod export;
mod heads;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::approval::State;
use crate::keys::hex;
use crate::policy::words;
use crate::time::Timestamp;

pub use self::export::{ExportError, Heads, Whole};
pub use self::heads::{Head, HeadKey, SignedHead};

/// The label of what the host does by itself.
pub const HOST: &str = "host";

words! {
    /// What happened.
    EventKind {
        /// An organisation token was minted.
        OrgTokenMinted = "org_token_minted",
        /// An organisation token was revoked.
        OrgTokenRevoked = "org_token_revoked",
        /// A secret was written.
        SecretWritten = "secret_written",
        /// A secret was deleted.
        SecretDeleted = "secret_deleted",
        /// A workspace was created.
        WorkspaceCreated = "workspace_created",
        /// A workspace was renamed or moved.
        WorkspaceUpdated = "workspace_updated",
        /// A workspace was removed, by itself or with one above it.
        WorkspaceRemoved = "workspace_removed",
        /// A workspace's token was minted.
        WorkspaceTokenMinted = "workspace_token_minted",
        /// A workspace's token was revoked.
        WorkspaceTokenRevoked = "workspace_token_revoked",
        /// Every token was revoked, and every workspace and secret removed.
        Deprovisioned = "deprovisioned",
        /// An organisation token whose answer got lost was revoked, and another minted in its place.
        OrgTokenReplaced = "org_token_replaced",
        /// Likewise, a workspace's token.
        WorkspaceTokenReplaced = "workspace_token_replaced",
        /// A secret that reaches workspaces has changed: they should start anew.
        WorkspaceRestartRequested = "workspace_restart_requested",
        /// A request waits for people.
        ApprovalRequested = "approval_requested",
        /// A person voted, and more must.
        ApprovalVoted = "approval_voted",
        /// The policies ask for more people by now than when the request was filed.
        ApprovalTightened = "approval_tightened",
        /// People approved.
        ApprovalApproved = "approval_approved",
        /// A person denied.
        ApprovalDenied = "approval_denied",
        /// Nobody decided in time.
        ApprovalExpired = "approval_expired",
        /// A request ended undecided: it was taken back, or what it was about is gone or has moved.
        ApprovalWithdrawn = "approval_withdrawn",
        /// A grant was used.
        ApprovalUsed = "approval_used",
        /// A grant ended unused.
        ApprovalLapsed = "approval_lapsed",
        /// A person took an unused grant back.
        ApprovalRevoked = "approval_revoked",
        /// A login link was made.
        LoginLinkMade = "login_link_made",
        /// A session of the host's own login began.
        SessionStarted = "session_started",
        /// A session of the host's own login was ended.
        SessionEnded = "session_ended",
        /// Another set of policies is live.
        PoliciesChanged = "policies_changed",
        /// A version of a policy is kept, and decides nothing yet.
        PolicyPushed = "policy_pushed",
        /// A trusted key's signature of a policy is kept.
        PolicySigned = "policy_signed",
        /// The policies that were recorded before there were seals were sealed, as they are.
        GenerationsSealed = "generations_sealed",
        /// The ledger opens to a further key, and what is sealed with the former is sealed again.
        KeysRotating = "keys_rotating",
        /// Nothing is sealed with the former keys any more, and they are forgotten.
        KeysRotated = "keys_rotated",
        /// The ledger no longer opens to a former key.
        RootKeyForgotten = "root_key_forgotten",
        /// A host has made its key for signing heads of the audit.
        AuditKeyMade = "audit_key_made",
        /// The provisioner asked for something, and was answered.
        ProvisionerUsed = "provisioner_used",
    }
}

impl EventKind {
    /// Whether somebody may wait for it: an approval moves, or other policies are recorded.
    pub fn is_awaited(self) -> bool {
        self.leaves_approval().is_some() || self == Self::PoliciesChanged
    }

    /// The state in which it leaves an approval, if it is about one: its particulars then name it as
    /// `approval`.
    pub fn leaves_approval(self) -> Option<State> {
        match self {
            Self::ApprovalRequested | Self::ApprovalVoted | Self::ApprovalTightened => {
                Some(State::Pending)
            }
            Self::ApprovalApproved => Some(State::Approved),
            Self::ApprovalDenied => Some(State::Denied),
            Self::ApprovalExpired => Some(State::Expired),
            Self::ApprovalWithdrawn => Some(State::Withdrawn),
            Self::ApprovalUsed => Some(State::Used),
            Self::ApprovalLapsed => Some(State::Lapsed),
            Self::ApprovalRevoked => Some(State::Revoked),
            _ => None,
        }
    }
}

impl EventKind {
    /// Whether a token has ended by it, or begun to drain: who remembers tokens must forget them.
    pub fn ends_tokens(self) -> bool {
        matches!(
            self,
            Self::OrgTokenReplaced
                | Self::WorkspaceTokenReplaced
                | Self::OrgTokenRevoked
                | Self::WorkspaceTokenRevoked
                | Self::WorkspaceRemoved
                | Self::Deprovisioned
        )
    }
}

/// Something that happened, before it has a place in the chain.
#[derive(Clone, Debug)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Who: an audit label.
    pub actor: String,
    /// The particulars. Never a secret.
    pub detail: serde_json::Value,
}

/// An event in its place.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// Its place, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What, as text: an entry of a later version still verifies.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// The particulars.
    pub detail: serde_json::Value,
    /// The hash of the entry before; [`GENESIS`] before the first.
    pub previous: String,
    /// SHA-256 over all of the above, in hex.
    pub hash: String,
}

/// What precedes the first entry.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Entry {
    /// `event` as the entry at `seq`, after the one with the hash `previous`.
    pub fn link(seq: i64, at: Timestamp, event: &Event, previous: &str) -> Self {
        let mut entry = Self {
            seq,
            at,
            kind: event.kind.as_str().to_owned(),
            actor: event.actor.clone(),
            detail: event.detail.clone(),
            previous: previous.to_owned(),
            hash: String::new(),
        };
        entry.hash = entry.computed_hash();
        entry
    }

    /// The hash that the entry should have.
    pub fn computed_hash(&self) -> String {
        let canonical = serde_json_canonicalizer::to_vec(&json!({
            "v": 1,
            "seq": self.seq,
            "at": self.at.as_micros(),
            "kind": self.kind,
            "actor": self.actor,
            "detail": self.detail,
            "previous": self.previous,
        }))
        .expect("INVARIANT: a JSON value has a canonical form");
        hex(&Sha256::digest(canonical))
    }
}

/// The first place where a chain does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// An entry is missing, or one is there twice.
    #[error("entry {expected} is missing: entry {found} follows in its place")]
    Gap {
        /// What should come.
        expected: i64,
        /// What came.
        found: i64,
    },
    /// An entry does not follow from the one before it.
    #[error("entry {0} does not follow from the entry before it")]
    Unlinked(i64),
    /// An entry was changed after it was written.
    #[error("entry {0} was changed after it was written")]
    Changed(i64),
    /// The chain ends before its recorded head.
    #[error("the chain ends at entry {end}, and its head is entry {head}")]
    Cut {
        /// The last entry that is there.
        end: i64,
        /// What should be the last.
        head: i64,
    },
}

/// Walks a chain, entry by entry.
#[derive(Debug)]
pub struct Verifier {
    seq: i64,
    hash: String,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: GENESIS.to_owned(),
        }
    }
}

impl Verifier {
    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) -> Result<(), ChainError> {
        if entry.seq != self.seq + 1 {
            return Err(ChainError::Gap {
                expected: self.seq + 1,
                found: entry.seq,
            });
        }
        if entry.previous != self.hash {
            return Err(ChainError::Unlinked(entry.seq));
        }
        if entry.hash != entry.computed_hash() {
            return Err(ChainError::Changed(entry.seq));
        }
        self.seq = entry.seq;
        self.hash.clone_from(&entry.hash);
        Ok(())
    }

    /// Ends at the recorded head, and says how many entries there are.
    pub fn end(self, head_seq: i64, head_hash: &str) -> Result<i64, ChainError> {
        if self.seq != head_seq {
            return Err(ChainError::Cut {
                end: self.seq,
                head: head_seq,
            });
        }
        if self.hash != head_hash {
            return Err(ChainError::Unlinked(self.seq));
        }
        Ok(self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(n: i64) -> Vec<Entry> {
        let mut previous = GENESIS.to_owned();
        (1..=n)
            .map(|seq| {
                let event = Event {
                    kind: EventKind::OrgTokenMinted,
                    actor: "admin-token".to_owned(),
                    detail: json!({ "n": seq }),
                };
                let entry = Entry::link(seq, Timestamp::from_micros(seq), &event, &previous);
                previous.clone_from(&entry.hash);
                entry
            })
            .collect()
    }

    fn verify(entries: &[Entry], head: &Entry) -> Result<i64, ChainError> {
        let mut verifier = Verifier::default();
        for entry in entries {
            verifier.take(entry)?;
        }
        verifier.end(head.seq, &head.hash)
    }

    #[test]
    fn a_whole_chain_holds() {
        let entries = chain(5);
        assert_eq!(verify(&entries, &entries[4]), Ok(5));
    }

    #[test]
    fn a_changed_a_missing_and_a_cut_entry_all_show() {
        let entries = chain(5);
        let head = entries[4].clone();
        let mut changed = entries.clone();
        changed[2].actor = "somebody-else".to_owned();
        assert_eq!(verify(&changed, &head), Err(ChainError::Changed(3)));
        let mut rehashed = changed.clone();
        rehashed[2].hash = rehashed[2].computed_hash();
        assert_eq!(verify(&rehashed, &head), Err(ChainError::Unlinked(4)));
        let mut missing = entries.clone();
        missing.remove(1);
        assert_eq!(
            verify(&missing, &head),
            Err(ChainError::Gap {
                expected: 2,
                found: 3
            })
        );
        assert_eq!(
            verify(&entries[..4], &head),
            Err(ChainError::Cut { end: 4, head: 5 })
        );
    }
}
