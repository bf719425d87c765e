//! Made-up questions, for people who want to know what policies would say. Nothing is done, recorded or counted,
//! and whoever tries things out owes no time for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::approval::Lives;
use countersign_core::policy::{CallerClass, Question};
use countersign_core::tally::{Tally, TallyOf};
use countersign_core::verdict::{Judgement, Opinion, fold};
use countersign_engine::{CLASSIFIER, PolicySet, Proven};
use countersign_lab::module::Module;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Policies;

/// So long somebody waits for others who try things out.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that decide.
    Live,
    /// Those that would decide if those in shadow did.
    Shadow,
    /// What the policy folder holds and nobody has accepted.
    Folder,
    /// One of those that decide, alone.
    Module(String),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What they said.
    pub judgement: Judgement,
    /// How many different things they wanted counted.
    pub counted: usize,
}

/// Why nobody was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no such set by now.
    #[error("these policies are not there any more: choose others")]
    NoSet,
    /// Somebody else asks.
    #[error("somebody else tries something out, and one question is asked at a time: try again")]
    Busy,
    /// It broke down.
    #[error("asking the policies broke down: the log says more")]
    BrokeDown,
}

/// What is asked: a set, or a module of one.
struct Chosen {
    policies: PolicySet,
    alone: Option<Module>,
}

impl Policies {
    /// Who can be asked, with those that decide first.
    pub fn askable(&self) -> Vec<Which> {
        let live = self.live.generation();
        let modules = live.policies().modules().iter();
        let modules = modules.map(|module| Which::Module(module.id().name.clone()));
        let others = [Which::Shadow, Which::Folder];
        let others = others
            .into_iter()
            .filter(|which| self.asked_of(which).is_some());
        [Which::Live]
            .into_iter()
            .chain(others)
            .chain(modules)
            .collect()
    }

    fn asked_of(&self, which: &Which) -> Option<Chosen> {
        let live = || self.live.generation().policies().clone();
        let whole = |policies| Chosen {
            policies,
            alone: None,
        };
        match which {
            Which::Live => Some(whole(live())),
            Which::Shadow => self.shadow.standing().would_decide.clone().map(whole),
            Which::Folder => self.open_candidate().map(|held| whole(held.policies)),
            Which::Module(name) => {
                let policies = live();
                let named = |name: &str| -> Option<Arc<Proven>> {
                    let mut modules = policies.modules().iter();
                    modules.find(|module| module.id().name == name).cloned()
                };
                let alone = Module::beside(named(name)?, &named(CLASSIFIER)?);
                Some(Chosen {
                    policies,
                    alone: Some(alone),
                })
            }
        }
    }

    /// Asks them `question`, on a host whose approvals have these lives; all that they want counted is
    /// `counted`.
    pub async fn ask(
        &self,
        which: &Which,
        (mut question, counted): (Question, u32),
        lives: Lives,
    ) -> Result<Asked, AskError> {
        let chosen = self.asked_of(which).ok_or(AskError::NoSet)?;
        let wants = chosen.policies.wants().to_vec();
        let kinds = wants.len();
        question.tallies = wants
            .into_iter()
            .map(|kind| Tally {
                of: TallyOf::Kind(kind),
                count: counted,
            })
            .collect();
        let ask = move || chosen.ask(&question).within(&lives);
        Ok(Asked {
            judgement: in_turn(&self.asking, ask).await?,
            counted: kinds,
        })
    }
}

/// Does `work` when it is its turn, apart from the threads that serve requests.
async fn in_turn<T: Send + 'static>(
    turns: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AskError> {
    let turn = timeout(PATIENCE, Arc::clone(turns).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else {
        return Err(AskError::Busy);
    };
    let work = move || {
        // Whoever asked may be gone: what they asked for takes its time all the same.
        let _one_at_a_time = turn;
        work()
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| AskError::BrokeDown)
}

impl Chosen {
    fn ask(&self, question: &Question) -> Judgement {
        let Some(module) = &self.alone else {
            return self.policies.patiently(question);
        };
        let began = Instant::now();
        let answered = module.answer_again(question);
        let took = began.elapsed().into();
        let opinions = vec![Opinion {
            module: module.proven().id().clone(),
            verdict: answered.verdict,
            notes: answered.notes,
            took,
        }];
        Judgement {
            generation: 0,
            class: answered.class.unwrap_or(CallerClass::Unknown),
            ruling: fold(&opinions),
            opinions,
            took,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_the_work_whether_or_not_somebody_waits_for_it() {
        let turns = Arc::new(Semaphore::new(1));
        let (begins, has_begun) = mpsc::channel();
        let (ends, end) = mpsc::channel::<()>();
        let work = move || {
            let _ = begins.send(());
            let _ = end.recv();
        };
        let mut asked = Box::pin(in_turn(&turns, work));
        assert!(timeout(Duration::ZERO, &mut asked).await.is_err());
        let begun = tokio::task::spawn_blocking(move || has_begun.recv());
        begun.await.expect("no panic").expect("it begins");
        drop(asked);
        assert!(turns.try_acquire().is_err(), "it goes on, in its turn");
        ends.send(()).expect("it goes on");
        let next = in_turn(&turns, || 7).await;
        assert_eq!(next.expect("its turn"), 7);
    }
}
