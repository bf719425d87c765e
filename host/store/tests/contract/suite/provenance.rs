use countersign_core::action::Action;
use countersign_core::approval::{Choice, State};
use countersign_core::decision::Outcome;
use countersign_core::id::ApprovalId;
use countersign_core::ledger::Whose;
use countersign_core::ports::LedgerError;
use countersign_core::provenance::{
    MOST_COUNTED, MOST_LINKS, Provenance, ProvenanceLedger, Sought,
};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::world::*;

async fn found(world: &World, sought: &Sought, now: Timestamp) -> Vec<ApprovalId> {
    let permit = world.permit(Action::ApprovalList).await;
    let page = page(None, 50);
    let found = world
        .ledger
        .approvals_sought(&permit, &Whose::All, (sought, &page), now)
        .await;
    found.expect("a list").iter().map(|one| one.id).collect()
}

async fn known(world: &World, approval: ApprovalId, now: Timestamp) -> Provenance {
    let permit = world.permit(Action::ApprovalList).await;
    let approval = world.approval(approval).await;
    let known = world
        .ledger
        .provenance(&permit, &Whose::All, &approval, now)
        .await;
    known.expect("an answer")
}

#[tokio::test]
async fn what_is_sought_is_found_by_its_state_at_that_time_verb_requester_and_age() {
    let world = World::new().await;
    let waits = pending(
        world
            .ask(&Ask::new(&admin(), mint("a"), gate(), at(1)))
            .await,
    );
    let bob = session_of("bob");
    let denied = pending(world.ask(&Ask::new(&bob, mint("b"), gate(), at(2))).await);
    world
        .vote(&ballot(denied.id, "eve", Choice::Deny, at(3)))
        .await;
    let granted = world
        .approved(&Ask::new(&bob, mint("c"), gate(), at(100)))
        .await;
    let in_state = |state| Sought {
        state: Some(state),
        ..Sought::default()
    };
    let all = [granted.id, denied.id, waits.id];
    assert_eq!(found(&world, &Sought::default(), at(109)).await, all);
    for (state, ids) in [
        (State::Pending, vec![waits.id]),
        (State::Denied, vec![denied.id]),
        (State::Approved, vec![granted.id]),
        (State::Expired, vec![]),
        (State::Lapsed, vec![]),
        (State::Used, vec![]),
    ] {
        assert_eq!(
            found(&world, &in_state(state), at(109)).await,
            ids,
            "{state}"
        );
    }
    // Whether or not anybody has recorded what time has done.
    let end = granted.grant_expires_at.expect("a grant");
    assert_eq!(
        found(&world, &in_state(State::Lapsed), end).await,
        [granted.id]
    );
    assert!(
        found(&world, &in_state(State::Approved), end)
            .await
            .is_empty()
    );
    let end = waits.expires_at;
    assert_eq!(
        found(&world, &in_state(State::Expired), end).await,
        [waits.id]
    );
    assert!(
        found(&world, &in_state(State::Pending), end)
            .await
            .is_empty()
    );

    let of_bob = Sought {
        actor: Some(bob.actor()),
        since: Some(at(50)),
        verb: Some(Verb::OrgTokenMint),
        ..Sought::default()
    };
    assert_eq!(found(&world, &of_bob, at(109)).await, [granted.id]);
    let of_others = Sought {
        verb: Some(Verb::SecretWrite),
        ..Sought::default()
    };
    assert!(found(&world, &of_others, at(109)).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_is_sought_comes_newest_first_in_pages_of_a_bounded_size() {
    let world = World::new().await;
    let mut asked = Vec::new();
    for n in 0..5 {
        let ask = Ask::new(&admin(), mint(&format!("t{n}")), gate(), at(n));
        asked.insert(0, pending(world.ask(&ask).await).id);
    }
    let permit = world.permit(Action::ApprovalList).await;
    let list = async |after: Option<ApprovalId>, limit| {
        let page = page(after.map(|id| id.to_string()), limit);
        let sought = (&Sought::default(), &page);
        let found = world
            .ledger
            .approvals_sought(&permit, &Whose::All, sought, at(9))
            .await;
        let found = found.expect("a list");
        found.iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(list(None, 3).await, asked[..3]);
    assert_eq!(list(Some(asked[2]), 3).await, asked[3..]);
    world
        .database
        .tamper(
            "INSERT INTO approvals (id, workspace, requester_credential, requester_actor,
                 requester_lineage, verb, resource_kind, resource_id, digest, payload, reason, terms,
                 policy, decision, precondition, state, created_at, expires_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 600)
             SELECT substr(one.id, 1, 24) || substr('000000000000' || CAST(n AS TEXT),
                        length('000000000000' || CAST(n AS TEXT)) - 11),
                    workspace, requester_credential, requester_actor, requester_lineage, verb,
                    resource_kind, resource_id, digest, payload, reason, terms, policy, decision,
                    precondition, 'withdrawn', created_at, expires_at
             FROM numbers, (SELECT * FROM approvals ORDER BY id LIMIT 1) AS one",
        )
        .await;
    assert_eq!(list(None, u32::MAX).await.len(), 500);
    world.end().await;
}

#[tokio::test]
async fn a_program_finds_its_own_requests_alone_and_nothing_of_who_else_asked() {
    let world = World::new().await;
    let agent = bearer(&world.minted(&session_of("ann"), "agent", at(0)).await);
    let own = pending(world.ask(&Ask::new(&agent, mint("a"), gate(), at(1))).await);
    let other = pending(
        world
            .ask(&Ask::new(&admin(), mint("b"), gate(), at(2)))
            .await,
    );
    let permit = world.permit(Action::ApprovalList).await;
    let whose = Whose::Requester(agent.credential_key());
    let page = page(None, 50);
    let found = world
        .ledger
        .approvals_sought(&permit, &whose, (&Sought::default(), &page), at(3))
        .await;
    let found: Vec<_> = found.expect("a list").iter().map(|one| one.id).collect();
    assert_eq!(found, [own.id]);
    world
        .ask(&Ask::new(&admin(), mint("c"), deny(), at(4)))
        .await;
    let of_other = async |whose| {
        let known = world.ledger.provenance(&permit, whose, &other, at(5)).await;
        known.expect("an answer")
    };
    assert!(of_other(&whose).await.lately.is_empty());
    assert_eq!(of_other(&Whose::All).await.lately.len(), 1);
    let foreign = world.permit(Action::PolicyRead).await;
    let refused = world.ledger.provenance(&foreign, &Whose::All, &own, at(5));
    assert!(refused.await.is_err());
    let everything = Sought::default();
    let refused = world
        .ledger
        .approvals_sought(&foreign, &Whose::All, (&everything, &page), at(5))
        .await;
    assert!(refused.is_err());
    world.end().await;
}

#[tokio::test]
async fn a_chain_of_minters_is_told_to_its_root_and_to_a_bound() {
    let world = World::new().await;
    let first = world.minted(&session_of("ann"), "first", at(0)).await;
    let mut last = world.minted(&bearer(&first), "second", at(1)).await;
    let asks = Ask::new(&bearer(&last), mint("x"), gate(), at(2));
    let asked = pending(world.ask(&asks).await);
    let known_of = known(&world, asked.id, at(3)).await;
    let names: Vec<_> = known_of
        .links
        .iter()
        .map(|link| link.name.as_deref())
        .collect();
    assert_eq!(names, [Some("second"), Some("first")]);
    let root = &known_of.links[1];
    assert_eq!(root.created_by, session_of("ann").actor());
    assert_eq!(root.created_by_user.as_deref(), Some("ann"));
    assert!(known_of.links.iter().all(|link| link.lives) && !known_of.goes_on);
    for n in 0..MOST_LINKS {
        let minter = bearer(&last);
        last = world.minted(&minter, &format!("n{n}"), at(4)).await;
    }
    let asks = Ask::new(&bearer(&last), mint("y"), gate(), at(5));
    let asked = pending(world.ask(&asks).await);
    let known_of = known(&world, asked.id, at(6)).await;
    assert_eq!(known_of.links.len(), MOST_LINKS);
    assert!(known_of.goes_on);
    // Who is no token was minted by nobody.
    let asked = pending(
        world
            .ask(&Ask::new(&admin(), mint("z"), gate(), at(7)))
            .await,
    );
    assert!(known(&world, asked.id, at(8)).await.links.is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_a_caller_did_lately_is_told_once_each_and_without_what_is_asked_or_was_read() {
    let world = World::new().await;
    let agent = bearer(&world.minted(&session_of("ann"), "agent", at(0)).await);
    let asked = pending(world.ask(&Ask::new(&agent, mint("x"), gate(), at(1))).await);
    world.ask(&Ask::new(&agent, mint("x"), gate(), at(2))).await;
    for n in 0..3 {
        world
            .ask(&Ask::new(&agent, mint("no"), deny(), at(3 + n)))
            .await;
    }
    world
        .ask(&Ask::new(&agent, mint("done"), allow(), at(7)))
        .await;
    world
        .ask(&Ask::new(&agent, Action::ApprovalList, allow(), at(8)))
        .await;
    world
        .ask(&Ask::new(&admin(), mint("another's"), deny(), at(9)))
        .await;
    let lately = known(&world, asked.id, at(10)).await.lately;
    let told: Vec<_> = lately
        .iter()
        .map(|one| (one.decision.outcome, one.times, one.decision.at))
        .collect();
    let expected = [(Outcome::Allowed, 1, at(7)), (Outcome::Refused, 3, at(5))];
    assert_eq!(told, expected);
    world.end().await;
}

#[tokio::test]
async fn what_waits_is_counted_for_whoever_may_see_it_as_of_the_moment() {
    let world = World::new().await;
    let agent = bearer(&world.minted(&session_of("ann"), "agent", at(0)).await);
    let mut asked = Vec::new();
    for (n, name) in (1..).zip(["a", "b", "c"]) {
        let ask = Ask::new(&admin(), mint(name), gate(), at(n));
        asked.push(pending(world.ask(&ask).await));
    }
    let own = pending(world.ask(&Ask::new(&agent, mint("d"), gate(), at(4))).await);
    let permit = world.permit(Action::ApprovalList).await;
    let count = async |whose: &Whose, now| {
        let counted = world.ledger.count_pending(&permit, whose, now).await;
        counted.expect("a count")
    };
    let of_agent = Whose::Requester(agent.credential_key());
    assert_eq!(count(&Whose::All, at(5)).await, 4);
    assert_eq!(count(&of_agent, at(5)).await, 1);
    world
        .vote(&ballot(asked[0].id, "eve", Choice::Deny, at(6)))
        .await;
    world
        .vote(&ballot(asked[1].id, "eve", Choice::Approve, at(6)))
        .await;
    assert_eq!(count(&Whose::All, at(6)).await, 2);
    // Whether or not anybody has recorded what time has done.
    assert_eq!(count(&Whose::All, asked[2].expires_at).await, 1);
    assert_eq!(count(&of_agent, own.expires_at).await, 0);
    let foreign = world.permit(Action::PolicyRead).await;
    let refused = world.ledger.count_pending(&foreign, &Whose::All, at(5));
    assert!(matches!(
        refused.await,
        Err(LedgerError::WrongPermit("policy_read"))
    ));
    world.end().await;
}

#[tokio::test]
async fn more_than_are_counted_are_told_to_be_more() {
    let world = World::new().await;
    pending(
        world
            .ask(&Ask::new(&admin(), mint("a"), gate(), at(1)))
            .await,
    );
    let permit = world.permit(Action::ApprovalList).await;
    let count = async || {
        let counted = world.ledger.count_pending(&permit, &Whose::All, at(2));
        counted.await.expect("a count")
    };
    let most = u64::from(MOST_COUNTED);
    let fill = async |digest: &str, many: u64| {
        let fill = format!(
            "INSERT INTO approvals (id, workspace, requester_credential, requester_actor,
                 requester_lineage, verb, resource_kind, resource_id, digest, payload, reason, terms,
                 policy, decision, precondition, state, created_at, expires_at)
             WITH RECURSIVE numbers (n) AS
                 (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {many})
             SELECT '{digest}-' || CAST(n AS TEXT), workspace, requester_credential,
                    requester_actor, requester_lineage, verb, resource_kind, resource_id,
                    '{digest}' || CAST(n AS TEXT), payload, reason, terms, policy, decision,
                    precondition, state, created_at, expires_at
             FROM numbers, (SELECT * FROM approvals ORDER BY id LIMIT 1) AS one"
        );
        world.database.tamper(&fill).await;
    };
    fill("f", most - 1).await;
    assert_eq!(count().await, most);
    fill("g", 100).await;
    assert_eq!(count().await, most + 1);
    world.end().await;
}
