//! What is known of an action's resource, in the words of `docs/vocabulary.md`.

use countersign_core::action::Action;
use countersign_core::caller::Caller;
use countersign_core::id::{OrgId, TokenId};
use countersign_core::ledger::Facts;
use countersign_core::policy::{Entity, Properties, Value};
use countersign_core::secret::SecretAddress;
use countersign_core::time::Timestamp;

use super::{Connection, secrets, tokens};
use crate::fault::Fault;

/// The precondition of what is done to something that is not there. A deed that needs it there is
/// refused, and so a grant for its absence is only ever one to make it.
pub(super) const ABSENT: &str = "absent";

/// The precondition of what is done to a token that works.
const LIVE: &str = "live";

/// Reads them.
pub(super) async fn read(
    connection: &mut Connection,
    caller: &Caller,
    action: &Action,
    org: OrgId,
    now: Timestamp,
) -> Result<Facts, Fault> {
    let (properties, precondition) = match action {
        Action::OrgTokenMint { .. } => {
            let live = tokens::count_live(connection, now).await?;
            let properties = Properties::new().with("live-tokens", Value::Integer(live));
            (properties, String::new())
        }
        Action::OrgTokenRevoke { token } => of_token(connection, caller, *token, now).await?,
        Action::SecretWrite { address, .. } | Action::SecretDelete { address } => {
            of_secret(connection, address).await?
        }
        Action::SecretList { scope } => {
            let workspace = scope.workspace().map(|id| id.to_string());
            let properties = Properties::new().with_text("workspace", workspace.as_deref());
            (properties, String::new())
        }
        Action::OrgTokenList
        | Action::ApprovalList
        | Action::PolicyRead
        | Action::AuditRead
        | Action::DecisionRead => (Properties::new(), String::new()),
    };
    let (kind, id) = action.resource(org);
    Ok(Facts {
        resource: Entity {
            kind: kind.to_owned(),
            id,
            properties,
        },
        precondition,
    })
}

async fn of_token(
    connection: &mut Connection,
    caller: &Caller,
    id: TokenId,
    now: Timestamp,
) -> Result<(Properties, String), Fault> {
    let Some(token) = tokens::load(connection, id).await? else {
        let properties = Properties::new().with("own-lineage", Value::Boolean(false));
        return Ok((properties, ABSENT.to_owned()));
    };
    let own = tokens::descends_from(connection, id, &caller.credential_key()).await?;
    let workspace = token.workspace.map(|id| id.to_string());
    let properties = Properties::new()
        .with("role", Value::Text(token.role.as_str().to_owned()))
        .with_text("workspace", workspace.as_deref())
        .with("minted-by", Value::Text(token.created_by))
        .with("created-at", Value::Integer(token.created_at.as_millis()))
        .with("own-lineage", Value::Boolean(own));
    let is_live = tokens::live(connection, id, now).await?.is_some();
    let precondition = if is_live { LIVE } else { ABSENT };
    Ok((properties, precondition.to_owned()))
}

async fn of_secret(
    connection: &mut Connection,
    address: &SecretAddress,
) -> Result<(Properties, String), Fault> {
    let version = secrets::version(connection, address).await?;
    let workspace = address.scope.workspace().map(|id| id.to_string());
    let properties = Properties::new()
        .with("scope", Value::Text(address.scope.as_str().to_owned()))
        .with_text("workspace", workspace.as_deref())
        .with("exists", Value::Boolean(version.is_some()));
    let precondition = match version {
        Some(decision) => format!("written by {decision}"),
        None => ABSENT.to_owned(),
    };
    Ok((properties, precondition))
}
