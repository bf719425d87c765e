//! How many tokens one address mints in an hour.

use std::sync::Arc;

use countersign_core::caller::Caller;
use countersign_core::ledger::{Refusal, Settled};

use super::rush::{end, rush};
use super::world::*;

fn from(address: &str, seconds: i64) -> Ask {
    let caller = Caller {
        address: address.to_owned(),
        ..admin()
    };
    Ask {
        mint_limit: 2,
        ..Ask::new(&caller, mint("n"), allow(), at(seconds))
    }
}

#[tokio::test]
async fn one_address_mints_so_many_in_an_hour_and_others_as_many() {
    let world = World::new().await;
    for seconds in [0, 10] {
        token(world.ask(&from("192.0.2.1", seconds)).await);
    }
    for seconds in [10, 20, 3_599] {
        let refused = refused(world.ask(&from("192.0.2.1", seconds)).await);
        let (again_at, at) = (at(3_600), at(seconds));
        assert_eq!(refused, Refusal::TooManyMints { again_at, at });
    }
    token(world.ask(&from("192.0.2.2", 20)).await);
    token(world.ask(&from("192.0.2.1", 3_600)).await);
    match refused(world.ask(&from("192.0.2.1", 3_601)).await) {
        Refusal::TooManyMints { again_at, .. } => assert_eq!(again_at, at(3_610)),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.audited("org_token_minted").await, 4);
    world.end().await;
}

#[tokio::test]
async fn neither_a_revocation_nor_another_address_of_the_same_network_makes_room() {
    let world = World::new().await;
    let first = token(world.ask(&from("2001:db8:1:2::1", 0)).await);
    token(world.ask(&from("2001:db8:1:2:ffff::9", 1)).await);
    let revoke = Ask::new(&session_of("ann"), revoke_token(first.id), allow(), at(2));
    done(world.ask(&revoke).await);
    let refused = refused(world.ask(&from("2001:db8:1:2::3", 3)).await);
    assert!(matches!(refused, Refusal::TooManyMints { .. }));
    token(world.ask(&from("2001:db8:1:3::1", 3)).await);
    world.end().await;
}

#[tokio::test]
async fn a_refused_mint_does_not_use_its_grant_up_and_none_is_refused_without_a_limit() {
    let world = World::new().await;
    for seconds in [0, 1] {
        token(world.ask(&from("192.0.2.1", seconds)).await);
    }
    let gated = Ask {
        ruling: gate(),
        ..from("192.0.2.1", 2)
    };
    world.approved(&gated).await;
    let too_many = world.ask(&gated.clone().at(at(4))).await;
    assert!(matches!(refused(too_many), Refusal::TooManyMints { .. }));
    let unlimited = Ask {
        mint_limit: 0,
        ..gated.at(at(5))
    };
    token(world.ask(&unlimited).await);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_mint_at_once_are_counted() {
    let world = Arc::new(World::new().await);
    let mut minted = 0;
    for settled in rush(&world, vec![from("192.0.2.1", 0); 12]).await {
        match settled {
            Settled::Done(_) => minted += 1,
            settled => assert!(matches!(refused(settled), Refusal::TooManyMints { .. })),
        }
    }
    assert_eq!(minted, 2);
    end(world).await;
}
