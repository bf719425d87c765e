//! How often a token was used, hour by hour.

use std::time::Duration;

use axum::http::StatusCode;
use countersign_core::id::TokenId;
use countersign_core::permit::Permit;
use serde_json::json;

use super::{Answer, Call};
use crate::problem::{Problem, json_response};

/// How many hours are shown where nobody says.
pub(super) const HOURS: u32 = 24;
/// At most so many: for so long what was counted is kept.
pub(super) const MAX_HOURS: u32 = 31 * 24;

/// How many hours back the caller wants to look.
pub(super) fn hours(call: &Call) -> Result<u32, Problem> {
    let Some(hours) = call.query.get("hours") else {
        return Ok(HOURS);
    };
    hours
        .parse()
        .ok()
        .filter(|hours| (1..=MAX_HOURS).contains(hours))
        .ok_or_else(|| {
            Problem::bad_field("hours", format!("is not a number from 1 to {MAX_HOURS}"))
        })
}

/// The uses of `token`, which may have ended, in the last so many hours, the one under way included.
pub(super) async fn answer(call: &Call, permit: &Permit, token: TokenId, hours: u32) -> Answer {
    let back = Duration::from_secs(u64::from(hours) * 3_600);
    let since = call.app.clock.now().minus(back);
    let uses = call.app.ledger.token_uses(permit, token, since).await?;
    let hours = uses.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such token, and there was none",
        )
    })?;
    let total: u64 = hours.iter().map(|hour| hour.uses).sum();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "token": token, "hours": hours, "uses": total }),
    ))
}
