//! Names and keys are those that patterns allow, and none that patterns refuse.
//!
//! | verb | name | patterns |
//! |---|---|---|
//! | `org_token_mint` | its `name` | `org_token_names`, `refuse_org_token_names` |
//! | `workspace_create` | its `name` | `workspace_names`, `refuse_workspace_names` |
//! | `workspace_update` of the name | policies are not told | `renames` |
//! | `secret_write`, `secret_delete` | its `key` | `secret_keys`, `refuse_secret_keys` |
//!
//! It denies, gates a renaming where it is told to, and abstains from everything else. Without patterns
//! for a kind of name it says nothing about that kind.

mod kind;
mod pattern;

use countersign_policy::prelude::*;
use countersign_policy::{Action, Value};
use countersign_scope::{Demand, Held, choice};

use kind::{Flaw, Kind, Spec, check_sizes};

const ORG_TOKENS: Spec = Spec {
    allow: "org_token_names",
    refuse: "refuse_org_token_names",
    noun: "names of organisation tokens",
    is_key: false,
};
const WORKSPACES: Spec = Spec {
    allow: "workspace_names",
    refuse: "refuse_workspace_names",
    noun: "names of workspaces",
    is_key: false,
};
const SECRETS: Spec = Spec {
    allow: "secret_keys",
    refuse: "refuse_secret_keys",
    noun: "keys of secrets",
    is_key: true,
};

const DENY: &str = "deny";
const GATE: &str = "gate";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Names {
    held: Held,
    org_tokens: Kind,
    workspaces: Kind,
    secrets: Kind,
    gates_renames: bool,
}

impl Policy for Names {
    fn manifest() -> Manifest {
        let manifest = Manifest::new(
            "names",
            env!("CARGO_PKG_VERSION"),
            "names and keys are those that patterns allow, and none that patterns refuse",
        );
        let manifest = [ORG_TOKENS, WORKSPACES, SECRETS]
            .iter()
            .fold(manifest, |manifest, spec| spec.declare(manifest))
            .setting(
                "unicode",
                "whether names may have other characters than printable ASCII",
                &["false"],
            )
            .setting(
                "renames",
                "what becomes of a workspace's renaming, whose new name policies are not told: \
                 `deny`, or `gate` for a person to read it",
                &[DENY],
            );
        Held::declare(manifest)
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        check_sizes(&[ORG_TOKENS, WORKSPACES, SECRETS], settings)?;
        let unicode = settings.flag("unicode")?;
        Ok(Self {
            held: Held::take(settings)?,
            org_tokens: ORG_TOKENS.take(settings, unicode)?,
            workspaces: WORKSPACES.take(settings, unicode)?,
            secrets: SECRETS.take(settings, unicode)?,
            gates_renames: choice(settings, "renames", &[DENY, GATE])? == GATE,
        })
    }

    fn decide(&self, request: &Request) -> Verdict {
        if !self.held.holds(request) {
            return Verdict::Abstain;
        }
        match request.verb() {
            Some(Verb::OrgTokenMint) => judge(&self.org_tokens, &request.action, "name"),
            Some(Verb::WorkspaceCreate) => judge(&self.workspaces, &request.action, "name"),
            Some(Verb::SecretWrite | Verb::SecretDelete) => {
                judge(&self.secrets, &request.action, "key")
            }
            Some(Verb::WorkspaceUpdate) if self.workspaces.is_governed() => self.update(request),
            _ => Verdict::Abstain,
        }
    }
}

impl Names {
    fn update(&self, request: &Request) -> Verdict {
        let keeps_its_name = match request.action.value("fields") {
            Some(Value::Texts(fields)) => fields.iter().all(|field| field != "name"),
            _ => false,
        };
        if keeps_its_name {
            return Verdict::Abstain;
        }
        let (rule, reason) = (
            "renaming",
            "policies are not told a workspace's new name, and its name is governed",
        );
        if self.gates_renames {
            return Demand::default().gate(request, 1, rule, reason);
        }
        Verdict::deny(rule, reason)
            .advice("ask a person to rename it, or create another workspace under the right name")
    }
}

fn judge(kind: &Kind, action: &Action, property: &str) -> Verdict {
    let flaw = match action.value(property) {
        None => kind.flaw_of_none(),
        Some(Value::Text(name)) => kind.flaw_of(name),
        // Nothing that the host sends; whatever it is, it is not a name that anybody allowed.
        Some(_) => kind.is_governed().then_some(Flaw::Characters),
    };
    let (rule, reason) = match flaw {
        None => return Verdict::Abstain,
        Some(Flaw::Missing) => ("name-missing", "a name is needed here, and there is none"),
        Some(Flaw::TooLong) => ("name-too-long", "no name here is longer than 256 bytes"),
        Some(Flaw::Characters) => (
            "name-characters",
            "the name has characters that can be mistaken or not be seen, or white space at an end",
        ),
        Some(Flaw::Refused) => ("name-refused", "names like this one are refused here"),
        Some(Flaw::NotAllowed) => ("name-not-allowed", "no pattern here allows this name"),
    };
    Verdict::deny(rule, reason).advice(kind.advice())
}

countersign_policy::export!(Names);
