//! What is known of an action's resource, in the words of `docs/vocabulary.md`.

use countersign_core::action::Action;
use countersign_core::caller::{Caller, Identity};
use countersign_core::id::{OrgId, TokenId, WorkspaceId};
use countersign_core::ledger::Facts;
use countersign_core::policy::{Entity, Properties, Value};
use countersign_core::secret::SecretAddress;
use countersign_core::time::Timestamp;
use countersign_core::workspace::Workspace;

use super::bound::Bound;
use super::{
    Connection, deprovision, falling, names, obstacles, revocation, secrets, tokens,
    workspace_tokens, workspaces,
};
use crate::fault::Fault;

/// The precondition of what is done to something that is not there. A deed that needs it there is
/// refused, and so a grant for its absence is only ever one to make it.
pub(super) const ABSENT: &str = "absent";

/// The precondition of what is done to a token that works.
const LIVE: &str = "live";

/// Actions on the organisation as a whole, of which nothing that the ledger knows matters.
macro_rules! about_nothing {
    () => {
        Action::OrgTokenList
            | Action::WorkspaceList
            | Action::ApprovalList
            | Action::PolicyRead
            | Action::PolicyFetch { .. }
            | Action::PolicyPush { .. }
            | Action::PolicyActivate { .. }
            | Action::PolicyRollback { .. }
            | Action::AuditRead
            | Action::DecisionRead
    };
}

/// Reads them.
pub(super) async fn read(
    connection: &mut Connection,
    caller: &Caller,
    action: &Action,
    org: OrgId,
    now: Timestamp,
) -> Result<Facts, Fault> {
    let title = title(connection, action).await?;
    let (properties, precondition) = match action {
        Action::OrgTokenMint { .. } => {
            let live = tokens::count_live(connection, now).await?;
            let properties = Properties::new().with("live-tokens", Value::Integer(live));
            (properties, String::new())
        }
        Action::OrgTokenRevoke {
            token, descendants, ..
        } => of_revocation(connection, caller, (*token, *descendants), now).await?,
        Action::SecretWrite { address, .. } | Action::SecretDelete { address } => {
            of_secret(connection, address).await?
        }
        Action::SecretList { scope } => {
            let workspace = scope.workspace().map(|id| id.to_string());
            let properties = Properties::new().with_text("workspace", workspace.as_deref());
            (properties, String::new())
        }
        Action::SecretRead { workspace } => {
            let properties =
                Properties::new().with("workspace", Value::Text(workspace.to_string()));
            (properties, String::new())
        }
        Action::WorkspaceCreate { parent, .. } => {
            let place = place_of(connection, *parent).await?;
            (Properties::new(), place)
        }
        Action::WorkspaceUpdate {
            workspace, parent, ..
        } => of_change(connection, *workspace, parent.flatten()).await?,
        Action::WorkspaceRead { workspace } => of_workspace(connection, *workspace).await?,
        Action::DeleteWorkspace { workspace, .. } => of_removal(connection, *workspace).await?,
        Action::WorkspaceTokenMint { workspace, .. } => {
            let own = obstacles::is_rotation(caller);
            let properties = of_tokens(connection, *workspace, own, now).await?;
            let (_, precondition) = of_workspace(connection, *workspace).await?;
            (properties, precondition)
        }
        Action::WorkspaceTokenRevoke { workspace, token } => {
            let own =
                matches!(&caller.identity, Identity::WorkspaceToken { id, .. } if id == token);
            let properties = of_tokens(connection, *workspace, own, now).await?;
            let precondition = bound_to_token_of(connection, (*workspace, *token), now).await?;
            (properties, precondition)
        }
        Action::Deprovision => of_deprovision(connection, caller, now).await?,
        about_nothing!() => (Properties::new(), String::new()),
    };
    let (kind, id) = action.resource(org);
    Ok(Facts {
        resource: Entity {
            kind: kind.to_owned(),
            id,
            properties,
        },
        precondition,
        title,
    })
}

/// What people call what it is about.
async fn title(connection: &mut Connection, action: &Action) -> Result<Option<String>, Fault> {
    if let Action::OrgTokenRevoke { token, .. } = action {
        return names::of_token(connection, *token).await;
    }
    Ok(match action.workspace() {
        Some(workspace) => workspaces::load(connection, workspace)
            .await?
            .map(|workspace| workspace.name),
        None => None,
    })
}

/// What there is to know of an action about which the ledger is not asked.
pub(super) fn without_asking(action: &Action, org: OrgId) -> Option<Facts> {
    let (kind, id) = action.resource(org);
    matches!(action, about_nothing!()).then(|| Facts {
        resource: Entity {
            kind: kind.to_owned(),
            id,
            properties: Properties::new(),
        },
        precondition: String::new(),
        title: None,
    })
}

/// What falls is the token, and with its descendants the set of all that it minted and that nobody has
/// revoked: what has ended by itself is in that set, so that time alone makes no approval stale.
async fn of_revocation(
    connection: &mut Connection,
    caller: &Caller,
    (id, descendants): (TokenId, bool),
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
    let precondition = bound_to_revocation(connection, (id, descendants), now).await?;
    Ok((properties, precondition))
}

