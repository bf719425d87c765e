//! The audit's heads, signed each minute by a key of this host and kept in a file beside the database: who
//! has a copy of it sees when the audit's tail is cut or the whole is written anew.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex as Cell, PoisonError};
use std::time::Duration;

use countersign_core::audit::{HeadKey, SignedHead};
use countersign_core::chance::{self, Chance};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::{Clock, Timestamp};
use tokio::sync::{Mutex, watch};
use zeroize::Zeroizing;

use crate::app::App;
use crate::data_dir::{DataDir, DataDirError};
use crate::report;

const KEY: &str = "audit.key";
const PUBLIC_KEY: &str = "audit.pub";
/// One signed head a line, the newest last.
const HEADS: &str = "audit-heads.jsonl";
/// What was in it before it was full.
const FULL: &str = "audit-heads.1.jsonl";
/// A line has about 300 bytes, and there is at most one a minute: so both files together hold about two
/// weeks at least. Each later head stands for all before it.
const MAX_FILE: u64 = 4 << 20;
const SIGN_EVERY: Duration = Duration::from_secs(60);

/// The heads that this host signed.
pub struct AuditHeads {
    data: Arc<DataDir>,
    key: HeadKey,
    last: Mutex<Option<SignedHead>>,
    walk: Cell<Option<LastWalk>>,
}

/// A walk of the whole chain, which this host did since it was started.
#[derive(Clone, Debug)]
pub struct LastWalk {
    /// When.
    pub at: Timestamp,
    /// How many entries there were, or where the chain did not hold.
    pub walked: Result<i64, String>,
}

/// No head could be signed.
#[derive(Debug, thiserror::Error)]
pub enum HeadsError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger does not hold what this host signed before.
    #[error(transparent)]
    Contradicted(#[from] Contradiction),
    /// The file cannot be written.
    #[error(transparent)]
    Unkept(#[from] DataDirError),
}

/// The ledger does not hold what this host signed before.
#[derive(Debug, thiserror::Error)]
pub enum Contradiction {
    /// It ends before.
    #[error(
        "the audit ends at entry {end}, and this host signed entry {seq} at {at}: its tail was cut, or an older database was put in its place. If you did that, move `audit-heads.jsonl` away and keep it"
    )]
    Cut {
        /// The last entry that is there.
        end: i64,
        /// The last that was signed.
        seq: i64,
        /// When.
        at: Timestamp,
    },
    /// It holds something else.
    #[error(
        "entry {seq} is not the one that this host signed at {at}: the audit was written anew, or another database was put in its place. If you did that, move `audit-heads.jsonl` away and keep it"
    )]
    Rewritten {
        /// Which.
        seq: i64,
        /// When it was signed.
        at: Timestamp,
    },
}

impl AuditHeads {
    /// Reads the key and the last head from the data folder, or makes the key at the first start.
    pub async fn start(
        data: &Arc<DataDir>,
        ledger: &dyn Ledger,
        chance: &dyn Chance,
        clock: &dyn Clock,
    ) -> anyhow::Result<Self> {
        let seed = match data.read_private_key(KEY)? {
            Some(seed) => Zeroizing::new(seed),
            None => {
                let seed = Zeroizing::new(chance::bytes::<32>(chance));
                data.write_private(KEY, &*seed)?;
                seed
            }
        };
        let key = HeadKey::from_seed(&seed);
        let public = format!("{}\n", key.public_key());
        if data.read(PUBLIC_KEY)?.as_deref() != Some(public.as_bytes()) {
            ledger.note_audit_key(key.public_key(), clock.now()).await?;
            data.write_private(PUBLIC_KEY, public.as_bytes())?;
        }
        let last = last_head(data, &key)?;
        Ok(Self {
            data: Arc::clone(data),
            key,
            last: Mutex::new(last),
            walk: Cell::new(None),
        })
    }

    /// What its signatures are verified with, in hex.
    pub fn public_key(&self) -> &str {
        self.key.public_key()
    }

