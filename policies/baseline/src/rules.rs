//! The rules: who may do what, and who needs a person for it.
//!
//! For agents, by default:
//!
//! | verb | verdict |
//! |---|---|
//! | `org_token_mint`, `secret_delete`, `delete_workspace`, `deprovision` | gate |
//! | `secret_write` | gate; for the caller's own workspace: deny |
//! | `org_token_revoke` | gate; what the caller's own lineage minted: allow |
//! | `workspace_update` | gate where it moves the workspace, else allow |
//! | `workspace_token_mint` | gate; its own rotation: allow |
//! | `secret_read` | values: a workspace's own token only |
//! | `audit_read`, `decision_read` | deny: people only |
//! | `workspace_create`, `workspace_token_revoke`, all other reads | allow |

use countersign_policy::{CallerClass, Credential, Properties, Request, Verb, Verdict};

use crate::options::Options;
use crate::verbs::is_for_people_only;

/// What kind of caller a credential makes.
pub fn classify(credential: Credential) -> CallerClass {
    match credential {
        Credential::VerifiedSession => CallerClass::Human,
        Credential::OrgToken | Credential::AdminToken | Credential::WorkspaceToken => {
            CallerClass::Agent
        }
        Credential::Provisioner => CallerClass::Service,
        Credential::Anonymous | Credential::Vouched | Credential::Other => CallerClass::Unknown,
    }
}

/// The verdict on a request. Never an abstention: the baseline answers for every verb and caller.
pub(crate) fn decide(options: &Options, request: &Request) -> Verdict {
    let Some(verb) = request.verb() else {
        return Verdict::deny("unknown-verb", "no rule covers this verb");
    };
    if verb.is_core_only() {
        return Verdict::deny("core-only", "no policy decides on this verb");
    }
    if reads_values(request, verb) && !is_own_workspace_token(request) {
        return Verdict::deny(
            "secret-values",
            "secret values are for the workspace's own token only",
        );
    }
    match (request.caller.credential, request.class) {
        (Credential::VerifiedSession, CallerClass::Human) => {
            Verdict::allow("person", "a person with a verified session asks")
        }
        (
            Credential::VerifiedSession
            | Credential::OrgToken
            | Credential::AdminToken
            | Credential::WorkspaceToken,
            CallerClass::Agent | CallerClass::Service,
        ) => agent(options, request, verb),
        (Credential::Provisioner, CallerClass::Service) => provisioner(options, verb),
        (Credential::Vouched, CallerClass::Agent | CallerClass::Service | CallerClass::Unknown) => {
            vouched(options, request, verb)
        }
        _ => Verdict::deny("unknown-caller", "no rule covers this kind of caller")
            .advice("use an organisation token or a workspace token, or sign in as a person"),
    }
}

fn agent(options: &Options, request: &Request, verb: Verb) -> Verdict {
    if is_for_people_only(verb) {
        return Verdict::deny(
            "people-only",
            "only people read the record of what was decided",
        )
        .advice("ask a person who can sign in");
    }
    if verb == Verb::SecretWrite && request.is_self_targeted() {
        return Verdict::deny(
            "own-secret",
            "agents do not write secrets of their own workspace",
        )
        .advice("set env or config instead");
    }
    match verb {
        Verb::OrgTokenRevoke if request.resource.flag("own-lineage") => {
            return Verdict::allow("own-lineage", "the caller's own lineage minted this token");
        }
        Verb::WorkspaceTokenMint if request.is_own_rotation() => {
            return Verdict::allow("own-rotation", "a workspace token replaces itself");
        }
        Verb::WorkspaceUpdate if !request.moves_workspace() => {
            return Verdict::allow("stays-in-place", "the workspace keeps its parent");
        }
        _ => {}
    }
    if !options.gated.contains(verb) {
        return Verdict::allow("open-to-agents", "agents need nobody for this");
    }
    let exempt = options
        .exemptions
        .iter()
        .find_map(|exemption| exemption.lifts(request, verb));
    if let Some(ground) = exempt {
        return Verdict::allow("exempt", ground);
    }
    Verdict::gate("agents-need-a-person", "agents need a person for this")
        .people(1)
        .pending_ttl(options.pending_ttl_seconds)
        .grant_ttl(options.grant_ttl_seconds)
        .advice("wait until a person approves, then repeat the same request")
        .into()
}

fn provisioner(options: &Options, verb: Verb) -> Verdict {
    if options.provisioning.contains(verb) {
        Verdict::allow("provisioner-verb", "provisioning includes this")
    } else {
        Verdict::deny("provisioner-scope", "provisioning does not include this")
            .advice("use an organisation token, or sign in as a person")
    }
}

/// An enforcement point has no lineage to revoke and nobody to wait for, so what would wait is refused,
/// whatever the settings open to agents.
fn vouched(options: &Options, request: &Request, verb: Verb) -> Verdict {
    let verdict = agent(options, request, verb);
    if request.is_privileged() || verdict.is_gate() {
        return Verdict::deny(
            "vouched-scope",
            "what is privileged takes a credential of this host, not a subject that others vouch for",
        )
        .advice("call this host with an organisation token, or sign in as a person");
    }
    verdict
}

fn reads_values(request: &Request, verb: Verb) -> bool {
    verb == Verb::SecretRead || (verb == Verb::SecretList && request.action.flag("values"))
}

fn is_own_workspace_token(request: &Request) -> bool {
    request.caller.credential == Credential::WorkspaceToken && request.is_self_targeted()
}
