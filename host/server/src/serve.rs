//! `countersign serve`: the host, put together and running.

mod assembly;
mod rounds;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use countersign_core::ports::LedgerError;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::assembly::assemble;
use self::rounds::{hear, mark, sweep, write_uses, write_uses_now};
use crate::app::App;
use crate::config::Config;
use crate::connections::{self, Room};
use crate::control_socket::ControlSocket;
use crate::data_dir::DataDir;
use crate::rotation::Rotation;
use crate::signals::Signals;
use crate::{heads, logging, report, routes, say};

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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let served = runtime.block_on(run(config));
    // What still runs by then is a module that nobody waits for.
    runtime.shutdown_timeout(LAST_ANSWERS);
    served
}

async fn run(config: Config) -> anyhow::Result<()> {
    // Before anybody is told that it serves: until then a signal ends it at once, and nothing is lost.
    let signals = Signals::listen();
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
    let signal = stop.clone();
    app.tasks.spawn(async move {
        signals.heard().await;
        tracing::info!("told to stop: finishing what is under way");
        signal.send_replace(true);
    });
    policies.adopt_first(&app).await;
    app.tasks
        .spawn(policies.follow(app.clone(), stop.subscribe()));

    let (asker, told) = (app.clone(), stop.subscribe());
    app.tasks.spawn(async move {
        let (policies, ledger) = (&asker.policies, &*asker.ledger);
        let lives = asker.gate.lives;
        policies
            .shadow
            .follow(policies, (ledger, lives), told)
            .await;
    });

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
