//! What every handler shares.

use std::sync::Arc;

use countersign_core::gate::Gate;
use countersign_core::ports::Ledger;
use countersign_core::time::Clock;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::console::Exports;
use crate::credentials::Credentials;
use crate::heads::AuditHeads;
use crate::metrics::Metrics;
use crate::origins::Origins;
use crate::policies::Policies;
use crate::proxy::ControlPlaneProxy;
use crate::rates::Rates;
use crate::readiness::Readiness;
use crate::streams::Streams;
use crate::tenant::Tenant;

/// The running host. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of [`App`].
pub struct Parts {
    /// Judges and does.
    pub gate: Arc<Gate>,
    /// The record.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is who.
    pub credentials: Credentials,
    /// How many requests a minute.
    pub rates: Rates,
    /// Which tenant's host it is.
    pub tenant: Tenant,
    /// Whose pages may ask.
    pub origins: Origins,
    /// The control plane, for those who ask it through this host.
    pub proxy: Option<ControlPlaneProxy>,
    /// The live policies.
    pub policies: Arc<Policies>,
    /// Whether it can work.
    pub readiness: Readiness,
    /// What it counts of its work.
    pub metrics: Metrics,
    /// The heads of the audit that it signed.
    pub heads: AuditHeads,
    /// Whether it closes the ledger to former root keys when nothing needs them any more.
    pub forgets_roots: bool,
    /// Where people reach the host, without a slash at the end.
    pub base_url: String,
    /// What the control plane calls the organisation, where there is one.
    pub slug: Option<String>,
    /// The values of `Host` that are meant for this host.
    pub hosts: Vec<String>,
    /// Work that must finish, whether or not its client still listens.
    pub tasks: TaskTracker,
    /// Counts changes of approvals, so that whoever waits for one looks again.
    pub changes: watch::Sender<u64>,
    /// The streams that are open.
    pub streams: Streams,
    /// Who waits for a change.
    pub waits: Streams,
    /// Places for those who take the audit along.
    pub exports: Exports,
    /// Whether the host was told to stop: what would go on for ever ends.
    pub stop: watch::Receiver<bool>,
}

impl App {
    /// The host made of `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Tells whoever waits that an approval has changed.
    pub fn changed(&self) {
        self.0.changes.send_modify(|count| *count += 1);
    }

    /// Runs `work` to its end, even if the client goes away. `None`: it panicked.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.0.tasks.spawn(work).await.ok()
    }
}

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
