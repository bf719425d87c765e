//! What a change of policies would change, looked for before it is made.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::approval::Lives;
use countersign_core::exhaustive::Cast;
use countersign_core::generation::{GenerationChange, ModuleRecord};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::review::{Item, Review, Reviewed};
use countersign_engine::PolicySet;
use countersign_lab::review::review;
use countersign_lab::verify::Progress;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use super::modules::Modules;

/// So many decisions, the latest, are asked again.
const RECORDED: u32 = 10_000;

/// How much it gives way to what serves callers, in the kernel's steps of niceness.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// So many reviews are remembered, for as long as their base is live: whoever asks again, because the connection
/// broke or nobody could be asked, does not have all of it compared once more.
const REMEMBERED: usize = 8;

/// Looks for what changes of policies would change, one at a time: each takes all processors for seconds.
pub(super) struct Reviewer {
    lives: Lives,
    one: Arc<Semaphore>,
    remembered: Arc<Mutex<VecDeque<(Key, Review)>>>,
    /// The generation that is followed by what is compared now, and what stops that.
    current: Mutex<(u64, Arc<Progress>)>,
}

/// What a review is of: the generation that is followed, and what would decide.
type Key = (u64, Vec<ModuleRecord>);

/// What becomes of a comparison for which nobody waits any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// It ends: what it was of is moot.
    Ends,
    /// It goes on, for whoever asks again; this one waits no longer than until then.
    GoesOn(Instant),
}

/// Why there is no review.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// It broke down; nothing is known of the change, so that it is not made.
    #[error("comparing the decisions broke down: nothing is changed; the log says more")]
    BrokeDown,
    /// There is none yet.
    #[error(
        "what this would change is being compared with what decides, or waits for another comparison to end, and nothing is changed yet: ask for the same again"
    )]
    UnderWay,
    /// Nobody could be shown all of it.
    #[error(
        "{0} kinds of decisions more would loosen than a list can have that somebody judges: nothing is changed; change less at once, or have the module give fewer rules"
    )]
    TooMuch(u64),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Stops the search when what it is of is moot.
struct Watched(Arc<Progress>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Reviewer {
    /// On a host whose approvals have these lives.
    pub fn new(lives: Lives) -> Self {
        Self {
            lives,
            one: Arc::new(Semaphore::new(1)),
            remembered: Arc::default(),
            current: Mutex::default(),
        }
    }

    /// `change` with what is known of it: from `live`, which is recorded, to `candidate`, both proven. What
    /// people are asked already is asked again as it is.
    pub async fn review(
        &self,
        ledger: &dyn Ledger,
        (live, before): (&Modules, PolicySet),
        (change, candidate): (GenerationChange, PolicySet),
        alone: Alone,
    ) -> Result<Reviewed, ReviewError> {
        if live.decide_as(&change.modules) {
            let review = Review::default();
            return Ok(Reviewed { change, review });
        }
        let key: Key = (change.follows, change.modules.clone());
        let until = match alone {
            Alone::Ends => None,
            Alone::GoesOn(until) => Some(until),
        };
        let permit = by(until, Arc::clone(&self.one).acquire_owned()).await?;
        if let Some(review) = ledger.open_review(&change).await? {
            return Ok(Reviewed { change, review });
        }
        if let Some(review) = self.known(&key) {
            let review = whole(review)?;
            return Ok(Reviewed { change, review });
        }
        let asked = ledger.asked_lately(RECORDED).await?;
        let earlier = ledger.unaccepted_review(&change).await?;
        // Of the seal, which nobody knows before there is this very change.
        let cast = Cast::drawn(change.seal.as_str().as_bytes());
        let progress = Arc::<Progress>::default();
        *self.current() = (change.follows, Arc::clone(&progress));
        let compared = Arc::clone(&progress);
        let watched = (alone == Alone::Ends).then(|| Watched(Arc::clone(&progress)));
        let (done, result) = oneshot::channel();
        let (lives, remembered) = (self.lives, Arc::clone(&self.remembered));
        let look = move || {
            let _one_at_a_time = permit;
            give_way();
            let mut found = review((&before, &candidate), (&asked, &cast), &lives, &compared);
            remember(&mut found, earlier);
            if !compared.is_stopped() {
                let mut remembered = remembered.lock().unwrap_or_else(PoisonError::into_inner);
                remembered.truncate(REMEMBERED - 1);
                remembered.push_front((key, found.clone()));
            }
            // Whoever waited may have gone.
            let _ = done.send(found);
        };
        // A thread of its own: one of the pool would keep its low priority.
        let thread = std::thread::Builder::new().name("policy-review".to_owned());
        thread.spawn(look).map_err(|_| ReviewError::BrokeDown)?;
        let review = by(until, result).await?;
        let review = review.map_err(|_| ReviewError::BrokeDown)?;
        drop(watched);
        if progress.is_stopped() {
            return Err(ReviewError::UnderWay);
        }
        tracing::info!(
            summary = %change.summary,
            rows = review.looked.rows,
            searched = review.looked.searched,
            recorded = review.looked.recorded,
            loosens = review.loosens.len(),
            tightens = review.tightens.len(),
            broken = review.broken.len(),
            "the decisions of a change of policies are compared"
        );
        let review = whole(review)?;
        Ok(Reviewed { change, review })
    }

    /// Generation `number` is live: what is compared with another one is moot.
    pub fn goes_live(&self, number: u64) {
        let (follows, progress) = &*self.current();
        if *follows != number {
            progress.stop();
        }
    }

    fn current(&self) -> std::sync::MutexGuard<'_, (u64, Arc<Progress>)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, key: &Key) -> Option<Review> {
        let remembered = self.remembered.lock();
        let remembered = remembered.unwrap_or_else(PoisonError::into_inner);
        let mut known = remembered.iter().filter(|(known, _)| known == key);
        known.next().map(|(_, review)| review.clone())
    }
}

