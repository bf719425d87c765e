use std::sync::Arc;

use countersign_core::action::Action;
use countersign_core::approval::State;
use countersign_core::generation::{
    Component, GenerationChange, GenerationLedger, ModuleRecord, Pin, Seal,
};
use countersign_core::ledger::{Done, Refusal, Settled};
use countersign_core::review::{Review, Reviewed};
use countersign_core::verdict::ModuleId;
use tokio::task::JoinSet;

use super::world::*;

fn module(name: &str, digest: &str) -> ModuleRecord {
    let gated = ("gated".to_owned(), vec!["org_token_mint".to_owned()]);
    ModuleRecord {
        id: ModuleId {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: digest.to_owned(),
        },
        settings: [gated].into(),
        file: (name != "baseline").then(|| format!("{name}.wasm")),
        pinned: None,
    }
}

fn change(
    modules: &[(&str, &str)],
    components: &[(&str, &[u8])],
    seconds: i64,
) -> GenerationChange {
    GenerationChange {
        modules: modules
            .iter()
            .map(|(name, digest)| module(name, digest))
            .collect(),
        components: components
            .iter()
            .map(|(digest, bytes)| ((*digest).to_owned(), bytes.to_vec()))
            .collect(),
        shadow: Vec::new(),
        follows: 0,
        seal: Seal::from_text("ab".repeat(32)),
        by: "folder".to_owned(),
        summary: "a module came".to_owned(),
        at: at(seconds),
        approval: None,
    }
}

