//! A ledger, and submissions to it as the gate makes them.

use std::sync::Arc;

use countersign_core::action::{Action, Intent};
use countersign_core::approval::{Approval, Choice, Lives};
use countersign_core::audit::Entry;
use countersign_core::caller::Caller;
use countersign_core::chance::OsChance;
use countersign_core::decision::{Decision, Outcome};
use countersign_core::id::{ApprovalId, DecisionId, OrgId, TokenId, WorkspaceId};
use countersign_core::keys::{KeyLedger as _, Keys, RootKey};
use countersign_core::ledger::{
    Ahead, Ballot, Deed, Done, OrgToken, Settled, Submission, TokenUses, Voted, Want, Whose,
};
use countersign_core::permit::Permit;
use countersign_core::policy::{CallerClass, Question};
use countersign_core::ports::{Judge, Ledger, LedgerError};
use countersign_core::secret;
use countersign_core::tally::{Tally, TallyKind};
use countersign_core::time::Timestamp;
use countersign_core::token::{PlainToken, TokenHash, TokenKind};
use countersign_core::verdict::{Judgement, Ruling, Took};
use countersign_core::workspace::{Slice, Workspace, WorkspaceToken};

pub use super::came::*;
pub use super::cast::*;
use super::{Database, Store};

/// A request to the gate: who, what, under which ruling, when.
#[derive(Clone)]
pub struct Ask {
    pub caller: Caller,
    pub action: Action,
    pub ruling: Ruling,
    pub named: Option<ApprovalId>,
    pub at: Timestamp,
    /// When its transaction begins: at once, unless it had to wait.
    pub begins_at: Option<Timestamp>,
    pub generation: u64,
    pub live_limit: u32,
    pub mint_limit: u32,
    /// Where it only asks ahead.
    pub ahead: Option<Ahead>,
    pub lives: Lives,
    /// Whether it is only glanced at.
    pub is_glance: bool,
    /// What was counted when it was judged.
    pub tallies: Vec<Tally>,
}

impl Ask {
    pub fn new(caller: &Caller, action: Action, ruling: Ruling, at: Timestamp) -> Self {
        Self {
            caller: caller.clone(),
            action,
            ruling,
            named: None,
            at,
            begins_at: None,
            generation: 1,
            live_limit: 0,
            mint_limit: 0,
            ahead: None,
            is_glance: false,
            lives: Lives::default(),
            tallies: Vec::new(),
        }
    }

    pub fn naming(self, approval: ApprovalId) -> Self {
        Self {
            named: Some(approval),
            ..self
        }
    }

    pub fn at(self, at: Timestamp) -> Self {
        Self { at, ..self }
    }
}

pub struct World {
    pub database: Database,
    pub ledger: Arc<Store>,
    pub org: OrgId,
    pub keys: Keys,
}

impl World {
    pub async fn new() -> Self {
        let database = Database::new().await;
        let ledger = Arc::new(database.open().await);
        let stands = ledger.keep_anchor(anchor(), at(0)).await;
        assert!(stands.expect("the ledger answers"), "the anchor");
        let root = RootKey::new([7; 32]);
        let keys = ledger.keys(&Keys::first(&root, &OsChance), at(0)).await;
        let keys = Keys::open(vec![root], &keys.expect("the ledger answers"));
        Self {
            database,
            ledger,
            org: OrgId::new(at(0), &OsChance),
            keys: keys.expect("they open"),
        }
    }

    /// The end of every test: whatever happened, the audit chain is whole.
    pub async fn end(self) {
        let permit = self.permit(Action::AuditRead).await;
        let walked = self.ledger.verify_audit(&permit).await.expect("it is read");
        walked.expect("the audit chain is whole");
        self.ledger.close().await;
    }

    /// Closes the database and opens it again.
    pub async fn reopen(&mut self) {
        self.ledger.close().await;
        self.ledger = Arc::new(self.database.open().await);
    }

    /// Settles a request, judged again for as long as what it was judged on moves.
    pub async fn ask(&self, ask: &Ask) -> Settled {
        loop {
            match self.try_ask(ask).await.expect("the ledger answers") {
                Settled::Moved => {}
                settled => return settled,
            }
        }
    }

