//! What the host does with a credential that it saw a moment ago: its own code, which is in no library.

use std::sync::Arc;

use countersign_core::caller::Identity;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::{Clock as _, SystemClock};

#[path = "../../../host/server/src/credentials/known.rs"]
pub mod known;
#[path = "../../../host/server/src/credentials/memberships.rs"]
pub mod memberships;
#[path = "../../../host/server/src/credentials/remembered.rs"]
pub mod remembered;
#[path = "../../../host/server/src/credentials/tokens.rs"]
mod tokens;
#[path = "../../../host/server/src/credentials/uses.rs"]
pub mod uses;

/// The check that every request with a token passes before the gate.
pub struct TokenCheck(tokens::Tokens);

impl TokenCheck {
    /// Nothing is remembered so far.
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self(tokens::Tokens::new(ledger))
    }

    /// Whose token `bearer` is.
    pub async fn check(&self, bearer: &str) -> Result<Option<Identity>, LedgerError> {
        self.0.find(bearer, SystemClock.now()).await
    }

    /// The same, when it was not seen before.
    pub async fn check_anew(&self, bearer: &str) -> Result<Option<Identity>, LedgerError> {
        self.0.forget();
        self.check(bearer).await
    }

    /// Writes down what was counted.
    pub async fn write_uses(&self) -> Result<(), LedgerError> {
        self.0.write_uses().await
    }
}
