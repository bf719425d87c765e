//! Writers in company: what is committed together, and what is not. The runtime has one thread, so a task
//! that is let run goes as far as it can.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::ports::LedgerError;
use tokio::task::{JoinSet, yield_now};

use super::super::{Fresh, fresh};
use super::{Connection, Store, guards};
use crate::fault::Fault;

/// How far apart the moments are at which somebody vanishes: a commit takes several.
const MOMENT: Duration = Duration::from_micros(50);

async fn note(connection: &mut Connection, name: &str) -> Result<(), Fault> {
    sqlx::query("INSERT INTO settings (name, value) VALUES ($1, 'noted')")
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes `name` in a turn of its own.
async fn write(store: &Store, name: &str) -> Result<(), Fault> {
    let mut turn = store.turn().await?;
    let noted = note(turn.connection(), name).await;
    turn.end(noted).await
}

async fn noted(store: &Store) -> Vec<String> {
    let mut tx = store.begin_reading().await.expect("it begins");
    sqlx::query_scalar("SELECT name FROM settings ORDER BY name")
        .fetch_all(&mut *tx)
        .await
        .expect("it reads")
}

async fn shared() -> (Arc<Store>, Fresh) {
    let database = fresh().await;
    (Arc::clone(&database.store), database)
}

/// Lets every task go as far as it can without anybody's turn ending.
async fn let_them_queue() {
    for _ in 0..100 {
        yield_now().await;
    }
}

fn writers(store: &Arc<Store>, names: &[&'static str]) -> JoinSet<Result<(), Fault>> {
    let mut writers = JoinSet::new();
    for name in names.iter().copied() {
        let store = Arc::clone(store);
        writers.spawn(async move { write(&store, name).await });
    }
    writers
}

#[tokio::test]
async fn who_queues_while_another_writes_is_committed_with_it_once() {
    let (store, _database) = shared().await;
    let mut first = store.turn().await.expect("a turn");
    note(first.connection(), "a").await.expect("it writes");
    let mut others = writers(&store, &["b", "c", "d", "e"]);
    let_them_queue().await;
    first.keep().await.expect("it is kept");
    while let Some(kept) = others.join_next().await {
        kept.expect("no panic").expect("it is kept");
    }
    assert_eq!(noted(&store).await, ["a", "b", "c", "d", "e"]);
    assert_eq!(store.turns.begun().await, 1);

    write(&store, "alone").await.expect("it is kept");
    assert_eq!(store.turns.begun().await, 2);
}

#[tokio::test]
async fn nobody_is_answered_before_the_commit() {
    let (store, _database) = shared().await;
    let mut first = store.turn().await.expect("a turn");
    note(first.connection(), "a").await.expect("it writes");
    let mut others = writers(&store, &["b"]);
    let_them_queue().await;
    assert!(others.try_join_next().is_none());
    assert!(noted(&store).await.is_empty());
    first.keep().await.expect("it is kept");
    assert_eq!(noted(&store).await, ["a", "b"]);
    others.join_all().await;
}

#[tokio::test]
async fn a_part_that_fails_is_undone_alone() {
    let (store, _database) = shared().await;
    let mut first = store.turn().await.expect("a turn");
    note(first.connection(), "a").await.expect("it writes");
    // It finds its own row in its way, after one that it could write.
    let mut failing = JoinSet::new();
    let failed = Arc::clone(&store);
    failing.spawn(async move {
        let mut turn = failed.turn().await?;
        note(turn.connection(), "half").await?;
        let failed = note(turn.connection(), "a").await;
        turn.end(failed).await
    });
    let others = writers(&store, &["b"]);
    let_them_queue().await;
    first.keep().await.expect("it is kept");
    let failed = failing.join_all().await.pop();
    failed.expect("one").expect_err("it is refused");
    for kept in others.join_all().await {
        kept.expect("it is kept");
    }
    assert_eq!(noted(&store).await, ["a", "b"]);
    assert_eq!(store.turns.begun().await, 1);
}

#[tokio::test]
async fn a_writer_that_vanishes_within_its_turn_is_undone_alone() {
    let (store, _database) = shared().await;
    for (names, vanishes_first) in [(["a", "b"], true), (["c", "d"], false)] {
        let mut first = store.turn().await.expect("a turn");
        let others;
        if vanishes_first {
            note(first.connection(), "vanished")
                .await
                .expect("it writes");
            others = writers(&store, &names);
            let_them_queue().await;
            drop(first);
        } else {
            note(first.connection(), "e").await.expect("it writes");
            let mut vanishing = JoinSet::new();
            let vanished = Arc::clone(&store);
            vanishing.spawn(async move {
                let mut turn = vanished.turn().await?;
                note(turn.connection(), "vanished").await
            });
            others = writers(&store, &names);
            let_them_queue().await;
            first.keep().await.expect("it is kept");
            let vanished = vanishing.join_all().await.pop();
            vanished.expect("one").expect("it wrote");
        }
        for kept in others.join_all().await {
            kept.expect("it is kept");
        }
    }
    assert_eq!(noted(&store).await, ["a", "b", "c", "d", "e"]);
}

#[tokio::test]
async fn a_writer_that_vanishes_while_it_waits_leaves_nothing_open() {
    let (store, _database) = shared().await;
    let mut first = store.turn().await.expect("a turn");
    note(first.connection(), "vanished")
        .await
        .expect("it writes");
    let mut second = pin!(store.turn());
    assert!(is_pending(second.as_mut()).await);
    {
        let mut waiting = pin!(first.keep());
        assert!(is_pending(waiting.as_mut()).await);
        let second = second.await.expect("a turn");
        assert!(is_pending(waiting.as_mut()).await);
        drop(second);
    }
    assert!(store.turns.is_idle().await);
    assert!(noted(&store).await.is_empty());
    write(&store, "a").await.expect("it is kept");
    assert_eq!(noted(&store).await, ["a"]);
}

/// As a request does whose client hangs up: at each moment of its wait, the commit for others included.
#[tokio::test]
async fn whoever_vanishes_at_whatever_moment_the_others_learn_what_became_of_theirs() {
    let (store, _database) = shared().await;
    for moment in 0..40 {
        let names = ["b", "c"].map(|name| format!("{name}{moment}"));
        let mut first = store.turn().await.expect("a turn");
        let first_name = format!("a{moment}");
        note(first.connection(), &first_name)
            .await
            .expect("it writes");
        let mut others = JoinSet::new();
        for name in names {
            let store = Arc::clone(&store);
            others.spawn(async move { (write(&store, &name).await, name) });
        }
        // So that it is `first` that commits for them.
        let_them_queue().await;
        {
            let mut vanishing = pin!(first.keep());
            let end = Instant::now() + MOMENT * moment;
            while is_pending(vanishing.as_mut()).await && Instant::now() < end {
                yield_now().await;
            }
        }
        while let Some(other) = others.join_next().await {
            let (kept, name) = other.expect("no panic");
            let is_there = noted(&store).await.contains(&name);
            assert_eq!(kept.is_ok(), is_there, "`{name}`: {kept:?}");
        }
        let last = format!("last{moment}");
        write(&store, &last).await.expect("the lane is free");
    }
}

/// Whether a future has more to do once it was asked.
async fn is_pending(future: std::pin::Pin<&mut impl Future>) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = std::future::ready(()) => true,
    }
}

/// An approval without its decision is looked for at the commit, and fails it.
#[tokio::test]
async fn a_commit_that_fails_is_told_to_everybody_and_keeps_nothing() {
    let (store, _database) = shared().await;
    let mut first = store.turn().await.expect("a turn");
    guards::keep_without_decision(first.connection()).await;
    let others = writers(&store, &["b", "c"]);
    let_them_queue().await;
    first.keep().await.expect_err("it is refused");
    for refused in others.join_all().await {
        let error = LedgerError::from(refused.expect_err("it is refused"));
        assert!(matches!(error, LedgerError::Unavailable(_)), "{error:?}");
    }
    assert!(noted(&store).await.is_empty());
    write(&store, "a").await.expect("it is kept");
    assert_eq!(noted(&store).await, ["a"]);
}
