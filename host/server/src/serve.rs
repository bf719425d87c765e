//! `countersign serve`: the host, put together and running.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use countersign_core::chance::{Chance, OsChance};
use countersign_core::gate::Gate;
use countersign_core::id::{OrgId, default_anchor};
use countersign_core::ledger::Change;
use countersign_core::ports::{Judge, LedgerError};
use countersign_core::time::Clock;
use countersign_store::Address;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::app::{App, Parts};
use crate::clock::{Machine, SteadyClock};
use crate::config::{Anchor, AssertionRules, Config};
use crate::connections::{self, Room};
use crate::control_socket::ControlSocket;
use crate::credentials::{Assertions, ControlPlaneSessions, Credentials, Operator};
use crate::data_dir::{DataDir, Roots};
use crate::heads::{self, AuditHeads};
use crate::metrics::Metrics;
use crate::origins::Origins;
use crate::policies::{FolderMark, Policies};
use crate::proxy::ControlPlaneProxy;
use crate::rates::Rates;
use crate::readiness::Readiness;
use crate::rotation::{self, Rotation};
use crate::streams::{MOST_STREAMS, MOST_WAITS, Streams};
use crate::tenant::Tenant;
use crate::{logging, report, routes, say};

/// How often what time has done to approvals is recorded. States are right without it; this is for
/// the audit log, and for those who wait.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How often it is recorded how late it is, so that a host that is killed and started again with another
/// clock knows to within this how late it was. Whatever else is recorded says it too.
const MARK_EVERY: Duration = Duration::from_secs(60);
/// How often uses of tokens are written down, and so how many of them a host that is killed forgets.
const WRITE_USES_EVERY: Duration = Duration::from_secs(5);
/// Requests under way have so long to be answered when the host is told to stop. A long poll is not worth
/// waiting for: it is cut, and its client asks again.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// Deeds under way have so long to end when the host is told to stop.
const LAST_WORK: Duration = Duration::from_secs(10);

/// Serves until told to stop.
pub fn serve(config: Config) -> anyhow::Result<()> {
    logging::start(config.log_format);
    // Before any thread: who sets a umask in a running program sets it for all of it.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(run(config))
}

async fn run(config: Config) -> anyhow::Result<()> {
    // Before anything is opened.
    let room = Room::make();
    let data = Arc::new(DataDir::take(&config.data_dir)?);
    if config.policies_is_default {
        data.make_policies(&config.policies)?;
    }
    // Early, so that a port in use costs nothing; nobody is served before all is ready.
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| explain_bind(&error, config.listen))?;
    let address = listener.local_addr().context("cannot tell the address")?;
    let stop = watch::Sender::new(false);
    let app = assemble(&config, &data, (address, stop.subscribe()))
        .await
        .map_err(|error| advise(error, &config))?;

    app.tasks.spawn(sweep(app.clone(), stop.subscribe()));
    app.tasks.spawn(mark(app.clone(), stop.subscribe()));
    app.tasks.spawn(hear(app.clone(), stop.subscribe()));
    app.tasks
        .spawn(heads::follow(app.clone(), stop.subscribe()));
    let rotation = Rotation {
        app: app.clone(),
        data: Arc::clone(&data),
    };
    app.tasks.spawn(rotation.run(stop.subscribe()));
    let (keeper, told) = (app.clone(), stop.subscribe());
    app.tasks
        .spawn(async move { keeper.credentials.keep(told).await });
    app.tasks.spawn(write_uses(app.clone(), stop.subscribe()));
    let policies = Arc::clone(&app.policies);
    app.tasks.spawn(policies.follow(
        Arc::clone(&app.ledger),
        Arc::clone(&app.clock),
        stop.subscribe(),
    ));

    match ControlSocket::listen(&data) {
        Ok(socket) => {
            app.tasks.spawn(socket.serve(app.clone(), stop.subscribe()));
        }
        // A file system without sockets keeps nobody from working.
        Err(error) => tracing::warn!(
            %error,
            "`countersign login` cannot ask this host: no socket can be made in the data folder"
        ),
    }

    say(&format!("Countersign serves on http://{address}"));
    say(&format!("  data      {}", config.data_dir.display()));
    say(&format!("  database  {}", config.database));
    say(&format!("  policies  {}", config.policies.display()));
    invite(&app, &data)
        .await
        .map_err(|error| advise(error, &config))?;

    let router = routes::router(app.clone());
    let served = connections::serve(listener, router, room, stop.subscribe());
    let signal = stop.clone();
    app.tasks.spawn(async move {
        told_to_stop().await;
        tracing::info!("told to stop: finishing what is under way");
        signal.send_replace(true);
    });
    let mut cut = stop.subscribe();
    tokio::select! {
        () = served => {}
        () = async {
            let _ = cut.wait_for(|stop| *stop).await;
            tokio::time::sleep(LAST_ANSWERS).await;
        } => {}
    }
    // After the last answers, which count as well.
    let last = app.clone();
    app.tasks.spawn(async move { write_uses_now(&last).await });
    app.tasks.close();
    if tokio::time::timeout(LAST_WORK, app.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!("some work did not end in time; what was not committed is not done");
    }
    Ok(())
}

