//! Writers take turns in one transaction, and what came together is committed together.
//!
//! A commit costs a sync of the disk, whatever is in it. So who has done its part does not commit at
//! once: it queues again, behind all who came meanwhile, and they do their parts in the same transaction.
//! Whoever of them is first to have the lane again commits for all. Nobody waits for company: where
//! nobody queues, that is at once. And nobody is answered before the commit is over.
//!
//! A part that fails is undone alone, back to its savepoint. Where that fails too, the whole transaction
//! is undone and everybody in it is told that nothing was done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Executor as _;
use tokio::sync::{Mutex, MutexGuard, watch};

use super::super::Transaction;
use super::{Connection, Store};
use crate::fault::Fault;
use crate::whole::to_its_end;

/// At most so many parts are committed together: who came first waits for all of them.
const MOST_PARTS: u32 = 128;

/// Whoever waits so long for a turn waits for something broken. Nothing of its part is done yet.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a transaction; nothing while it is open.
type Outcome = Option<Result<(), Arc<sqlx::Error>>>;

/// The lane in which writers queue: first come, first served.
#[derive(Default)]
pub struct Turns {
    lane: Mutex<Lane>,
    /// Whether a statement has failed on the writing connection since a database last looked: what is
    /// wrong may be the connection's own.
    pub(crate) is_worn: Arc<AtomicBool>,
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turns")
    }
}

impl Turns {
    /// Something failed on the connection: it is not to be trusted with another transaction.
    fn wear(&self) {
        self.is_worn.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
impl Turns {
    /// How many transactions there were.
    pub(super) async fn begun(&self) -> u64 {
        self.lane.lock().await.begun
    }

    /// Whether no transaction is open.
    pub(super) async fn is_idle(&self) -> bool {
        self.lane.lock().await.open.is_none()
    }
}

#[derive(Default)]
struct Lane {
    open: Option<Shared>,
    /// How many transactions there were, so that one is told from the next.
    begun: u64,
}

/// A transaction that several writers share.
struct Shared {
    transaction: Transaction,
    number: u64,
    /// How many parts are done.
    parts: u32,
    /// Whether a writer vanished in the midst of its part.
    is_torn: bool,
    outcome: watch::Sender<Outcome>,
}

/// One writer's turn: until it ends, nobody else writes. A turn that is dropped undoes its part.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    /// Taken when the turn ends.
    lane: Option<MutexGuard<'a, Lane>>,
}

/// One writer's wait for the commit.
struct Waiting<'a> {
    turns: &'a Turns,
    number: u64,
}

impl Store {
    /// Waits for a turn to write.
    pub(super) async fn turn(&self) -> Result<Turn<'_>, Fault> {
        let turns = &self.turns;
        let lane = tokio::time::timeout(PATIENCE, turns.lane.lock()).await;
        let mut lane = lane.map_err(|_| sqlx::Error::PoolTimedOut)?;
        lane.make_room().await;
        if lane.open.is_none() {
            let begun = self.begin_writing().await;
            let transaction = begun.inspect_err(|_| turns.wear())?;
            lane.begun += 1;
            lane.open = Some(Shared {
                transaction,
                number: lane.begun,
                parts: 0,
                is_torn: false,
                outcome: watch::Sender::new(None),
            });
        }
        Ok(Turn {
            turns,
            lane: Some(lane),
        })
    }
}

impl Lane {
    /// Leaves a transaction that one more part can be done in, on a savepoint of its own, or none.
    async fn make_room(&mut self) {
        self.mend().await;
        let Some(open) = &mut self.open else { return };
        if open.parts >= MOST_PARTS {
            self.commit().await;
            return;
        }
        if let Err(error) = open.transaction.execute("SAVEPOINT part").await {
            self.give_up(error);
        }
    }

    /// Undoes what somebody who vanished has left.
    async fn mend(&mut self) {
        let Some(open) = &mut self.open else { return };
        if !open.is_torn {
            return;
        }
        self.undo_part().await;
        // Only now: whoever mends may vanish as well, and then the next one does it again.
        if let Some(open) = &mut self.open {
            open.is_torn = false;
        }
    }

    /// Undoes the part that is under way.
    async fn undo_part(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.parts == 0 {
            // There is nothing else in it, and no savepoint.
            // Where it cannot be undone, the connection is broken, and that undoes it.
            if let Some(open) = self.open.take() {
                let _ = open.transaction.rollback().await;
            }
            return;
        }
        if let Err(error) = open.transaction.execute("ROLLBACK TO SAVEPOINT part").await {
            self.give_up(error);
        }
    }

