//! Everything revoked and removed, and the record kept.

use std::collections::BTreeMap;

use countersign_core::action::Action;
use countersign_core::approval::State;
use countersign_core::caller::Caller;
use countersign_core::ledger::{Deprovisioned, Done, Refusal, Settled};
use countersign_core::policy::Value;
use countersign_core::ports::Ledger;
use countersign_core::secret::SecretScope;

use super::workspaces::by_ann;
use super::world::*;

fn deprovisioned(settled: Settled) -> Deprovisioned {
    match settled {
        Settled::Done(Done::Deprovisioned(fallen)) => fallen,
        other => panic!("a deprovision, not {other:?}"),
    }
}

/// Two workspaces and the anchor, a token of each, secrets of one, of the anchor and of all, two
/// organisation tokens, and one more that expired.
async fn full() -> (World, Caller) {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    for workspace in [root, child, anchor()] {
        world.workspace_token(&admin(), workspace, at(1)).await;
    }
    for address in [
        global("A"),
        secret_in(SecretScope::Workspace(child), "B"),
        secret_in(SecretScope::Workspace(anchor()), "C"),
    ] {
        done(world.ask(&by_ann(write(address, "v"), 1)).await);
    }
    world.minted(&admin(), "other", at(1)).await;
    let brief = by_ann(mint_until("brief", Some(at(2))), 1);
    token(world.ask(&brief).await);
    let agent = world.minted(&session_of("ann"), "agent", at(1)).await;
    (world, bearer(&agent))
}

#[tokio::test]
async fn everything_falls_but_the_anchor_and_the_record() {
    let (world, agent) = full().await;
    let waits = Ask::new(&agent, mint("waits"), gate(), at(2));
    let waits = pending(world.ask(&waits).await);
    let granted = Ask::new(&admin(), mint("granted"), gate(), at(2));
    let granted = world.approved(&granted).await;
    let ask = Ask::new(&agent, Action::Deprovision, gate(), at(5));
    let own = world.approved(&ask).await;
    let before = world.audit().await.len();

    let fallen = deprovisioned(world.ask(&ask.at(at(7))).await);
    let expected = Deprovisioned {
        workspaces: 2,
        tokens: 5,
        secrets: 3,
    };
    assert_eq!(fallen, expected);
    assert!(world.live_tokens(at(8)).await.is_empty());
    assert!(world.workspace_tokens(anchor(), at(8)).await.is_empty());
    let standing: Vec<_> = world.standing().await.iter().map(|w| w.id).collect();
    assert_eq!(standing, [anchor()]);
    for scope in [SecretScope::Global, SecretScope::Workspace(anchor())] {
        let permit = world.permit(Action::SecretList { scope }).await;
        let left = world.ledger.secrets(&permit, scope).await;
        assert!(left.expect("an answer").is_empty());
    }
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);
    assert_eq!(world.approval(granted.id).await.state, State::Lapsed);
    assert_eq!(world.approval(own.id).await.state, State::Used);

    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let audit = world.audit().await;
    for entry in &audit[before..] {
        *kinds.entry(entry.kind.clone()).or_default() += 1;
    }
    let counted: Vec<_> = kinds.iter().map(|(kind, n)| (kind.as_str(), *n)).collect();
    assert_eq!(
        counted,
        [
            ("approval_lapsed", 1),
            ("approval_used", 1),
            ("approval_withdrawn", 1),
            ("deprovisioned", 1),
            ("org_token_revoked", 2),
            // Those of the anchor; those of the others are in the workspaces' entries.
            ("secret_deleted", 2),
            ("workspace_removed", 2),
            ("workspace_token_revoked", 1),
        ]
    );
    let child = audit
        .iter()
        .find(|entry| entry.kind == "workspace_removed" && entry.detail["name"] == "child");
    let detail = &child.expect("an entry").detail;
    assert_eq!(detail["secrets_deleted"], serde_json::json!(["B"]));
    assert_eq!(detail["tokens_revoked"].as_array().map(Vec::len), Some(1));
    let last = audit.last().expect("an entry");
    assert_eq!(last.kind, "deprovisioned");
    assert_eq!(last.detail["tokens"], 5);

    // Whoever asked for it is gone too, and life goes on.
    let late = Ask::new(&agent, list(), allow(), at(8));
    assert_eq!(refused(world.ask(&late).await), Refusal::CredentialGone);
    let again = Ask::new(&admin(), mint("new"), gate(), at(9));
    pending(world.ask(&again).await);
    world.minted(&session_of("ann"), "new", at(9)).await;
    world.workspace("new", None).await;
    world.end().await;
}

