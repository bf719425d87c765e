//! The gate: every privileged action passes here, and nowhere else.

mod confine;
mod counting;
mod deed;
mod end;
mod review;

use std::sync::Arc;

pub use self::confine::outlives_the_minter;
use self::confine::{confine, files_elsewhere, judged_by_core};
use self::review::reviewed;
use crate::action::{Action, ActionDigest, Intent};
use crate::approval::{Approval, Choice, Lives};
use crate::caller::{Caller, Identity};
use crate::chance::Chance;
use crate::decision::{Decision, Outcome};
use crate::id::{ApprovalId, DecisionId, OrgId, WorkspaceId};
use crate::keys::{Keys, KeysError};
use crate::ledger::{
    Ahead, Ballot, Done, Facts, OrgToken, Refusal, Settled, Submission, Voted, Want,
};
use crate::operators::Operators;
use crate::permit::Permit;
use crate::policy::{CallerClass, Credential, Question};
use crate::ports::{Judge, Ledger, LedgerError};
use crate::shadow::Witness;
use crate::tally::Tally;
use crate::time::Clock;
use crate::token::PlainToken;
use crate::verb::Verb;
use crate::verdict::{Judgement, Ruling, Took};
use crate::workspace::WorkspaceToken;

/// How often an action is judged again because what it was judged on has moved. Each round means that
/// another request got through, so this bounds the unfairness to one caller, not the work of the host.
const ROUNDS: usize = 64;

/// What the gate is made of.
pub struct Gate {
    /// The record.
    pub ledger: Arc<dyn Ledger>,
    /// The policies.
    pub judge: Arc<dyn Judge>,
    /// Who is told of what the policies decided.
    pub witness: Arc<dyn Witness>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub chance: Arc<dyn Chance>,
    /// The host's keys.
    pub keys: Keys,
    /// The organisation.
    pub org: OrgId,
    /// At most so many live organisation tokens; 0: no limit.
    pub live_token_limit: u32,
    /// Who may change the policies.
    pub operators: Operators,
    /// At most so many organisation tokens minted from one address in an hour; 0: no limit.
    pub mint_limit: u32,
    /// How long approvals live.
    pub lives: Lives,
}

/// What came of an action, and the decision behind it.
#[derive(Debug)]
pub struct Answer {
    /// The recorded decision.
    pub decision: DecisionId,
    /// The policy generation that judged; 0 where the core judged alone.
    pub generation: u64,
    /// What came of it.
    pub result: Result<Passed, Stopped>,
    /// Where the policies gate it: the rule by which they do, and whose it is.
    pub gated_by: Option<(String, String)>,
}

/// The action passed.
#[derive(Debug)]
pub enum Passed {
    /// It may be read.
    Read(Permit),
    /// The token is minted; this is the only time that it is shown.
    Minted(OrgToken, PlainToken),
    /// The workspace's token is minted; this is the only time that it is shown.
    WorkspaceTokenMinted(WorkspaceToken, PlainToken),
    /// Something else was done.
    Done(Done),
    /// Nothing was done: people were asked ahead, or have approved it already.
    Asked(Box<Approval>),
}

/// The action was stopped.
#[derive(Debug)]
pub enum Stopped {
    /// It waits for people.
    Pending(Box<Approval>),
    /// It was refused.
    Refused(Refusal),
}

/// The gate could not come to an answer; nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Other requests moved the target again and again.
    #[error("other requests keep changing what this one is about")]
    Contended,
    /// Later policies are recorded than those that judge here.
    #[error(
        "other policies were made live by another host, and this one has not taken them over yet"
    )]
    Outdated,
    /// The keys were replaced, and this host was given none that opens the new ones.
    #[error("the ledger's keys were replaced, and this host was not given the new one")]
    Keys(#[from] KeysError),
}

/// What a person's vote, or their taking back of a grant, can meet before it reaches the ledger.
#[derive(Debug)]
pub enum VoteError {
    /// Only a verified session decides, whatever a policy says.
    NotAPerson,
    /// The ledger failed.
    Ledger(LedgerError),
}