    /// Commits for everybody.
    async fn commit(&mut self) {
        self.mend().await;
        let Some(open) = self.open.take() else { return };
        // The others must learn what became of it, whoever commits for them.
        let committed = to_its_end(async move {
            let outcome = open.transaction.commit().await.map_err(Arc::new);
            open.outcome.send_replace(Some(outcome));
        });
        // If it broke down, nobody was told, which tells them.
        let _ = committed.await;
    }

    /// Undoes everything, and tells everybody.
    fn give_up(&mut self, error: sqlx::Error) {
        if let Some(open) = self.open.take() {
            open.outcome.send_replace(Some(Err(Arc::new(error))));
        }
    }
}

impl Turn<'_> {
    /// What statements run on.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.open().transaction
    }

    /// Ends the turn as its part went: what was done is kept, and answered when it is on disk; what failed
    /// is undone.
    pub(super) async fn end<T>(self, part: Result<T, Fault>) -> Result<T, Fault> {
        match part {
            Ok(done) => self.keep().await.map(|()| done),
            Err(fault) => {
                if matches!(fault, Fault::Driver(_)) {
                    self.turns.wear();
                }
                self.undo().await;
                Err(fault)
            }
        }
    }

    /// [`Turn::end`] of a part that may have come to nothing: then all of it is undone.
    pub(super) async fn end_if<T>(
        self,
        part: Result<T, Fault>,
        is_done: impl FnOnce(&T) -> bool,
    ) -> Result<T, Fault> {
        match part {
            Ok(nothing) if !is_done(&nothing) => {
                self.undo().await;
                Ok(nothing)
            }
            part => self.end(part).await,
        }
    }

    /// Keeps what was done, and waits until it is on disk.
    pub(super) async fn keep(mut self) -> Result<(), Fault> {
        self.open().parts += 1;
        self.wait().await
    }

    /// Undoes what was done, and waits until the others' parts, which this one has seen, can be read.
    pub(super) async fn undo(mut self) {
        let lane = self.lane.as_mut().expect(IN_TURN);
        lane.undo_part().await;
        if lane.open.is_some() {
            // Whether they were kept shows when they are read.
            let _ = self.wait().await;
        } else {
            self.lane = None;
        }
    }

    /// Leaves the lane, and waits for the commit, or does it.
    async fn wait(&mut self) -> Result<(), Fault> {
        let turns = self.turns;
        let open = self.open();
        let number = open.number;
        let mut outcome = open.outcome.subscribe();
        self.lane = None;
        let waiting = Waiting { turns, number };
        let lane = tokio::select! {
            biased;
            () = is_over(&mut outcome) => None,
            lane = turns.lane.lock() => Some(lane),
        };
        if let Some(mut lane) = lane
            && lane.holds(number)
        {
            lane.commit().await;
        }
        // Whoever committed may have vanished, which frees the lane before the commit is over.
        is_over(&mut outcome).await;
        std::mem::forget(waiting);
        let outcome = outcome.borrow().clone();
        let kept = match outcome {
            Some(outcome) => outcome.map_err(Fault::Together),
            // The commit broke down: it may be done, and nobody can tell.
            None => Err(Fault::Driver(sqlx::Error::WorkerCrashed)),
        };
        kept.inspect_err(|_| turns.wear())
    }

    fn open(&mut self) -> &mut Shared {
        let lane = self.lane.as_mut().expect(IN_TURN);
        lane.open.as_mut().expect(IN_TURN)
    }
}

async fn is_over(outcome: &mut watch::Receiver<Outcome>) {
    // An error says that whoever committed has vanished, which is over too.
    let _ = outcome.wait_for(Option::is_some).await;
}

const IN_TURN: &str = "INVARIANT: a turn has the lane and an open transaction until it ends";

impl Lane {
    fn holds(&self, number: u64) -> bool {
        self.open.as_ref().is_some_and(|open| open.number == number)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Some(lane) = self.lane.as_mut() else {
            return;
        };
        match &mut lane.open {
            // There is nothing of others in it, so nobody else would end it.
            Some(open) if open.parts == 0 => lane.open = None,
            Some(open) => open.is_torn = true,
            None => {}
        }
    }
}

impl Drop for Waiting<'_> {
    /// Somebody vanished while it waited. Where nobody is left who would commit, nobody waits for an
    /// answer: the transaction, which holds up others, is undone.
    fn drop(&mut self) {
        if let Ok(mut lane) = self.turns.lane.try_lock()
            && lane.holds(self.number)
        {
            lane.open = None;
        }
    }
}
