//! For a terminal.

use countersign_core::strictness::Change;
use countersign_lab::changes::Changed;
use countersign_lab::words::{self, counted};
use unicode_width::UnicodeWidthStr as _;

use super::{View, classes, said, worded};
use crate::commands::table::wrapped;
use crate::commands::terminal::Plain;
use crate::policy_commands::ink::{Ink, Tone};

pub fn render(view: &View, ink: Ink, width: usize) -> String {
    let page = Page { ink, width };
    let mut lines = page.paragraph(Tone::Strong, "", &view.title());
    for (side, digest) in ["A", "B"].iter().zip(view.digests()) {
        lines.extend(page.paragraph(Tone::Quiet, "", &format!("{side} sha256 {digest}")));
    }
    lines.extend(page.paragraph(Tone::None, "", &view.summary()));
    if !view.changes.declared.is_empty() {
        lines.push(String::new());
        lines.extend(page.paragraph(Tone::Strong, "", "Declared otherwise"));
    }
    for declared in &view.changes.declared {
        lines.extend(page.change(&declared.what, declared.sides()));
    }
    for (change, title, some) in view.sections() {
        lines.push(String::new());
        lines.extend(page.paragraph(tone(change), "", title));
        for changed in some {
            lines.extend(page.changed(changed));
        }
    }
    lines.push(String::new());
    for sentence in view.compared() {
        lines.extend(page.paragraph(Tone::Quiet, "", &sentence));
    }
    lines.join("\n") + "\n"
}

fn tone(change: Change) -> Tone {
    match change {
        Change::Looser => Tone::Shut,
        Change::Mixed => Tone::Waiting,
        Change::Tighter => Tone::Open,
        Change::Same => Tone::Strong,
    }
}

struct Page {
    ink: Ink,
    width: usize,
}

impl Page {
    fn changed(&self, changed: &Changed) -> Vec<String> {
        let rows = counted(changed.rows, "row");
        let (before, after) = (said(&changed.before), said(&changed.after));
        let title = match before == after {
            true => format!("{after} · {rows}"),
            false => format!("{before} → {after} · {rows}"),
        };
        let mut lines = self.paragraph(Tone::Strong, "  ", &title);
        for (what, before, after) in worded(changed) {
            lines.extend(self.change(&format!("  {what}"), [Some(before), Some(after)]));
        }
        for group in changed.folded.groups() {
            lines.extend(self.paragraph(Tone::None, "    ", &words::verbs(&group.verbs)));
            for line in &group.lines {
                let who = words::block(&line.block);
                let text = format!("{who} ({})", classes(line.answer));
                lines.extend(self.paragraph(Tone::Quiet, "      ", &text));
            }
        }
        lines
    }

    /// What it was, and below it what it is.
    fn change(&self, what: &str, [before, after]: [Option<String>; 2]) -> Vec<String> {
        let indent = " ".repeat(4 + what.len() - what.trim_start().len());
        let mut lines = self.paragraph(Tone::None, "  ", what);
        for (mark, tone, text) in [("- ", Tone::Shut, before), ("+ ", Tone::Open, after)] {
            if let Some(text) = text {
                lines.extend(self.paragraph(tone, &indent, &format!("{mark}{text}")));
            }
        }
        lines
    }

    /// Lines that begin alike.
    fn paragraph(&self, tone: Tone, indent: &str, text: &str) -> Vec<String> {
        let text = Plain::new(text);
        let room = self.width.saturating_sub(indent.width()).max(16);
        wrapped(text.as_str(), room)
            .iter()
            .map(|line| format!("{indent}{}", self.ink.paint(tone, line)))
            .collect()
    }
}
