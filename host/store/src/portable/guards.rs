//! Every statement that moves an approval guards the state from which it may: these call the statements
//! themselves, past all that is looked at before, and hold them against [`State::may_become`].

use countersign_core::action::ActionDigest;
use countersign_core::approval::{Approval, Choice, Claim, End, GRANT_TTL, Requester, State};
use countersign_core::caller::{Issuer, Person};
use countersign_core::chance::OsChance;
use countersign_core::id::{ApprovalId, DecisionId, WorkspaceId};
use countersign_core::ledger::Ballot;
use countersign_core::operators::Standing;
use countersign_core::policy::{Ground, Quorum, Terms};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::super::fresh;
use super::{Connection, approvals, taken_back, votes};

const ASKED: Timestamp = Timestamp::from_micros(1_000);
const IN_TIME: Timestamp = Timestamp::from_micros(2_000);
const END: Timestamp = Timestamp::from_micros(3_000);

fn request() -> Approval {
    Approval {
        id: ApprovalId::new(ASKED, &OsChance),
        workspace: WorkspaceId::parse("00000000-0000-4000-8000-000000000001").expect("a UUID"),
        workspace_name: None,
        requester: Requester {
            credential: "admin-token:f00d".to_owned(),
            actor: "admin-token".to_owned(),
            lineage: "admin-token:f00d".to_owned(),
        },
        verb: Verb::OrgTokenMint,
        resource_kind: "organisation".to_owned(),
        resource_id: "o".to_owned(),
        resource_name: None,
        digest: ActionDigest::from_text("d"),
        payload: serde_json::Value::Null,
        reason: "mint a token: because".to_owned(),
        claim: Claim::default(),
        terms: Terms {
            ground: Ground::new("r", "because"),
            quorums: vec![Quorum::one_person()],
            pending_ttl: None,
            grant_ttl: None,
        },
        policy: "baseline@0.1.0".to_owned(),
        decision: DecisionId::new(ASKED, &OsChance),
        precondition: "v".to_owned(),
        state: State::Pending,
        created_at: ASKED,
        expires_at: END,
        grant_expires_at: None,
        decided_at: None,
        revoke_reason: None,
        end: None,
        votes: Vec::new(),
    }
}

/// An approval in `state`, whose lives end at [`END`]. The transaction is never committed, and so its
/// decision, which is looked for at the end only, need not be there.
async fn kept(connection: &mut Connection, state: State) -> Approval {
    let approval = request();
    approvals::insert(connection, &approval)
        .await
        .expect("it is kept");
    sqlx::query(
        "UPDATE approvals SET state = $1, decided_at = $2, grant_expires_at = $3 WHERE id = $4",
    )
    .bind(state.as_str())
    .bind(IN_TIME.as_micros())
    .bind(END.as_micros())
    .bind(approval.id.to_string())
    .execute(connection)
    .await
    .expect("it is moved");
    approval
}

/// Keeps an approval whose decision is missing: no transaction with it can be committed.
pub(super) async fn keep_without_decision(connection: &mut Connection) {
    kept(connection, State::Pending).await;
}

async fn found(connection: &mut Connection, approval: &Approval) -> Approval {
    let approval = approvals::load(connection, approval.id).await;
    approval.expect("an answer").expect("it is there")
}

fn by(user: &str, at: Timestamp) -> End {
    End {
        at,
        by: Some(format!("session:{user}")),
        user: Some(user.to_owned()),
        because: "somebody did".to_owned(),
    }
}

/// Moves the approval to `to` by the statement that does so.
async fn try_move(
    connection: &mut Connection,
    approval: &Approval,
    to: State,
    now: Timestamp,
) -> bool {
    let end = by("ann", now);
    let moved = match to {
        State::Approved => approvals::approve(connection, approval.id, END, now).await,
        State::Denied => approvals::deny(connection, approval.id, now).await,
        State::Expired => approvals::expire(connection, approval.id, now).await,
        State::Withdrawn => approvals::withdraw(connection, approval.id, &end).await,
        State::Used => approvals::spend(connection, approval, now).await,
        State::Lapsed => approvals::lapse(connection, approval.id, &end).await,
        State::Revoked => taken_back::cancel(connection, (approval.id, None), &end).await,
        State::Pending => Ok(false),
    };
    moved.expect("an answer")
}

