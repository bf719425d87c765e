use std::sync::Arc;

use countersign_core::action::Action;
use countersign_core::approval::{Approval, Choice, State};
use countersign_core::caller::{Caller, Door, Identity};
use countersign_core::generation::{GenerationChange, GenerationLedger, ModuleRecord, Seal};
use countersign_core::ledger::{Ballot, Done, Ended, Refusal, Revocation, Settled, Voted};
use countersign_core::operators::Standing;
use countersign_core::ports::Ledger;
use countersign_core::review::{Broken, Review, Reviewed};
use countersign_core::verdict::ModuleId;

use super::endings::withdraw;
use super::world::*;

fn folder() -> Caller {
    Caller {
        identity: Identity::PolicyFolder,
        anchor: Some(anchor()),
        door: Door::Host,
        address: String::new(),
    }
}

/// Policies in the place of those of the generation `follows`.
fn change(digest: &str, follows: u64) -> GenerationChange {
    GenerationChange {
        modules: vec![ModuleRecord {
            id: ModuleId {
                name: "baseline".to_owned(),
                version: "1.0.0".to_owned(),
                digest: digest.to_owned(),
            },
            settings: [].into(),
            file: None,
            pinned: None,
        }],
        shadow: Vec::new(),
        components: vec![(digest.to_owned(), digest.as_bytes().to_vec())],
        follows,
        by: String::new(),
        summary: format!("{digest} is brought"),
        at: at(0),
        approval: None,
        seal: Seal::from_text("seal".to_owned()),
    }
}

fn loosening() -> Review {
    Review {
        broken: vec![Broken {
            module: "baseline@1.0.0".to_owned(),
            law: "agent".to_owned(),
            sentence: "an agent gets more than any person".to_owned(),
            case: String::new(),
        }],
        ..Review::default()
    }
}

fn activation(change: GenerationChange) -> Action {
    let review = loosening();
    Action::PolicyActivate {
        change: Some(Arc::new(Reviewed { change, review })),
    }
}

/// What the core makes of it, by itself.
fn asked(caller: &Caller, change: GenerationChange, seconds: i64) -> Ask {
    Ask {
        generation: 0,
        ..Ask::new(caller, activation(change), gate(), at(seconds))
    }
}

/// A world in which a first generation is live.
async fn begun() -> World {
    let world = World::new().await;
    let first = world.ledger.record_generation(&change("d1", 0)).await;
    assert_eq!(first.expect("an answer"), Some(1));
    world
}

impl World {
    async fn votes(&self, approval: &Approval, user: &str, standing: Standing) -> Voted {
        let ballot = ballot(approval.id, user, Choice::Approve, at(20));
        self.vote(&Ballot { standing, ..ballot }).await
    }
}

#[tokio::test]
async fn what_was_accepted_becomes_live_once_and_names_its_approval() {
    let world = begun().await;
    let ask = asked(&folder(), change("d2", 1), 10);
    let approval = pending(world.ask(&ask).await);
    let voted = world.votes(&approval, "ann", Standing::OneOfSeveral).await;
    assert_eq!(counted(voted).state, State::Approved);
    let changed = done(world.ask(&ask.clone().at(at(30))).await);
    assert!(matches!(changed, Done::PoliciesChanged(2)), "{changed:?}");
    let record = world.ledger.generation(2).await.expect("an answer");
    let record = record.expect("it is recorded");
    assert_eq!(record.approval, Some(approval.id));
    assert_eq!(record.by, "policy-folder");
    assert_eq!(world.approval(approval.id).await.state, State::Used);
    let entries = world.audit().await;
    let entry = entries
        .iter()
        .rev()
        .find(|entry| entry.kind == "policies_changed");
    let entry = entry.expect("it is audited");
    assert_eq!(entry.detail["approval"], approval.id.to_string());
    world.end().await;
}

#[tokio::test]
async fn other_policies_that_become_live_end_what_waits_and_what_was_accepted() {
    let world = begun().await;
    let waits = pending(world.ask(&asked(&folder(), change("d2", 1), 10)).await);
    let accepted = asked(&session_of("bob"), change("d3", 1), 11);
    let granted = pending(world.ask(&accepted).await);
    counted(world.votes(&granted, "ann", Standing::OneOfSeveral).await);
    let other = world.ledger.record_generation(&change("d4", 1)).await;
    assert_eq!(other.expect("an answer"), Some(2));
    let states = [
        world.approval(waits.id).await.state,
        world.approval(granted.id).await.state,
    ];
    assert_eq!(states, [State::Withdrawn, State::Lapsed]);
    // The grant is gone, and what follows another generation is another request.
    assert!(matches!(
        world.ask(&accepted.at(at(40))).await,
        Settled::Pending(_)
    ));
    world.end().await;
}

