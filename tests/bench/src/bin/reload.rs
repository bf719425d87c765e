//! `reload`: the running host under load, while its policies change and while they do not, in one run.
//!
//! The host is a release build that `COUNTERSIGN_BINARIES` names. Two modules by hand, which have nothing to
//! say and differ in their bytes, take turns under one name in its policy folder. Another answer than 200
//! ends the run.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use countersign_bench::client::{Round, Shot, fire};
use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Host};
use serde_json::json;

const USAGE: &str = "\
reload [--seconds N] [--pairs N] [--connections N] [--reloads N] [--decisions N]

  --seconds      how long a round is, 1 to 60; 5
  --pairs        how many rounds with and without reloads, 1 to 50; 4
  --connections  1 to 128; 32
  --reloads      go on, changing the policies, until so many were live; 0
  --decisions    go on until so many were made; 0

COUNTERSIGN_BINARIES names the folder with the release build of `countersign`.";

/// The policies change so often.
const EVERY: Duration = Duration::from_millis(100);
/// A host that has warmed up may grow by so much of what it has.
const GROWTH: f64 = 1.15;
const ADMIN_TOKEN: &str = "the-admin-token-of-the-reloads";

struct Options {
    round: Duration,
    pairs: u64,
    connections: usize,
    reloads: u64,
    decisions: u64,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            round: Duration::from_secs(5),
            pairs: 4,
            connections: 32,
            reloads: 0,
            decisions: 0,
        };
        while let Some(argument) = arguments.next() {
            let mut number = |bounds: std::ops::RangeInclusive<u64>| {
                let value = arguments.next().context(USAGE)?;
                let number: u64 = value.parse().context(USAGE)?;
                ensure!(
                    bounds.contains(&number),
                    "{number} is not within {bounds:?}"
                );
                Ok(number)
            };
            match argument.as_str() {
                "--seconds" => options.round = Duration::from_secs(number(1..=60)?),
                "--pairs" => options.pairs = number(1..=50)?,
                "--connections" => options.connections = number(1..=128)? as usize,
                "--reloads" => options.reloads = number(0..=100_000)?,
                "--decisions" => options.decisions = number(0..=100_000_000)?,
                _ => bail!("`{argument}` is not known\n\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Runtime::new()?;
    let host = runtime.block_on(
        Host::builder()
            .env("RATE_LIMIT", "0")
            .admin_token(ADMIN_TOKEN)
            .start(),
    );
    let agent = host.agent(ADMIN_TOKEN);
    let load = Load {
        to: host.authority().parse()?,
        folder: &host.data_dir().join("policies"),
        connections: options.connections,
    };
    // Connections, statements and caches are made once.
    load.steady(Duration::from_secs(1))?;
    load.reloading(Duration::from_secs(1))?;
    let first = runtime.block_on(generation(&agent))?;
    let mut sides = [Vec::new(), Vec::new()];
    let mut decisions = 0;
    for pair in 0..options.pairs {
        for turn in [pair % 2, 1 - pair % 2] {
            let round = match turn {
                0 => load.steady(options.round)?,
                _ => load.reloading(options.round)?,
            };
            decisions += round.latencies_us.len() as u64;
            sides[turn as usize].push(round);
        }
    }
    let changes = runtime.block_on(generation(&agent))? - first;
    let seconds = options.round.as_secs_f64() * options.pairs as f64;
    let [steady, reloading] = sides;
    println!(
        "reload: {:.1} generations a second, {decisions} requests, none failed; answers a second {:.2}, p50 {:.2}, p99 {:.2} of those without reloads",
        changes as f64 / seconds,
        rate(&reloading) / rate(&steady),
        percentile(&reloading, 50) / percentile(&steady, 50),
        percentile(&reloading, 99) / percentile(&steady, 99),
    );
    soak(&options, (&load, &runtime), (host.process_id(), &agent))
}

/// Goes on until so much was done, and looks at the memory.
fn soak(
    options: &Options,
    (load, runtime): (&Load<'_>, &tokio::runtime::Runtime),
    (process, agent): (u32, &Caller),
) -> anyhow::Result<()> {
    if options.reloads == 0 && options.decisions == 0 {
        return Ok(());
    }
    let first = runtime.block_on(generation(agent))?;
    let (mut decisions, mut early) = (0, None);
    let begun = Instant::now();
    loop {
        decisions += load.reloading(options.round)?.latencies_us.len() as u64;
        let changes = runtime.block_on(generation(agent))? - first;
        let part = |done: u64, wanted: u64| done as f64 / wanted.max(1) as f64;
        let done = part(changes, options.reloads).min(part(decisions, options.decisions));
        let memory = resident(process)?;
        if done >= 0.2 {
            early.get_or_insert(memory);
        }
        if done >= 1.0 {
            let early = early.unwrap_or(memory);
            println!(
                "reload: {changes} generations and {decisions} decisions in {:?}: {:.1} MiB of memory, {:.2} of what it was after a fifth of them",
                begun.elapsed(),
                memory / 1_048_576.0,
                memory / early
            );
            ensure!(memory <= early * GROWTH, "the memory grows");
            return Ok(());
        }
    }
}

/// A load, and the policies that change under it.
struct Load<'a> {
    to: SocketAddr,
    folder: &'a Path,
    connections: usize,
}

impl Load<'_> {
    fn steady(&self, length: Duration) -> anyhow::Result<Round> {
        let shot = Shot {
            line: "GET /org/tokens".to_owned(),
            headers: vec![("authorization".to_owned(), format!("Bearer {ADMIN_TOKEN}"))],
            body: String::new(),
            status: 200,
        };
        fire(self.to, &shot, self.connections, length)
    }

    fn reloading(&self, length: Duration) -> anyhow::Result<Round> {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let changing = scope.spawn(|| self.change(&is_over));
            let round = self.steady(length);
            is_over.store(true, Ordering::Relaxed);
            let changed = changing.join();
            changed.map_err(|_| anyhow::anyhow!("changing the policies panicked"))??;
            round
        })
    }

    fn change(&self, is_over: &AtomicBool) -> anyhow::Result<()> {
        let modules = ["one", "another"].map(|reason| {
            let guest = Guest {
                name: "silent",
                reason,
                decide: "(global.get $abstain)",
                ..Guest::default()
            };
            guest.component()
        });
        let (part, file) = (self.folder.join(".part"), self.folder.join("silent.wasm"));
        for module in modules.iter().cycle() {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            std::fs::write(&part, module)?;
            std::fs::rename(&part, &file)?;
            std::thread::sleep(EVERY);
        }
        Ok(())
    }
}

async fn generation(agent: &Caller) -> anyhow::Result<u64> {
    let live = agent.get("/policies").await.expect(200).json;
    ensure!(live["problems"] == json!([]), "{live}");
    live["generation"].as_u64().context("a number")
}

fn rate(rounds: &[Round]) -> f64 {
    let answers: usize = rounds.iter().map(|round| round.latencies_us.len()).sum();
    let wall: f64 = rounds.iter().map(|round| round.wall.as_secs_f64()).sum();
    answers as f64 / wall
}

fn percentile(rounds: &[Round], percent: usize) -> f64 {
    let all = rounds.iter().flat_map(|round| &round.latencies_us);
    let mut sorted: Vec<u32> = all.copied().collect();
    sorted.sort_unstable();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(f64::NAN, |us| f64::from(*us))
}

/// Bytes of memory that the process has for itself and in use.
fn resident(process: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.context("the kernel says it")?.trim().parse()?;
    Ok(kib * 1_024.0)
}
