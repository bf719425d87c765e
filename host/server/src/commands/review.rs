//! What a change of policies would change, at a terminal.

use super::table::{listed, wrapped};
use super::terminal::Plain;
use crate::reviews::{ItemView, NO_PROOF, ReviewView};

/// The whole list, what loosens first. Of what tightens only the number is told: it waits for nobody.
pub fn shown(review: &ReviewView, width: Option<usize>) -> String {
    let mut parts = vec![paragraph(
        &format!(
            "What it changes: {}. {} {NO_PROOF}",
            review.sentence, review.rests_on
        ),
        width,
    )];
    if !review.loosens.is_empty() {
        parts.push("More can happen:".to_owned());
    }
    let items = review.loosens.iter().enumerate();
    parts.extend(items.map(|(at, one)| item(at + 1, one, width)));
    if !review.broken.is_empty() {
        parts.push("Laws of all policies that it breaks:".to_owned());
    }
    for (at, broken) in review.broken.iter().enumerate() {
        let pairs = [("what", fit(&broken.sentence))];
        let heading = format!("{}. {} ({})", at + 1, broken.law, broken.module);
        parts.push(format!(
            "{}\n{}{}",
            paragraph(&heading, width),
            listed(&pairs, width),
            case(Some(&broken.case))
        ));
    }
    match review.tightens.len() {
        0 => {}
        1 => parts.push("Less can happen in 1 more way; the console lists it.".to_owned()),
        more => parts.push(format!(
            "Less can happen in {more} more ways; the console lists them."
        )),
    }
    parts.join("\n\n")
}

fn item(number: usize, item: &ItemView, width: Option<usize>) -> String {
    let mut pairs = vec![("now", fit(&item.before)), ("then", fit(&item.after))];
    if !item.phrases.is_empty() {
        let phrases: Vec<String> = item.phrases.iter().map(|phrase| fit(phrase)).collect();
        pairs.push(("who", phrases.join("\n")));
    }
    if let Some(decision) = &item.decision {
        let asked = format!(
            "{}: {} (decision {})",
            decision.actor, decision.words, decision.id
        );
        pairs.push(("asked", fit(&asked)));
    }
    let heading = format!("{number}. {}, by {}", item.step, item.counts);
    format!(
        "{}\n{}{}",
        paragraph(&heading, width),
        listed(&pairs, width),
        case(item.case.as_deref())
    )
}

/// A case keeps its lines as they are: it is there to be copied.
fn case(case: Option<&str>) -> String {
    let Some(case) = case.filter(|case| !case.is_empty()) else {
        return String::new();
    };
    let lines: Vec<String> = case
        .trim_end()
        .lines()
        .map(|line| format!("\n    {}", Plain::new(line)))
        .collect();
    format!("\n  a question that shows it:{}", lines.concat())
}

fn fit(text: &str) -> String {
    Plain::new(text).to_string()
}

fn paragraph(text: &str, width: Option<usize>) -> String {
    wrapped(&fit(text), width.unwrap_or(usize::MAX)).join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_is_whole_fits_and_has_nothing_that_a_terminal_obeys() {
        let said = |effect: &str| json!({ "class": "agent", "effect": effect, "rule": "r\u{1b}[2J", "policy": "m" });
        let review = json!({
            "looked": { "rows": 1856, "searched": 1, "cut_short": true, "recorded": 0, "unasked": 2, "reworded": 0 },
            "loosens": [{
                "change": "looser", "before": said("gate"), "after": said("allow"), "rows": 3, "searched": 0,
                "recorded": 1, "phrases": ["org_token_mint: any agent token\nallow", "x"],
                "case": "[[case]]\nname = \"\u{202e}\"", "decision": {
                    "id": "019b76da-a800-7000-8000-000000000001", "at": "2026-01-01T00:00:00Z",
                    "actor": "admin-token", "verb": "org_token_mint", "resource": "\u{7}",
                },
            }],
            "tightens": [],
            "broken": [{ "module": "m@1.0.0", "law": "agent", "sentence": "agents\u{9b}", "case": "" }],
        });
        let view = ReviewView::of(&review).expect("a list");
        let text = shown(&view, Some(60));
        for part in [
            "1 change loosens and 1 law is broken",
            "1. gate → allow, by 3 rows of the table · 1 recorded",
            "org_token_mint: any agent token\\u{a}allow",
            "    [[case]]\n    name = \"\\u{202e}\"",
            "1. agent (m@1.0.0)",
        ] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["2 more could not be asked", "evidence and no proof"] {
            assert!(joined.contains(part), "`{part}` is not in:\n{text}");
        }
        let obeyed = |c: char| countersign_core::text::is_misleading(c) && c != '\n';
        assert!(!text.chars().any(obeyed), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 60),
            "{text}"
        );
    }
}
