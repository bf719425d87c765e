//! Who is behind the labels of people, and what is called how.

use std::collections::BTreeSet;

use countersign_core::action::Action;
use countersign_core::approval::{Choice, State};
use countersign_core::caller::{Caller, Identity, Issuer, Person};
use countersign_core::chance::OsChance;
use countersign_core::history::{AuditFilter, DecisionFilter, HistoryLedger as _};
use countersign_core::id::SessionId;
use countersign_core::ledger::{Ended, Revocation, Voted, Whose};
use countersign_core::operators::Standing;
use countersign_core::people::PeopleLedger as _;
use countersign_core::ports::Ledger as _;
use countersign_core::provenance::{ProvenanceLedger as _, Sought};
use countersign_core::secret::{SecretAddress, SecretKey, SecretScope};
use countersign_core::session::{NewSession, OPERATOR, ProofHash};

use super::super::PEOPLE;
use super::world::*;

fn of(issuer: Issuer, user: &str) -> Person {
    Person {
        issuer,
        user: user.to_owned(),
    }
}

fn asserted(user: &str) -> Caller {
    Caller {
        identity: Identity::Session {
            person: of(Issuer::IdentityAssertion, user),
            groups: Vec::new(),
            session: None,
            expires_at: None,
        },
        ..admin()
    }
}

/// Which of `people` are known to `reader`.
async fn known(world: &World, reader: &Caller, people: &[Person]) -> Vec<Person> {
    let labels: Vec<String> = people.iter().map(Person::label).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let found = world.ledger.people(reader, &labels).await;
    let mut found: Vec<_> = found.expect("the ledger answers").into_values().collect();
    found.sort();
    found
}

