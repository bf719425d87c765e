use countersign_core::chance::OsChance;
use countersign_core::id::OrgId;
use countersign_core::ports::Ledger;
use countersign_core::time::Timestamp;

use super::Database;
use super::world::*;

#[tokio::test]
async fn a_database_that_is_opened_again_has_everything() {
    let mut world = World::new().await;
    let minted = world.minted(&session_of("ann"), "kept", at(0)).await;
    done(
        world
            .ask(&Ask::new(
                &admin(),
                write(global("KEY"), "a"),
                allow(),
                at(0),
            ))
            .await,
    );
    let used = Ask::new(&admin(), mint("ci"), gate(), at(1));
    world.approved(&used).await;
    token(world.ask(&used.clone().at(at(3))).await);
    let granted = Ask::new(&admin(), mint("granted"), gate(), at(4));
    let grant = world.approved(&granted).await;
    let waiting = pending(
        world
            .ask(&Ask::new(&admin(), mint("w"), gate(), at(5)))
            .await,
    );
    let before = world.audit().await.len();

    world.reopen().await;
    assert_eq!(world.audit().await.len(), before);
    assert!(
        world
            .live_tokens(at(6))
            .await
            .iter()
            .any(|token| token.id == minted.id)
    );
    assert_eq!(world.pending_at(at(6)).await[0].id, waiting.id);
    token(world.ask(&granted.naming(grant.id).at(at(6))).await);
    world.end().await;
}

#[tokio::test]
async fn the_organisation_keeps_its_own_id_unless_another_is_configured() {
    let mut world = World::new().await;
    let fresh = || OrgId::new(at(0), &OsChance);
    let own = world
        .ledger
        .organisation(None, fresh())
        .await
        .expect("an id");
    assert_eq!(
        world
            .ledger
            .organisation(None, fresh())
            .await
            .expect("an id"),
        own
    );
    let configured = fresh();
    let used = world.ledger.organisation(Some(configured), fresh()).await;
    assert_eq!(used.expect("an id"), configured);
    world.reopen().await;
    assert_eq!(
        world
            .ledger
            .organisation(None, fresh())
            .await
            .expect("an id"),
        own
    );
    world.end().await;
}

#[tokio::test]
async fn the_database_says_whether_it_answers() {
    let world = World::new().await;
    let now = at(1);
    world.ledger.mark(now).await.expect("it answers");
    world.ledger.close().await;
    assert!(world.ledger.mark(now).await.is_err());
    assert!(world.ledger.latest_instant().await.is_err());
}

#[tokio::test]
async fn the_latest_instant_is_the_latest_of_marks_and_of_what_was_recorded() {
    // A world has an anchor, which was recorded: the first instants are of a ledger without one.
    let database = Database::new().await;
    let ledger = database.open().await;
    let latest = async || ledger.latest_instant().await.expect("it answers");
    assert_eq!(latest().await, None);
    // Numbers, not texts: of those, the first would be the latest.
    for (mark, expected) in [(9, 9), (8, 9), (10, 10)] {
        let mark = Timestamp::from_micros(mark);
        ledger.mark(mark).await.expect("it is kept");
        assert_eq!(latest().await, Some(Timestamp::from_micros(expected)));
    }
    ledger.close().await;

    let world = World::new().await;
    let latest = async || world.ledger.latest_instant().await.expect("it answers");
    assert_eq!(latest().await, Some(at(0)));
    world.minted(&session_of("ann"), "kept", at(5)).await;
    assert_eq!(latest().await, Some(at(5)));
    world.ledger.mark(at(6)).await.expect("it is kept");
    assert_eq!(latest().await, Some(at(6)));
    world.end().await;
}
