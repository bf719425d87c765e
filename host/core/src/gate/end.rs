//! The end of an approval by somebody's will: the requester takes it back, or a person revokes the grant.

use super::{Gate, VoteError};
use crate::caller::Caller;
use crate::id::{ApprovalId, WorkspaceId};
use crate::ledger::{Ended, Revocation, Withdrawal};
use crate::ports::LedgerError;

impl Gate {
    /// Takes the caller's own pending request back. `workspace` is the one that the route names, if it
    /// names one.
    pub async fn withdraw(
        &self,
        caller: &Caller,
        approval: ApprovalId,
        workspace: Option<WorkspaceId>,
    ) -> Result<Ended, LedgerError> {
        let withdrawal = Withdrawal {
            approval,
            workspace,
            caller,
            at: self.clock.now(),
        };
        self.ledger.withdraw(withdrawal).await
    }

    /// Takes an unused grant back, whoever gave it. Who does is a person: programs would otherwise undo
    /// what people decided.
    pub async fn revoke(
        &self,
        caller: &Caller,
        approval: ApprovalId,
        reason: Option<&str>,
    ) -> Result<Ended, VoteError> {
        let Some(person) = caller.person() else {
            return Err(VoteError::NotAPerson);
        };
        let revocation = Revocation {
            approval,
            caller,
            standing: self.operators.standing(person),
            reason,
            at: self.clock.now(),
        };
        let revoked = self.ledger.revoke(revocation).await;
        revoked.map_err(VoteError::Ledger)
    }
}
