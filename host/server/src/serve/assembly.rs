//! The host, put together from its configuration.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::chance::{Chance, OsChance};
use countersign_core::gate::Gate;
use countersign_core::id::{OrgId, default_anchor};
use countersign_core::ports::Judge;
use countersign_core::shadow::Witness;
use countersign_core::time::Clock;
use countersign_store::Address;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::app::{App, Parts};
use crate::clock::{Machine, SteadyClock};
use crate::config::{Anchor, AssertionRules, Config};
use crate::console::Exports;
use crate::credentials::{Assertions, ControlPlaneSessions, Credentials, Operator};
use crate::data_dir::{DataDir, Roots};
use crate::heads::AuditHeads;
use crate::metrics::Metrics;
use crate::origins::Origins;
use crate::policies::{self, Policies, Sources};
use crate::proxy::ControlPlaneProxy;
use crate::rates::Rates;
use crate::readiness::Readiness;
use crate::rotation;
use crate::sealing;
use crate::streams::{MOST_STREAMS, MOST_WAITS, Streams};
use crate::tenant::Tenant;

/// The host that `config` describes, which serves at `address` until `stop`.
pub(super) async fn assemble(
    config: &Config,
    data: &Arc<DataDir>,
    (address, stop): (SocketAddr, watch::Receiver<bool>),
) -> anyhow::Result<App> {
    let chance: Arc<dyn Chance> = Arc::new(OsChance);
    let roots = roots(config, data, &*chance)?;
    let ledger = countersign_store::open(&config.database).await?;
    let latest = ledger.latest_instant().await?;
    let clock: Arc<dyn Clock> = Arc::new(SteadyClock::start(Machine::default(), latest)?);
    let keys = rotation::open(&*ledger, &roots, &*chance, &*clock).await?;
    let keys = sealing::begin(&*ledger, keys, &roots, (&*chance, &*clock)).await?;
    let heads = AuditHeads::start(data, &*ledger, &*chance, &*clock).await?;
    let fresh = OrgId::new(clock.now(), &*chance);
    let org = ledger.organisation(config.org, fresh).await?;
    let anchor = match config.anchor {
        Anchor::Derived => Some(default_anchor(org)),
        Anchor::Configured(anchor) => Some(anchor),
        Anchor::Broken => {
            tracing::warn!(
                "MOLECULE_PLATFORM_WORKSPACE_ID is not a UUID: requests that need people's approval will be refused"
            );
            None
        }
    };
    let anchor = match anchor {
        // Removed while it was no anchor. What is gone does not come back by being configured.
        Some(anchor) if !ledger.keep_anchor(anchor, clock.now()).await? => {
            tracing::warn!(
                %anchor,
                "MOLECULE_PLATFORM_WORKSPACE_ID names a workspace that was removed: requests that need people's approval will be refused"
            );
            None
        }
        anchor => anchor,
    };
    let sources = Sources {
        folder: &config.policies,
        data,
        key: keys.generations(),
        mode: config.policy_folder,
        lives: config.lives,
        trusted: config.policy_keys.clone(),
        cache: policies::open_cache(data, &*chance),
    };
    let policies = Policies::start(sources, &*ledger, &*clock).await?;
    let policies = Arc::new(policies);
    let base_url = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://{address}"));
    let control_plane = config
        .control_plane
        .clone()
        .map(|upstream| control_plane(upstream, config, &base_url, &clock))
        .transpose()
        .context("cannot make a client for the control plane")?;
    let (control_plane, proxy) = control_plane.unzip();
    let control_plane = control_plane.flatten();
    let hosts = hosts(address, &base_url);
    let assertions = match config.assertion.clone() {
        Some(rules) => Some(assertions(rules).await?),
        None => None,
    };
    let operator = Operator::new(
        Arc::clone(&ledger),
        Arc::clone(&clock),
        Arc::clone(&chance),
        &base_url,
    );
    let credentials = Credentials::new(
        Arc::clone(&ledger),
        Arc::clone(&clock),
        control_plane,
        operator,
        anchor,
    )
    .with_shared_secrets(
        config.admin_token.as_ref(),
        config.provision_token.as_ref(),
        &keys,
    )
    .with_assertions(assertions)
    .with_proxies(config.trusted_proxies.clone());
    let judge: Arc<dyn Judge> = policies.judge();
    let witness: Arc<dyn Witness> = Arc::clone(&policies.shadow) as Arc<dyn Witness>;
    let gate = Gate {
        ledger: Arc::clone(&ledger),
        judge,
        witness,
        clock: Arc::clone(&clock),
        chance,
        keys,
        org,
        live_token_limit: config.live_token_limit,
        operators: config.operators.clone(),
        mint_limit: config.mint_limit,
        lives: config.lives,
    };
    Ok(App::new(Parts {
        gate: Arc::new(gate),
        ledger,
        rates: Rates::new(config.rate_limit, Arc::clone(&clock)),
        clock,
        credentials,
        tenant: Tenant::new(config.org),
        origins: Origins::new(&base_url, &hosts, config.cors_origins.clone()),
        proxy,
        policies,
        readiness: Readiness::default(),
        metrics: Metrics::new(),
        heads,
        // Whoever gives the old one to a host of a fleet says that others may still need it.
        forgets_roots: matches!(config.database, Address::Sqlite(_)) || roots.old.is_none(),
        hosts,
        base_url,
        slug: config
            .control_plane
            .as_ref()
            .and_then(|cp| Some(cp.members.as_ref()?.slug.clone())),
        tasks: TaskTracker::new(),
        changes: watch::Sender::new(0),
        streams: Streams::new(MOST_STREAMS),
        waits: Streams::new(MOST_WAITS),
        exports: Exports::none(),
        stop,
    }))
}

/// The root keys: configured, or of the data folder.
fn roots(config: &Config, data: &DataDir, chance: &dyn Chance) -> anyhow::Result<Roots> {
    Ok(match &config.root_key {
        Some(current) => Roots {
            current: current.clone(),
            old: config.old_root_key.clone(),
        },
        None => data.root_keys(chance)?,
    })
}

fn control_plane(
    upstream: crate::config::ControlPlane,
    config: &Config,
    base_url: &str,
    clock: &Arc<dyn Clock>,
) -> Result<(Option<ControlPlaneSessions>, ControlPlaneProxy), reqwest::Error> {
    install_tls();
    let withheld = config.assertion.iter().map(|rules| rules.header.clone());
    let proxy = ControlPlaneProxy::new(&upstream.base, base_url, withheld.collect())?;
    if upstream.members.is_none() {
        tracing::warn!(
            "MOLECULE_ORG_SLUG is not set: requests go through to the control plane, and nobody's session is verified there"
        );
    }
    let sessions = upstream
        .members
        .map(|members| ControlPlaneSessions::new(members, Arc::clone(clock)))
        .transpose()?;
    Ok((sessions, proxy))
}

async fn assertions(rules: AssertionRules) -> anyhow::Result<Assertions> {
    install_tls();
    Assertions::start(rules)
        .await
        .context("COUNTERSIGN_ASSERTION_JWKS: without it no identity assertion can be verified")
}

/// A second host in one process would find it installed, which is as good.
fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The names under which this host is meant: its address, the loopback's name where it listens there,
/// and the public one.
fn hosts(address: SocketAddr, base_url: &str) -> Vec<String> {
    let mut hosts = vec![address.to_string()];
    if address.ip().is_loopback() {
        hosts.push(format!("localhost:{}", address.port()));
    }
    if let Some((_, authority)) = base_url.split_once("://") {
        hosts.push(authority.to_owned());
    }
    hosts
}