#[tokio::test]
async fn only_operators_accept_policies_and_their_own_only_where_there_is_no_other() {
    let world = begun().await;
    let approval = pending(
        world
            .ask(&asked(&session_of("bob"), change("d2", 1), 10))
            .await,
    );
    let voted = world.votes(&approval, "eve", Standing::None).await;
    assert!(matches!(voted, Voted::IsNoOperator), "{voted:?}");
    let voted = world.votes(&approval, "bob", Standing::OneOfSeveral).await;
    assert!(matches!(voted, Voted::IsRequester), "{voted:?}");
    let voted = world.votes(&approval, "bob", Standing::Only).await;
    assert_eq!(counted(voted).state, State::Approved);
    world.end().await;
}

#[tokio::test]
async fn being_the_only_operator_is_no_leave_to_decide_ones_other_requests() {
    let world = begun().await;
    let ask = Ask::new(&session_of("bob"), mint("ci"), gate(), at(10));
    let approval = pending(world.ask(&ask).await);
    let voted = world.votes(&approval, "bob", Standing::Only).await;
    assert!(matches!(voted, Voted::IsRequester), "{voted:?}");
    world.end().await;
}

#[tokio::test]
async fn the_review_that_people_are_asked_to_accept_is_found_again() {
    let world = begun().await;
    let candidate = change("d2", 1);
    let review = async |change: &GenerationChange| {
        let review = world.ledger.open_review(change).await;
        review.expect("an answer")
    };
    assert_eq!(review(&candidate).await, None);
    let approval = pending(world.ask(&asked(&folder(), candidate.clone(), 10)).await);
    assert_eq!(review(&candidate).await, Some(loosening()));
    assert_eq!(
        review(&change("d3", 1)).await,
        None,
        "it is of other policies"
    );
    assert_eq!(review(&change("d2", 2)).await, None, "it follows another");
    counted(world.votes(&approval, "ann", Standing::Only).await);
    assert_eq!(
        review(&candidate).await,
        Some(loosening()),
        "until it is used"
    );
    done(world.ask(&asked(&folder(), candidate.clone(), 30)).await);
    assert_eq!(review(&candidate).await, None);
    world.end().await;
}

#[tokio::test]
async fn what_nobody_accepted_is_remembered_against_the_same_modules() {
    let world = begun().await;
    let earlier = async |change: &GenerationChange| {
        let review = world.ledger.unaccepted_review(change).await;
        review.expect("an answer")
    };
    assert_eq!(earlier(&change("d2", 1)).await, None);
    let denied = pending(world.ask(&asked(&folder(), change("d2", 1), 10)).await);
    assert_eq!(earlier(&change("d2", 1)).await, None, "it waits");
    let no = ballot(denied.id, "ann", Choice::Deny, at(11));
    let standing = Standing::Only;
    counted(world.vote(&Ballot { standing, ..no }).await);
    assert_eq!(earlier(&change("d2", 1)).await, Some(loosening()));
    assert_eq!(
        earlier(&change("d2", 4)).await,
        Some(loosening()),
        "whatever it follows"
    );
    let mut renamed = change("d2", 1);
    renamed.modules[0].file = Some("another.wasm".to_owned());
    assert_eq!(earlier(&renamed).await, Some(loosening()));
    assert_eq!(earlier(&change("d3", 1)).await, None);

    // Who asked took it back.
    let withdrawn = pending(world.ask(&asked(&folder(), change("d3", 1), 20)).await);
    let end = withdraw(&world, &folder(), withdrawn.id, (None, at(21))).await;
    assert!(end.is_done(), "{end:?}");
    assert_eq!(earlier(&change("d3", 1)).await, Some(loosening()));
    assert_eq!(earlier(&change("d3", 4)).await, None, "of that step alone");
    world.end().await;
}

#[tokio::test]
async fn who_is_no_operator_takes_no_accepted_policies_back() {
    let world = begun().await;
    let approval = pending(world.ask(&asked(&folder(), change("d2", 1), 10)).await);
    counted(world.votes(&approval, "ann", Standing::Only).await);
    let eve = session_of("eve");
    let revoke = async |standing| {
        let revocation = Revocation {
            approval: approval.id,
            caller: &eve,
            standing,
            reason: None,
            at: at(30),
        };
        world.ledger.revoke(revocation).await.expect("an answer")
    };
    assert!(matches!(revoke(Standing::None).await, Ended::IsNoOperator));
    assert!(revoke(Standing::OneOfSeveral).await.is_done());
    world.end().await;
}

#[tokio::test]
async fn after_a_denial_other_policies_are_asked_about_at_once_and_the_same_are_not() {
    let world = begun().await;
    let denied = pending(world.ask(&asked(&folder(), change("d2", 1), 10)).await);
    let no = ballot(denied.id, "ann", Choice::Deny, at(11));
    let standing = Standing::Only;
    let voted = world.vote(&Ballot { standing, ..no }).await;
    assert_eq!(counted(voted).state, State::Denied);
    let again = refused(world.ask(&asked(&folder(), change("d2", 1), 12)).await);
    assert!(matches!(again, Refusal::ApprovalDenied { .. }), "{again:?}");
    let mended = world.ask(&asked(&folder(), change("d3", 1), 13)).await;
    assert!(matches!(mended, Settled::Pending(_)), "{mended:?}");
    world.end().await;
}