async fn bound_to_revocation(
    connection: &mut Connection,
    (id, descendants): (TokenId, bool),
    now: Timestamp,
) -> Result<String, Fault> {
    let falls = match descendants {
        true => revocation::any_lives(connection, id, now).await?,
        false => tokens::live(connection, id, now).await?.is_some(),
    };
    Ok(match (falls, descendants) {
        (false, _) => ABSENT.to_owned(),
        (true, false) => LIVE.to_owned(),
        (true, true) => {
            let digest = revocation::all_that_falls(connection, id).await?;
            format!("{LIVE}; with what it minted: {digest}")
        }
    })
}

/// The precondition by now of a request about this target, as [`read`] makes it.
pub(super) async fn bound_to(
    connection: &mut Connection,
    target: &Bound,
    now: Timestamp,
) -> Result<String, Fault> {
    Ok(match target {
        Bound::Removal(id) => of_removal(connection, *id).await?.1,
        Bound::Token(id, descendants) => {
            bound_to_revocation(connection, (*id, *descendants), now).await?
        }
        Bound::Everything => bound_to_deprovision(connection).await?,
        Bound::Secret(address) => of_secret(connection, address).await?.1,
        Bound::Place(parent) => place_of(connection, *parent).await?,
        Bound::Change(id, parent) => of_change(connection, *id, *parent).await?.1,
        Bound::Workspace(id) => of_workspace(connection, *id).await?.1,
        Bound::TokenOf(workspace, token) => {
            bound_to_token_of(connection, (*workspace, *token), now).await?
        }
    })
}

async fn bound_to_token_of(
    connection: &mut Connection,
    (workspace, token): (WorkspaceId, TokenId),
    now: Timestamp,
) -> Result<String, Fault> {
    let live = workspace_tokens::live(connection, workspace, token, now).await?;
    Ok(live.map_or(ABSENT, |_| LIVE).to_owned())
}

async fn bound_to_deprovision(connection: &mut Connection) -> Result<String, Fault> {
    let digest = deprovision::all_that_falls(connection).await?;
    Ok(format!("all of: {digest}"))
}

async fn of_deprovision(
    connection: &mut Connection,
    caller: &Caller,
    now: Timestamp,
) -> Result<(Properties, String), Fault> {
    let (workspaces, tokens) = deprovision::count(connection, caller.anchor, now).await?;
    let properties = Properties::new()
        .with("workspaces", Value::Integer(workspaces))
        .with("live-tokens", Value::Integer(tokens));
    Ok((properties, bound_to_deprovision(connection).await?))
}

async fn of_workspace(
    connection: &mut Connection,
    id: WorkspaceId,
) -> Result<(Properties, String), Fault> {
    let Some(workspace) = workspaces::load(connection, id).await? else {
        return Ok((Properties::new(), ABSENT.to_owned()));
    };
    let parent = workspace.parent.map(|id| id.to_string());
    let properties = Properties::new()
        .with("name", Value::Text(workspace.name.clone()))
        .with_text("parent", parent.as_deref())
        .with("created-by", Value::Text(workspace.created_by.clone()));
    Ok((properties, state_of(&workspace)))
}

/// A workspace as people approve something about it. The version alone would tell two states apart; the
/// rest says what has moved, in the record of a grant that lapsed.
fn state_of(workspace: &Workspace) -> String {
    let place = match workspace.parent {
        Some(parent) => format!("below {parent}"),
        None => "a root".to_owned(),
    };
    format!(
        "`{}`, {place}, version {}",
        workspace.name, workspace.version
    )
}

/// What must hold of a parent to be.
async fn place_of(
    connection: &mut Connection,
    parent: Option<WorkspaceId>,
) -> Result<String, Fault> {
    let Some(id) = parent else {
        return Ok(String::new());
    };
    let parent = workspaces::load(connection, id).await?;
    Ok(parent.map_or_else(|| ABSENT.to_owned(), |parent| state_of(&parent)))
}

async fn of_change(
    connection: &mut Connection,
    id: WorkspaceId,
    parent: Option<WorkspaceId>,
) -> Result<(Properties, String), Fault> {
    let (properties, state) = of_workspace(connection, id).await?;
    let place = place_of(connection, parent).await?;
    let precondition = match parent {
        Some(_) if state != ABSENT => format!("{state}; to be below: {place}"),
        _ => state,
    };
    Ok((properties, precondition))
}

async fn of_removal(
    connection: &mut Connection,
    id: WorkspaceId,
) -> Result<(Properties, String), Fault> {
    let (properties, state) = of_workspace(connection, id).await?;
    if state == ABSENT {
        return Ok((properties, state));
    }
    let fall = falling::whole(connection, id).await?;
    let properties = properties.with("descendants", Value::Integer(fall.below));
    let precondition = format!("{state}; with it fall {fall}");
    Ok((properties, precondition))
}

async fn of_tokens(
    connection: &mut Connection,
    workspace: WorkspaceId,
    own: bool,
    now: Timestamp,
) -> Result<Properties, Fault> {
    let live = workspace_tokens::count_live(connection, workspace, now).await?;
    Ok(Properties::new()
        .with("live-tokens", Value::Integer(live))
        .with("own", Value::Boolean(own)))
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