#[tokio::test]
async fn an_approval_of_it_is_stale_once_something_else_would_fall() {
    let (world, _) = full().await;
    let ask = Ask::new(&admin(), Action::Deprovision, gate(), at(0));
    let home = world.workspace("home", None).await;
    let secret = secret_in(SecretScope::Workspace(home), "K");
    for (change, seconds) in [
        (mint("late"), 10),
        (create("late", None), 20),
        (rename(home, "renamed"), 30),
        (token_of(home), 40),
        (write(secret.clone(), "v"), 50),
        (write(secret, "w"), 60),
    ] {
        let ask = ask.clone().at(at(seconds));
        world.approved(&ask).await;
        done(world.ask(&by_ann(change, seconds + 3)).await);
        let settled = world.ask(&ask.at(at(seconds + 5))).await;
        assert_eq!(refused(settled), Refusal::ApprovalStale, "at {seconds}");
    }
    assert!(!world.live_tokens(at(70)).await.is_empty(), "nothing fell");
    let brief = by_ann(mint_until("brief", Some(at(75))), 70);
    token(world.ask(&brief).await);
    let key = world
        .workspace_token(&session_of("ann"), home, at(70))
        .await;
    let ask = ask.at(at(71));
    world.approved(&ask).await;
    // What ends by itself is no matter, nor is a key that is changed for its successor.
    let rotation = Ask::new(&bearer_of_workspace(&key), token_of(home), allow(), at(73));
    done(world.ask(&rotation).await);
    deprovisioned(world.ask(&ask.at(at(80))).await);
    world.end().await;
}

#[tokio::test]
async fn policies_are_told_how_much_would_fall() {
    let (world, _) = full().await;
    let facts = world
        .ledger
        .facts(&admin(), &Action::Deprovision, world.org, at(2))
        .await;
    let resource = facts.expect("facts").resource;
    assert_eq!(resource.kind, "organisation");
    let told = |name| resource.properties.get(name).cloned();
    assert_eq!(told("workspaces"), Some(Value::Integer(2)));
    assert_eq!(told("live-tokens"), Some(Value::Integer(5)));
    world.end().await;
}

#[tokio::test]
async fn an_anchor_below_what_falls_stands_by_itself() {
    let world = World::new().await;
    let above = world.workspace("above", None).await;
    let anchored = Caller {
        anchor: Some(world.workspace("anchor", Some(above)).await),
        ..session_of("ann")
    };
    let ask = Ask::new(&anchored, Action::Deprovision, allow(), at(1));
    // The one that this world began with is another's.
    assert_eq!(deprovisioned(world.ask(&ask).await).workspaces, 2);
    let standing = world.standing().await;
    assert_eq!(standing.len(), 1);
    assert_eq!(
        (Some(standing[0].id), standing[0].parent),
        (anchored.anchor, None)
    );
    assert_eq!(world.audited("workspace_updated").await, 1);
    world.end().await;
}

#[tokio::test]
async fn an_organisation_in_which_nothing_is_can_be_deprovisioned() {
    let world = World::new().await;
    let ask = Ask::new(&session_of("ann"), Action::Deprovision, allow(), at(1));
    assert_eq!(
        deprovisioned(world.ask(&ask).await),
        Deprovisioned::default()
    );
    world.end().await;
}
