//! Who asks: by which credential, who minted that, and what it did lately.

use countersign_core::approval::Approval;
use countersign_core::caller::POLICY_FOLDER;
use countersign_core::decision::Outcome;
use countersign_core::provenance::{Lately, Link, Provenance};
use countersign_core::time::Timestamp;

use super::super::asked::{self, Subject};
use super::super::frame::Party;
use super::super::moment::Moment;

/// What is known of whoever asked.
pub struct Who {
    /// What kind of credential that is, and what it shows.
    pub about: &'static str,
    /// The token that asked, then the one that minted it, and so on.
    pub links: Vec<Minted>,
    pub goes_on: bool,
    /// What the credential did lately, where the reader may know.
    pub lately: Vec<Done>,
    /// Its audit label, by which the history finds what else it asked for.
    pub actor: String,
}

/// One token of the chain.
pub struct Minted {
    pub party: Party,
    pub name: Option<Subject>,
    pub reach: String,
    pub created: Moment,
    pub minter: Party,
    pub minter_user: Option<String>,
    pub lives: bool,
}

/// Something that the credential did, or was refused.
pub struct Done {
    pub decision: String,
    pub title: String,
    pub about: Option<Subject>,
    pub outcome: &'static str,
    pub times: u64,
    pub at: Moment,
}

impl Who {
    pub fn new(approval: &Approval, known: &Provenance, now: Timestamp) -> Self {
        Self {
            about: about(&approval.requester.actor),
            links: known
                .links
                .iter()
                .map(|link| Minted::new(link, now))
                .collect(),
            goes_on: known.goes_on,
            lately: known
                .lately
                .iter()
                .map(|lately| Done::new(lately, now))
                .collect(),
            actor: approval.requester.actor.clone(),
        }
    }
}

impl Minted {
    fn new(link: &Link, now: Timestamp) -> Self {
        let bound = link
            .workspace
            .map(|workspace| format!("bound to workspace {workspace}"));
        let reach = match (link.role, bound) {
            (Some(role), None) => format!("{role}, the whole organisation"),
            (Some(role), Some(bound)) => format!("{role}, {bound}"),
            (None, bound) => bound.unwrap_or_default(),
        };
        Self {
            party: Party::of(&link.actor),
            name: link.name.clone().map(|text| Subject {
                called: None,
                word: "called",
                text,
                is_claim: false,
            }),
            reach,
            created: Moment::new(link.created_at, now),
            minter: Party::of(&link.created_by),
            minter_user: link.created_by_user.clone(),
            lives: link.lives,
        }
    }
}

impl Done {
    fn new(Lately { decision, times }: &Lately, now: Timestamp) -> Self {
        Self {
            decision: decision.id.to_string(),
            title: asked::title(decision.verb),
            about: asked::about(decision),
            outcome: became(decision.outcome),
            times: *times,
            at: Moment::new(decision.at, now),
        }
    }
}

fn became(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "done",
        Outcome::Granted => "done, as people had approved",
        Outcome::Pending => "had to wait for people",
        Outcome::Refused => "refused",
    }
}

/// What a credential of that kind shows, and what it does not.
fn about(actor: &str) -> &'static str {
    match actor.split_once(':') {
        Some(("org-token", _)) => {
            "A program that presented this organisation key. Whoever holds a key can use it."
        }
        Some(("workspace-token", _)) => {
            "A program that presented this workspace’s key. Whoever holds a key can use it."
        }
        Some(("session", _)) => "A person, in a verified session. No key stands between.",
        _ if actor == POLICY_FOLDER => "The host itself, for what lies in its policy folder.",
        _ if actor == "admin-token" => {
            "A program that presented ADMIN_TOKEN. All that hold it look alike, and nobody minted it."
        }
        _ if actor == "provisioner" => "What presented PROVISION_TOKEN, to set the tenant up.",
        _ => "A credential of another kind.",
    }
}
