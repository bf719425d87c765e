use countersign_core::caller::Caller;
use countersign_core::ledger::{Done, Refusal};
use countersign_core::policy::Value;
use countersign_core::ports::Ledger;

use super::world::*;

#[tokio::test]
async fn a_minted_token_is_listed_newest_first_with_who_minted_it() {
    let world = World::new().await;
    let first = world.minted(&session_of("ann"), "first", at(0)).await;
    let second = world.minted(&admin(), "second", at(1)).await;
    let listed = world.live_tokens(at(2)).await;
    assert_eq!(
        listed.iter().map(|token| token.id).collect::<Vec<_>>(),
        [second.id, first.id]
    );
    assert_eq!(listed[0].created_by, "admin-token");
    assert_eq!(listed[0].created_by_user, None);
    assert_eq!(listed[1].created_by, person("ann").label());
    assert_eq!(listed[1].created_by_user.as_deref(), Some("ann"));
    assert_eq!(listed[1].name.as_deref(), Some("first"));
    assert_eq!(listed[1].created_at, at(0));
    world.end().await;
}

#[tokio::test]
async fn a_token_is_found_by_its_hash_while_it_lives_and_not_after() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint_until("brief", Some(at(60))), allow(), at(0));
    let brief = world.ask(&ask).await;
    let brief = token(brief);
    let facts = world
        .ledger
        .facts(&admin(), &mint("known"), world.org, at(0))
        .await
        .expect("facts");
    let ask = Ask::new(&admin(), mint("known"), allow(), at(0));
    let intent = world.intent(&ask);
    let mut submission = world.submission(&ask, &intent, &facts);
    if let countersign_core::ledger::Deed::MintOrgToken { hash: kept, .. } = &mut submission.deed {
        *kept = hash("the bearer");
    }
    let known = token(world.ledger.settle(submission).await.expect("it settles"));
    let find = |now| world.ledger.org_token_by_hash(hash("the bearer"), now);
    assert_eq!(
        find(at(1)).await.expect("found").expect("live").id,
        known.id
    );
    let other = world.ledger.org_token_by_hash(hash("a guess"), at(1)).await;
    assert!(other.expect("an answer").is_none());

    assert_eq!(world.live_tokens(at(59)).await.len(), 2);
    let left = world.live_tokens(at(60)).await;
    assert!(left.iter().all(|token| token.id != brief.id));

    let revoke = revoke_token(known.id);
    let settled = world
        .ask(&Ask::new(
            &session_of("ann"),
            revoke.clone(),
            allow(),
            at(2),
        ))
        .await;
    assert!(matches!(done(settled), Done::Revoked(revoked) if revoked.token == known.id));
    assert!(find(at(3)).await.expect("an answer").is_none());
    let again = world
        .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(3)))
        .await;
    assert_eq!(refused(again), Refusal::TargetGone);
    assert_eq!(world.audited("org_token_revoked").await, 1);
    world.end().await;
}

#[tokio::test]
async fn only_the_latest_use_of_a_token_is_kept() {
    let world = World::new().await;
    let minted = world.minted(&admin(), "ci", at(0)).await;
    assert_eq!(minted.last_used_at, None);
    for seconds in [5, 9, 7] {
        world.note_uses(&[uses(minted.id, seconds, 1)]).await;
    }
    assert_eq!(world.live_tokens(at(10)).await[0].last_used_at, Some(at(9)));
    world.end().await;
}

#[tokio::test]
async fn what_a_program_mints_stays_in_its_lineage_and_what_a_person_mints_starts_one() {
    let world = World::new().await;
    let of_admin = world.minted(&admin(), "a", at(0)).await;
    let below = world.minted(&bearer(&of_admin), "b", at(1)).await;
    let of_person = world.minted(&session_of("ann"), "c", at(2)).await;
    let under_person = world.minted(&bearer(&of_person), "d", at(3)).await;
    assert_eq!(of_admin.lineage, admin().lineage());
    assert_eq!(below.lineage, admin().lineage());
    assert_eq!(of_person.lineage, bearer(&of_person).credential_key());
    assert_eq!(under_person.lineage, of_person.lineage);
    world.end().await;
}

#[tokio::test]
async fn a_token_belongs_to_the_lineage_of_all_who_minted_towards_it() {
    let world = World::new().await;
    let parent = world.minted(&session_of("ann"), "parent", at(0)).await;
    let child = world.minted(&bearer(&parent), "child", at(1)).await;
    let grandchild = world.minted(&bearer(&child), "grandchild", at(2)).await;
    let stranger = world.minted(&admin(), "stranger", at(3)).await;
    let owns = async |caller: Caller, token| {
        let revoke = revoke_token(token);
        let facts = world.ledger.facts(&caller, &revoke, world.org, at(4)).await;
        let resource = facts.expect("facts").resource;
        resource.properties.get("own-lineage") == Some(&Value::Boolean(true))
    };
    assert!(owns(bearer(&parent), parent.id).await);
    assert!(owns(bearer(&parent), grandchild.id).await);
    assert!(owns(bearer(&child), grandchild.id).await);
    assert!(owns(session_of("ann"), grandchild.id).await);
    assert!(owns(admin(), stranger.id).await);
    assert!(!owns(bearer(&child), parent.id).await);
    assert!(!owns(bearer(&stranger), child.id).await);
    assert!(!owns(admin(), child.id).await);
    assert!(!owns(session_of("bob"), child.id).await);
    world.end().await;
}

#[tokio::test]
async fn the_facts_of_a_token_say_what_the_vocabulary_says() {
    let world = World::new().await;
    let minted = world.minted(&admin(), "ci", at(0)).await;
    let revoke = revoke_token(minted.id);
    let facts = world
        .ledger
        .facts(&admin(), &revoke, world.org, at(1))
        .await;
    let facts = facts.expect("facts");
    assert_eq!(facts.resource.kind, "org-token");
    assert_eq!(facts.resource.id, minted.id.to_string());
    let names: Vec<&str> = facts
        .resource
        .properties
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert_eq!(names, ["created-at", "minted-by", "own-lineage", "role"]);
    assert_eq!(facts.precondition, "live");

    let facts = world
        .ledger
        .facts(&admin(), &mint("x"), world.org, at(1))
        .await;
    let resource = facts.expect("facts").resource;
    assert_eq!(resource.kind, "organisation");
    assert_eq!(resource.id, world.org.to_string());
    assert_eq!(
        resource.properties.get("live-tokens"),
        Some(&Value::Integer(1))
    );
    world.end().await;
}

#[tokio::test]
async fn no_more_tokens_live_than_the_limit_allows() {
    let world = World::new().await;
    let ask = |seconds| Ask {
        live_limit: 2,
        ..Ask::new(
            &admin(),
            mint_until("n", Some(at(60))),
            allow(),
            at(seconds),
        )
    };
    token(world.ask(&ask(0)).await);
    token(world.ask(&ask(1)).await);
    assert_eq!(refused(world.ask(&ask(2)).await), Refusal::TooManyTokens);
    assert_eq!(world.audited("org_token_minted").await, 2);
    // Those that have expired do not count.
    token(
        world
            .ask(&Ask {
                action: mint("later"),
                ..ask(61)
            })
            .await,
    );
    world.end().await;
}