#[tokio::test]
async fn generations_are_numbered_from_one_and_keep_their_modules() {
    let world = World::new().await;
    let none = world.ledger.latest_generation().await.expect("an answer");
    assert!(none.is_none());
    let mut second = change(&[("baseline", "d1"), ("extra", "d2")], &[("d2", b"two")], 1);
    second.modules[1].pinned = Some(Pin {
        by: "session:ann".to_owned(),
        since: 2,
    });
    second.seal = Seal::from_text("cd".repeat(32));
    let changes = [
        change(&[("baseline", "d1")], &[("d1", b"one")], 0),
        second,
        GenerationChange {
            shadow: vec![module("baseline", "d1")],
            ..change(&[("extra", "d2")], &[("d2", b"two")], 2)
        },
    ];
    for (n, change) in (1..).zip(&changes) {
        let newest = world.ledger.newest_generation().await;
        assert_eq!(newest.expect("an answer"), n - 1);
        let change = GenerationChange {
            follows: n - 1,
            ..change.clone()
        };
        let number = world.ledger.record_generation(&change).await;
        assert_eq!(number.expect("recorded"), Some(n));
    }
    let newest = world.ledger.newest_generation().await;
    assert_eq!(newest.expect("an answer"), 3);
    let latest = world.ledger.latest_generation().await.expect("an answer");
    let latest = latest.expect("there is one");
    assert_eq!((latest.number, latest.at), (3, at(2)));
    assert_eq!(latest.modules, changes[2].modules);
    assert_eq!(latest.shadow, changes[2].shadow);

    let permit = world.permit(Action::PolicyRead).await;
    let list = async |after: Option<&str>| {
        let page = page(after.map(str::to_owned), 2);
        let records = world.ledger.generations(&permit, &page).await;
        records.expect("a list")
    };
    let first = list(None).await;
    assert_eq!(first.iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(first[1].modules, changes[1].modules);
    assert_eq!(first[1].seal.as_ref(), Some(&changes[1].seal));
    let before = async |number| {
        let found = world.ledger.generation_before(number).await;
        found.expect("an answer").map(|record| record.number)
    };
    assert_eq!(before(u64::MAX).await, Some(3));
    assert_eq!(before(3).await, Some(2));
    assert_eq!(before(1).await, None);
    let rest = list(Some("2")).await;
    assert_eq!(rest.iter().map(|r| r.number).collect::<Vec<_>>(), [1]);
    assert_eq!(world.audited("policies_changed").await, 3);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_hosts_that_record_at_the_same_moment_one_is_next() {
    let world = Arc::new(World::new().await);
    let mut hosts = JoinSet::new();
    for _ in 0..8 {
        let world = Arc::clone(&world);
        hosts.spawn(async move {
            let change = change(&[("baseline", "d1")], &[("d1", b"one")], 0);
            let number = world.ledger.record_generation(&change).await;
            number.expect("an answer")
        });
    }
    let numbers: Vec<_> = hosts.join_all().await.into_iter().flatten().collect();
    assert_eq!(
        numbers,
        [1],
        "whoever was late is told, and nothing is kept of it"
    );
    assert_eq!(world.audited("policies_changed").await, 1);
    let world = Arc::into_inner(world).expect("nobody else has it");
    world.end().await;
}

#[tokio::test]
async fn what_older_policies_judged_is_not_done_and_not_recorded() {
    let world = World::new().await;
    let granted = Ask::new(&admin(), mint("granted"), gate(), at(0));
    let grant = world.approved(&granted).await;
    let known = (world.decisions().await.len(), world.audit().await.len());
    let first = change(&[("baseline", "d1")], &[("d1", b"one")], 2);
    let second = GenerationChange {
        follows: 1,
        ..change(&[("baseline", "d2")], &[("d2", b"two")], 3)
    };
    // The first is that of the policies that judge here: they are the newest.
    for (change, number) in [(first, 1), (second, 2)] {
        let recorded = world.ledger.record_generation(&change).await;
        assert_eq!(recorded.expect("an answer"), Some(number));
    }
    let ruled = |ruling| Ask::new(&admin(), mint("ci"), ruling, at(4));
    let reads = Ask::new(&admin(), Action::OrgTokenList, allow(), at(4));
    for ask in [ruled(allow()), ruled(gate()), ruled(deny()), granted, reads] {
        let settled = world.ask(&ask.at(at(4))).await;
        assert!(matches!(settled, Settled::Outdated), "{settled:?}");
    }
    assert!(world.live_tokens(at(5)).await.is_empty());
    assert!(world.pending_at(at(5)).await.is_empty());
    assert_eq!(world.approval(grant.id).await.state, State::Approved);
    // Five permits to look since, and one for each of the two changes.
    let (decisions, entries) = (world.decisions().await, world.audit().await);
    assert!(decisions.iter().all(|decision| decision.at < at(4)));
    assert_eq!(decisions.len(), known.0 + 5);
    assert_eq!(entries.len(), known.1 + 2);

    // What the core judges alone is of no generation: people can always decide, and read.
    let by_core = Ask {
        generation: 0,
        ..ruled(allow())
    };
    done(world.ask(&by_core).await);
    world.end().await;
}

#[tokio::test]
async fn the_bytes_of_a_module_are_there_after_its_file_is_gone() {
    let world = World::new().await;
    let change = change(&[("baseline", "d1")], &[("d1", b"one")], 0);
    world
        .ledger
        .record_generation(&change)
        .await
        .expect("recorded");
    let bytes = world.ledger.component("d1").await.expect("an answer");
    assert_eq!(bytes.as_deref(), Some(b"one".as_slice()));
    let none = world.ledger.component("d2").await.expect("an answer");
    assert_eq!(none, None);
    world.end().await;
}

#[tokio::test]
async fn a_generation_whose_bytes_nobody_has_is_not_recorded() {
    let world = World::new().await;
    let change = change(&[("baseline", "d1")], &[], 0);
    assert!(world.ledger.record_generation(&change).await.is_err());
    let none = world.ledger.latest_generation().await.expect("an answer");
    assert!(none.is_none());
    assert_eq!(world.audited("policies_changed").await, 0);
    world.end().await;
}

fn component(version: &str, digest: &str) -> Action {
    Action::PolicyPush {
        name: "extra".to_owned(),
        component: Some(Component {
            id: ModuleId {
                name: "extra".to_owned(),
                version: version.to_owned(),
                digest: digest.to_owned(),
            },
            bytes: digest.as_bytes().into(),
            signature: None,
        }),
    }
}

fn by_a_person(action: Action, seconds: i64) -> Ask {
    Ask {
        generation: 0,
        ..Ask::new(&session_of("ann"), action, allow(), at(seconds))
    }
}

#[tokio::test]
async fn a_pushed_version_is_kept_and_decides_nothing() {
    let world = World::new().await;
    done(world.ask(&by_a_person(component("1.0.0", "d1"), 0)).await);
    // The same again changes nothing.
    done(world.ask(&by_a_person(component("1.0.0", "d1"), 1)).await);
    let bytes = world.ledger.component("d1").await.expect("an answer");
    assert_eq!(bytes.as_deref(), Some(b"d1".as_slice()));
    let permit = world.permit(Action::PolicyRead).await;
    for (name, digest, expected) in [
        ("extra", "d1", Some(b"d1".as_slice())),
        ("extra", "d2", None),
        // Bytes are handed out as what they are kept as, and as nothing else.
        ("baseline", "d1", None),
    ] {
        let bytes = world.ledger.policy_bytes(&permit, name, digest).await;
        assert_eq!(bytes.expect("an answer").as_deref(), expected);
    }
    let newest = world.ledger.newest_generation().await;
    assert_eq!(newest.expect("an answer"), 0);

    done(world.ask(&by_a_person(component("2.0.0", "d2"), 2)).await);
    let change = change(&[("extra", "d1")], &[], 3);
    let recorded = world.ledger.record_generation(&change).await;
    assert_eq!(recorded.expect("an answer"), Some(1));
    let kept = world.ledger.policy_versions("extra").await;
    let kept = kept.expect("a list");
    let seen: Vec<_> = kept
        .iter()
        .map(|kept| (kept.id.version.as_str(), kept.at, kept.generations))
        .collect();
    let expected = [("2.0.0", at(2), None), ("1.0.0", at(0), Some((1, 1)))];
    assert_eq!(seen, expected);
    assert_eq!(world.audited("policy_pushed").await, 3);
    world.end().await;
}

#[tokio::test]
async fn a_version_is_never_two_components() {
    let world = World::new().await;
    done(world.ask(&by_a_person(component("1.0.0", "d1"), 0)).await);
    let other = by_a_person(component("1.0.0", "d2"), 1);
    assert_eq!(refused(world.ask(&other).await), Refusal::VersionTaken);
    let none = world.ledger.component("d2").await.expect("an answer");
    assert_eq!(none, None);
    assert_eq!(world.audited("policy_pushed").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_change_that_was_made_ready_for_another_set_is_not_recorded() {
    let world = World::new().await;
    let first = change(&[("extra", "d1")], &[("d1", b"one")], 0);
    let recorded = world.ledger.record_generation(&first).await;
    assert_eq!(recorded.expect("an answer"), Some(1));
    let activate = |follows, seconds| {
        let change = GenerationChange {
            follows,
            ..change(&[("baseline", "d1")], &[], 0)
        };
        let review = Review::default();
        let action = Action::PolicyActivate {
            change: Some(Arc::new(Reviewed { change, review })),
        };
        by_a_person(action, seconds)
    };
    let stale = world.ask(&activate(0, 1)).await;
    assert_eq!(refused(stale), Refusal::PoliciesMoved);
    let newest = world.ledger.newest_generation().await;
    assert_eq!(newest.expect("an answer"), 1);

    let changed = done(world.ask(&activate(1, 2)).await);
    assert!(matches!(changed, Done::PoliciesChanged(2)), "{changed:?}");
    let record = world.ledger.generation(2).await.expect("an answer");
    let record = record.expect("it is recorded");
    assert_eq!((record.at, record.by), (at(2), session_of("ann").actor()));
    let none = world.ledger.generation(3).await.expect("an answer");
    assert!(none.is_none());
    world.end().await;
}
