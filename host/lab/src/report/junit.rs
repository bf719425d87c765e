//! The report that continuous integration reads: JUnit's XML, in the form that Jenkins, GitLab and GitHub's
//! reporters agree on.

use countersign_core::text::escaped;

use super::paint::Style;
use super::terminal::{Again, plain};
use crate::run::Ran;
use crate::suite::{Outcome, Report};

/// How wide the text of a failure is.
const STYLE: Style = Style {
    is_coloured: false,
    width: 100,
};

/// A test suite for each place, a test case for each case.
pub fn junit(report: &Report<'_>, again: Again<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str(&format!(
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.3}\">\n",
        attribute(&report.module.to_string()),
        report.cases(),
        report.failed(),
        report.took.as_secs_f64()
    ));
    for outcome in &report.outcomes {
        suite(&mut xml, outcome, again);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, outcome: &Outcome<'_>, again: Again<'_>) {
    let file = attribute(&outcome.source.name);
    let failed = outcome.ran.iter().filter(|ran| !ran.passed()).count();
    let time: f64 = outcome.ran.iter().map(|ran| ran.took.as_secs_f64()).sum();
    let tests = outcome.ran.len();
    xml.push_str(&format!(
        "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{time:.3}\">\n"
    ));
    for ran in &outcome.ran {
        let name = attribute(&ran.case.name);
        let (line, time) = (ran.case.line, ran.took.as_secs_f64());
        xml.push_str(&format!(
            "    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\" time=\"{time:.3}\""
        ));
        if ran.passed() {
            xml.push_str("/>\n");
            continue;
        }
        let command = again(outcome.source, &ran.case.name);
        let whole = plain(outcome.source, ran, STYLE, &command);
        xml.push_str(&format!(
            ">\n      <failure type=\"case\" message=\"{}\">{}</failure>\n    </testcase>\n",
            attribute(&message(ran)),
            text(&whole)
        ));
    }
    xml.push_str("  </testsuite>\n");
}

/// What differs, in a line.
fn message(ran: &Ran<'_>) -> String {
    let failures = match &ran.failures {
        Err(error) => return error.clone(),
        Ok(failures) => failures,
    };
    let mismatches = failures.first().map(|failed| &failed.mismatches);
    let differences: Vec<String> = mismatches
        .into_iter()
        .flatten()
        .map(|it| format!("{}: expected {}, found {}", it.part, it.expected, it.found))
        .collect();
    let differences = differences.join("; ");
    match ran.questions {
        1 => differences,
        questions => format!("{} of {questions} questions: {differences}", failures.len()),
    }
}

/// Fit for an attribute: XML forbids most control characters even as references, so they are escaped first.
fn attribute(text: &str) -> String {
    marked_up(&escaped(text)).replace('"', "&quot;")
}

/// Fit for a text of several lines.
fn text(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(escaped).collect();
    marked_up(&lines.join("\n"))
}

fn marked_up(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
