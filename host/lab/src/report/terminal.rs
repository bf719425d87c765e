//! The report that people read at a terminal.

use countersign_core::policy::Verdict;
use countersign_core::text::escaped;

use super::alike::Alike;
use super::columns::{Pair, folded, shown};
use super::paint::{Ink, Style};
use crate::cases::Case;
use crate::module::Answered;
use crate::run::{Failed, Ran};
use crate::suite::{Report, Source};
use crate::table::Effect;

/// How many groups of questions that were answered alike are shown of one case.
const GROUPS: usize = 5;
/// How many questions are shown of one group.
const QUESTIONS: usize = 3;
/// How many notes are shown of one answer.
const NOTES: usize = 8;
/// Where the lines of a case begin.
const INDENT: &str = "  ";
/// How wide what names a line is.
const LABEL: usize = 12;

/// The command line that runs one case again, by the name of its place and its own.
pub type Again<'a> = &'a dyn Fn(&Source, &str) -> String;

/// Every case that did not hold, and how many there are. It ends without a line end.
pub fn terminal(report: &Report<'_>, style: Style, again: Again<'_>) -> String {
    let mut page = Page {
        style,
        text: String::new(),
    };
    for (source, ran) in report.ran().filter(|(_, ran)| !ran.passed()) {
        page.case(source, ran, &again(source, &ran.case.name));
    }
    page.text.push_str(&summary(report, style));
    page.text
}

/// One case that did not hold, by itself.
pub(super) fn plain(source: &Source, ran: &Ran<'_>, style: Style, again: &str) -> String {
    let mut page = Page {
        style,
        text: String::new(),
    };
    page.case(source, ran, again);
    page.text
}

fn summary(report: &Report<'_>, style: Style) -> String {
    let (cases, failed) = (report.cases(), report.failed());
    let noun = if cases == 1 { "case" } else { "cases" };
    let module = shown(&report.module.to_string());
    let line = match failed {
        0 => style.paint(Ink::Good, true, &format!("{module}: {cases} {noun} passed")),
        failed => style.paint(
            Ink::Bad,
            true,
            &format!("{module}: {failed} of {cases} {noun} failed"),
        ),
    };
    let questions = match report.questions() {
        1 => "1 question".to_owned(),
        questions => format!("{questions} questions"),
    };
    let seconds = report.took.as_secs_f64();
    let took = match seconds >= 1.0 {
        true => format!(" in {seconds:.1} s"),
        false => String::new(),
    };
    line + &style.paint(Ink::Dim, false, &format!(" ({questions}{took})"))
}

struct Page {
    style: Style,
    text: String,
}

impl Page {
    fn case(&mut self, source: &Source, ran: &Ran<'_>, again: &str) {
        let head = format!("FAILED  {}", shown(&ran.case.name));
        self.lines("", &head, Some((Ink::Bad, true)));
        let place = format!("{}:{}", shown(&source.name), ran.case.line);
        self.lines(INDENT, &place, Some((Ink::Dim, false)));
        match &ran.failures {
            Err(error) => self.labelled("cannot run", &shown(error), Some(Ink::Bad)),
            Ok(failures) => self.failures(ran, failures),
        }
        // Never folded nor cut: half of a command line is of no use.
        self.text
            .push_str(&format!("{INDENT}{}", pad("again", LABEL)));
        self.text.push_str(&escaped(again));
        self.text.push('\n');
        self.text.push('\n');
    }

    fn failures(&mut self, ran: &Ran<'_>, failures: &[Failed]) {
        if ran.questions > 1 {
            let (failed, questions) = (failures.len(), ran.questions);
            let count = format!("{failed} of {questions} questions are answered otherwise");
            self.labelled("family", &count, None);
        }
        let laid = ran.case.given.laid();
        for text in &laid {
            let label = if *text == laid[0] { "given" } else { "" };
            self.labelled(label, &shown(text), None);
        }
        let groups = Alike::fold(failures);
        for (index, group) in groups.iter().take(GROUPS).enumerate() {
            if index > 0 {
                self.text.push('\n');
            }
            self.group(ran.case, group);
        }
        if let Some(left) = groups.len().checked_sub(GROUPS + 1) {
            let questions: usize = groups.iter().skip(GROUPS).map(|group| group.0.len()).sum();
            let more = format!(
                "{} more ways to answer otherwise, {questions} questions",
                left + 1
            );
            self.labelled("and", &more, None);
        }
    }