#[tokio::test]
async fn each_statement_moves_an_approval_from_where_it_may_and_from_nowhere_else() {
    let database = fresh().await;
    for &from in State::ALL {
        for &to in State::ALL {
            if to == State::Pending {
                continue;
            }
            for now in [IN_TIME, END] {
                let mut tx = database.store.begin_writing().await.expect("it begins");
                let approval = kept(&mut tx, from).await;
                let moved = try_move(&mut tx, &approval, to, now).await;
                let in_its_time = match to {
                    State::Approved
                    | State::Denied
                    | State::Withdrawn
                    | State::Used
                    | State::Revoked => now < END,
                    State::Expired => now >= END,
                    _ => true,
                };
                let expected = from.may_become(to) && in_its_time;
                assert_eq!(moved, expected, "from {from} to {to} at {now}");
                let after = if expected { to } else { from };
                let found = found(&mut tx, &approval).await;
                assert_eq!(found.state, after);
                // It is told of whoever ended it, and of nobody else.
                let is_ended = expected && to.has_end() && to != State::Expired;
                let end = is_ended.then(|| by("ann", now));
                assert_eq!(found.end, end, "from {from} to {to} at {now}");
            }
        }
    }
}

#[tokio::test]
async fn the_statement_that_uses_a_grant_asks_for_all_that_it_was_given_for() {
    let database = fresh().await;
    let mut tx = database.store.begin_writing().await.expect("it begins");
    let granted = kept(&mut tx, State::Approved).await;
    let mut others = vec![granted.clone(); 6];
    others[0].requester.credential = "admin-token:beef".to_owned();
    others[1].verb = Verb::SecretWrite;
    others[2].resource_kind = "secret".to_owned();
    others[3].resource_id = "p".to_owned();
    others[4].digest = ActionDigest::from_text("e");
    others[5].precondition = "w".to_owned();
    for other in others {
        let used = approvals::spend(&mut tx, &other, IN_TIME).await;
        assert!(!used.expect("an answer"), "{other:?}");
    }
    let used = approvals::spend(&mut tx, &granted, IN_TIME).await;
    assert!(used.expect("an answer"));
}

#[tokio::test]
async fn the_statement_that_takes_a_request_back_asks_whose_it_is_and_whether_it_waits() {
    let database = fresh().await;
    for &state in State::ALL {
        for now in [IN_TIME, END] {
            let mut tx = database.store.begin_writing().await.expect("it begins");
            let approval = kept(&mut tx, state).await;
            let take = async |tx: &mut Connection, requester: &str| {
                let end = by(requester, now);
                let taken = taken_back::take_back(tx, (approval.id, requester), &end).await;
                taken.expect("an answer")
            };
            assert!(!take(&mut tx, "admin-token:beef").await, "{state} at {now}");
            let waits = state == State::Pending && now < END;
            let requester = "admin-token:f00d";
            assert_eq!(take(&mut tx, requester).await, waits, "{state} at {now}");
            let end = waits.then(|| by(requester, now));
            assert_eq!(found(&mut tx, &approval).await.end, end, "{state} at {now}");
        }
    }
}

#[tokio::test]
async fn the_statement_that_keeps_a_vote_asks_whether_people_can_still_decide() {
    let database = fresh().await;
    for &state in State::ALL {
        for at in [IN_TIME, END] {
            let mut tx = database.store.begin_writing().await.expect("it begins");
            let approval = kept(&mut tx, state).await;
            let ballot = Ballot {
                approval: approval.id,
                workspace: None,
                person: Person {
                    issuer: Issuer::ControlPlane,
                    user: "ann".to_owned(),
                },
                groups: Vec::new(),
                session: None,
                choice: Choice::Approve,
                reason: None,
                digest: None,
                at,
                grant: GRANT_TTL,
                standing: Standing::None,
            };
            let kept = votes::insert(&mut tx, &ballot).await.expect("an answer");
            assert_eq!(kept, state == State::Pending && at < END, "{state} at {at}");
        }
    }
}
