//! The provisioner's trace, and proofs of people that end by themselves.

use countersign_core::caller::{Caller, Identity, Issuer, Person};
use countersign_core::ledger::Refusal;

use super::world::*;

fn provisioner() -> Caller {
    Caller {
        identity: Identity::Provisioner {
            fingerprint: "f00d".to_owned(),
        },
        ..admin()
    }
}

#[tokio::test]
async fn each_use_of_the_provisioner_has_an_entry_of_its_own_whatever_came_of_it() {
    let world = World::new().await;
    let of = |ruling, second| Ask::new(&provisioner(), mint("ci"), ruling, at(second));
    let minted = token(world.ask(&of(allow(), 1)).await);
    refused(world.ask(&of(deny(), 2)).await);
    pending(world.ask(&of(gate(), 3)).await);
    pending(world.ask(&of(gate(), 4)).await);
    // What stood in its way is found in the middle of the deed, of which nothing stays but this.
    let full = Ask {
        live_limit: 1,
        ..of(allow(), 5)
    };
    refused(world.ask(&full).await);

    let audit = world.audit().await;
    let uses: Vec<_> = audit
        .iter()
        .filter(|entry| entry.kind == "provisioner_used")
        .collect();
    let outcomes: Vec<_> = uses.iter().map(|entry| &entry.detail["outcome"]).collect();
    let expected = ["allowed", "refused", "pending", "pending", "refused"];
    assert_eq!(outcomes, expected);
    for entry in uses {
        assert_eq!(entry.actor, "provisioner");
        assert_eq!(entry.detail["verb"], "org_token_mint");
        assert_eq!(entry.detail["resource"]["kind"], "organisation");
    }
    assert_eq!(minted.created_by, "provisioner");
    assert_eq!(minted.lineage, format!("org-token:{}", minted.id));
    world.end().await;
}

#[tokio::test]
async fn what_others_do_has_no_entry_of_the_provisioners() {
    let world = World::new().await;
    world.minted(&session_of("ann"), "a", at(1)).await;
    world.minted(&admin(), "b", at(2)).await;
    assert_eq!(world.audited("provisioner_used").await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_proof_that_ends_while_its_request_waits_does_nothing() {
    let world = World::new().await;
    let asserted = Caller {
        identity: Identity::Session {
            person: Person {
                issuer: Issuer::IdentityAssertion,
                user: "ann".to_owned(),
            },
            groups: Vec::new(),
            session: None,
            expires_at: Some(at(100)),
        },
        ..admin()
    };
    let ask = Ask::new(&asserted, mint("ci"), allow(), at(99));
    token(world.ask(&ask).await);
    let late = Ask {
        begins_at: Some(at(100)),
        ..ask
    };
    assert_eq!(refused(world.ask(&late).await), Refusal::CredentialGone);
    assert_eq!(world.live_tokens(at(101)).await.len(), 1);
    world.end().await;
}
