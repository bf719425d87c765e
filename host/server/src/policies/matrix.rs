//! What the live policies answer to the exhaustive table: worked out once for each generation, when somebody
//! wants to see it, on a thread that lets callers go first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use countersign_core::approval::Lives;
use countersign_core::exhaustive::{self, Row};
use countersign_core::policy::Credential;
use countersign_core::review::Said;
use countersign_core::verb::Verb;
use countersign_engine::PolicySet;
use countersign_lab::fold::Folded;
use tokio::sync::watch;
use tokio::time::timeout;

use super::Policies;
use super::review::{ReviewError, give_way};

/// So long a page waits for it; then it says that it is not ready yet.
const PATIENCE: Duration = Duration::from_secs(4);
/// A set that needs longer for the table could not have become live.
const LIMIT: Duration = Duration::from_secs(60);

/// The answers of one generation.
pub struct Matrix {
    /// Which.
    pub generation: u64,
    /// How many rows there are.
    pub rows: usize,
    /// All of them, folded.
    pub folded: Folded<Said>,
    /// The outcomes for each verb and credential: of those callers alone that the host lets come so far.
    pub cells: BTreeMap<(Verb, Credential), Cell>,
}

/// What can come of a verb for one kind of caller: `allow`, `gate`, `deny`.
pub type Cell = BTreeSet<String>;

type Ready = watch::Receiver<Option<Arc<Matrix>>>;

/// The matrix of the generation that somebody looked at last.
#[derive(Default)]
pub(super) struct Matrices {
    newest: Mutex<Option<(u64, Ready)>>,
    /// One is worked out at a time.
    one: Arc<Mutex<()>>,
}

impl Policies {
    /// The live policies' answers, on a host whose approvals have these lives. `None`: they are not worked out
    /// yet.
    pub async fn matrix(&self, lives: Lives) -> Result<Option<Arc<Matrix>>, ReviewError> {
        let live = self.live.generation();
        let mut ready = {
            let newest = self.matrices.newest.lock();
            let mut newest = newest.unwrap_or_else(PoisonError::into_inner);
            match &*newest {
                // One that broke down is tried again.
                Some((number, ready))
                    if *number == live.number()
                        && (ready.has_changed().is_ok() || ready.borrow().is_some()) =>
                {
                    ready.clone()
                }
                _ => {
                    let ready = self.begin_matrix(live.policies().clone(), live.number(), lives)?;
                    *newest = Some((live.number(), ready.clone()));
                    ready
                }
            }
        };
        match timeout(PATIENCE, ready.wait_for(Option::is_some)).await {
            Ok(Ok(matrix)) => Ok(matrix.clone()),
            Ok(Err(_)) => Err(ReviewError::BrokeDown),
            Err(_) => Ok(None),
        }
    }

    fn begin_matrix(
        &self,
        policies: PolicySet,
        generation: u64,
        lives: Lives,
    ) -> Result<Ready, ReviewError> {
        let (done, ready) = watch::channel(None);
        let one = Arc::clone(&self.matrices.one);
        let work = move || {
            let _one_at_a_time = one.lock().unwrap_or_else(PoisonError::into_inner);
            give_way();
            if let Some(matrix) = worked_out(&policies, generation, lives) {
                done.send_replace(Some(Arc::new(matrix)));
            }
        };
        // A thread of its own: one of the pool would keep its low priority.
        let thread = std::thread::Builder::new().name("policy-matrix".to_owned());
        thread.spawn(work).map_err(|_| ReviewError::BrokeDown)?;
        Ok(ready)
    }
}

fn worked_out(policies: &PolicySet, generation: u64, lives: Lives) -> Option<Matrix> {
    let began = Instant::now();
    let mut answers: Vec<(Row, Said)> = Vec::new();
    for row in exhaustive::rows() {
        if began.elapsed() > LIMIT {
            tracing::warn!(generation, "the matrix of the live policies takes too long");
            return None;
        }
        let judgement = policies.patiently(&row.question()).within(&lives);
        answers.push((row, Said::of(&judgement)));
    }
    let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
    for (row, said) in &answers {
        // Whose role is too narrow never comes as far as a policy.
        if row.role >= row.verb.needed_role() {
            let cell = cells.entry((row.verb, row.credential)).or_default();
            cell.insert(said.effect.clone());
        }
    }
    Some(Matrix {
        generation,
        rows: answers.len(),
        folded: Folded::of(answers.iter().map(|(row, said)| (row, said.clone()))),
        cells,
    })
}
