//! `countersign policy verify`.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use countersign_lab::cases::{CaseFile, Property};
use countersign_lab::module::Module;
use countersign_lab::verify::{Effort, Law, Progress, Verified, verify};
use serde_json::json;

use super::{engine, opened};
use crate::cli;
use crate::commands::failure::{Exit, Failure};
use crate::say;

/// Work that takes longer says how far it is, at a terminal and elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);
const LONG_PATIENCE: Duration = Duration::from_secs(5);
/// That it is done is noticed within this time.
const NOTICED: Duration = Duration::from_millis(50);

/// Verifies a module.
pub fn run(asked: &cli::Verify) -> anyhow::Result<()> {
    let usage = |error: anyhow::Error| Failure::usage(format!("{error:#}"));
    let engine = engine()?;
    let module = opened::module(&engine, &asked.component, asked.settings.as_deref());
    let module = module.map_err(usage)?;
    let properties = properties(asked, &module).map_err(usage)?;
    let progress = Progress::new();
    let effort = effort(asked);
    let verified = std::thread::scope(|scope| {
        let working = scope.spawn(|| verify(&module, &properties, &effort, &progress));
        tell(&progress, || working.is_finished());
        working.join()
    });
    let verified = verified.map_err(|_| anyhow::anyhow!("the verification panicked"))?;
    match asked.json {
        true => say(&as_json(&module, &verified)),
        false => say(&as_text(&module, &properties, &verified)),
    }
    match verified.findings.is_empty() {
        true => Ok(()),
        false => Err(Failure::said(Exit::Failed).into()),
    }
}

/// Says how far it is: at a terminal in one line that changes, and to whoever keeps what is said in a line now
/// and then.
fn tell(progress: &Progress, is_finished: impl Fn() -> bool) {
    let is_terminal = std::io::stderr().is_terminal();
    let pause = if is_terminal { PATIENCE } else { LONG_PATIENCE };
    let mut told = Instant::now();
    while !is_finished() {
        std::thread::park_timeout(NOTICED);
        let (done, all, questions) = progress.so_far();
        // What there is to do is known once the table is asked.
        if told.elapsed() < pause || all == 0 {
            continue;
        }
        told = Instant::now();
        match is_terminal {
            true => eprint!("\r{done} of {all} parts, {questions} questions "),
            false => eprintln!("{done} of {all} parts, {questions} questions"),
        }
    }
    if is_terminal {
        eprint!("\r\x1b[K");
    }
}

fn properties(asked: &cli::Verify, module: &Module) -> anyhow::Result<Vec<Property>> {
    let mut properties = Vec::new();
    for path in &asked.properties {
        let named = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read `{named}`"))?;
        let file = CaseFile::parse(&text).with_context(|| format!("`{named}` is not right"))?;
        anyhow::ensure!(
            !file.properties.is_empty(),
            "`{named}` has no `[[property]]`: its cases are for `countersign policy test`"
        );
        for property in &file.properties {
            let (name, line) = (&property.0.name, property.0.line);
            property
                .check(module)
                .map_err(|why| anyhow::anyhow!("`{named}`, line {line}, `{name}`: {why}"))?;
        }
        properties.extend(file.properties);
    }
    Ok(properties)
}

fn effort(asked: &cli::Verify) -> Effort {
    let normal = Effort {
        seed: asked.seed,
        ..Effort::default()
    };
    match asked.effort {
        cli::Effort::Normal => normal,
        cli::Effort::Quick => Effort {
            seed: normal.seed,
            ..Effort::quick()
        },
        cli::Effort::Thorough => Effort {
            draws: normal.draws * 10,
            for_each_property: normal.for_each_property * 10,
            ..normal
        },
    }
}

fn as_text(module: &Module, properties: &[Property], verified: &Verified) -> String {
    let mut text = format!("{}\n", module.proven().id());
    let held = |id: &str| !verified.findings.iter().any(|finding| finding.law == id);
    let mut line = |id: &str, sentence: &str| {
        let mark = if held(id) { "holds " } else { "BROKEN" };
        text.push_str(&format!("  {mark}  {sentence}\n"));
    };
    for law in Law::ALL {
        line(law.id(), law.sentence());
    }
    for property in properties {
        line(&property.0.name, &property.0.name);
    }
    for finding in &verified.findings {
        text.push_str(&format!(
            "\n# {}: {}\n{}",
            finding.law, finding.sentence, finding.case
        ));
    }
    let seconds = verified.took.as_secs_f64();
    text.push_str(&format!(
        "\n{} questions in {seconds:.1} s, {:.0} a second",
        verified.asked,
        verified.asked as f64 / seconds
    ));
    text
}

fn as_json(module: &Module, verified: &Verified) -> String {
    let id = module.proven().id();
    let report = json!({
        "module": id,
        "questions": verified.asked,
        "seconds": verified.took.as_secs_f64(),
        "breaches": verified.breaches,
        "findings": verified.findings,
    });
    format!("{report:#}")
}
