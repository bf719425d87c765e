//! `load`: the running host against an axum handler that answers a constant, in one run.
//!
//! Both are processes of their own on loopback, and take turns under the same load: one thread, so many
//! connections, each with one request at a time. The host is a release build that `COUNTERSIGN_BINARIES`
//! names. It decides by the built-in baseline, verifies the credential, and records each decision before
//! it answers.

mod cases;
mod report;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use countersign_bench::client::{Round, Shot, fire};
use countersign_bench::floor;
use countersign_tests::Host;

use cases::Case;
use report::Figures;

const USAGE: &str = "\
load [--short] [--connections N] [--seconds N] [--pairs N] [--database NAME=URL]... [--case NAME]...

  --short        one pair of rounds of one second: does it work, and about how fast
  --connections  1 to 128; 32 where nothing is said
  --seconds      how long a round is, 1 to 30; 2
  --pairs        how many rounds each of the two gets, 1 to 20; 5
  --database     a database to measure beside SQLite: `postgresql=postgres://…`, a fresh one
  --case         only this case; see the table's first column

COUNTERSIGN_BINARIES names the folder with the release build of `countersign`.";

/// What was asked for.
struct Options {
    connections: usize,
    round: Duration,
    pairs: usize,
    /// Name and URL; no URL is SQLite in the data folder.
    databases: Vec<(String, Option<String>)>,
    cases: Vec<String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            connections: 32,
            round: Duration::from_secs(2),
            pairs: 5,
            databases: vec![("SQLite".to_owned(), None)],
            cases: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.with_context(|| format!("`{argument}` needs a value\n\n{USAGE}"))
            };
            match argument.as_str() {
                "--short" => (options.round, options.pairs) = (Duration::from_secs(1), 1),
                "--connections" => options.connections = number(&value()?, 1..=128)?,
                "--seconds" => {
                    options.round = Duration::from_secs(number(&value()?, 1..=30)? as u64);
                }
                "--pairs" => options.pairs = number(&value()?, 1..=20)?,
                "--database" => {
                    let value = value()?;
                    let (name, url) = value.split_once('=').context("write NAME=URL")?;
                    options
                        .databases
                        .push((name.to_owned(), Some(url.to_owned())));
                }
                "--case" => options.cases.push(value()?),
                _ => bail!("`{argument}` is not known\n\n{USAGE}"),
            }
        }
        Ok(options)
    }
}

fn number(text: &str, bounds: std::ops::RangeInclusive<usize>) -> anyhow::Result<usize> {
    let number: usize = text.parse()?;
    if !bounds.contains(&number) {
        bail!("{number} is not within {bounds:?}");
    }
    Ok(number)
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.peek().is_some_and(|first| first == "floor") {
        return runtime.block_on(floor::serve());
    }
    let options = Options::read(arguments)?;
    let floor = Floor::start()?;
    for (name, url) in &options.databases {
        let builder = match url {
            Some(url) => Host::builder().env("DATABASE_URL", url),
            None => Host::builder(),
        };
        let (host, cases) = runtime.block_on(async {
            let host = builder
                .env("CP_UPSTREAM_URL", format!("http://{}", floor.address))
                .env("MOLECULE_ORG_SLUG", "acme")
                .admin_token("the-admin-token-of-the-load")
                // The load is far more than anybody may ask.
                .env("RATE_LIMIT", "0")
                .start()
                .await;
            let cases = cases::prepare(&host).await;
            (host, cases)
        });
        let mut figures = Vec::new();
        for case in cases {
            if options.cases.is_empty() || options.cases.contains(&case.name.to_owned()) {
                figures.push(measure(&options, &floor, &host, case)?);
            }
        }
        report::print(name, &options, &figures);
        drop(host);
    }
    Ok(())
}

/// Rounds in pairs, of which the floor goes first in one and the host in the next.
fn measure(options: &Options, floor: &Floor, host: &Host, case: Case) -> anyhow::Result<Figures> {
    let address: SocketAddr = host.authority().parse()?;
    let round = |process: u32, to: SocketAddr, shot: &Shot| {
        let before = processor_time(process)?;
        let round = fire(to, shot, options.connections, options.round)
            .with_context(|| format!("`{}` of {to}", shot.line))?;
        Ok::<_, anyhow::Error>((round, processor_time(process)? - before))
    };
    let mut figures = Figures::new(case.name);
    let on_floor = Shot {
        status: case.shot.status,
        ..case.shot.clone()
    };
    // Both warm up, unmeasured: connections, statements and caches are made once.
    fire(
        floor.address,
        &on_floor,
        options.connections,
        Duration::from_millis(300),
    )?;
    fire(
        address,
        &case.shot,
        options.connections,
        Duration::from_millis(300),
    )?;
    for pair in 0..options.pairs {
        let mut both: [Option<(Round, Duration)>; 2] = [None, None];
        for turn in [pair % 2, 1 - pair % 2] {
            both[turn] = Some(match turn {
                0 => round(floor.process.id(), floor.address, &on_floor)?,
                _ => round(host.process_id(), address, &case.shot)?,
            });
        }
        if let [Some(floor), Some(host)] = both {
            figures.add(floor, host);
        }
    }
    Ok(figures)
}

/// The floor's process. It ends with this value, since its standard input does.
struct Floor {
    process: Child,
    address: SocketAddr,
}

impl Floor {
    fn start() -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("floor")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().context("it has an output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().context("the floor says where it is")?;
        Ok(Self { process, address })
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How long all threads of a process had a processor so far, in steps of the kernel's clock tick.
fn processor_time(process: u32) -> anyhow::Result<Duration> {
    /// `USER_HZ`, which Linux has fixed at this for all programs to see.
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("a name in brackets")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}
