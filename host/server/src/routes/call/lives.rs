//! Whether who asked is still somebody, for what goes on after the answer has begun.

use countersign_core::caller::Identity;

use super::Call;
use crate::credentials::{CredentialError, Freshness};
use crate::problem::Problem;

impl Call {
    /// Whether the credential lives as it was verified.
    pub async fn lives(&self) -> Result<bool, Problem> {
        let app = &self.app;
        // What another issuer keeps, that issuer is asked for. The ledger knows the rest, and is no memory.
        if let Identity::Session { session: None, .. } = self.caller.identity {
            let verified = app
                .credentials
                .verify(
                    &self.headers,
                    self.peer,
                    self.caller.door,
                    Freshness::Remembered,
                )
                .await?;
            let key = self.caller.credential_key();
            return Ok(verified.is_some_and(|again| again.credential_key() == key));
        }
        Ok(app.ledger.lives(&self.caller, app.clock.now()).await?)
    }

    /// What whoever asks with a credential that has died meanwhile is told.
    pub(in crate::routes) fn gone(&self) -> Problem {
        match self.caller.person() {
            Some(_) => Problem::unauthenticated("the session was ended or has expired"),
            // All ways of a bearer to be wrong look the same, however late one shows.
            None => CredentialError::Bearer.into(),
        }
    }
}
