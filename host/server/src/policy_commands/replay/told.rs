//! What came of a replay, as people read it.

use countersign_core::strictness::Change;
use countersign_lab::replay::{Report, Sample};

use crate::commands::terminal::Plain;

/// The ways in which answers change, in the order in which they are told.
const KINDS: [(Change, &str); 4] = [
    (Change::Looser, "LOOSER"),
    (Change::Mixed, "LOOSER in one respect, tighter in another"),
    (Change::Tighter, "Tighter"),
    (Change::Same, "Said otherwise"),
];

pub fn told(report: &Report, is_recorded: bool) -> String {
    let mut text = match report.span {
        None => "No decision is recorded.".to_owned(),
        Some((first, last)) => {
            format!("{} decisions, from {first} to {last}", report.decisions)
        }
    };
    let asked = report.decisions - report.by_core;
    let otherwise = match is_recorded {
        true => "NOT REPRODUCED",
        false => "would be answered otherwise",
    };
    for (count, what) in [
        (
            report.by_core,
            "judged by the core alone, and not asked again",
        ),
        (report.same, "answered as they were, bit for bit"),
        (report.changed(), otherwise),
    ] {
        if count > 0 {
            text.push_str(&format!("\n  {count:>9}  {what}"));
        }
    }
    for (sample, what) in [
        (
            &report.had_no_time,
            "the host had no time for when it decided: no module's answer is recorded",
        ),
        (
            &report.has_no_time,
            "this machine had no time for: try again",
        ),
    ] {
        if let Some(sample) = sample {
            text.push_str(&format!(
                "\n  {:>9}  {what}, {}",
                sample.count,
                such(sample)
            ));
        }
    }
    for (why, sample) in &report.missing {
        let (count, why) = (sample.count, Plain::new(why));
        text.push_str(&format!(
            "\n  {count:>9}  COULD NOT BE ASKED: {why}; {}",
            such(sample)
        ));
    }
    if let Some(unread) = &report.unread {
        text.push_str(&format!(
            "\n  {:>9}  COULD NOT BE ASKED, the first because {}",
            unread.count,
            Plain::new(&unread.example)
        ));
    }
    for (kind, title) in KINDS {
        let groups = || report.groups.iter().filter(|group| group.change == kind);
        if groups().next().is_some() {
            text.push_str(&format!("\n\n{title}"));
        }
        for group in groups() {
            text.push_str(&format!(
                "\n  {}: {} → {}\n    {} decisions, {}\n    {}",
                Plain::new(&group.verb),
                Plain::new(&group.before),
                Plain::new(&group.after),
                group.sample.count,
                such(&group.sample),
                Plain::new(&group.row),
            ));
        }
    }
    if report.beyond > 0 {
        text.push_str(&format!(
            "\n\n{} more answered otherwise, in more ways than are told apart.",
            report.beyond
        ));
    }
    if asked > 0 && report.changed() + report.unasked() == 0 && report.had_no_time.is_none() {
        text.push_str("\nNothing changes.");
    }
    text
}

fn such(sample: &Sample) -> String {
    match sample.count {
        1 => format!("at {}: {}", sample.first, sample.example),
        _ => format!(
            "from {} to {}, such as {}",
            sample.first, sample.last, sample.example
        ),
    }
}
