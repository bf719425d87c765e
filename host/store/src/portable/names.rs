//! What is called how, for people who know no ids.

use countersign_core::id::TokenId;

use super::Connection;
use crate::fault::Fault;

/// What the workspace is called under which an approval is filed, and the workspace or the key that it is about.
/// The address of a workspace's secret begins with the workspace's id.
macro_rules! of_approval {
    () => {
        "(SELECT name FROM workspaces WHERE workspaces.id = approvals.workspace)
             AS workspace_name,
         CASE approvals.resource_kind
             WHEN 'workspace' THEN
                 (SELECT name FROM workspaces WHERE workspaces.id = approvals.resource_id)
             WHEN 'secret' THEN
                 (SELECT name FROM workspaces WHERE workspaces.id = substr(approvals.resource_id, 1, 36))
             WHEN 'org-token' THEN
                 (SELECT COALESCE(name, prefix) FROM org_tokens WHERE org_tokens.id = approvals.resource_id)
         END AS resource_name"
    };
}
pub(super) use of_approval;

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
