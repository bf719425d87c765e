//! `countersign policy bench`.

use countersign_lab::bench::{Bench as Measurement, Cost};
use countersign_lab::module::Module;
use countersign_lab::words::counted;

use super::opened::{self, Progress};
use super::shown::json;
use super::{counting, engine};
use crate::cli::Bench;
use crate::commands::table::Table;
use crate::commands::terminal::{self, Plain};
use crate::say;

/// Measures one module, or two in turns.
pub fn run(asked: &Bench) -> anyhow::Result<()> {
    let rows = opened::rows(&asked.rows)?;
    let (engine, counting) = (engine()?, counting()?);
    let named = [Some(&asked.component), asked.other.as_ref()];
    let mut modules: Vec<Module> = Vec::new();
    for named in named.into_iter().flatten() {
        modules.push(opened::module(&engine, named, None)?);
    }
    let measured: Vec<_> = modules
        .iter()
        .map(|module| (module, opened::answers(module, &rows)))
        .collect();
    let progress = Progress::new();
    let bench = Measurement {
        engine: &engine,
        counting: &counting,
        time: asked.seconds,
    };
    let costs = bench.run(&measured, &|what| progress.tell(|| what.to_owned()))?;
    if asked.json {
        return Ok(terminal::write(json(&costs)?.as_bytes())?);
    }
    say(&text(&costs));
    Ok(())
}

fn text(costs: &[Cost]) -> String {
    let mut lines = vec![drawn(costs)];
    for cost in costs {
        let rows = counted(cost.rows, "row");
        let id = &cost.module;
        let fails = match cost.failures {
            0 => String::new(),
            some => format!("; it fails on {} more, which are not measured", some),
        };
        lines.push(format!("{id}: p50 and p99 over {rows}{fails}."));
        if let Some(dearest) = &cost.dearest {
            lines.push(format!("{id}: the most instructions take: {dearest}"));
        }
    }
    lines.join("\n")
}

/// What is measured: its name, its value, and how a value is written.
type Line = (&'static str, fn(&Cost) -> f64, fn(f64) -> String);

const LINES: [Line; 11] = [
    ("component", |cost| cost.bytes as f64, bytes),
    ("compile and describe", |cost| cost.compile_ns, time),
    ("configure, to a snapshot", |cost| cost.snapshot_ns, time),
    ("fresh decision, p50", |cost| cost.fresh_ns.p50, time),
    ("fresh decision, p99", |cost| cost.fresh_ns.p99, time),
    ("warm decision, p50", |cost| cost.warm_ns.p50, time),
    ("warm decision, p99", |cost| cost.warm_ns.p99, time),
    ("instructions, p50", |cost| cost.instructions.p50, plain),
    ("instructions, p99", |cost| cost.instructions.p99, plain),
    ("instructions, most", |cost| cost.instructions.most, plain),
    ("memory, most", |cost| cost.memory_bytes as f64, bytes),
];

fn drawn(costs: &[Cost]) -> String {
    let headings: &[&'static str] = match costs.len() {
        1 => &["", "IT"],
        _ => &["", "FIRST", "SECOND", "RATIO"],
    };
    let mut table = Table::new(headings, &[]);
    let names = costs
        .iter()
        .map(|cost| Plain::new(&cost.module.to_string()));
    let mut row = vec![Plain::new("module")];
    row.extend(names);
    row.resize(headings.len(), Plain::default());
    table.row(row);
    for (name, value, shown) in LINES {
        let mut row = vec![Plain::new(name)];
        row.extend(costs.iter().map(|cost| Plain::new(&shown(value(cost)))));
        if let [first, second] = costs {
            row.push(Plain::new(&ratio(value(first), value(second))));
        }
        table.row(row);
    }
    table.drawn(None)
}

/// How many times the second the first is.
fn ratio(first: f64, second: f64) -> String {
    match second > 0.0 {
        true => format!("{:.2}", first / second),
        false => "-".to_owned(),
    }
}

fn time(ns: f64) -> String {
    match ns {
        0.0 => "-".to_owned(),
        ns if ns < 1e4 => format!("{ns:.0} ns"),
        ns if ns < 1e7 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 1e10 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.1} s", ns / 1e9),
    }
}

fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 10_240.0 => format!("{bytes:.0} B"),
        bytes if bytes < 10_485_760.0 => format!("{:.0} KiB", bytes / 1_024.0),
        bytes => format!("{:.1} MiB", bytes / 1_048_576.0),
    }
}

fn plain(number: f64) -> String {
    format!("{number:.0}")
}
