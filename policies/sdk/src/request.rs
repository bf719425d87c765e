//! Questions that many policies ask of a request.

use crate::{Credential, Properties, Request, Verb};

impl Request {
    /// The verb, where the vocabulary knows it.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        Verb::parse(&self.action.name)
    }

    /// The workspace that the resource is or belongs to.
    #[must_use]
    pub fn target_workspace(&self) -> Option<&str> {
        match self.resource.kind.as_str() {
            "workspace" => Some(&self.resource.id),
            _ => self.resource.text("workspace"),
        }
    }

    /// Whether the caller acts on the workspace that it acts from. The admin token acts from the
    /// approval anchor's workspace.
    #[must_use]
    pub fn is_self_targeted(&self) -> bool {
        !self.caller.workspace.is_empty()
            && self.target_workspace() == Some(self.caller.workspace.as_str())
    }

    /// Whether a workspace token replaces itself.
    #[must_use]
    pub fn is_own_rotation(&self) -> bool {
        self.caller.credential == Credential::WorkspaceToken
            && self.resource.flag("own")
            && self.verb() == Some(Verb::WorkspaceTokenMint)
    }

    /// Whether an update of a workspace gives it another parent, or none.
    #[must_use]
    pub fn moves_workspace(&self) -> bool {
        self.verb() == Some(Verb::WorkspaceUpdate)
            && (self.action.value("parent").is_some()
                || self
                    .action
                    .texts("fields")
                    .iter()
                    .any(|field| field == "parent_id"))
    }

    /// Whether the vocabulary calls it privileged. A verb that is not known counts.
    #[must_use]
    pub fn is_privileged(&self) -> bool {
        let Some(verb) = self.verb() else { return true };
        match verb {
            Verb::OrgTokenRevoke => !self.resource.flag("own-lineage"),
            Verb::WorkspaceUpdate => self.moves_workspace(),
            Verb::WorkspaceTokenMint => !self.is_own_rotation(),
            Verb::OrgTokenMint
            | Verb::SecretWrite
            | Verb::SecretDelete
            | Verb::DeleteWorkspace
            | Verb::Deprovision => true,
            _ => verb.is_core_only(),
        }
    }

    /// A count that the manifest asked for.
    #[must_use]
    pub fn tally(&self, name: &str) -> Option<u32> {
        self.tallies
            .iter()
            .find(|tally| tally.name == name)
            .map(|tally| tally.count)
    }
}

#[cfg(test)]
mod tests {
    use crate::Credential;
    use crate::testing::request;

    #[test]
    fn a_caller_without_a_workspace_targets_nothing_of_its_own() {
        let asked = request(Credential::OrgToken, "secret_write").resource("workspace", "");
        assert!(!asked.build().is_self_targeted());
    }

    #[test]
    fn a_secret_of_the_callers_own_workspace_is_self_targeted() {
        let asked = |workspace: &str| {
            request(Credential::AdminToken, "secret_write")
                .workspace("anchor")
                .resource("secret", "anchor/KEY")
                .resource_property("workspace", workspace)
                .build()
        };
        assert!(asked("anchor").is_self_targeted());
        assert!(!asked("other").is_self_targeted());
    }

    #[test]
    fn clearing_the_parent_moves_a_workspace_too() {
        let asked = |fields: [&str; 1]| {
            request(Credential::OrgToken, "workspace_update")
                .resource("workspace", "w")
                .action_property("fields", fields)
                .build()
        };
        assert!(asked(["parent_id"]).moves_workspace());
        assert!(!asked(["name"]).moves_workspace());
    }

    #[test]
    fn only_a_workspace_token_rotates_itself() {
        let asked = |credential| {
            request(credential, "workspace_token_mint")
                .resource("workspace", "w")
                .resource_property("own", true)
                .build()
        };
        assert!(!asked(Credential::WorkspaceToken).is_privileged());
        assert!(asked(Credential::OrgToken).is_privileged());
    }

    #[test]
    fn a_verb_that_nobody_knows_is_privileged() {
        assert!(
            request(Credential::OrgToken, "make_coffee")
                .build()
                .is_privileged()
        );
    }
}
