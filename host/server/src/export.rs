//! An export of decisions, as it is in a file: JSON, an object in each line.
//!
//! The first line is the [`Head`]. Then come decisions, the newest first, each as `GET /decisions/{id}` shows
//! it, and before the first of a generation that [`Generation`], and before that, where they were asked for,
//! the [`Component`]s in it. The last line is the [`End`], whose digest is of all bytes before it: so a file
//! that was cut, changed or put together of several shows.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::id::DecisionId;
use countersign_core::keys::hex;
use countersign_core::time::Timestamp;
use countersign_core::verdict::ModuleId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the first line calls the format.
pub const FORMAT: &str = "countersign-decisions";
/// Its version, which changes with whatever a reader of this one would misread.
pub const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The host that decided.
    pub origin: String,
    /// When it was asked.
    pub at: Timestamp,
    /// No decision was asked for that is earlier; absent: all.
    pub since: Option<Timestamp>,
    /// Nor one of this moment or later.
    pub until: Option<Timestamp>,
    /// The newest decision of the file; absent where there is none.
    pub newest: Option<DecisionId>,
}

/// A set of policies, before the first decision that it made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Its modules.
    pub modules: Vec<Module>,
    /// What else the host says of it.
    #[serde(flatten)]
    pub others: BTreeMap<String, serde_json::Value>,
}

/// One of its modules.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Module {
    /// Which.
    #[serde(flatten)]
    pub id: ModuleId,
    /// Its settings, defaults included.
    pub settings: BTreeMap<String, Vec<String>>,
    /// The file that it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// The bytes of a module.
#[derive(Debug, Serialize, Deserialize)]
pub struct Component {
    /// SHA-256 of them, in hex.
    pub digest: String,
    /// In base64.
    bytes: String,
}

impl Component {
    /// Those bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            digest: digest(bytes),
            bytes: STANDARD.encode(bytes),
        }
    }

    /// The bytes, if they have the digest.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(&self.bytes).ok()?;
        (digest(&bytes) == self.digest).then_some(bytes)
    }
}

/// The last line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// How many decisions there are.
    pub decisions: u64,
    /// The oldest of them; absent where there is none.
    pub oldest: Option<DecisionId>,
    /// SHA-256 of all bytes before this line, in hex.
    pub sha256: String,
}

/// A line that is neither the first nor a decision, by its one member.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// Policies.
    Generation(Generation),
    /// A module.
    Component(Component),
    /// The end.
    End(End),
}

impl Between {
    /// What `line` begins like; every other line but the first is a decision. Nothing else is parsed for
    /// that, because most lines are decisions.
    pub fn is_like(line: &[u8]) -> bool {
        let beginnings: [&[u8]; 3] = [br#"{"generation":"#, br#"{"component":"#, br#"{"end":"#];
        beginnings
            .iter()
            .any(|beginning| line.starts_with(beginning))
    }
}

/// SHA-256 in hex.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
