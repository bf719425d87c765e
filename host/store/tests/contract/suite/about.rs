//! What was decided about something, and what came of it, looked for.

use countersign_core::action::Action;
use countersign_core::approval::Choice;
use countersign_core::decision::Outcome;
use countersign_core::history::{DecisionFilter, Rest};
use countersign_core::id::DecisionId;
use countersign_core::ledger::Settled;
use countersign_core::policy::Question;
use countersign_core::ports::Ledger as _;
use countersign_core::secret::SecretScope;

use super::history::{found, many, seconds};
use super::world::*;

/// A world in which decisions were about a secret of all workspaces, a workspace and a secret of it.
struct Told {
    world: World,
    workspace: String,
    /// Under which the secret of all workspaces was written.
    approval: String,
    /// The decision that denied the other secret.
    denied: String,
}

/// What came of `ask`, about which the policies were asked.
async fn decided(world: &World, ask: &Ask) -> (DecisionId, Settled) {
    let facts = world
        .ledger
        .facts(&ask.caller, &ask.action, world.org, ask.at)
        .await;
    let facts = facts.expect("facts");
    let intent = world.intent(ask);
    let mut submission = world.submission(ask, &intent, &facts);
    submission.decision.question = Some(Question {
        subject: ask.caller.subject(),
        verb: intent.verb().as_str().to_owned(),
        arguments: intent.action.arguments(),
        resource: facts.resource.clone(),
        time: 1,
        tallies: Vec::new(),
        context: ask.caller.context(),
    });
    let id = submission.decision.id;
    let settled = world.ledger.settle(submission).await;
    (id, settled.expect("it settles"))
}

async fn told() -> Told {
    let world = World::new().await;
    let workspace = world.workspace("here", None).await;
    let waits = Ask::new(&admin(), write(global("API_KEY"), "v"), gate(), at(100));
    let approval = pending(decided(&world, &waits).await.1).id;
    let yes = ballot(approval, "ann", Choice::Approve, at(150));
    counted(world.vote(&yes).await);
    done(decided(&world, &waits.at(at(200))).await.1);
    let own = secret_in(SecretScope::Workspace(workspace), "APIXKEY");
    let ask = Ask::new(&admin(), write(own, "v"), deny(), at(300));
    let (denied, settled) = decided(&world, &ask).await;
    refused(settled);
    for (action, second) in [
        (rename(workspace, "there"), 400),
        (Action::WorkspaceRead { workspace }, 500),
    ] {
        let ask = Ask::new(&session_of("ann"), action, allow(), at(second));
        done(decided(&world, &ask).await.1);
    }
    Told {
        world,
        workspace: workspace.to_string(),
        approval: approval.to_string(),
        denied: denied.to_string(),
    }
}

fn about(text: &str) -> DecisionFilter {
    DecisionFilter {
        about: Some(text.to_owned()),
        ..DecisionFilter::default()
    }
}

fn came_of(outcome: Outcome) -> DecisionFilter {
    DecisionFilter {
        outcome: Some(outcome),
        ..DecisionFilter::default()
    }
}

#[tokio::test]
async fn decisions_are_found_by_what_they_are_about_and_every_character_stands_for_itself() {
    let told = told().await;
    let (workspace, approval, denied) = (&*told.workspace, &*told.approval, &*told.denied);
    for (text, expected) in [
        ("global/API_KEY", &[200, 100][..]),
        ("API_KEY", &[200, 100]),
        ("I_K", &[200, 100]),
        ("_", &[200, 100]),
        ("API", &[300, 200, 100]),
        (workspace, &[400, 300]),
        (&workspace[24..], &[400, 300]),
        (approval, &[200, 100]),
        (denied, &[300]),
        // An approval and a decision are named whole.
        (&approval[20..], &[]),
        (&denied[20..], &[]),
        ("%", &[]),
        ("API%", &[]),
        ("APIXKE_", &[]),
        ("api_key", &[]),
        ("'", &[]),
        ("' OR '' = '", &[]),
        ("\\", &[]),
    ] {
        let found = seconds(&told.world, about(text)).await;
        assert_eq!(found, expected, "{text}");
    }
    let with_reads = DecisionFilter {
        reads: true,
        ..about(workspace)
    };
    assert_eq!(seconds(&told.world, with_reads).await, [500, 400, 300]);
    told.world.end().await;
}

#[tokio::test]
async fn decisions_are_found_by_what_came_of_them() {
    let told = told().await;
    for (outcome, expected) in [
        // The workspace was created at the first instant.
        (Outcome::Allowed, &[400, 0][..]),
        (Outcome::Granted, &[200]),
        (Outcome::Pending, &[100]),
        (Outcome::Refused, &[300]),
    ] {
        let found = seconds(&told.world, came_of(outcome)).await;
        assert_eq!(found, expected, "{outcome}");
    }
    let with_reads = DecisionFilter {
        reads: true,
        ..came_of(Outcome::Allowed)
    };
    let found = seconds(&told.world, with_reads).await;
    assert!(found.starts_with(&[500, 400]), "{found:?}");
    let together = |outcome| DecisionFilter {
        outcome: Some(outcome),
        ..about(&told.approval)
    };
    let granted = seconds(&told.world, together(Outcome::Granted)).await;
    assert_eq!(granted, [200]);
    let refused = seconds(&told.world, together(Outcome::Refused)).await;
    assert!(refused.is_empty(), "{refused:?}");
    told.world.end().await;
}

// Guard: `record` in portable/decisions.rs takes it from the intent.
#[tokio::test]
async fn what_the_core_refused_before_any_policy_was_asked_is_found_as_well() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("API_KEY"), "v"), deny(), at(100));
    refused(world.ask(&ask).await);
    assert_eq!(seconds(&world, about("API_KEY")).await, [100]);
    world.end().await;
}

#[tokio::test]
async fn decisions_of_an_earlier_version_are_found_by_what_they_were_about() {
    let told = told().await;
    let forget = "UPDATE decisions SET resource = NULL";
    told.world.database.tamper(forget).await;
    // As a host of an earlier version recorded them, and may beside this one.
    for (text, expected) in [
        ("API", &[300, 200, 100][..]),
        ("I_K", &[200, 100]),
        (&told.workspace, &[400, 300]),
        (&told.approval, &[200, 100]),
        (&told.denied, &[300]),
        ("%", &[]),
    ] {
        let found = seconds(&told.world, about(text)).await;
        assert_eq!(found, expected, "{text}");
    }
    told.world.end().await;
}

// Guard: `DecisionFilter::skips` counts both.
#[tokio::test]
async fn a_search_for_what_is_rare_by_these_ends_and_says_where_it_goes_on() {
    let told = told().await;
    many(&told.world, "nobody-may").await;
    for (filter, expected) in [(about("API_KEY"), 2), (came_of(Outcome::Granted), 1)] {
        let first = found(&told.world, &filter, None, 50).await;
        assert!(first.items.is_empty(), "{filter:?}");
        let Rest::Unsearched { after, back_to } = first.rest else {
            panic!("{filter:?}: {:?}", first.rest)
        };
        assert_eq!(after, "019b7fff-0000-7000-8000-100000000001");
        assert_eq!(back_to, at(300));
        let second = found(&told.world, &filter, Some(after), 50).await;
        assert_eq!(
            (second.items.len(), second.rest),
            (expected, Rest::Nothing),
            "{filter:?}"
        );
    }
    told.world.ledger.close().await;
}
