//! Deeds: what a permit lets happen, each with its audit entry.

use countersign_core::action::Action;
use countersign_core::audit::EventKind;
use countersign_core::id::{DecisionId, TokenId};
use countersign_core::ledger::{Deed, Done, OrgToken, Refusal, Submission};
use countersign_core::permit::Permit;
use countersign_core::secret::SecretAddress;
use serde_json::{Value, json};

use super::tokens::Minting;
use super::{Connection, audit, secrets, tokens};
use crate::fault::Fault;

/// Whether the deed is done to something that must be there.
pub(super) fn needs_target(deed: &Deed) -> bool {
    match deed {
        Deed::RevokeOrgToken | Deed::DeleteSecret => true,
        Deed::Read | Deed::MintOrgToken { .. } | Deed::WriteSecret(_) => false,
    }
}

/// Does the deed that `permit` is for. What it finds in its way is a refusal; the caller of this rolls
/// back whatever came before.
pub(super) async fn perform(
    connection: &mut Connection,
    permit: Permit,
    submission: &Submission<'_>,
) -> Result<Result<Done, Refusal>, Fault> {
    let now = submission.decision.at;
    let (event, detail, done) = match (&submission.deed, &submission.intent.action) {
        (Deed::Read, action) if action.verb().is_read() => return Ok(Ok(Done::Read(permit))),
        (
            Deed::MintOrgToken {
                id,
                hash,
                prefix,
                live_limit,
            },
            Action::OrgTokenMint {
                name,
                role,
                workspace,
                expires_at,
            },
        ) => {
            let minting = Minting {
                id: *id,
                hash: *hash,
                prefix,
                name: name.as_deref(),
                role: *role,
                workspace: *workspace,
                expires_at: *expires_at,
                live_limit: *live_limit,
            };
            let minted = tokens::mint(connection, submission.caller, &minting, now).await?;
            let Some(token) = minted else {
                return Ok(Err(Refusal::TooManyTokens));
            };
            let detail = about_minted(&token, permit.decision());
            (EventKind::OrgTokenMinted, detail, Done::Minted(token))
        }
        (Deed::RevokeOrgToken, Action::OrgTokenRevoke { token }) => {
            if !tokens::revoke(connection, *token, now).await? {
                return Ok(Err(Refusal::TargetGone));
            }
            let detail = about_token(*token, permit.decision());
            (EventKind::OrgTokenRevoked, detail, Done::Revoked(*token))
        }
        (Deed::WriteSecret(sealed), Action::SecretWrite { address, .. }) => {
            secrets::write(connection, address, sealed, permit.decision(), now).await?;
            let detail = about_secret(address, permit.decision());
            let done = Done::SecretSaved(address.clone());
            (EventKind::SecretWritten, detail, done)
        }
        (Deed::DeleteSecret, Action::SecretDelete { address }) => {
            if !secrets::delete(connection, address).await? {
                return Ok(Err(Refusal::TargetGone));
            }
            let detail = about_secret(address, permit.decision());
            let done = Done::SecretDeleted(address.clone());
            (EventKind::SecretDeleted, detail, done)
        }
        _ => return Err(Fault::WrongPermit(permit.verb().as_str())),
    };
    audit::append(connection, now, event, &submission.caller.actor(), detail).await?;
    Ok(Ok(done))
}

fn about_minted(token: &OrgToken, decision: DecisionId) -> Value {
    json!({
        "token": token.id,
        "prefix": token.prefix,
        "name": token.name,
        "role": token.role,
        "workspace": token.workspace,
        "expires_at": token.expires_at,
        "created_by_user": token.created_by_user,
        "decision": decision,
    })
}

fn about_token(token: TokenId, decision: DecisionId) -> Value {
    json!({ "token": token, "decision": decision })
}

fn about_secret(address: &SecretAddress, decision: DecisionId) -> Value {
    json!({ "secret": address.to_string(), "decision": decision })
}
