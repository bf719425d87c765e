//! The figures of a run, as a table for `docs/performance.md`.

use std::time::Duration;

use countersign_bench::client::Round;

use crate::Options;

/// What one case came to.
pub struct Figures {
    name: &'static str,
    floor: Side,
    host: Side,
    /// Host's rate to floor's, pair by pair.
    ratios: Vec<f64>,
}

/// One of the two, over all its rounds.
#[derive(Default)]
struct Side {
    latencies_us: Vec<u32>,
    rates: Vec<f64>,
    wall: Duration,
    client: Duration,
    server: Duration,
}

impl Side {
    fn add(&mut self, (round, server): (Round, Duration)) {
        self.rates.push(round.rate());
        self.wall += round.wall;
        self.client += round.client;
        self.server += server;
        self.latencies_us.extend(round.latencies_us);
    }

    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(f64::NAN, |us| f64::from(*us))
    }

    /// Microseconds of a processor for each answer.
    fn each(&self, of: Duration) -> f64 {
        of.as_secs_f64() * 1e6 / self.latencies_us.len() as f64
    }
}

impl Figures {
    /// Of no rounds so far.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            floor: Side::default(),
            host: Side::default(),
            ratios: Vec::new(),
        }
    }

    /// One more pair of rounds, each with the time that its server had a processor.
    pub fn add(&mut self, floor: (Round, Duration), host: (Round, Duration)) {
        self.ratios.push(host.0.rate() / floor.0.rate());
        self.floor.add(floor);
        self.host.add(host);
    }
}

/// Prints the table of one database.
pub fn print(database: &str, options: &Options, figures: &[Figures]) {
    let (connections, pairs) = (options.connections, options.pairs);
    let seconds = options.round.as_secs();
    println!("\n{database}: {connections} connections, {pairs} pairs of rounds of {seconds} s\n");
    println!(
        "| case | throughput × floor (each pair) | p50 × floor | p99 × floor | host/s | floor/s | host p50, p99 ms | processor µs an answer: host, floor, client | client busy on the floor |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for Figures {
        name,
        floor,
        host,
        ratios,
    } in figures
    {
        let times = |percent| host.percentile(percent) / floor.percentile(percent);
        println!(
            "| {name} | {:.3} ({:.3} to {:.3}) | {:.1} | {:.1} | {:.0} | {:.0} | {:.2}, {:.2} | {:.0}, {:.0}, {:.0} | {:.0} % |",
            median(ratios),
            ratios.iter().copied().fold(f64::INFINITY, f64::min),
            ratios.iter().copied().fold(0.0, f64::max),
            times(50),
            times(99),
            median(&host.rates),
            median(&floor.rates),
            host.percentile(50) / 1e3,
            host.percentile(99) / 1e3,
            host.each(host.server),
            floor.each(floor.server),
            floor.each(floor.client),
            floor.client.as_secs_f64() / floor.wall.as_secs_f64() * 100.0,
        );
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
