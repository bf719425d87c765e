//! What the host does by itself, round after round, until it is told to stop.

use std::time::Duration;

use countersign_core::ledger::Change;
use tokio::sync::watch;

use crate::app::App;
use crate::report;

/// How often what time has done to approvals is recorded. States are right without it; this is for
/// the audit log, and for those who wait.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// How often it is recorded how late it is, so that a host that is killed and started again with another
/// clock knows to within this how late it was. Whatever else is recorded says it too.
const MARK_EVERY: Duration = Duration::from_secs(60);
/// How often uses of tokens are written down, and so how many of them a host that is killed forgets.
const WRITE_USES_EVERY: Duration = Duration::from_secs(5);

/// Records what time has done to approvals.
pub(super) async fn sweep(app: App, mut stop: watch::Receiver<bool>) {
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
pub(super) async fn mark(app: App, mut stop: watch::Receiver<bool>) {
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
pub(super) async fn write_uses(app: App, mut stop: watch::Receiver<bool>) {
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

pub(super) async fn write_uses_now(app: &App) {
    if let Err(error) = app.credentials.write_uses().await {
        tracing::warn!(error = %report(&error), "cannot write down how often tokens were used");
    }
}

/// Has those who wait look again when another host has changed something.
pub(super) async fn hear(app: App, mut stop: watch::Receiver<bool>) {
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
