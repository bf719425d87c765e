//! A change of policies waits for what it loosens to be accepted.

use crate::action::Action;
use crate::policy::{Ground, Quorum, Terms};
use crate::verdict::Ruling;

/// People have a day to read such a list, within what the operator set.
const REVIEW_SECONDS: u32 = 86_400;

/// What loosens the policies, or brings one that breaks a law, waits until somebody accepts that very list.
pub(super) fn reviewed(ruling: Ruling, action: &Action) -> Ruling {
    let Action::PolicyActivate {
        change: Some(reviewed),
    } = action
    else {
        return ruling;
    };
    if !matches!(ruling, Ruling::Allow { .. }) || !reviewed.review.needs_a_person() {
        return ruling;
    }
    let reason = format!(
        "{}: an operator accepts the list, or nothing changes",
        reviewed.review.sentence()
    );
    let ground = Ground::new("loosening-is-accepted", reason);
    Ruling::gated_by_core(Terms {
        ground,
        quorums: vec![Quorum::one_person()],
        pending_ttl: Some(REVIEW_SECONDS),
        grant_ttl: None,
    })
}

#[cfg(test)]
mod tests;
