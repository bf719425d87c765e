//! What a request's head says beside who asks and for what.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri};
use countersign_core::id::ApprovalId;

use crate::problem::Problem;

/// The query's members; the last of equal names counts for nothing: they are refused.
pub fn query(uri: &Uri) -> Result<HashMap<String, String>, Problem> {
    let refuse = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "the query is malformed",
        )
    };
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|_| refuse())?;
    let mut query = HashMap::new();
    for (name, value) in pairs {
        if query.insert(name.clone(), value).is_some() {
            return Err(Problem::bad_field(&name, "is in the query twice"));
        }
    }
    Ok(query)
}

/// The approval that a caller wants to use.
pub fn named_approval(headers: &HeaderMap) -> Result<Option<ApprovalId>, Problem> {
    let mut named = headers.get_all("approval-id").iter();
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some(id), None) => id
            .to_str()
            .ok()
            .and_then(ApprovalId::parse)
            .map(Some)
            .ok_or_else(|| Problem::bad_field("Approval-Id", "is not a UUID")),
        (Some(_), Some(_)) => Err(Problem::bad_field("Approval-Id", "is there twice")),
    }
}
