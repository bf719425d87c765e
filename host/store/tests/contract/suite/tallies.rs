use countersign_core::approval::Choice;
use countersign_core::caller::Caller;
use countersign_core::ledger::Settled;
use countersign_core::tally::{Counted, Tally, TallyKind, TallyLedger, TallyScope};
use countersign_core::verb::Verb;

use super::world::*;

fn kind(scope: TallyScope, verbs: &[Verb]) -> TallyKind {
    TallyKind {
        scope,
        verbs: verbs.to_vec(),
        window_seconds: 60,
    }
}

/// What is counted for `caller`, which asks for something else, at that second.
async fn tallies(world: &World, caller: &Caller, kinds: &[TallyKind], seconds: i64) -> Vec<Tally> {
    let intent = world.intent(&Ask::new(caller, mint("another"), allow(), at(seconds)));
    let counted = Counted {
        caller,
        digest: &intent.digest,
        kinds,
    };
    let tallies = world.ledger.tallies(&counted, at(seconds)).await;
    tallies.expect("they are counted")
}

async fn counts(world: &World, caller: &Caller, kinds: &[TallyKind], seconds: i64) -> Vec<u32> {
    let tallies = tallies(world, caller, kinds, seconds).await;
    tallies.iter().map(|tally| tally.count).collect()
}

#[tokio::test]
async fn deeds_are_counted_by_whose_they_are_and_of_which_verb() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let ann = session_of("ann");
    let minted = world.minted(&ann, "agent", at(10)).await;
    let agent = bearer(&minted);
    // The agent mints two tokens, of which one is bound, and a third one mints another.
    let second = world.minted(&agent, "second", at(11)).await;
    world
        .ask(&Ask::new(
            &agent,
            mint_bound("bound", home),
            allow(),
            at(12),
        ))
        .await;
    world.minted(&bearer(&second), "third", at(13)).await;
    let secret = write(global("KEY"), "value");
    world.ask(&Ask::new(&agent, secret, allow(), at(14))).await;

    let all = |scope| kind(scope, &[]);
    let mints = |scope| kind(scope, &[Verb::OrgTokenMint]);
    use TallyScope::{Actor, Organisation, User, Workspace};
    let kinds = [
        all(Actor),
        mints(Actor),
        mints(User),
        mints(Workspace),
        mints(Organisation),
    ];
    // What comes from one token is one user, and the person who made that token is another.
    assert_eq!(counts(&world, &agent, &kinds, 20).await, [3, 2, 3, 4, 4]);
    assert_eq!(
        counts(&world, &bearer(&second), &kinds, 20).await,
        [1, 1, 3, 4, 4]
    );
    assert_eq!(counts(&world, &ann, &kinds, 20).await, [2, 1, 1, 4, 4]);
    assert_eq!(counts(&world, &admin(), &kinds, 20).await, [0, 0, 0, 4, 4]);
    world.end().await;
}

#[tokio::test]
async fn the_window_slides_and_what_is_refused_or_only_read_is_no_deed() {
    let world = World::new().await;
    let kinds = [
        kind(TallyScope::Actor, &[]),
        kind(TallyScope::Organisation, &[]),
    ];
    world
        .ask(&Ask::new(&admin(), mint("no"), deny(), at(1)))
        .await;
    world.ask(&Ask::new(&admin(), list(), allow(), at(1))).await;
    assert_eq!(counts(&world, &admin(), &kinds, 2).await, [0, 0]);
    world
        .ask(&Ask::new(&admin(), mint("one"), allow(), at(10)))
        .await;
    world
        .ask(&Ask::new(&admin(), mint("two"), allow(), at(40)))
        .await;
    for (seconds, expected) in [(40, 2), (69, 2), (70, 1), (99, 1), (100, 0)] {
        let counted = counts(&world, &admin(), &kinds, seconds).await;
        assert_eq!(counted, [expected, expected], "{seconds}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_waits_counts_until_it_ends_and_never_against_itself() {
    let world = World::new().await;
    let kinds = [kind(TallyScope::Actor, &[Verb::OrgTokenMint])];
    let first = Ask::new(&admin(), mint("one"), gate(), at(1));
    let approval = pending(world.ask(&first).await);
    pending(
        world
            .ask(&Ask::new(&admin(), mint("two"), gate(), at(2)))
            .await,
    );
    assert_eq!(counts(&world, &admin(), &kinds, 3).await, [2]);
    let intent = world.intent(&first);
    let own = Counted {
        caller: &first.caller,
        digest: &intent.digest,
        kinds: &kinds,
    };
    let own = world
        .ledger
        .tallies(&own, at(3))
        .await
        .expect("they are counted");
    assert_eq!(own[0].count, 1, "the other one");

    // Once it is done it is a deed, once.
    let ballot = ballot(approval.id, "ann", Choice::Approve, at(4));
    counted(world.vote(&ballot).await);
    assert_eq!(
        counts(&world, &admin(), &kinds, 5).await,
        [1],
        "a grant is neither"
    );
    token(world.ask(&first.clone().at(at(6))).await);
    assert_eq!(counts(&world, &admin(), &kinds, 7).await, [2]);
    world.end().await;
}

#[tokio::test]
async fn what_was_counted_otherwise_is_judged_again() {
    let world = World::new().await;
    let kinds = [kind(TallyScope::Actor, &[Verb::OrgTokenMint])];
    let judged = Ask {
        tallies: tallies(&world, &admin(), &kinds, 1).await,
        ..Ask::new(&admin(), mint("one"), allow(), at(1))
    };
    let other = Ask::new(&admin(), mint("two"), allow(), at(1));
    token(world.ask(&other).await);
    let settled = world.try_ask(&judged).await.expect("the ledger answers");
    assert!(matches!(settled, Settled::Moved), "{settled:?}");
    let again = Ask {
        tallies: tallies(&world, &admin(), &kinds, 1).await,
        ..judged
    };
    assert_eq!(again.tallies[0].count, 1);
    token(world.try_ask(&again).await.expect("the ledger answers"));
    world.end().await;
}

#[tokio::test]
async fn more_deeds_than_are_counted_are_more_than_any_budget() {
    let world = World::new().await;
    let kinds = [kind(TallyScope::Organisation, &[Verb::SecretWrite])];
    let deeds = |many: u32| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
             INSERT INTO decisions
                 (id, at, actor, credential, verb, digest, judgement, outcome, deed_at)
             SELECT 'd{many}-' || i, 1, 'a', 'c', 'secret_write', 'd', '{{}}', 'allowed', {}
             FROM n",
            at(10).as_micros()
        )
    };
    world.database.tamper(&deeds(99_999)).await;
    assert_eq!(counts(&world, &admin(), &kinds, 11).await, [99_999]);
    world.database.tamper(&deeds(1)).await;
    assert_eq!(counts(&world, &admin(), &kinds, 11).await, [u32::MAX]);
    world.ledger.close().await;
}
