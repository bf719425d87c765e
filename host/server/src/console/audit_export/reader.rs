//! The entries of an export, for as long as who asked for it may read them.

use std::time::Duration;

use countersign_core::action::Action;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use countersign_core::time::Timestamp;
use hyper::body::Bytes;
use tokio::sync::watch;

use super::delivery::Cut;
use crate::commands::terminal::plain_json;
use crate::problem::ASKED_FIRST;
use crate::report;
use crate::routes::Call;

/// Entries that are read at once.
const PAGE: u32 = 200;
/// The same policies are asked again so often, for those that go by the time: each time is a recorded decision.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Reads the entries.
pub struct Reader {
    call: Call,
    permit: Permit,
    /// Which policies are live.
    numbers: watch::Receiver<u64>,
    /// When they were asked.
    asked: Timestamp,
    /// Whether people approved this very file, which they were asked for by the policies that are live.
    is_granted: bool,
}

impl Reader {
    /// By a permit of no older policies than the last of `numbers` that was seen, and whether people granted it.
    pub fn new(
        call: Call,
        (permit, is_granted): (Permit, bool),
        numbers: watch::Receiver<u64>,
    ) -> Self {
        let asked = call.app.clock.now();
        Self {
            call,
            permit,
            numbers,
            asked,
            is_granted,
        }
    }

    /// Some entries after the one of that number, as lines, and the number of the last of them.
    pub async fn part(&mut self, after: i64, last: i64) -> Result<(Bytes, i64), Cut> {
        self.still_may().await?;
        let page = Page {
            after: Some(after.to_string()),
            limit: PAGE,
        };
        let read = self.call.app.ledger.audit(&self.permit, &page).await;
        let mut entries = read.map_err(|error| {
            tracing::error!(error = %report(&error), "the audit cannot be exported");
            Cut::because("the record cannot be read now")
        })?;
        entries.retain(|entry| entry.seq <= last);
        let Some(end) = entries.last().map(|entry| entry.seq) else {
            return Err(Cut::because("the record has no entry where one was"));
        };
        let mut lines = String::new();
        for entry in &entries {
            let line = serde_json::to_string(entry).expect("INVARIANT: an entry is fit for JSON");
            lines.push_str(&plain_json(&line));
            lines.push('\n');
        }
        Ok((lines.into(), end))
    }

    /// Sees that the credential lives, and that the policies let it read on.
    async fn still_may(&mut self) -> Result<(), Cut> {
        match self.call.lives().await {
            Ok(true) => {}
            Ok(false) => {
                return Err(Cut::because(
                    "the session or the key that asked for this has ended",
                ));
            }
            Err(problem) => return Err(Cut::because(problem.error())),
        }
        let are_others = self.numbers.has_changed().unwrap_or(true);
        let now = self.call.app.clock.now();
        if !are_others && now < self.asked.plus(ASK_AGAIN) {
            return Ok(());
        }
        self.numbers.mark_unchanged();
        self.is_granted &= !are_others;
        match self.call.permit_beside(Action::AuditRead).await {
            Ok(permit) => self.permit = permit,
            Err(problem) if self.is_granted && problem.code() == ASKED_FIRST => {}
            Err(problem) => return Err(Cut::because(problem.error())),
        }
        self.asked = now;
        Ok(())
    }
}
