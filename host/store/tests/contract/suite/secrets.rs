use countersign_core::action::Action;
use countersign_core::ledger::{Done, Refusal, SecretEntry};
use countersign_core::policy::Value;
use countersign_core::ports::Ledger;
use countersign_core::secret::{SecretAddress, SecretScope};
use countersign_core::time::Timestamp;

use super::world::*;

async fn save(world: &World, address: SecretAddress, value: &str, at: Timestamp) {
    let ask = Ask::new(
        &session_of("ann"),
        write(address.clone(), value),
        allow(),
        at,
    );
    match done(world.ask(&ask).await) {
        Done::SecretSaved(saved) => assert_eq!(saved, address),
        other => panic!("a saved secret, not {other:?}"),
    }
}

async fn list(world: &World, scope: SecretScope) -> Vec<SecretEntry> {
    let permit = world.permit(Action::SecretList { scope }).await;
    world.ledger.secrets(&permit, scope).await.expect("a list")
}

#[tokio::test]
async fn a_workspace_sees_the_global_secrets_under_its_own() {
    let world = World::new().await;
    let here = SecretScope::Workspace(world.workspace("here", None).await);
    let there = SecretScope::Workspace(world.workspace("there", None).await);
    save(&world, global("SHARED"), "a", at(0)).await;
    save(&world, global("BOTH"), "b", at(1)).await;
    save(&world, secret_in(here, "BOTH"), "c", at(2)).await;
    save(&world, secret_in(there, "OTHER"), "d", at(3)).await;
    let seen: Vec<_> = list(&world, here)
        .await
        .iter()
        .map(|entry| (entry.key.to_string(), entry.scope))
        .collect();
    assert_eq!(
        seen,
        [
            ("BOTH".to_owned(), here),
            ("SHARED".to_owned(), SecretScope::Global)
        ]
    );
    assert_eq!(list(&world, SecretScope::Global).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_permit_for_one_workspace_lists_no_other() {
    let world = World::new().await;
    let here = SecretScope::Workspace(world.workspace("here", None).await);
    let there = SecretScope::Workspace(world.workspace("there", None).await);
    let permit = world.permit(Action::SecretList { scope: here }).await;
    assert!(world.ledger.secrets(&permit, here).await.is_ok());
    assert!(world.ledger.secrets(&permit, there).await.is_err());
    world.end().await;
}

#[tokio::test]
async fn writing_again_keeps_when_it_was_first_written() {
    let world = World::new().await;
    save(&world, global("KEY"), "a", at(0)).await;
    save(&world, global("KEY"), "b", at(9)).await;
    let listed = list(&world, SecretScope::Global).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].created_at, listed[0].updated_at), (at(0), at(9)));
    assert_eq!(world.audited("secret_written").await, 2);
    world.end().await;
}

#[tokio::test]
async fn deleting_a_secret_that_is_not_there_is_refused() {
    let world = World::new().await;
    save(&world, global("KEY"), "a", at(0)).await;
    let delete = Action::SecretDelete {
        address: global("KEY"),
    };
    let ask = Ask::new(&session_of("ann"), delete, allow(), at(1));
    assert!(matches!(
        done(world.ask(&ask).await),
        Done::SecretDeleted(_)
    ));
    assert!(list(&world, SecretScope::Global).await.is_empty());
    assert_eq!(refused(world.ask(&ask).await), Refusal::TargetGone);
    assert_eq!(world.audited("secret_deleted").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_secret_never_has_the_same_version_twice() {
    let world = World::new().await;
    let facts = async || {
        let write = write(global("KEY"), "x");
        let facts = world.ledger.facts(&admin(), &write, world.org, at(0)).await;
        facts.expect("facts")
    };
    let delete = Action::SecretDelete {
        address: global("KEY"),
    };
    let before = facts().await;
    save(&world, global("KEY"), "a", at(0)).await;
    let first = facts().await;
    save(&world, global("KEY"), "a", at(1)).await;
    let second = facts().await;
    world.ask(&Ask::new(&admin(), delete, allow(), at(2))).await;
    let between = facts().await;
    save(&world, global("KEY"), "a", at(3)).await;
    let third = facts().await;
    assert_eq!(before.precondition, "absent");
    assert_eq!(between, before);
    assert_ne!(first.precondition, second.precondition);
    assert_ne!(first.precondition, third.precondition);
    assert_ne!(second.precondition, third.precondition);

    assert_eq!(first.resource.kind, "secret");
    assert_eq!(first.resource.id, "global/KEY");
    let properties = &first.resource.properties;
    assert_eq!(properties.text("scope"), Some("global"));
    assert_eq!(properties.get("exists"), Some(&Value::Boolean(true)));
    world.end().await;
}
