//! What is called how, for people who know no ids.

use countersign_core::id::TokenId;

use super::Connection;
use crate::fault::Fault;

/// What the workspace or the key is called that an approval is about. The address of a workspace's secret begins
/// with the workspace's id.
macro_rules! resource_name {
    () => {
        "CASE approvals.resource_kind
             WHEN 'workspace' THEN
                 (SELECT name FROM workspaces WHERE workspaces.id = approvals.resource_id)
             WHEN 'secret' THEN
                 (SELECT name FROM workspaces WHERE workspaces.id = substr(approvals.resource_id, 1, 36))
             WHEN 'org-token' THEN
                 (SELECT COALESCE(name, prefix) FROM org_tokens WHERE org_tokens.id = approvals.resource_id)
         END AS resource_name"
    };
}
pub(super) use resource_name;

/// A key's name, or what it begins with.
pub(super) async fn of_token(
    connection: &mut Connection,
    id: TokenId,
) -> Result<Option<String>, Fault> {
    Ok(
        sqlx::query_scalar("SELECT COALESCE(name, prefix) FROM org_tokens WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(connection)
            .await?,
    )
}
