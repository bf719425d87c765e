//! Sets of policies under numbers, and the versions of the modules in them.

mod seal;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

pub use self::seal::{GenerationKey, Genuine, Seal, SealError};
use crate::id::{ApprovalId, DecisionId};
use crate::keys::WrappedKey;
use crate::ledger::Page;
use crate::permit::Permit;
use crate::policy::{Question, words};
use crate::ports::LedgerError;
use crate::review::Review;
use crate::signature::KeyId;
use crate::time::Timestamp;
use crate::verdict::ModuleId;

words! {
    /// What hangs on what a module says.
    Mode {
        /// It decides, with the others.
        Enforce = "enforce",
        /// Nothing: it is asked, and what it would have changed is counted.
        Shadow = "shadow",
    }
}

impl Mode {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Enforce => Self::Shadow,
            Self::Shadow => Self::Enforce,
        }
    }
}

/// Somebody keeps a module as it is, whatever a folder holds, until somebody lets go of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pin {
    /// Who: an audit label.
    pub by: String,
    /// The first generation in which it is pinned.
    pub since: u64,
}

/// A module of a generation: with its settings, it decides alike for ever.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ModuleRecord {
    /// Which module.
    #[serde(flatten)]
    pub id: ModuleId,
    /// Its settings, defaults included.
    pub settings: BTreeMap<String, Vec<String>>,
    /// The file that it came from; absent for what is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whether it stays as it is. What is in shadow is not pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pin>,
}

impl ModuleRecord {
    /// Whether `other` decides as this does, wherever it comes from.
    pub fn decides_as(&self, other: &Self) -> bool {
        self.id == other.id && self.settings == other.settings
    }
}

/// A set of policies that went live, to be numbered and recorded.
#[derive(Clone, Debug)]
pub struct GenerationChange {
    /// The modules, by name.
    pub modules: Vec<ModuleRecord>,
    /// Those in shadow, by name: they are asked, and nothing hangs on what they say.
    pub shadow: Vec<ModuleRecord>,
    /// The bytes of each under their digest, so that going back works after a file is gone. What is
    /// already kept may be left out.
    pub components: Vec<(String, Vec<u8>)>,
    /// The number of the newest recorded generation, which this one follows; 0 where there is none.
    pub follows: u64,
    /// The seal of these modules under the number after that.
    pub seal: Seal,
    /// Who or what changed it: an audit label.
    pub by: String,
    /// What changed, for people.
    pub summary: String,
    /// When.
    pub at: Timestamp,
    /// The approval under which it was accepted, where it loosens.
    pub approval: Option<ApprovalId>,
}

/// A numbered set of policies.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GenerationRecord {
    /// Its number, from 1.
    pub number: u64,
    /// When it went live.
    pub at: Timestamp,
    /// Who or what changed it.
    pub by: String,
    /// What changed.
    pub summary: String,
    /// The modules.
    pub modules: Vec<ModuleRecord>,
    /// Those in shadow: they are asked, and nothing hangs on what they say.
    pub shadow: Vec<ModuleRecord>,
    /// The approval under which it was accepted; absent where nothing was found that loosens, or nobody had
    /// to be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalId>,
    /// What shows that it is as a host recorded it.
    #[serde(skip)]
    pub seal: Option<Seal>,
}

/// A version of a module, with its bytes, that was proven to work.
#[derive(Clone)]
pub struct Component {
    /// Which.
    pub id: ModuleId,
    /// Its bytes, which have the digest of `id`.
    pub bytes: Arc<[u8]>,
    /// A trusted key's signature of them, with the key, where one was brought along.
    pub signature: Option<(KeyId, String)>,
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Component({}, {} bytes)", self.id, self.bytes.len())
    }
}

/// A version of a module that is kept, and so can be activated.
#[derive(Clone, Debug, serde::Serialize)]
pub struct VersionRecord {
    /// Which.
    #[serde(flatten)]
    pub id: ModuleId,
    /// When it was first kept.
    pub at: Timestamp,
    /// Who or what brought it: an audit label.
    pub by: String,
    /// The generations in which it decides or decided, first and last; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generations: Option<(u64, u64)>,
}

/// What the policies were asked, and by whom.
#[derive(Clone, Debug)]
pub struct Asked {
    /// In which decision.
    pub decision: DecisionId,
    /// When.
    pub at: Timestamp,
    /// [`crate::caller::Caller::actor`].
    pub actor: String,
    /// What.
    pub question: Question,
}

/// The record of which policies were live, and of the versions that are kept.
#[async_trait]
pub trait GenerationLedger: Send + Sync {
    /// Numbers and records a set of policies, before it goes live. `None`: the newest recorded generation
    /// is not the one that it follows, and nothing was recorded.
    async fn record_generation(
        &self,
        change: &GenerationChange,
    ) -> Result<Option<u64>, LedgerError>;

    /// The number of the newest recorded generation; 0 where there is none.
    async fn newest_generation(&self) -> Result<u64, LedgerError>;

    /// The review of this very change that people are asked to accept, or have accepted and nobody has used: so
    /// that what is asked again is the same.
    async fn open_review(&self, change: &GenerationChange) -> Result<Option<Review>, LedgerError>;

    /// The newest review of a change to these very modules that people did not accept: they denied it, or nobody
    /// decided in time. What it listed is not forgotten because a later search comes upon less.
    async fn unaccepted_review(
        &self,
        change: &GenerationChange,
    ) -> Result<Option<Review>, LedgerError>;

    /// What the policies were asked lately, newest first; what one credential asked again and again, once.
    async fn asked_lately(&self, limit: u32) -> Result<Vec<Asked>, LedgerError>;

    /// The newest recorded generation; what a host finds when it starts.
    async fn latest_generation(&self) -> Result<Option<GenerationRecord>, LedgerError>;

    /// The generation recorded under `number`.
    async fn generation(&self, number: u64) -> Result<Option<GenerationRecord>, LedgerError>;

    /// The newest generation before `number`.
    async fn generation_before(&self, number: u64)
    -> Result<Option<GenerationRecord>, LedgerError>;

    /// Seals the generations of a ledger from before there were seals, and keeps `wrapped`, which says from
    /// then on that each one has a seal, in the place of what there is of the same key. False, and nothing is
    /// changed, where one would be left without a seal, or a key that is there is not among `wrapped`.
    async fn seal_generations(
        &self,
        seals: &[(u64, Seal)],
        wrapped: &[WrappedKey],
        now: Timestamp,
    ) -> Result<bool, LedgerError>;

    /// The versions of the policy `name` that are kept, newest first, 500 at most: whatever was part of a
    /// recorded generation, and what was pushed.
    async fn policy_versions(&self, name: &str) -> Result<Vec<VersionRecord>, LedgerError>;

    /// Recorded generations, newest first.
    async fn generations(
        &self,
        permit: &Permit,
        page: &Page,
    ) -> Result<Vec<GenerationRecord>, LedgerError>;

    /// The bytes of the version of the policy `name` that has this digest, if it is kept.
    async fn policy_bytes(
        &self,
        permit: &Permit,
        name: &str,
        digest: &str,
    ) -> Result<Option<Vec<u8>>, LedgerError>;

    /// The bytes of a module that is kept, by their digest.
    async fn component(&self, digest: &str) -> Result<Option<Vec<u8>>, LedgerError>;
}
