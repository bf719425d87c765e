//! What the core says before any policy is asked, and in place of one.

use crate::action::Action;
use crate::caller::{Caller, Identity};
use crate::id::WorkspaceId;
use crate::operators::Operators;
use crate::policy::Role;
use crate::time::Timestamp;
use crate::verb::Verb;
use crate::verdict::Ruling;

/// What no policy can widen: role, workspace, and that a credential mints nothing wider than itself.
pub(super) fn confine(caller: &Caller, action: &Action) -> Option<Ruling> {
    let verb = action.verb();
    if caller.role() < verb.needed_role() {
        return Some(Ruling::denied_by_core(
            "role-too-narrow",
            format!(
                "`{verb}` needs the role {}, and this credential has {}",
                verb.needed_role(),
                caller.role()
            ),
        ));
    }
    if matches!(caller.identity, Identity::Provisioner { .. }) && !is_provisioning(verb) {
        return Some(Ruling::denied_by_core(
            "provisioner-scope",
            format!("the provisioner sets up what agents need, and `{verb}` is no part of that"),
        ));
    }
    if let Some(own) = caller.confined_to()
        && verb != Verb::ApprovalList
        && action.workspace() != Some(own)
    {
        return Some(bound_to(own));
    }
    match action {
        Action::OrgTokenMint { role, .. } => mints_wider(caller, action, *role),
        Action::WorkspaceTokenMint { .. } => mints_wider(caller, action, Role::Editor),
        Action::SecretRead { workspace } => reads_values(caller, *workspace),
        Action::PolicyFetch { .. } => takes_rules(caller),
        Action::DeleteWorkspace { workspace, .. }
        | Action::WorkspaceUpdate {
            workspace,
            parent: Some(_),
            ..
        } => moves_anchor(caller, *workspace),
        _ => None,
    }
}

/// All that the provisioner may ever do. A policy's setting narrows it further; if it were the only bound,
/// whoever writes a module would decide what the bypass bypasses.
fn is_provisioning(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::WorkspaceCreate
            | Verb::WorkspaceTokenMint
            | Verb::SecretWrite
            | Verb::OrgTokenMint
            // Where another module gates one of these, it must be able to see what came of it.
            | Verb::ApprovalList
    )
}

/// Whoever is bound to a workspace has requests filed under that one alone.
pub(super) fn files_elsewhere(caller: &Caller, workspace: WorkspaceId) -> Option<Ruling> {
    let own = caller.confined_to()?;
    (own != workspace).then(|| bound_to(own))
}

fn bound_to(own: WorkspaceId) -> Ruling {
    Ruling::denied_by_core(
        "bound-to-a-workspace",
        format!("this credential is bound to the workspace {own}"),
    )
}

/// Values leave the host towards whom they are for, and nobody else: not even people, who can write
/// another value, and need not know the old one.
fn reads_values(caller: &Caller, workspace: WorkspaceId) -> Option<Ruling> {
    let is_own = matches!(
        &caller.identity,
        Identity::WorkspaceToken { workspace: own, .. } if *own == workspace
    );
    (!is_own).then(|| {
        Ruling::denied_by_core(
            "secret-values",
            "secret values are for the workspace's own token only",
        )
    })
}

/// Which policies there are, everybody may read who is subject to them; with their bytes, a program could try
/// out at leisure what they let through.
fn takes_rules(caller: &Caller) -> Option<Ruling> {
    caller.person().is_none().then(|| {
        Ruling::denied_by_core(
            "people-only",
            "only a person with a verified session takes a policy's bytes along",
        )
    })
}

/// Requests are filed under the anchor. Without it, nobody could be asked for anything.
fn moves_anchor(caller: &Caller, workspace: WorkspaceId) -> Option<Ruling> {
    (caller.anchor == Some(workspace)).then(|| {
        Ruling::denied_by_core(
            "approval-anchor",
            "this workspace is the approval anchor, under which requests are filed: nobody can move or remove it, unless MOLECULE_PLATFORM_WORKSPACE_ID names another one",
        )
    })
}

fn mints_wider(caller: &Caller, action: &Action, role: Role) -> Option<Ruling> {
    if role > caller.role() {
        return Some(Ruling::denied_by_core(
            "wider-than-the-minter",
            format!(
                "a credential with the role {} cannot mint one with the role {role}",
                caller.role()
            ),
        ));
    }
    outlives_the_minter(action, caller.mints_until())
}

/// What the core says to a mint of what would outlive a minter that ends at `end`. It is asked again in
/// the deed's transaction: a token may have begun to drain since it was verified.
pub fn outlives_the_minter(action: &Action, end: Option<Timestamp>) -> Option<Ruling> {
    let (Action::OrgTokenMint { expires_at, .. } | Action::WorkspaceTokenMint { expires_at, .. }) =
        action
    else {
        return None;
    };
    let outlives = end.is_some_and(|end| expires_at.is_none_or(|at| at > end));
    outlives.then(|| {
        Ruling::denied_by_core(
            "outlives-the-minter",
            "a credential cannot mint one that outlives it: ask for an earlier `expires_at`",
        )
    })
}

/// The verbs that the core judges alone, so that no policy can lock people out or keep itself in.
pub(super) fn judged_by_core(caller: &Caller, verb: Verb, operators: &Operators) -> Ruling {
    match (verb, caller.person()) {
        (Verb::ApprovalList, _) => Ruling::allowed_by_core(
            "approvals-can-be-read",
            "people read all approvals, others their own",
        ),
        (Verb::PolicyRead, _) => Ruling::allowed_by_core(
            "policies-can-be-read",
            "whoever is subject to the policies may read which they are",
        ),
        (Verb::PolicyPush | Verb::PolicyActivate | Verb::PolicyRollback, Some(person)) => {
            if operators.include(person) {
                Ruling::allowed_by_core("operators-only", "an operator asks")
            } else {
                Ruling::denied_by_core(
                    "operators-only",
                    "only an operator changes the policies: COUNTERSIGN_OPERATORS names them, and where it is not set, whoever signs in by the host's own link is one",
                )
            }
        }
        (Verb::PolicyActivate, None) if caller.identity == Identity::PolicyFolder => {
            Ruling::allowed_by_core("policy-folder", "the folder's owner asks")
        }
        (_, Some(_)) => Ruling::allowed_by_core("people-only", "a person asks"),
        (_, None) => Ruling::denied_by_core(
            "people-only",
            "only a person with a verified session may do this",
        ),
    }
}

#[cfg(test)]
mod tests;
