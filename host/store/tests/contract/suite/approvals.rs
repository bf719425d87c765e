use countersign_core::action::Action;
use countersign_core::approval::{Choice, State};
use countersign_core::generation::GenerationLedger as _;
use countersign_core::ledger::Whose;
use countersign_core::ports::{Ledger, LedgerError};

use super::world::*;

#[tokio::test]
async fn pending_approvals_come_oldest_first_in_pages() {
    let world = World::new().await;
    let mut asked = Vec::new();
    for n in 0..5 {
        let ask = Ask::new(&admin(), mint(&format!("t{n}")), gate(), at(n));
        asked.push(pending(world.ask(&ask).await).id);
    }
    let permit = world.permit(Action::ApprovalList).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = page(after.clone(), 2);
        let found = world
            .ledger
            .pending_approvals(&permit, &Whose::All, &page, at(9))
            .await;
        let found = found.expect("a page");
        assert!(found.len() <= 2);
        let Some(last) = found.last() else { break };
        after = Some(last.id.to_string());
        seen.extend(found.iter().map(|approval| approval.id));
    }
    assert_eq!(seen, asked);
    world.end().await;
}

#[tokio::test]
async fn paging_neither_skips_nor_repeats_what_waits_throughout() {
    let world = World::new().await;
    let ask = |n: i64| Ask::new(&session_of(&format!("p{n}")), mint("t"), gate(), at(n));
    let mut asked = Vec::new();
    for n in 0..12 {
        asked.push(pending(world.ask(&ask(n)).await).id);
    }
    let permit = world.permit(Action::ApprovalList).await;
    let (mut seen, mut after, mut next) = (Vec::new(), None, 100);
    loop {
        let page = page(after.clone(), 3);
        let found = world
            .ledger
            .pending_approvals(&permit, &Whose::All, &page, at(99));
        let found = found.await.expect("a page");
        let Some(last) = found.last() else { break };
        after = Some(last.id.to_string());
        seen.extend(found.iter().map(|approval| approval.id));
        // Between two parts, one of those seen is decided, the one that the cursor names is too, and
        // others come in.
        for gone in [found[0].id, last.id] {
            world.vote(&ballot(gone, "eve", Choice::Deny, at(99))).await;
        }
        if next < 103 {
            pending(world.ask(&ask(next)).await);
            next += 1;
        }
    }
    let of_before: Vec<_> = seen
        .iter()
        .filter(|id| asked.contains(id))
        .copied()
        .collect();
    assert_eq!(of_before, asked);
    seen.dedup();
    assert_eq!(seen.len(), 12 + 3);
    world.end().await;
}

#[tokio::test]
async fn a_program_sees_its_own_requests_and_people_see_all() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let own = pending(
        world
            .ask(&Ask::new(&bearer(&agent), mint("a"), gate(), at(1)))
            .await,
    );
    let other = pending(
        world
            .ask(&Ask::new(&admin(), mint("b"), gate(), at(2)))
            .await,
    );
    let permit = world.permit(Action::ApprovalList).await;
    let whose = Whose::Requester(bearer(&agent).credential_key());
    let page = page(None, 50);
    let listed = world
        .ledger
        .pending_approvals(&permit, &whose, &page, at(3))
        .await;
    let listed: Vec<_> = listed.expect("a list").iter().map(|a| a.id).collect();
    assert_eq!(listed, [own.id]);
    let hidden = world.ledger.approval(&permit, &whose, other.id).await;
    assert!(hidden.expect("an answer").is_none());
    let shown = world.ledger.approval(&permit, &whose, own.id).await;
    assert!(shown.expect("an answer").is_some());
    assert_eq!(world.pending_at(at(3)).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_nobody_decided_is_over_before_anybody_records_it() {
    let world = World::new().await;
    let waiting = pending(
        world
            .ask(&Ask::new(&admin(), mint("a"), gate(), at(0)))
            .await,
    );
    assert!(world.pending_at(waiting.expires_at).await.is_empty());
    assert_eq!(world.approval(waiting.id).await.state, State::Pending);
    world.end().await;
}

#[tokio::test]
async fn a_sweep_records_what_time_has_done_once() {
    let world = World::new().await;
    let granted = world
        .approved(&Ask::new(&admin(), mint("b"), gate(), at(0)))
        .await;
    let waiting = pending(
        world
            .ask(&Ask::new(&admin(), mint("a"), gate(), at(0)))
            .await,
    );
    let sweep = async |now| world.ledger.sweep(now).await.expect("it sweeps");
    assert!(sweep(at(5)).await.is_empty());
    let grant_end = granted.grant_expires_at.expect("a grant");
    assert_eq!(sweep(grant_end).await, [granted.id]);
    assert_eq!(sweep(waiting.expires_at).await, [waiting.id]);
    assert!(sweep(waiting.expires_at).await.is_empty());
    assert_eq!(world.approval(granted.id).await.state, State::Lapsed);
    assert_eq!(world.approval(waiting.id).await.state, State::Expired);
    assert_eq!(world.audited("approval_lapsed").await, 1);
    assert_eq!(world.audited("approval_expired").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_permit_opens_only_what_it_is_for() {
    let world = World::new().await;
    let permit = world.permit(Action::PolicyRead).await;
    let refusals = [
        world.ledger.org_tokens(&permit, at(0)).await.err(),
        world.ledger.audit(&permit, &page(None, 1)).await.err(),
        world.ledger.verify_audit(&permit).await.err(),
        world.ledger.decisions(&permit, &page(None, 1)).await.err(),
        world
            .ledger
            .decision(&permit, permit.decision())
            .await
            .err(),
        world
            .ledger
            .secrets(&permit, countersign_core::secret::SecretScope::Global)
            .await
            .err(),
        world
            .ledger
            .pending_approvals(&permit, &Whose::All, &page(None, 1), at(0))
            .await
            .err(),
    ];
    for refusal in refusals {
        assert!(matches!(
            refusal,
            Some(LedgerError::WrongPermit("policy_read"))
        ));
    }
    let permit = world.permit(Action::AuditRead).await;
    let refusal = world
        .ledger
        .generations(&permit, &page(None, 1))
        .await
        .err();
    assert!(matches!(
        refusal,
        Some(LedgerError::WrongPermit("audit_read"))
    ));
    world.end().await;
}
