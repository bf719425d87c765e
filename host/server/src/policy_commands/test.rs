//! `countersign policy test`.

mod input;
mod progress;
mod watch;

use std::path::Path;

use countersign_engine::Engine;
use countersign_lab::cases::Pattern;
use countersign_lab::loads::Problem;
use countersign_lab::module::Module;
use countersign_lab::report::{self, Style};
use countersign_lab::run::Runner;
use countersign_lab::suite::{self, Report, Source};

use self::input::Input;
use self::progress::Progress;
use super::shown::is_no_component;
use super::{engine, opened};
use crate::cli::{Color, Test};
use crate::commands::{Exit, Failure, terminal};
use crate::config::is_in_environment;

/// How wide a report is where there is no terminal.
const WIDTH: usize = 100;

pub fn run(asked: &Test) -> anyhow::Result<()> {
    let engine = engine()?;
    if asked.watch {
        return Ok(watch::run(&engine, asked)?);
    }
    let input = Input::read(asked)?;
    match once(&engine, asked, &input)? {
        true => Ok(()),
        false => Err(Failure::said(Exit::Failed).into()),
    }
}

/// Runs all cases and tells what came of them: whether they hold.
fn once(engine: &Engine, asked: &Test, input: &Input) -> Result<bool, Failure> {
    let sources = sources(asked, input)?;
    let module = module(engine, asked, input)?;
    let mut own = Runner::at_defaults(engine, &module);
    let id = module.proven().id().clone();
    let mut given = Runner::new(engine, module);
    let count = sources.iter().map(|source| source.cases.len()).sum();
    let progress = Progress::new(count);
    let tick = |done| progress.tick(done);
    let report = suite::report(&sources, id, (&mut given, &mut own), &tick);
    progress.end();
    tell(asked, &report)?;
    Ok(report.failed() == 0)
}

fn module(engine: &Engine, asked: &Test, input: &Input) -> Result<Module, Failure> {
    let path = asked.component.as_path();
    let from = (path, asked.settings.as_deref());
    let refused = |problem: Problem| opened::not_loaded(Some(path), &problem);
    let proven = engine.prove(&input.component, &input.settings);
    let proven = proven
        .map_err(|error| refused(Problem::of_loading(engine, from, &input.component, &error)))?;
    Module::new(engine, proven).map_err(|error| refused(Problem::of(engine, from, error)))
}

/// The cases that are meant.
fn sources(asked: &Test, input: &Input) -> Result<Vec<Source>, Failure> {
    let patterns: Vec<Pattern> = asked.filter.iter().map(|it| Pattern::new(it)).collect();
    let mut sources = Vec::new();
    for text in &input.cases {
        let source = Source::parse(&text.name, text.is_bundled, &text.content);
        let source = source.map_err(|error| {
            Failure::usage(format!("`{}` is not understood: {error}", text.name))
        })?;
        sources.push(source);
    }
    let all: usize = sources.iter().map(|source| source.cases.len()).sum();
    for source in &mut sources {
        source.keep(&patterns);
    }
    if sources.iter().any(|source| !source.cases.is_empty()) {
        return Ok(sources);
    }
    Err(Failure::usage(match all {
        0 => format!(
            "there are no cases: write some into `{}`, or name a file of cases; docs/policies.md says how",
            input::beside(&asked.component, "cases.toml").display()
        ),
        all => format!(
            "none of the {all} cases has a name that fits --filter; `*` stands for any text"
        ),
    }))
}

fn tell(asked: &Test, report: &Report<'_>) -> Result<(), Failure> {
    let again = |source: &Source, case: &str| again(asked, source, case);
    if let Some(path) = &asked.junit {
        write(path, &report::junit(report, &again))?;
    }
    if asked.json {
        let json = format!("{:#}\n", report::json(report));
        return terminal::write(terminal::plain_json(&json).as_bytes());
    }
    if !asked.quiet || report.failed() > 0 {
        let style = Style {
            is_coloured: is_coloured(asked.color),
            width: terminal::width().unwrap_or(WIDTH),
        };
        terminal::draw(&report::terminal(report, style, &again));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    is_no_component(path)?;
    let cannot = |error| Failure::usage(format!("cannot write `{}`: {error}", path.display()));
    std::fs::write(path, text).map_err(cannot)
}

/// The command line that runs one case again.
fn again(asked: &Test, source: &Source, case: &str) -> String {
    let mut words = vec!["countersign policy test".to_owned()];
    words.push(quoted(&asked.component.to_string_lossy()));
    if !source.is_bundled {
        words.push(quoted(&source.name));
        if let Some(settings) = &asked.settings {
            words.push(format!(
                "--settings {}",
                quoted(&settings.to_string_lossy())
            ));
        }
    }
    // What cannot be typed is typed as a wildcard.
    let is_typed = |c: char| !countersign_core::text::is_misleading(c);
    let pattern: String = case
        .chars()
        .map(|c| if is_typed(c) { c } else { '*' })
        .collect();
    words.push(format!("--filter {}", quoted(&pattern)));
    words.join(" ")
}

/// A word as a shell takes it for itself.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

fn is_coloured(asked: Color) -> bool {
    match asked {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal::is_seen() && !is_in_environment("NO_COLOR"),
    }
}