async fn assemble(
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
    let seen = FolderMark::new(Arc::clone(data));
    let policies = Policies::start(&config.policies, seen, &*ledger, &*clock).await?;
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
    let gate = Gate {
        ledger: Arc::clone(&ledger),
        judge,
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

fn explain_bind(error: &std::io::Error, address: SocketAddr) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "{address} is in use by another program: stop it, or choose another address with --listen"
        ),
        std::io::ErrorKind::PermissionDenied => {
            anyhow!("this user may not listen on {address}: choose a port above 1023 with --listen")
        }
        _ => anyhow!("cannot listen on {address}: {error}"),
    }
}

/// Says where the ledger is and what to do, if that is what failed: its own words are for callers.
fn advise(error: anyhow::Error, config: &Config) -> anyhow::Error {
    let Some(LedgerError::Unavailable(cause)) = error.downcast_ref() else {
        return error;
    };
    anyhow!(
        "cannot use the database `{}`: {}. See that it can be written, that its disk has room and that it is whole (else restore a backup), and start again",
        config.database,
        report(&**cause)
    )
}

/// Where nothing else can sign a person in, this is how the first one gets in. The link is shown on a
/// terminal only: what a program prints elsewhere ends up in logs.
async fn invite(app: &App, data: &DataDir) -> anyhow::Result<()> {
    if app.credentials.has_another_way_in() {
        say("  sign in   at /console, with the session of your control plane or edge");
        return Ok(());
    }
    let link = app.credentials.operator().new_link().await?;
    if std::io::stdout().is_terminal() {
        say(&format!(
            "  sign in   {link}\n            (works once, for ten minutes)"
        ));
    } else {
        let path = data.write_private("login-link", format!("{link}\n").as_bytes())?;
        say(&format!(
            "  sign in   by the link in {} (works once, for ten minutes)",
            path.display()
        ));
    }
    Ok(())
}

async fn sweep(app: App, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        loop {
            match app.ledger.sweep(app.clock.now()).await {
                Ok(changed) if changed.is_empty() => break,
                Ok(_) => app.changed(),
                Err(error) => {
                    tracing::warn!(error = %report(&error), "cannot sweep approvals");
                    break;
                }
            }
        }
    }
}

/// Records how late it is, now and then and at the end.
async fn mark(app: App, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(MARK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => is_last = true,
        }
        if let Err(error) = app.ledger.mark(app.clock.now()).await {
            tracing::warn!(error = %report(&error), "cannot record how late it is");
        }
    }
}

/// Writes down, now and then, how often tokens were used.
async fn write_uses(app: App, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(WRITE_USES_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        write_uses_now(&app).await;
    }
}

async fn write_uses_now(app: &App) {
    if let Err(error) = app.credentials.write_uses().await {
        tracing::warn!(error = %report(&error), "cannot write down how often tokens were used");
    }
}

/// Has those who wait look again when another host has changed something.
async fn hear(app: App, mut stop: watch::Receiver<bool>) {
    loop {
        let change = tokio::select! {
            change = app.ledger.change() => change,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        if change == Change::Tokens {
            app.credentials.forget_tokens();
        }
        app.changed();
        app.policies.look();
    }
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "cannot listen for SIGTERM");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