/// A vote, as the caller sent it. Whose it is comes from the caller's session alone.
#[derive(Debug)]
pub struct Say {
    /// On what.
    pub approval: ApprovalId,
    /// Under which workspace, where the route names one.
    pub workspace: Option<WorkspaceId>,
    /// What.
    pub choice: Choice,
    /// Why.
    pub reason: Option<String>,
    /// The digest that was shown.
    pub digest: Option<ActionDigest>,
}

/// What is known when an action is judged.
struct Known<'a> {
    facts: &'a Facts,
    tallies: &'a [Tally],
}

impl Gate {
    /// Judges `action` and does it, opens an approval, or refuses. `named` is the approval that the
    /// caller wants to use.
    pub async fn submit(
        &self,
        caller: &Caller,
        action: Action,
        named: Option<ApprovalId>,
    ) -> Result<Answer, GateError> {
        let intent = Intent::new(action, caller, self.org, &self.keys);
        self.settle(caller, &intent, Want::Deed(named)).await
    }

    /// Judges `action` as [`Gate::submit`] would, and has people asked where they would be: the same
    /// request, when it is made later, finds what they said.
    pub async fn ask(
        &self,
        caller: &Caller,
        action: Action,
        ahead: &Ahead,
    ) -> Result<Answer, GateError> {
        let intent = Intent::new(action, caller, self.org, &self.keys);
        self.settle(caller, &intent, Want::Asked(ahead)).await
    }

    /// Judges the reading of what `action` names for whoever is about something else: where people would
    /// have to be asked, it is refused, nobody is asked, and no grant is used up.
    pub async fn glance(&self, caller: &Caller, action: Action) -> Result<Answer, GateError> {
        let intent = Intent::new(action, caller, self.org, &self.keys);
        self.settle(caller, &intent, Want::Glance).await
    }

    async fn settle(
        &self,
        caller: &Caller,
        intent: &Intent,
        want: Want<'_>,
    ) -> Result<Answer, GateError> {
        for _ in 0..ROUNDS {
            let now = self.clock.now();
            let facts = self
                .ledger
                .facts(caller, &intent.action, self.org, now)
                .await?;
            let (wanting, kinds) = self.wanted(intent.verb());
            let tallies = self.tallies(caller, intent, &kinds, now).await?;
            let known = Known {
                facts: &facts,
                tallies: &tallies,
            };
            let (question, judgement) = self.judge(caller, intent, &known, want);
            let generation = judgement.generation;
            // Of what other policies ask for, nothing was counted.
            if question.is_some() && generation != wanting {
                continue;
            }
            let gated_by = match &judgement.ruling {
                Ruling::Gate { terms, policy } => Some((terms.ground.rule.clone(), policy.clone())),
                Ruling::Allow { .. } | Ruling::Deny { .. } => None,
            };
            let (deed, plain) = self.deed(&intent.action);
            let decision = Decision {
                id: DecisionId::new(now, &*self.chance),
                at: now,
                actor: caller.actor(),
                credential: caller.credential_key(),
                verb: intent.verb(),
                digest: intent.digest.clone(),
                question,
                judgement,
                outcome: Outcome::Refused,
                approval: None,
            };
            let id = decision.id;
            let seen = self.seen(&decision);
            let settled = self
                .ledger
                .settle(Submission {
                    caller,
                    intent,
                    facts: &facts,
                    tallies: &tallies,
                    decision,
                    deed,
                    want,
                    fresh: ApprovalId::new(now, &*self.chance),
                    org: self.org,
                    lives: self.lives,
                    clock: &*self.clock,
                    judge: &*self.judge,
                })
                .await?;
            let result = match settled {
                Settled::Moved => continue,
                Settled::KeyReplaced => {
                    self.refresh_keys().await?;
                    continue;
                }
                Settled::Outdated => return Err(GateError::Outdated),
                Settled::Done(done) => Ok(passed(done, plain)),
                Settled::Asked(approval) => Ok(Passed::Asked(approval)),
                Settled::Pending(approval) => Err(Stopped::Pending(approval)),
                Settled::Refused(refusal) => Err(Stopped::Refused(refusal)),
            };
            if let Some(seen) = seen {
                self.witness.saw(seen);
            }
            return Ok(Answer {
                decision: id,
                generation,
                result,
                gated_by,
            });
        }
        Err(GateError::Contended)
    }

