//! Everything that can be asked of the host, by name.

use crate::policy::{Role, words};

words! {
    /// A verb. A name that is not here does not exist, and is denied.
    Verb {
        /// Mint an organisation token.
        OrgTokenMint = "org_token_mint",
        /// Revoke an organisation token.
        OrgTokenRevoke = "org_token_revoke",
        /// List the organisation's tokens.
        OrgTokenList = "org_token_list",
        /// Write a secret.
        SecretWrite = "secret_write",
        /// Delete a secret.
        SecretDelete = "secret_delete",
        /// List secrets, without values.
        SecretList = "secret_list",
        /// Read secrets' values.
        SecretRead = "secret_read",
        /// Create a workspace.
        WorkspaceCreate = "workspace_create",
        /// Change a workspace.
        WorkspaceUpdate = "workspace_update",
        /// Read one workspace.
        WorkspaceRead = "workspace_read",
        /// List workspaces.
        WorkspaceList = "workspace_list",
        /// Remove a workspace and all below it.
        DeleteWorkspace = "delete_workspace",
        /// Mint a workspace's token.
        WorkspaceTokenMint = "workspace_token_mint",
        /// Revoke a workspace's token.
        WorkspaceTokenRevoke = "workspace_token_revoke",
        /// Revoke and remove everything.
        Deprovision = "deprovision",
        /// Read approvals.
        ApprovalList = "approval_list",
        /// Decide an approval.
        ApprovalDecide = "approval_decide",
        /// Read policies.
        PolicyRead = "policy_read",
        /// Push a version of a policy.
        PolicyPush = "policy_push",
        /// Activate a set of policies.
        PolicyActivate = "policy_activate",
        /// Go back to an earlier set of policies.
        PolicyRollback = "policy_rollback",
        /// Read the audit log.
        AuditRead = "audit_read",
        /// Read decisions.
        DecisionRead = "decision_read",
    }
}

impl Verb {
    /// Whether the core alone judges it, so that no module can lock people out or keep itself in.
    pub fn is_judged_by_core_alone(self) -> bool {
        matches!(
            self,
            Self::ApprovalList
                | Self::ApprovalDecide
                | Self::PolicyRead
                | Self::PolicyPush
                | Self::PolicyActivate
                | Self::PolicyRollback
        )
    }

    /// Whether it changes which policies there are, which is for operators alone.
    pub fn changes_policies(self) -> bool {
        matches!(
            self,
            Self::PolicyPush | Self::PolicyActivate | Self::PolicyRollback
        )
    }

    /// The least role that may use it at all.
    pub fn needed_role(self) -> Role {
        match self {
            Self::OrgTokenMint
            | Self::OrgTokenRevoke
            | Self::OrgTokenList
            | Self::Deprovision
            | Self::PolicyPush
            | Self::PolicyActivate
            | Self::PolicyRollback => Role::Admin,
            Self::SecretWrite
            | Self::SecretDelete
            | Self::SecretRead
            | Self::WorkspaceCreate
            | Self::WorkspaceUpdate
            | Self::DeleteWorkspace
            | Self::WorkspaceTokenMint
            | Self::WorkspaceTokenRevoke => Role::Editor,
            Self::SecretList
            | Self::WorkspaceRead
            | Self::WorkspaceList
            | Self::ApprovalList
            | Self::ApprovalDecide
            | Self::PolicyRead
            | Self::AuditRead
            | Self::DecisionRead => Role::Reader,
        }
    }

    /// Whether tokens may end by it, so that who remembers them must forget them.
    pub fn ends_tokens(self) -> bool {
        matches!(
            self,
            // A mint may take another token's place.
            Self::OrgTokenMint
                | Self::OrgTokenRevoke
                | Self::WorkspaceTokenMint
                | Self::WorkspaceTokenRevoke
                | Self::DeleteWorkspace
                | Self::Deprovision
        )
    }

    /// Whether tallies count it: what changes something, and the reading of secret values. Listing is no deed,
    /// and what the core judges alone no policy bounds.
    pub fn is_counted(self) -> bool {
        !self.is_judged_by_core_alone() && (self == Self::SecretRead || !self.is_read())
    }

    /// Whether it changes nothing.
    pub fn is_read(self) -> bool {
        matches!(
            self,
            Self::OrgTokenList
                | Self::SecretList
                | Self::SecretRead
                | Self::WorkspaceRead
                | Self::WorkspaceList
                | Self::ApprovalList
                | Self::PolicyRead
                | Self::AuditRead
                | Self::DecisionRead
        )
    }
}
