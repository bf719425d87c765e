//! What the policies in shadow would have made otherwise.

use serde::Deserialize;

use super::super::client::{Client, Request};
use super::super::failure::Failure;
use super::super::table::Table;
use super::super::terminal::{self, Plain};
use super::Live;
use crate::cli::Differences;
use crate::config::Flags;

#[derive(Deserialize)]
struct Found {
    kinds: Vec<Kind>,
    differences: Vec<Difference>,
}

/// Differences that are alike.
#[derive(Deserialize)]
struct Kind {
    verb: Plain,
    change: Plain,
    was: Gist,
    would_be: Gist,
    count: u64,
}

#[derive(Deserialize)]
struct Gist {
    class: Plain,
    effect: Plain,
    rule: Plain,
}

#[derive(Deserialize)]
struct Difference {
    decision_id: Plain,
    change: Plain,
    effect: Plain,
    rule: Plain,
    policy: Plain,
}

/// Lists them: the kinds with how many there are of each, then the latest.
pub async fn list(asked: Differences, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&asked.access, flags)?;
    let generation = match asked.generation {
        Some(generation) => generation,
        None => {
            let answer = client.get(&Request::get("/policies"), false).await?;
            client.parse::<Live>(&answer)?.generation
        }
    };
    let limit = asked.limit;
    let path = format!("/policies/generations/{generation}/differences?limit={limit}");
    let answer = client.get(&Request::get(path), asked.access.json).await?;
    if asked.access.json {
        return answer.print();
    }
    let found: Found = client.parse(&answer)?;
    if found.differences.is_empty() {
        terminal::say(&format!(
            "Of generation {generation}, no decision is known that would have been another."
        ));
        return Ok(());
    }
    let width = terminal::width();
    if !found.kinds.is_empty() {
        let headings = ["COUNT", "CHANGE", "VERB", "CLASS", "DECIDED", "WOULD BE"];
        let mut table = Table::new(&headings, &[5, 4]);
        for kind in found.kinds {
            let [was, would_be] = [&kind.was, &kind.would_be]
                .map(|gist| Plain::new(&format!("{} by {}", gist.effect, gist.rule)));
            table.row(vec![
                Plain::new(&kind.count.to_string()),
                kind.change,
                kind.verb,
                class(&kind.was, &kind.would_be),
                was,
                would_be,
            ]);
        }
        terminal::say(&table.drawn(width));
        terminal::say("");
    }
    let headings = ["DECISION", "CHANGE", "WOULD BE", "RULE", "OF"];
    let mut table = Table::new(&headings, &[4, 3]);
    for one in found.differences {
        table.row(vec![
            one.decision_id,
            one.change,
            one.effect,
            one.rule,
            one.policy,
        ]);
    }
    terminal::say(&table.drawn(width));
    Ok(())
}

/// What the caller was taken for, and would be where that is something else.
fn class(was: &Gist, would_be: &Gist) -> Plain {
    let (was, would_be) = (was.class.as_str(), would_be.class.as_str());
    match was == would_be {
        true => Plain::new(was),
        false => Plain::new(&format!("{was} → {would_be}")),
    }
}
