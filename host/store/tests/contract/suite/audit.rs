use countersign_core::action::Action;
use countersign_core::audit::ChainError;
use countersign_core::ports::Ledger;

use super::world::*;

async fn three_entries() -> World {
    // The first is that of the anchor, with which every world begins.
    let world = World::new().await;
    for n in 0..2 {
        world.minted(&admin(), &format!("t{n}"), at(n)).await;
    }
    world
}

async fn walk(world: &World) -> Result<i64, ChainError> {
    let permit = world.permit(Action::AuditRead).await;
    world.ledger.verify_audit(&permit).await.expect("an answer")
}

#[tokio::test]
async fn entries_come_oldest_first_in_pages() {
    let world = three_entries().await;
    let permit = world.permit(Action::AuditRead).await;
    let list = async |after: Option<&str>| {
        let page = page(after.map(str::to_owned), 2);
        let entries = world.ledger.audit(&permit, &page).await.expect("entries");
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(list(None).await, [1, 2]);
    assert_eq!(list(Some("2")).await, [3]);
    assert!(list(Some("3")).await.is_empty());
    assert!(list(Some("nonsense")).await.is_empty());
    assert_eq!(walk(&world).await, Ok(3));
    world.end().await;
}

#[tokio::test]
async fn a_changed_entry_shows() {
    for sql in [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 2",
        "UPDATE audit SET at = at + 1 WHERE seq = 2",
        "UPDATE audit SET detail = '{}' WHERE seq = 2",
        "UPDATE audit SET detail = 'not JSON' WHERE seq = 2",
    ] {
        let world = three_entries().await;
        world.database.tamper(sql).await;
        assert_eq!(walk(&world).await, Err(ChainError::Changed(2)), "{sql}");
    }
}

#[tokio::test]
async fn a_missing_and_a_cut_entry_show() {
    let world = three_entries().await;
    world
        .database
        .tamper("DELETE FROM audit WHERE seq = 2")
        .await;
    let gap = ChainError::Gap {
        expected: 2,
        found: 3,
    };
    assert_eq!(walk(&world).await, Err(gap));

    let world = three_entries().await;
    world
        .database
        .tamper("DELETE FROM audit WHERE seq = 3")
        .await;
    assert_eq!(walk(&world).await, Err(ChainError::Cut { end: 2, head: 3 }));
}
