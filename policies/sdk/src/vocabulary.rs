//! The verbs of the vocabulary.

macro_rules! verbs {
    ($($variant:ident $name:literal,)*) => {
        /// A verb that the vocabulary knows. What is not here has no rule and is denied.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Verb {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Verb {
            /// All of them, in the vocabulary's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The verb of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// Its name in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

verbs! {
    OrgTokenMint "org_token_mint",
    OrgTokenRevoke "org_token_revoke",
    OrgTokenList "org_token_list",
    SecretWrite "secret_write",
    SecretDelete "secret_delete",
    SecretList "secret_list",
    SecretRead "secret_read",
    WorkspaceCreate "workspace_create",
    WorkspaceUpdate "workspace_update",
    WorkspaceRead "workspace_read",
    DeleteWorkspace "delete_workspace",
    WorkspaceTokenMint "workspace_token_mint",
    WorkspaceTokenRevoke "workspace_token_revoke",
    WorkspaceList "workspace_list",
    ApprovalList "approval_list",
    AuditRead "audit_read",
    PolicyRead "policy_read",
    DecisionRead "decision_read",
    Deprovision "deprovision",
    PolicyPush "policy_push",
    PolicyActivate "policy_activate",
    PolicyRollback "policy_rollback",
    ApprovalDecide "approval_decide",
}

impl Verb {
    /// Whether the host's core judges it alone, so that no module can lock people out.
    #[must_use]
    pub const fn is_core_only(self) -> bool {
        matches!(
            self,
            Self::PolicyPush | Self::PolicyActivate | Self::PolicyRollback | Self::ApprovalDecide
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_parses_from_its_own_name() {
        for &verb in Verb::ALL {
            assert_eq!(Verb::parse(verb.name()), Some(verb));
        }
        assert_eq!(Verb::parse("org_token_mint "), None);
        assert_eq!(Verb::parse(""), None);
    }
}