    /// The last head that it signed, if it ever did.
    pub async fn last(&self) -> Option<SignedHead> {
        self.last.lock().await.clone()
    }

    /// Remembers what a walk of the chain found.
    pub fn note_walk(&self, at: Timestamp, walked: Result<i64, String>) {
        let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        *walk = Some(LastWalk { at, walked });
    }

    /// The last walk.
    pub fn last_walk(&self) -> Option<LastWalk> {
        let walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        walk.clone()
    }

    /// The head of this moment, signed and kept, if the ledger holds what was signed before.
    pub async fn sign(
        &self,
        ledger: &dyn Ledger,
        now: Timestamp,
    ) -> Result<SignedHead, HeadsError> {
        let mut last = self.last.lock().await;
        let since = last.as_ref().map_or(0, |last| last.seq);
        let head = ledger.audit_head(since).await?;
        if let Some(last) = &*last {
            let (seq, at) = (last.seq, last.at);
            if head.seq < seq {
                return Err(Contradiction::Cut {
                    end: head.seq,
                    seq,
                    at,
                }
                .into());
            }
            if head.then.as_ref() != Some(&last.hash) {
                return Err(Contradiction::Rewritten { seq, at }.into());
            }
            if head.seq == seq {
                return Ok(last.clone());
            }
        }
        let signed = self.key.sign(head.seq, &head.hash, now);
        self.keep(&signed)?;
        tracing::info!(
            seq = signed.seq,
            hash = signed.hash,
            signature = signed.signature,
            "the audit's head"
        );
        *last = Some(signed.clone());
        Ok(signed)
    }

    fn keep(&self, head: &SignedHead) -> Result<(), DataDirError> {
        let path = self.data.file(HEADS);
        let keep = || {
            if fs::metadata(&path).is_ok_and(|file| file.len() >= MAX_FILE) {
                fs::rename(&path, self.data.file(FULL))?;
            }
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&path)?;
            let mut line = serde_json::to_vec(head).expect("INVARIANT: a head is fit for JSON");
            line.push(b'\n');
            let whole = file.metadata()?.len();
            file.write_all(&line).inspect_err(|_| {
                // Half a line would make one of the next.
                let _ = file.set_len(whole);
            })?;
            file.sync_all()
        };
        keep().map_err(|source| DataDirError::of(source, path.clone()))
    }
}

/// The last head of the files. What an end has left unfinished is taken away.
fn last_head(data: &DataDir, key: &HeadKey) -> Result<Option<SignedHead>, DataDirError> {
    let path = data.file(HEADS);
    let newest = data.read(HEADS)?.unwrap_or_default();
    let whole = newest
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < newest.len() {
        let cut = || -> io::Result<()> {
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(whole as u64)?;
            file.sync_all()
        };
        cut().map_err(|source| DataDirError::of(source, path))?;
    }
    let full = data.read(FULL)?.unwrap_or_default();
    let all = [full.as_slice(), &newest[..whole]].concat();
    let mut strange = 0;
    let lines = all.split(|byte| *byte == b'\n').rev();
    let mut last = None;
    // Those before were held against the ledger when the last one was signed.
    for line in lines.filter(|line| !line.is_empty()) {
        match serde_json::from_slice::<SignedHead>(line) {
            Ok(head) if head.public_key == key.public_key() && head.is_genuine() => {
                last = Some(head);
                break;
            }
            _ => strange += 1,
        }
    }
    if strange > 0 {
        tracing::error!(
            strange,
            "`audit-heads.jsonl` ends in what this host did not sign: compare it with a copy"
        );
    }
    Ok(last)
}

/// Signs each minute, and at the end.
pub async fn follow(app: App, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SIGN_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => is_last = true,
        }
        if let Err(error) = app.heads.sign(&*app.ledger, app.clock.now()).await {
            tracing::error!(error = %report(&error), "the audit's head cannot be signed");
        }
    }
}