    pub async fn try_ask(&self, ask: &Ask) -> Result<Settled, LedgerError> {
        let facts = self
            .ledger
            .facts(&ask.caller, &ask.action, self.org, ask.at)
            .await?;
        let intent = self.intent(ask);
        let submission = self.submission(ask, &intent, &facts);
        self.ledger.settle(submission).await
    }

    pub fn intent(&self, ask: &Ask) -> Intent {
        Intent::new(ask.action.clone(), &ask.caller, self.org, &self.keys)
    }

    /// What the gate would hand over.
    pub fn submission<'a>(
        &self,
        ask: &'a Ask,
        intent: &'a Intent,
        facts: &'a countersign_core::ledger::Facts,
    ) -> Submission<'a> {
        Submission {
            caller: &ask.caller,
            intent,
            facts,
            tallies: &ask.tallies,
            decision: Decision {
                id: DecisionId::new(ask.at, &OsChance),
                at: ask.at,
                actor: ask.caller.actor(),
                credential: ask.caller.credential_key(),
                verb: intent.verb(),
                digest: intent.digest.clone(),
                question: None,
                judgement: Judgement {
                    generation: ask.generation,
                    class: CallerClass::Unknown,
                    ruling: ask.ruling.clone(),
                    opinions: Vec::new(),
                    took: Took::UNKNOWN,
                },
                outcome: Outcome::Refused,
                approval: None,
            },
            deed: self.deed(ask),
            want: match &ask.ahead {
                _ if ask.is_glance => Want::Glance,
                Some(ahead) => Want::Asked(ahead),
                None => Want::Deed(ask.named),
            },
            lives: ask.lives,
            fresh: ApprovalId::new(ask.at, &OsChance),
            org: self.org,
            clock: ask.begins_at.as_ref().unwrap_or(&ask.at),
            judge: &FirstGeneration,
        }
    }

    fn deed(&self, ask: &Ask) -> Deed {
        match &ask.action {
            Action::OrgTokenMint { .. } => {
                let plain = PlainToken::generate(TokenKind::Organisation, &OsChance);
                Deed::MintOrgToken {
                    id: TokenId::new(ask.at, &OsChance),
                    hash: plain.hash(),
                    prefix: plain.prefix().to_owned(),
                    live_limit: ask.live_limit,
                    mint_limit: ask.mint_limit,
                }
            }
            Action::OrgTokenRevoke { .. } => Deed::RevokeOrgToken,
            Action::SecretWrite { address, value } => {
                Deed::WriteSecret(secret::seal(&self.keys, address, value, &OsChance))
            }
            Action::SecretDelete { .. } => Deed::DeleteSecret,
            Action::WorkspaceCreate { .. } => Deed::CreateWorkspace {
                id: WorkspaceId::new(ask.at, &OsChance),
            },
            Action::WorkspaceUpdate { .. } => Deed::UpdateWorkspace,
            Action::DeleteWorkspace { .. } => Deed::RemoveWorkspace,
            Action::WorkspaceTokenMint { .. } => {
                let plain = PlainToken::generate(TokenKind::Workspace, &OsChance);
                Deed::MintWorkspaceToken {
                    id: TokenId::new(ask.at, &OsChance),
                    hash: plain.hash(),
                    prefix: plain.prefix().to_owned(),
                }
            }
            Action::WorkspaceTokenRevoke { .. } => Deed::RevokeWorkspaceToken,
            Action::PolicyPush { .. } => Deed::KeepPolicy,
            Action::PolicyActivate { .. } | Action::PolicyRollback { .. } => Deed::ChangePolicies,
            Action::Deprovision => Deed::Deprovision,
            _ => Deed::Read,
        }
    }

    /// What a person may read, whatever policies are recorded.
    pub async fn permit(&self, action: Action) -> Permit {
        let by_core = Ask {
            generation: 0,
            ..Ask::new(&session_of("reader"), action, allow(), at(0))
        };
        match self.ask(&by_core).await {
            Settled::Done(Done::Read(permit)) => permit,
            other => panic!("a permit, not {other:?}"),
        }
    }

    /// A workspace that a person created.
    pub async fn workspace(&self, name: &str, parent: Option<WorkspaceId>) -> WorkspaceId {
        let ask = Ask::new(&session_of("ann"), create(name, parent), allow(), at(0));
        saved(self.ask(&ask).await).id
    }

    /// The workspaces that stand.
    pub async fn standing(&self) -> Vec<Workspace> {
        let permit = self.permit(Action::WorkspaceList).await;
        let workspaces = self.ledger.workspaces(&permit).await;
        workspaces.expect("the ledger answers")
    }

    /// A workspace's token that `minter` minted.
    pub async fn workspace_token(
        &self,
        minter: &Caller,
        workspace: WorkspaceId,
        at: Timestamp,
    ) -> WorkspaceToken {
        let ask = Ask::new(minter, token_of(workspace), allow(), at);
        workspace_token(self.ask(&ask).await)
    }

    /// The live tokens of a workspace.
    pub async fn workspace_tokens(
        &self,
        workspace: WorkspaceId,
        now: Timestamp,
    ) -> Vec<WorkspaceToken> {
        let permit = self.permit(Action::WorkspaceRead { workspace }).await;
        let all = Slice {
            limit: 200,
            offset: 0,
        };
        let tokens = self.ledger.workspace_tokens(&permit, workspace, all, now);
        tokens.await.expect("the ledger answers")
    }

    /// A token that `minter` minted.
    pub async fn minted(&self, minter: &Caller, name: &str, at: Timestamp) -> OrgToken {
        token(self.ask(&Ask::new(minter, mint(name), allow(), at)).await)
    }

    /// An approval of `ask` by one person, a second after it was asked.
    pub async fn approved(&self, ask: &Ask) -> Approval {
        let approval = pending(self.ask(ask).await);
        let when = Timestamp::from_micros(ask.at.as_micros() + 1_000_000);
        counted(
            self.vote(&ballot(approval.id, "ann", Choice::Approve, when))
                .await,
        )
    }

    /// The token was presented once.
    pub async fn presented(&self, token: TokenId, at: Timestamp) {
        let once = TokenUses {
            token,
            hour: Timestamp::from_micros(at.as_micros() - at.as_micros() % 3_600_000_000),
            uses: 1,
            last_at: at,
        };
        self.note_uses(&[once]).await;
    }

    pub async fn note_uses(&self, uses: &[TokenUses]) {
        let noted = self.ledger.note_token_uses(uses).await;
        noted.expect("the ledger answers");
    }

    pub async fn vote(&self, ballot: &Ballot) -> Voted {
        self.ledger.vote(ballot).await.expect("the ledger answers")
    }

    pub async fn approval(&self, id: ApprovalId) -> Approval {
        let permit = self.permit(Action::ApprovalList).await;
        let approval = self.ledger.approval(&permit, &Whose::All, id).await;
        approval.expect("the ledger answers").expect("it is there")
    }

    pub async fn pending_at(&self, now: Timestamp) -> Vec<Approval> {
        let permit = self.permit(Action::ApprovalList).await;
        self.ledger
            .pending_approvals(&permit, &Whose::All, &page(None, 100), now)
            .await
            .expect("the ledger answers")
    }

    pub async fn live_tokens(&self, now: Timestamp) -> Vec<OrgToken> {
        let permit = self.permit(Action::OrgTokenList).await;
        let tokens = self.ledger.org_tokens(&permit, now).await;
        tokens.expect("the ledger answers")
    }

    pub async fn decisions(&self) -> Vec<Decision> {
        let permit = self.permit(Action::DecisionRead).await;
        let decisions = self.ledger.decisions(&permit, &page(None, 500)).await;
        decisions.expect("the ledger answers")
    }

    /// The audit, after the entry of the anchor, with which every world begins.
    pub async fn audit(&self) -> Vec<Entry> {
        let permit = self.permit(Action::AuditRead).await;
        let after = page(Some("1".to_owned()), 500);
        let entries = self.ledger.audit(&permit, &after).await;
        entries.expect("the ledger answers")
    }

    /// How many audit entries are of this kind.
    pub async fn audited(&self, kind: &str) -> usize {
        let entries = self.audit().await;
        entries.iter().filter(|entry| entry.kind == kind).count()
    }
}

/// A hash that stands for a cookie or a link.
pub fn hash(text: &str) -> TokenHash {
    TokenHash::of(text)
}

/// Policies that are live under the number that every submission here was judged by.
struct FirstGeneration;

impl Judge for FirstGeneration {
    fn judge(&self, _: &Question) -> Judgement {
        unreachable!("the ledger asks for no judgement")
    }

    fn generation(&self) -> u64 {
        1
    }

    fn wants(&self) -> (u64, Arc<[TallyKind]>) {
        (1, Arc::default())
    }
}
