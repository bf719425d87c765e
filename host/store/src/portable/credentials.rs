//! Whether a credential is still what it was when it was verified, asked where something hangs on it.

use countersign_core::caller::{Caller, Identity, earlier};
use countersign_core::time::Timestamp;

use super::{Connection, sessions, tokens, workspace_tokens};
use crate::fault::Fault;

/// Whether the caller's credential is still what it was when it was verified.
pub(super) async fn is_alive(
    connection: &mut Connection,
    caller: &Caller,
    now: Timestamp,
) -> Result<bool, Fault> {
    Ok(standing(connection, caller, now).await?.is_some())
}

/// How a credential stands that lives.
pub(super) struct Standing {
    /// When it ends, where that is known.
    pub ends_at: Option<Timestamp>,
}

/// The caller's credential, if it is still what it was when it was verified. The host's own secrets and
/// sessions that another issuer keeps have no row here: who verified them answers for them, until they end.
pub(super) async fn standing(
    connection: &mut Connection,
    caller: &Caller,
    now: Timestamp,
) -> Result<Option<Standing>, Fault> {
    let endless = Standing { ends_at: None };
    match &caller.identity {
        Identity::OrgToken {
            id,
            role,
            workspace,
            ..
        } => {
            let token = tokens::live(connection, *id, now).await?;
            let token = token.filter(|token| token.role == *role && token.workspace == *workspace);
            Ok(token.map(|token| Standing {
                ends_at: earlier(token.expires_at, token.draining_until),
            }))
        }
        Identity::WorkspaceToken { id, workspace, .. } => {
            let token = workspace_tokens::live(connection, *workspace, *id, now).await?;
            Ok(token.map(|token| Standing {
                ends_at: earlier(token.expires_at, token.draining_until),
            }))
        }
        Identity::Session {
            session: Some(session),
            ..
        } => {
            let is_live = sessions::is_live(connection, *session, now).await?;
            Ok(is_live.then_some(endless))
        }
        // A person is none who ends with the proof of the moment, so nothing that they mint ends with it.
        Identity::Session {
            session: None,
            expires_at,
            ..
        } => Ok(expires_at.is_none_or(|end| now < end).then_some(endless)),
        Identity::AdminToken { .. } | Identity::Provisioner { .. } | Identity::PolicyFolder => {
            Ok(Some(endless))
        }
    }
}
