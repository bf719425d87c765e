//! For a terminal: a heading for the verbs that are answered alike, and a line for each kind of caller.

use countersign_lab::answers::Seen;
use countersign_lab::fold::{Group, Line};
use countersign_lab::words;
use unicode_width::UnicodeWidthStr as _;

use super::View;
use crate::commands::table::wrapped;
use crate::commands::terminal::Plain;
use crate::policy_commands::ink::{Ink, Tone};

/// `service`, the longest class.
const CLASS: usize = 7;
/// `abstain`, the longest verdict.
const VERDICT: usize = 7;
/// Who asks has no less room than this.
const LEAST_WHO: usize = 24;
const GAP: &str = "  ";

pub fn render(view: &View<'_>, ink: Ink, width: usize) -> String {
    let columns = Columns::fit(view, width);
    let mut lines = beginning(view, ink, width);
    for group in view.folded.groups() {
        lines.push(String::new());
        lines.extend(heading(group, ink, width));
        for line in &group.lines {
            lines.extend(columns.draw(view, line, ink));
        }
    }
    lines.join("\n") + "\n"
}

fn beginning(view: &View<'_>, ink: Ink, width: usize) -> Vec<String> {
    let proven = view.module.proven();
    let id = Plain::new(&proven.id().to_string());
    let mut lines = vec![format!(
        "{}  {}",
        ink.paint(Tone::Strong, id.as_str()),
        ink.paint(Tone::Quiet, &view.size())
    )];
    let description = Plain::new(&proven.manifest().description);
    lines.extend(wrapped(description.as_str(), width));
    for note in view.notes() {
        lines.extend(wrapped(Plain::new(&note).as_str(), width));
    }
    lines
}

fn heading(group: &Group<Seen>, ink: Ink, width: usize) -> Vec<String> {
    let lines = wrapped(&words::verbs(&group.verbs), width);
    lines
        .iter()
        .map(|line| ink.paint(Tone::Strong, line))
        .collect()
}

/// How wide the columns are that are not fixed.
struct Columns {
    who: usize,
    rule: usize,
}

impl Columns {
    fn fit(view: &View<'_>, width: usize) -> Self {
        let lines = || view.folded.groups().iter().flat_map(|group| &group.lines);
        let widest = |text: &dyn Fn(&Line<Seen>) -> String| {
            let widths = lines().map(|line| Plain::new(&text(line)).as_str().width());
            widths.max().unwrap_or(0)
        };
        let rule = widest(&|line| line.answer.outcome.rule().to_owned());
        let who = widest(&|line| words::block(&line.block));
        let fixed = CLASS + VERDICT + GAP.len() * 4;
        let free = width.saturating_sub(fixed);
        let who = who.min(free.saturating_sub(rule)).max(LEAST_WHO);
        Self {
            who,
            rule: free.saturating_sub(who).max(LEAST_WHO / 2),
        }
    }

    fn draw(&self, view: &View<'_>, line: &Line<Seen>, ink: Ink) -> Vec<String> {
        let Seen { class, outcome } = &line.answer;
        let who = wrapped(&words::block(&line.block), self.who);
        let rule = Plain::new(outcome.rule());
        let mut rules: Vec<(Tone, String)> = broken(rule.as_str(), self.rule)
            .into_iter()
            .map(|text| (Tone::None, text))
            .collect();
        if let Some(takes) = view.takes(outcome) {
            let takes = Plain::new(&words::takes(takes));
            let takes = wrapped(takes.as_str(), self.rule);
            rules.extend(takes.into_iter().map(|text| (Tone::Quiet, text)));
        }
        let class = class.map_or("-", |class| class.as_str());
        let tall = who.len().max(rules.len());
        let row = |at: usize| {
            let who = who.get(at).map_or("", String::as_str);
            let (class, word) = match at {
                0 => (class, outcome.word()),
                _ => ("", ""),
            };
            let (tone, rule) = rules
                .get(at)
                .cloned()
                .unwrap_or((Tone::None, String::new()));
            let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(text.width()));
            let line = format!(
                "{GAP}{who}{}{GAP}{class}{}{GAP}{}{}{GAP}{}",
                pad(who, self.who),
                pad(class, CLASS),
                ink.paint(outcome.effect().into(), word),
                pad(word, VERDICT),
                ink.paint(tone, &rule),
            );
            line.trim_end().to_owned()
        };
        (0..tall).map(row).collect()
    }
}

/// `text` between words or, where a word is too long, within it.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in wrapped(text, room) {
        let mut rest = line.as_str();
        while rest.width() > room {
            let mut cut = 0;
            let mut used = 0;
            for (at, c) in rest.char_indices() {
                used += c.to_string().width();
                if used > room {
                    break;
                }
                cut = at + c.len_utf8();
            }
            // A character that is wider than the room is left as it is.
            let cut = if cut == 0 { rest.len() } else { cut };
            lines.push(rest[..cut].to_owned());
            rest = &rest[cut..];
        }
        lines.push(rest.to_owned());
    }
    lines
}
