use countersign_core::chance::OsChance;
use countersign_core::id::SessionId;
use countersign_core::ports::Ledger;
use countersign_core::session::{NewSession, ProofHash};

use super::world::*;

fn session(cookie: &str) -> NewSession {
    NewSession {
        id: SessionId::new(at(0), &OsChance),
        cookie: hash(cookie),
        proof: ProofHash::of(&format!("proof of {cookie}")),
        expires_at: at(600),
    }
}

async fn redeem(world: &World, link: &str, session: NewSession, seconds: i64) -> bool {
    let redeemed = world
        .ledger
        .redeem_login_link(hash(link), session, at(seconds))
        .await;
    redeemed.expect("an answer")
}

async fn save(world: &World, link: &str, seconds: i64) {
    let saved = world
        .ledger
        .save_login_link(hash(link), at(seconds + 60), at(seconds))
        .await;
    saved.expect("saved");
}

#[tokio::test]
async fn a_login_link_works_once() {
    let world = World::new().await;
    save(&world, "link", 0).await;
    assert!(!redeem(&world, "a guess", session("none"), 1).await);
    let started = session("cookie");
    assert!(redeem(&world, "link", started, 1).await);
    assert!(!redeem(&world, "link", session("second"), 2).await);
    let find = async |cookie, seconds| {
        let found = world.ledger.session(hash(cookie), at(seconds)).await;
        found.expect("an answer")
    };
    assert_eq!(find("cookie", 2).await, Some(started.id));
    assert_eq!(find("second", 2).await, None);
    assert_eq!(find("cookie", 600).await, None);
    world.end().await;
}

#[tokio::test]
async fn an_old_link_and_one_that_was_replaced_do_not_work() {
    let world = World::new().await;
    save(&world, "old", 0).await;
    assert!(!redeem(&world, "old", session("a"), 60).await);
    save(&world, "older", 0).await;
    save(&world, "newer", 1).await;
    assert!(!redeem(&world, "older", session("b"), 2).await);
    assert!(redeem(&world, "newer", session("c"), 2).await);
    world.end().await;
}

#[tokio::test]
async fn an_ended_session_stays_ended() {
    let world = World::new().await;
    save(&world, "link", 0).await;
    let started = session("cookie");
    redeem(&world, "link", started, 1).await;
    for seconds in [2, 3] {
        let ended = world.ledger.end_session(started.id, at(seconds)).await;
        ended.expect("ended");
    }
    let found = world.ledger.session(hash("cookie"), at(4)).await;
    assert_eq!(found.expect("an answer"), None);
    let kinds: Vec<String> = world.audit().await.into_iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        ["login_link_made", "session_started", "session_ended"]
    );
    world.end().await;
}

#[tokio::test]
async fn a_session_has_its_own_proof_while_it_lives() {
    let world = World::new().await;
    let (first, second) = (session("first"), session("second"));
    for (link, started) in [("one", first), ("two", second)] {
        save(&world, link, 0).await;
        assert!(redeem(&world, link, started, 1).await);
    }
    let find = async |id, seconds| {
        let found = world.ledger.session_proof(id, at(seconds)).await;
        found.expect("an answer")
    };
    let proof = find(first.id, 2).await.expect("it lives");
    assert!(proof.is_of("proof of first"));
    assert!(!proof.is_of("proof of second"));
    assert!(!proof.is_of("first"), "the cookie is no proof");
    assert!(find(first.id, 600).await.is_none(), "it is too old");
    let nobody = SessionId::new(at(0), &OsChance);
    assert!(find(nobody, 2).await.is_none());
    let ended = world.ledger.end_session(first.id, at(3)).await;
    ended.expect("ended");
    assert!(find(first.id, 4).await.is_none());
    assert!(find(second.id, 4).await.is_some());
    world.end().await;
}