    /// Counts a person's vote. The voter is the caller's verified session: no other credential votes,
    /// and no request body names the voter.
    pub async fn vote(&self, caller: &Caller, say: Say) -> Result<Voted, VoteError> {
        let Identity::Session {
            person,
            groups,
            session,
            expires_at,
        } = &caller.identity
        else {
            return Err(VoteError::NotAPerson);
        };
        let now = self.clock.now();
        if expires_at.is_some_and(|end| end <= now) {
            return Ok(Voted::CredentialGone);
        }
        let ballot = Ballot {
            approval: say.approval,
            workspace: say.workspace,
            person: person.clone(),
            groups: groups.clone(),
            session: *session,
            choice: say.choice,
            reason: say.reason,
            digest: say.digest,
            at: now,
            grant: self.lives.grant,
            standing: self.operators.standing(person),
        };
        self.ledger.vote(&ballot).await.map_err(VoteError::Ledger)
    }

    /// Whether the core alone would let `caller` do `verb`: asked where it takes work to make an action
    /// ready, so that nobody can cause that work who may not ask for what comes of it.
    pub fn lets(&self, caller: &Caller, verb: Verb) -> bool {
        caller.role() >= verb.needed_role()
            && verb.is_judged_by_core_alone()
            && matches!(
                judged_by_core(caller, verb, &self.operators),
                Ruling::Allow { .. }
            )
    }

    /// Takes over the keys that the ledger keeps by now.
    pub async fn refresh_keys(&self) -> Result<(), GateError> {
        let stored = self.ledger.stored_keys().await?;
        Ok(self.keys.refresh(&stored)?)
    }

    fn judge(
        &self,
        caller: &Caller,
        intent: &Intent,
        known: &Known<'_>,
        want: Want<'_>,
    ) -> (Option<Question>, Judgement) {
        let by_core = |ruling| Judgement {
            generation: 0,
            class: class_for_the_core(caller),
            ruling,
            opinions: Vec::new(),
            took: Took::UNKNOWN,
        };
        let confined = confine(caller, &intent.action)
            .or_else(|| files_elsewhere(caller, want.ahead()?.workspace));
        if let Some(ruling) = confined {
            return (None, by_core(ruling));
        }
        if intent.verb().is_judged_by_core_alone() {
            let ruling = judged_by_core(caller, intent.verb(), &self.operators);
            return (None, by_core(reviewed(ruling, &intent.action)));
        }
        let question = Question {
            subject: caller.subject(),
            verb: intent.verb().as_str().to_owned(),
            arguments: intent.action.arguments(),
            resource: known.facts.resource.clone(),
            time: u64::try_from(self.clock.now().as_millis()).unwrap_or(0),
            tallies: known.tallies.to_vec(),
            context: caller.context(),
        };
        let judgement = self.judge.judge(&question).within(&self.lives);
        (Some(question), judgement)
    }
}

fn passed(done: Done, plain: Option<PlainToken>) -> Passed {
    match (done, plain) {
        (Done::Read(permit), _) => Passed::Read(permit),
        (Done::Minted(token), Some(plain)) => Passed::Minted(token, plain),
        (Done::WorkspaceTokenMinted(token), Some(plain)) => {
            Passed::WorkspaceTokenMinted(token, plain)
        }
        (done, _) => Passed::Done(done),
    }
}

fn class_for_the_core(caller: &Caller) -> CallerClass {
    match caller.credential() {
        Credential::VerifiedSession => CallerClass::Human,
        _ => CallerClass::Unknown,
    }
}
