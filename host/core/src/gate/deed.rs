//! What an action does, if it may be done.

use super::Gate;
use crate::action::Action;
use crate::id::{TokenId, WorkspaceId};
use crate::ledger::Deed;
use crate::secret;
use crate::token::{PlainToken, TokenKind};

impl Gate {
    /// The deed for `action`, with fresh randomness, and the plaintext that only the caller will see.
    pub(super) fn deed(&self, action: &Action) -> (Deed, Option<PlainToken>) {
        match action {
            Action::OrgTokenMint { .. } => {
                let plain = PlainToken::generate(TokenKind::Organisation, &*self.chance);
                let deed = Deed::MintOrgToken {
                    id: TokenId::new(self.clock.now(), &*self.chance),
                    hash: plain.hash(),
                    prefix: plain.prefix().to_owned(),
                    live_limit: self.live_token_limit,
                    mint_limit: self.mint_limit,
                };
                (deed, Some(plain))
            }
            Action::OrgTokenRevoke { .. } => (Deed::RevokeOrgToken, None),
            Action::SecretWrite { address, value } => {
                let sealed = secret::seal(&self.keys, address, value, &*self.chance);
                (Deed::WriteSecret(sealed), None)
            }
            Action::SecretDelete { .. } => (Deed::DeleteSecret, None),
            Action::WorkspaceCreate { .. } => {
                let id = WorkspaceId::new(self.clock.now(), &*self.chance);
                (Deed::CreateWorkspace { id }, None)
            }
            Action::WorkspaceUpdate { .. } => (Deed::UpdateWorkspace, None),
            Action::DeleteWorkspace { .. } => (Deed::RemoveWorkspace, None),
            Action::WorkspaceTokenMint { .. } => {
                let plain = PlainToken::generate(TokenKind::Workspace, &*self.chance);
                let deed = Deed::MintWorkspaceToken {
                    id: TokenId::new(self.clock.now(), &*self.chance),
                    hash: plain.hash(),
                    prefix: plain.prefix().to_owned(),
                };
                (deed, Some(plain))
            }
            Action::WorkspaceTokenRevoke { .. } => (Deed::RevokeWorkspaceToken, None),
            Action::PolicyPush { .. } => (Deed::KeepPolicy, None),
            Action::PolicyActivate { .. } | Action::PolicyRollback { .. } => {
                (Deed::ChangePolicies, None)
            }
            Action::Deprovision => (Deed::Deprovision, None),
            Action::OrgTokenList
            | Action::SecretList { .. }
            | Action::SecretRead { .. }
            | Action::WorkspaceRead { .. }
            | Action::WorkspaceList
            | Action::ApprovalList
            | Action::PolicyRead
            | Action::PolicyFetch { .. }
            | Action::AuditRead
            | Action::DecisionRead => (Deed::Read, None),
        }
    }
}