/// What is known of a change, where a list can have all of it: else nobody could accept it as that list.
fn whole(review: Review) -> Result<Review, ReviewError> {
    match review.left_off {
        0 => Ok(review),
        more => Err(ReviewError::TooMuch(more)),
    }
}

/// What comes of `waited`, if it does in time.
async fn by<T>(until: Option<Instant>, waited: impl Future<Output = T>) -> Result<T, ReviewError> {
    match until {
        None => Ok(waited.await),
        Some(until) => timeout_at(until, waited)
            .await
            .map_err(|_| ReviewError::UnderWay),
    }
}

/// What an earlier list had and this one has not stays on it: nobody accepted that, and that it is not found
/// again is no reason to.
fn remember(review: &mut Review, earlier: Option<Review>) {
    let Some(earlier) = earlier else { return };
    for item in earlier.loosens {
        let is_it = |known: &Item| (&known.before, &known.after) == (&item.before, &item.after);
        if !review.loosens.iter().any(is_it) {
            review.loosens.push(item);
        }
    }
    for broken in earlier.broken {
        if !review.broken.iter().any(|known| known.law == broken.law) {
            review.broken.push(broken);
        }
    }
}

/// Callers come first.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICE);
}

#[cfg(test)]
mod tests {
    use countersign_core::policy::CallerClass;
    use countersign_core::review::{Broken, Said};
    use countersign_core::strictness::Change;

    use super::*;

    fn item(rule: &str) -> Item {
        let said = |effect: &str, rule: &str| Said {
            class: CallerClass::Agent,
            effect: effect.to_owned(),
            rule: rule.to_owned(),
            policy: "baseline".to_owned(),
            takes: None,
        };
        Item {
            change: Change::Looser,
            before: said("gate", "agents-need-a-person"),
            after: said("allow", rule),
            rows: 0,
            phrases: Vec::new(),
            searched: 1,
            recorded: 0,
            case: None,
            decision: None,
        }
    }

    #[test]
    fn a_list_that_is_not_whole_is_nobodys_to_accept() {
        let mut review = Review {
            loosens: vec![item("one")],
            ..Review::default()
        };
        assert!(whole(review.clone()).is_ok());
        review.left_off = 1;
        assert!(matches!(whole(review), Err(ReviewError::TooMuch(1))));
    }

    #[test]
    fn what_nobody_accepted_stays_on_the_list_whether_or_not_it_is_found_again() {
        let earlier = Review {
            loosens: vec![item("one"), item("two")],
            broken: vec![Broken {
                module: "m@1.0.0".to_owned(),
                law: "agent".to_owned(),
                sentence: String::new(),
                case: String::new(),
            }],
            ..Review::default()
        };
        let mut clean = Review::default();
        remember(&mut clean, None);
        assert!(!clean.needs_a_person());
        remember(&mut clean, Some(earlier.clone()));
        assert_eq!((clean.loosens.len(), clean.broken.len()), (2, 1));
        assert!(clean.needs_a_person());

        let mut again = Review {
            loosens: vec![item("two")],
            ..Review::default()
        };
        remember(&mut again, Some(earlier));
        assert_eq!(again.loosens, [item("two"), item("one")], "each once");
    }
}
