//! How much of what falls with a workspace a reader is told by name.

use countersign_core::action::Action;
use countersign_core::approval::Approval;
use countersign_core::holdings::{Fall, Falling, Lists};
use countersign_core::id::WorkspaceId;
use countersign_core::permit::Permit;
use countersign_core::secret::SecretScope;
use countersign_core::time::Timestamp;

use crate::problem::Problem;
use crate::routes::Call;

/// Of so many workspaces is asked whether the reader may list their secrets, each by a look of its own. Of the
/// others' is told how many there are.
const ASKED_ABOUT: usize = 20;

/// The permits by which the reader is told by name what falls: no page tells of what is on a list from which a
/// policy keeps them. A program is told how much falls, and its own routes tell it the rest.
#[derive(Default)]
struct Sight {
    workspaces: bool,
    tokens: Option<Permit>,
    secrets: Vec<Permit>,
}

/// What falls, as the reader may know it.
pub struct Seen<T> {
    /// What falls.
    pub falls: T,
    /// Whether the reader may know the workspaces that fall with the one that is meant, or a key with its kin.
    pub names_others: bool,
}

/// All that would fall with `workspace` at `now`. `None`: it does not stand. The permit is to read it.
pub async fn falling(
    call: &Call,
    permit: &Permit,
    workspace: WorkspaceId,
    now: Timestamp,
) -> Result<Option<Seen<Falling>>, Problem> {
    let ledger = &call.app.ledger;
    let none = Lists::default();
    let Some(bare) = ledger.falling(permit, none, workspace, now).await? else {
        return Ok(None);
    };
    let sight = Sight::of(call, &bare).await;
    let falling = ledger.falling(permit, sight.lists(), workspace, now);
    Ok(falling.await?.map(|falls| sight.seen(falls)))
}

/// What would fall at `now` by `approval`. `None`: nothing does by what it asks. The permit is to list approvals.
pub async fn fall(
    call: &Call,
    permit: &Permit,
    approval: &Approval,
    now: Timestamp,
) -> Result<Option<Seen<Fall>>, Problem> {
    let ledger = &call.app.ledger;
    let none = Lists::default();
    let bare = ledger.fall(permit, none, approval, now).await?;
    let bare = match bare {
        None => return Ok(None),
        Some(Fall::Workspace(bare)) => bare,
        // A key with what it minted is on the list of keys, and nowhere else.
        Some(falls) => {
            let names_others = match falls {
                Fall::Token { .. } => call.permit_beside(Action::OrgTokenList).await.is_ok(),
                _ => true,
            };
            return Ok(Some(Seen {
                falls,
                names_others,
            }));
        }
    };
    let sight = Sight::of(call, &bare).await;
    let fall = ledger.fall(permit, sight.lists(), approval, now).await?;
    Ok(fall.map(|fall| match fall {
        Fall::Workspace(falling) => {
            let Seen {
                falls,
                names_others,
            } = sight.seen(falling);
            Seen {
                falls: Fall::Workspace(falls),
                names_others,
            }
        }
        falls => Seen {
            falls,
            names_others: true,
        },
    }))
}

impl Sight {
    async fn of(call: &Call, bare: &Falling) -> Self {
        if call.caller.person().is_none() {
            return Self::default();
        }
        let all = call.permit_beside(Action::WorkspaceList).await;
        // Who may not see the others does not see what is in them.
        let asked_about = match all.is_ok() {
            true => ASKED_ABOUT,
            false => 1,
        };
        let mut secrets = Vec::new();
        let asked_about = if bare.secrets == 0 { 0 } else { asked_about };
        for workspace in bare.workspaces.iter().take(asked_about) {
            let scope = SecretScope::Workspace(workspace.id);
            let permit = call.permit_beside(Action::SecretList { scope }).await;
            secrets.extend(permit.ok());
        }
        Self {
            workspaces: all.is_ok(),
            tokens: call.permit_beside(Action::OrgTokenList).await.ok(),
            secrets,
        }
    }

    fn lists(&self) -> Lists<'_> {
        Lists {
            tokens: self.tokens.as_ref(),
            secrets: &self.secrets,
        }
    }

    fn seen(&self, mut falls: Falling) -> Seen<Falling> {
        if !self.workspaces {
            let meant = falls.workspaces.first().map(|one| one.id);
            let named = &mut falls.named;
            for tokens in [&mut named.tokens, &mut named.bound_tokens] {
                tokens.retain(|token| Some(token.workspace) == meant);
            }
        }
        Seen {
            falls,
            names_others: self.workspaces,
        }
    }
}
