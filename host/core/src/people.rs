//! Who is behind the label under which the record tells of a person.
//!
//! A [`Person::label`] says nothing to whoever does not know the person; the name that their issuer vouched
//! for is kept beside it, for people who read the record. No policy is told of it.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::caller::{Caller, Person};
use crate::ports::LedgerError;

/// The people whom the host has verified.
#[async_trait]
pub trait PeopleLedger: Send + Sync {
    /// Those of `labels` that are people's, by label, as `reader` may know them: only a person is told who
    /// other people are. Whoever the host never verified is not among them.
    async fn people(
        &self,
        reader: &Caller,
        labels: &[&str],
    ) -> Result<HashMap<String, Person>, LedgerError>;
}
