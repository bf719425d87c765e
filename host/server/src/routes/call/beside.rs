//! What a page reads beside what its route is for.

use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::permit::Permit;

use super::{Call, Source, Want};
use crate::problem::Problem;

impl Call {
    /// The permit to read something beside what the route is for: a page shows what several verbs read, and
    /// the policies are asked about each. Whom they gate is told so, and nobody is asked for a mere look.
    pub async fn permit_beside(&self, action: Action) -> Result<Permit, Problem> {
        if self.source != Source::Request {
            tracing::error!(route = %self.verb, action = %action.verb(), "what is asked ahead reads something");
            return Err(Problem::internal());
        }
        match self.judge(action, Want::Glance).await? {
            Passed::Read(permit) => Ok(permit),
            _ => Err(Problem::internal()),
        }
    }
}
