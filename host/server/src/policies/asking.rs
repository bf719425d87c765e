//! Made-up questions, for people who want to know what policies would say. Nothing is done, recorded or counted,
//! and whoever tries things out owes no time for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::approval::Lives;
use countersign_core::policy::{CallerClass, Question};
use countersign_core::tally::{Tally, TallyKind, TallyOf};
use countersign_core::verdict::{Judgement, ModuleId, Opinion, fold};
use countersign_engine::{CLASSIFIER, PolicySet, Proven};
use countersign_lab::module::Module;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Policies, Seen};

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
    /// One module, alone.
    Module(Loaded),
}

/// A module that is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Which one.
    pub id: ModuleId,
    /// Where.
    pub place: Whereabouts,
}

/// Where a module is loaded: at each place there is one of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// It decides.
    Live,
    /// It is in shadow.
    Shadow,
    /// The policy folder holds it, and it neither decides nor is in shadow.
    Folder,
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

/// What is asked.
enum Chosen {
    Set(PolicySet),
    Alone(Module),
}

impl Policies {
    /// Who can be asked, with those that decide first.
    pub fn askable(&self) -> Vec<Which> {
        let others = [Which::Shadow, Which::Folder];
        let others = others
            .into_iter()
            .filter(|which| self.asked_of(which).is_some());
        let modules = self.loaded().into_iter();
        [Which::Live]
            .into_iter()
            .chain(others)
            .chain(modules.map(|(loaded, _)| Which::Module(loaded)))
            .collect()
    }

    fn asked_of(&self, which: &Which) -> Option<Chosen> {
        match which {
            Which::Live => {
                let live = self.live.generation();
                Some(Chosen::Set(live.policies().clone()))
            }
            Which::Shadow => {
                let would_decide = self.shadow.standing().would_decide.clone();
                would_decide.map(Chosen::Set)
            }
            Which::Folder => self.open_candidate().map(|held| Chosen::Set(held.policies)),
            Which::Module(wanted) => {
                let mut loaded = self.loaded().into_iter();
                let found = loaded.find(|(loaded, _)| loaded == wanted);
                found.map(|(_, module)| Chosen::Alone(module))
            }
        }
    }

    /// Each module that is loaded, whether or not the set that it belongs to stands.
    fn loaded(&self) -> Vec<(Loaded, Module)> {
        let decide = self.live.generation().policies().modules().to_vec();
        let in_shadow = self.shadow.standing().proven.clone();
        let Seen {
            policies, files, ..
        } = self.held();
        // What is built in is in no folder.
        let is_of_a_file = |module: &&Arc<Proven>| files.contains_key(&module.id().name);
        let in_folder = policies.modules().iter().filter(is_of_a_file).cloned();
        each([
            (Whereabouts::Live, decide),
            (Whereabouts::Shadow, in_shadow),
            (Whereabouts::Folder, in_folder.collect()),
        ])
    }

    /// What the folder holds now, whatever became of it.
    fn held(&self) -> Seen {
        let proposed = self.candidate().as_ref().map(|one| one.proposal.clone());
        proposed.map_or_else(|| self.seen().clone(), Seen::from)
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
        let wants = chosen.wants();
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

/// The modules of each place, beside the one there that says what kind of caller asks, or else the one that
/// says so of the first place. What is the same at two places is there once.
fn each(places: [(Whereabouts, Vec<Arc<Proven>>); 3]) -> Vec<(Loaded, Module)> {
    let classifier = |modules: &[Arc<Proven>]| -> Option<Arc<Proven>> {
        let mut modules = modules.iter();
        modules
            .find(|module| module.id().name == CLASSIFIER)
            .cloned()
    };
    let mut first = None;
    let mut all: Vec<(Loaded, Module)> = Vec::new();
    for (place, modules) in places {
        let here = classifier(&modules);
        first = first.or_else(|| here.clone());
        let Some(beside) = here.or_else(|| first.clone()) else {
            continue;
        };
        for module in modules {
            let is_it = |(_, known): &(Loaded, Module)| {
                let known = known.proven();
                known.id() == module.id() && known.settings() == module.settings()
            };
            if all.iter().any(is_it) {
                continue;
            }
            let id = module.id().clone();
            all.push((Loaded { id, place }, Module::beside(module, &beside)));
        }
    }
    all
}

impl Chosen {
    /// What it asks to be counted.
    fn wants(&self) -> Vec<TallyKind> {
        match self {
            Self::Set(policies) => policies.wants().to_vec(),
            Self::Alone(module) => {
                let specs = module.proven().manifest().tallies.iter();
                let mut wants: Vec<_> = specs.map(|spec| spec.kind.clone()).collect();
                wants.sort_unstable();
                wants.dedup();
                wants
            }
        }
    }

    fn ask(&self, question: &Question) -> Judgement {
        let module = match self {
            Self::Set(policies) => return policies.patiently(question),
            Self::Alone(module) => module,
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

    use countersign_engine::{BASELINE, Engine, Limits, Settings};

    use super::*;

    #[test]
    fn each_module_is_there_once_with_where_it_is_and_what_says_there_who_asks() {
        let engine = Engine::new(Limits::default()).expect("an engine");
        let baseline = |settings: &Settings| {
            let proven = engine.prove(BASELINE, settings);
            Arc::new(proven.expect("it is sound"))
        };
        let live = baseline(&Settings::new());
        let gated = Settings::new().with("gated_verbs", vec!["org_token_list".to_owned()]);
        let tried = baseline(&gated);
        let all = each([
            (Whereabouts::Live, vec![Arc::clone(&live)]),
            (Whereabouts::Shadow, vec![Arc::clone(&tried)]),
            (Whereabouts::Folder, vec![baseline(&Settings::new())]),
        ]);
        let places: Vec<_> = all.iter().map(|(loaded, _)| loaded.place).collect();
        assert_eq!(places, [Whereabouts::Live, Whereabouts::Shadow]);
        assert_eq!(all[0].0.id, all[1].0.id, "its settings alone are others");
        for ((_, module), proven) in all.iter().zip([&live, &tried]) {
            assert!(Arc::ptr_eq(module.classifier(), proven));
        }
        let none = each([
            (Whereabouts::Live, Vec::new()),
            (Whereabouts::Shadow, Vec::new()),
            (Whereabouts::Folder, Vec::new()),
        ]);
        assert!(none.is_empty());
    }

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