    fn group(&mut self, case: &Case, group: &Alike<'_>) {
        for (index, failed) in group.0.iter().take(QUESTIONS).enumerate() {
            let label = if index == 0 { "asked" } else { "" };
            self.labelled(label, &failed.variant.row.key(), Some(Ink::Bold));
        }
        if let Some(more) = group
            .0
            .len()
            .checked_sub(QUESTIONS)
            .filter(|more| *more > 0)
        {
            self.labelled("", &format!("and {more} more, answered alike"), None);
        }
        let failed = group.first();
        if !case.calls.is_one() {
            let instance = match case.calls.is_reused() {
                true => "one instance answers all",
                false => "each in a fresh instance",
            };
            let call = format!("{} ({instance})", failed.call.sentence());
            self.labelled("first at", &call, None);
        }
        let column = self.style.width.saturating_sub(INDENT.len() + LABEL + 2) / 2;
        let column = column.max(8);
        let heading = |text: &str| self.style.paint(Ink::Dim, false, text);
        let headings = [heading(&pad("expected", column)), heading("found")];
        self.row("", headings);
        for mismatch in &failed.mismatches {
            let pair = Pair::of(
                &or_nothing(&mismatch.expected),
                &or_nothing(&mismatch.found),
            );
            let expected = pair.expected.lines(column, Ink::Good, self.style);
            let found = pair.found.lines(column, Ink::Bad, self.style);
            for at in 0..expected.len().max(found.len()) {
                let label = if at == 0 { mismatch.part } else { "" };
                let cell = |lines: &[String]| lines.get(at).cloned();
                self.row(
                    label,
                    [
                        cell(&expected).unwrap_or_else(|| " ".repeat(column)),
                        cell(&found).unwrap_or_default(),
                    ],
                );
            }
        }
        self.labelled("answered", &answer(&failed.answered), None);
        let notes = &failed.answered.notes;
        for (index, note) in notes.iter().take(NOTES).enumerate() {
            let label = if index == 0 { "noted" } else { "" };
            self.labelled(label, &shown(note), None);
        }
        if let Some(more) = notes.len().checked_sub(NOTES).filter(|more| *more > 0) {
            self.labelled("", &format!("and {more} more notes"), None);
        }
    }

    fn row(&mut self, label: &str, [left, right]: [String; 2]) {
        let label = self.style.paint(Ink::Dim, false, &pad(label, LABEL));
        let line = format!("{INDENT}{label}{left}  {right}");
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn labelled(&mut self, label: &str, text: &str, ink: Option<Ink>) {
        let room = self.style.width.saturating_sub(INDENT.len() + LABEL);
        for (index, line) in folded(text, room).into_iter().enumerate() {
            let label = pad(if index == 0 { label } else { "" }, LABEL);
            let label = self.style.paint(Ink::Dim, false, &label);
            let line = match ink {
                Some(ink) => self.style.paint(ink, false, &line),
                None => line,
            };
            self.text
                .push_str(format!("{INDENT}{label}{line}").trim_end());
            self.text.push('\n');
        }
    }

    fn lines(&mut self, indent: &str, text: &str, ink: Option<(Ink, bool)>) {
        for line in folded(text, self.style.width.saturating_sub(indent.len())) {
            let line = match ink {
                Some((ink, is_marked)) => self.style.paint(ink, is_marked, &line),
                None => line,
            };
            self.text.push_str(&format!("{indent}{line}\n"));
        }
    }
}

/// The whole answer, in a line.
fn answer(answered: &Answered) -> String {
    let class = match &answered.class {
        Ok(class) => class.as_str(),
        Err(_) => "a caller of unknown class",
    };
    let verdict = match &answered.verdict {
        Err(failure) => format!("nothing: it fails: {}", shown(failure)),
        Ok(verdict) => {
            let effect = Effect::of(verdict).as_str();
            let ground = verdict
                .ground()
                .map(|ground| format!(" ({}): {}", shown(&ground.rule), shown(&ground.reason)));
            let quorums = match verdict {
                Verdict::Gate(terms) if terms.quorums.len() > 1 => {
                    format!(", {} quorums", terms.quorums.len())
                }
                _ => String::new(),
            };
            format!("{effect}{}{quorums}", ground.unwrap_or_default())
        }
    };
    format!("to {class}: {verdict}")
}

fn or_nothing(text: &str) -> String {
    match text {
        "" => "(nothing)".to_owned(),
        text => text.to_owned(),
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}