#[tokio::test]
async fn whom_the_record_tells_of_is_known_by_name_from_then_on() {
    let world = World::new().await;
    let (ann, bob) = (person("ann"), person("bob"));
    let reader = session_of("reader");
    let all = [ann.clone(), bob.clone()];
    assert!(known(&world, &reader, &all).await.is_empty());
    // Whether or not it was allowed, and once for good.
    for second in [1, 2] {
        let ask = Ask::new(&session_of("ann"), mint("a"), deny(), at(second));
        refused(world.ask(&ask).await);
        assert_eq!(
            known(&world, &reader, &all).await,
            std::slice::from_ref(&ann)
        );
    }
    let asked = Ask::new(&asserted("ann"), mint("b"), allow(), at(3));
    token(world.ask(&asked).await);
    let both = [of(Issuer::IdentityAssertion, "ann"), ann];
    let mut expected = both.to_vec();
    expected.sort();
    assert_eq!(known(&world, &reader, &both).await, expected);
    assert!(known(&world, &reader, &[]).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn who_votes_takes_back_or_signs_in_is_known_without_having_asked_for_anything() {
    let world = World::new().await;
    let reader = session_of("reader");
    let waits = pending(
        world
            .ask(&Ask::new(&admin(), mint("a"), gate(), at(1)))
            .await,
    );
    let yes = ballot(waits.id, "eve", Choice::Approve, at(2));
    assert!(
        matches!(world.vote(&yes).await, Voted::Counted(voted) if voted.state == State::Approved)
    );
    assert_eq!(known(&world, &reader, &[person("eve")]).await.len(), 1);

    let back = Revocation {
        approval: waits.id,
        caller: &session_of("sam"),
        standing: Standing::None,
        reason: None,
        at: at(3),
    };
    let back = world.ledger.revoke(back).await.expect("an answer");
    assert!(matches!(back, Ended::Done(_)), "{back:?}");
    assert_eq!(known(&world, &reader, &[person("sam")]).await.len(), 1);

    let operator = [of(Issuer::Operator, OPERATOR)];
    let ledger = &world.ledger;
    let saved = ledger.save_login_link(hash("link"), at(60), at(4)).await;
    saved.expect("saved");
    assert!(known(&world, &reader, &operator).await.is_empty());
    let session = NewSession {
        id: SessionId::new(at(5), &OsChance),
        cookie: hash("cookie"),
        proof: ProofHash::of("proof"),
        expires_at: at(600),
    };
    let redeemed = ledger.redeem_login_link(hash("link"), session, at(5)).await;
    assert!(redeemed.expect("an answer"));
    assert_eq!(known(&world, &reader, &operator).await, operator);
    world.end().await;
}

// Guard: `people` in portable/people.rs looks at who reads.
#[tokio::test]
async fn no_program_is_told_who_a_person_is() {
    let world = World::new().await;
    let key = world.minted(&session_of("ann"), "ci", at(1)).await;
    for program in [admin(), bearer(&key)] {
        assert!(known(&world, &program, &[person("ann")]).await.is_empty());
    }
    let reader = session_of("reader");
    assert_eq!(known(&world, &reader, &[person("ann")]).await.len(), 1);
    world.end().await;
}

// Guard: `read` in portable/people.rs compares the label with what it is made of.
#[tokio::test]
async fn a_row_that_somebody_made_up_names_nobody() {
    let world = World::new().await;
    world.minted(&session_of("mallory"), "ci", at(1)).await;
    let reader = session_of("reader");
    let mallory = [person("mallory")];
    assert_eq!(known(&world, &reader, &mallory).await, mallory);
    let forge = format!(
        "UPDATE people SET name = 'ann' WHERE label = '{}'",
        mallory[0].label()
    );
    world.database.tamper(&forge).await;
    assert!(known(&world, &reader, &mallory).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn decisions_entries_and_approvals_of_a_person_are_found_by_the_name() {
    let world = World::new().await;
    let names = ["Ann@example", "ann%", "\u{c4}nne", "bob"];
    for (second, name) in (1..).zip(names) {
        world.minted(&session_of(name), "ci", at(second)).await;
        let ask = Ask::new(&session_of(name), mint("x"), gate(), at(100 + second));
        pending(world.ask(&ask).await);
    }
    let label = session_of("bob").actor();
    let all = page(None, 50);
    for (text, expected) in [
        ("ann", &names[..2]),
        ("ANN@", &names[..1]),
        ("Ann@example", &names[..1]),
        ("ann%", &names[1..2]),
        ("\u{c4}n", &names[2..3]),
        ("%", &[]),
        ("_nn", &[]),
        ("nn", &[]),
        (&label, &names[3..]),
    ] {
        let mut actors: Vec<_> = expected.iter().map(|n| session_of(n).actor()).collect();
        actors.sort();
        let (actor, called) = (Some(text.to_owned()), Some(text.to_owned()));
        let filter = DecisionFilter {
            actor: actor.clone(),
            called: called.clone(),
            ..DecisionFilter::default()
        };
        let permit = world.permit(Action::DecisionRead).await;
        let found = world.ledger.find_decisions(&permit, &filter, &all);
        let found = found.await.expect("decisions").items;
        let found = each_once(found.into_iter().map(|one| one.actor));
        assert_eq!(found, actors, "{text}");
        let filter = AuditFilter {
            actor,
            called,
            ..AuditFilter::default()
        };
        let permit = world.permit(Action::AuditRead).await;
        let found = world.ledger.find_entries(&permit, &filter, &all);
        let found = found.await.expect("entries").items;
        let found = each_once(found.into_iter().map(|one| one.actor));
        assert_eq!(found, actors, "{text}");
    }
    // Who reads as a program gives no name, and finds nobody by one.
    let filter = DecisionFilter {
        actor: Some("bob".to_owned()),
        ..DecisionFilter::default()
    };
    let permit = world.permit(Action::DecisionRead).await;
    let found = world.ledger.find_decisions(&permit, &filter, &all);
    assert!(found.await.expect("decisions").items.is_empty());

    // What was asked before is sought by whole names.
    for (name, expected) in [("ANN@EXAMPLE", 1), ("ann", 0), ("bob", 1), (&label, 1)] {
        let sought = Sought {
            actor: Some(name.to_owned()),
            called: Some(name.to_owned()),
            ..Sought::default()
        };
        let permit = world.permit(Action::ApprovalList).await;
        let found = world
            .ledger
            .approvals_sought(&permit, &Whose::All, (&sought, &all), at(200))
            .await;
        assert_eq!(found.expect("approvals").len(), expected, "{name}");
    }
    world.end().await;
}

#[tokio::test]
async fn who_asked_before_names_were_kept_is_found_by_the_migration() {
    let world = World::new().await;
    let both = [of(Issuer::IdentityAssertion, "a:b@example"), person("ann")];
    world.minted(&session_of("ann"), "a", at(1)).await;
    world.minted(&asserted("a:b@example"), "b", at(2)).await;
    world.minted(&session_of("ann"), "c", at(3)).await;
    let reader = session_of("reader");
    let mut expected = known(&world, &reader, &both).await;
    assert_eq!(expected.len(), 2);
    world.database.tamper("DELETE FROM people").await;
    assert!(known(&world, &reader, &both).await.is_empty());
    let (_, fill) = PEOPLE.split_once("INSERT").expect("it fills");
    world.database.tamper(&format!("INSERT{fill}")).await;
    expected.sort();
    assert_eq!(known(&world, &reader, &both).await, expected);
    world.end().await;
}

fn each_once(actors: impl Iterator<Item = String>) -> Vec<String> {
    actors.collect::<BTreeSet<_>>().into_iter().collect()
}

#[tokio::test]
async fn an_approval_says_what_the_workspace_or_the_key_is_called_that_it_is_about() {
    let world = World::new().await;
    let id = world.workspace("research", None).await;
    let secret = |scope| {
        let key = SecretKey::parse("API_KEY").expect("a key");
        write(SecretAddress { scope, key }, "value")
    };
    let named = world.minted(&admin(), "ci", at(1)).await;
    let unnamed = Action::OrgTokenMint {
        name: None,
        role: named.role,
        workspace: None,
        expires_at: None,
    };
    let unnamed = token(
        world
            .ask(&Ask::new(&admin(), unnamed, allow(), at(2)))
            .await,
    );
    for (action, called) in [
        (remove(id), Some("research")),
        (secret(SecretScope::Workspace(id)), Some("research")),
        (secret(SecretScope::Global), None),
        (revoke_token(named.id), Some("ci")),
        (revoke_token(unnamed.id), Some(&*unnamed.prefix)),
        (mint("next"), None),
    ] {
        let approval = pending(world.ask(&Ask::new(&admin(), action, gate(), at(9))).await);
        assert_eq!(approval.resource_name.as_deref(), called);
        let read = world.approval(approval.id).await;
        assert_eq!(read.resource_name.as_deref(), called, "{}", read.reason);
        if let Some(called) = called {
            assert!(
                read.reason.contains(&format!("`{called}`")),
                "{}",
                read.reason
            );
        }
    }
    world.end().await;
}
