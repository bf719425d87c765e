//! Who signed the policies, asked at each load: nothing that was found once is believed at the next, for
//! between two starts other keys may be trusted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::signature::{KeptSignature, Signature, Signer, TrustedKeys, shown_comment};
use countersign_core::time::Clock;
use countersign_core::verdict::ModuleId;
use countersign_engine::folder::{Proposal, Trust};
use countersign_engine::{BASELINE, LoadError, Proven};
use serde_json::{Value, json};

use super::change::FOLDER;

/// Why a load is refused, and what to do where no sentence of the module's own does.
const WAY_OUT: &str = "trust the key that signed it (COUNTERSIGN_POLICY_KEYS), or put it into the policy folder with a signature that counts beside it";

/// Whose signatures count, and what was found with them.
#[derive(Debug)]
pub struct Signatures {
    keys: TrustedKeys,
    /// Those beside the folder's files, by digest: of keys that are not trusted as well.
    beside: Mutex<BTreeMap<String, String>>,
}

impl Signatures {
    /// Those of these keys count.
    pub fn new(keys: TrustedKeys) -> Self {
        let beside = Mutex::default();
        Self { keys, beside }
    }

    /// Who signed `component`, if that does. What is part of this program needs no signature.
    pub fn check(&self, component: &[u8], signatures: &[String]) -> Result<Vec<Signer>, LoadError> {
        let built_in = TrustedKeys::default();
        let is_exempt = component == BASELINE && signatures.is_empty();
        let keys = match is_exempt {
            true => &built_in,
            false => &self.keys,
        };
        keys.check(component, signatures)
            .map_err(|error| LoadError::Signature(error.to_string()))
    }

    /// The same, of what is kept under `id`.
    pub fn check_kept(
        &self,
        id: &ModuleId,
        component: &[u8],
        kept: &[KeptSignature],
    ) -> Result<(), LoadError> {
        for signature in kept {
            let named = Signature::parse(&signature.text).map(|parsed| parsed.key_id());
            if named.is_ok_and(|named| named.to_string() != signature.key_id) {
                return Err(LoadError::Signature(format!(
                    "the datastore keeps a signature of `{id}` by key {}, which names another key: it was changed there; push the module with its signature again",
                    shown_comment(&signature.key_id)
                )));
            }
        }
        let texts: Vec<String> = kept.iter().map(|kept| kept.text.clone()).collect();
        self.check(component, &texts).map(drop).map_err(|error| {
            LoadError::Signature(format!("{error}. To have it load again: {WAY_OUT}"))
        })
    }

    /// Who signed what is pushed: by the signature that it brings along, or else by those that are kept.
    pub fn pushed(
        &self,
        component: &[u8],
        signature: Option<&String>,
        kept: &[KeptSignature],
    ) -> Result<Vec<Signer>, LoadError> {
        match signature {
            Some(text) => self.check(component, std::slice::from_ref(text)),
            None => {
                let texts: Vec<String> = kept.iter().map(|kept| kept.text.clone()).collect();
                self.check(component, &texts)
            }
        }
    }

    /// The rule for the folder.
    pub fn of_folder(self: &Arc<Self>) -> Trust {
        let signatures = Arc::clone(self);
        Trust::new(move |component, texts| signatures.check(component, texts).map(drop))
    }

    /// Keeps what is beside the folder's files, as far as trusted keys made it.
    pub(super) async fn keep(
        &self,
        ledger: &dyn Ledger,
        clock: &dyn Clock,
        proposal: &Proposal,
    ) -> Result<(), LedgerError> {
        self.beside().clone_from(&proposal.signatures);
        for (digest, text) in &proposal.signatures {
            let Ok(signature) = Signature::parse(text) else {
                continue;
            };
            let key_id = signature.key_id();
            if self.keys.key(key_id).is_none() {
                tracing::warn!(
                    digest,
                    key = %key_id,
                    comment = %shown_comment(signature.comment()),
                    "a policy is signed by a key that is not trusted, which counts for nothing"
                );
                continue;
            }
            let kept = ledger.policy_signatures(digest).await?;
            if kept.iter().any(|kept| kept.text == *text) {
                continue;
            }
            let signature = KeptSignature {
                digest: digest.clone(),
                key_id: key_id.to_string(),
                text: text.clone(),
                at: clock.now(),
                by: FOLDER.to_owned(),
            };
            ledger.keep_policy_signature(&signature).await?;
        }
        Ok(())
    }

    /// Who signed a module, for people: by what is kept, and what is beside its file.
    pub(super) async fn shown(
        &self,
        ledger: &dyn Ledger,
        digest: &str,
        proven: Option<&Arc<Proven>>,
    ) -> Result<Value, LedgerError> {
        let kept = ledger.policy_signatures(digest).await?;
        let mut texts: Vec<String> = kept.into_iter().map(|kept| kept.text).collect();
        let beside = self.beside().get(digest).cloned();
        texts.extend(beside.filter(|beside| !texts.contains(beside)));
        let (Some(proven), false) = (proven, texts.is_empty()) else {
            return Ok(json!([]));
        };
        let told = TrustedKeys::new(self.keys.keys().to_vec(), false);
        let bytes = Arc::clone(proven);
        let signers = tokio::task::spawn_blocking(move || {
            let each = texts.iter();
            let each = each.map(|text| {
                match told.check(bytes.bytes(), std::slice::from_ref(text)) {
                    Ok(signers) => json!(signers.first()),
                    Err(error) => json!({
                        "key_id": null, "name": null, "trusted": false, "comment": error.to_string()
                    }),
                }
            });
            each.collect()
        });
        Ok(Value::Array(signers.await.unwrap_or_default()))
    }

    fn beside(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
