//! One look at one question: which laws do not hold there.

mod compared;
mod expected;
mod needle;

use std::cell::OnceCell;

use countersign_core::policy::{CallerClass, Credential, Question, Value};
use countersign_core::verb::Verb;
use fastrand::Rng;

use self::expected::{as_the_row, no_looser_than};
use super::asker::{Asker, Said};
use super::bases::Bases;
use super::laws::{Breach, Law};
use super::point::{Change, Place, Point, Text};
use super::rank::{self, Rank};
use super::space::{is_known, means_something};
use crate::vocabulary::is_privileged;

/// One look at one question.
pub struct Look<'a, 'm> {
    /// What it is compared with.
    bases: &'a Bases<'a>,
    /// Who asks for more.
    pub asker: &'a mut Asker<'m>,
    /// For what is drawn.
    rng: Rng,
    /// What the row itself asks, once something wants to know.
    row: OnceCell<Question>,
}

impl<'a, 'm> Look<'a, 'm> {
    /// A look, by `asker`, that draws from `rng`.
    pub fn new(bases: &'a Bases<'a>, asker: &'a mut Asker<'m>, rng: Rng) -> Self {
        Self {
            bases,
            asker,
            rng,
            row: OnceCell::new(),
        }
    }

    /// The laws that do not hold at `point`, at which `said` is said to `question`.
    pub fn breaches(&mut self, point: &Point, question: &Question, said: &Said) -> Vec<Breach> {
        self.row = OnceCell::new();
        let mut found = Vec::new();
        let mut breach = |law, expected: String, sentence: String| {
            found.push(Breach {
                law,
                point: point.clone(),
                expected,
                sentence,
            });
        };
        let base = self.bases.of(&point.row);
        let changed = base.is_none_or(|base| !rank::is_the_same(&base.verdict, &said.verdict));
        let verb = Verb::parse(&question.verb);
        let credential = question.subject.credential;

        // A failure denies, so there is nothing to compare; and each look may take as long as it did.
        if let Err(failure) = &said.verdict {
            let expected = "not = \"fails\"".to_owned();
            match self.takes_for_human(question, said) {
                true => breach(
                    Law::Human,
                    expected,
                    format!("a caller with the credential `{credential}` is taken for human"),
                ),
                false => breach(Law::Total, expected, failed(failure)),
            }
            return found;
        }
        if verb.is_none() && said.allows() {
            breach(
                Law::UnknownVerb,
                "not = \"allow\"".to_owned(),
                "there is no such verb, and it is allowed".to_owned(),
            );
        }
        if verb.is_none() && said.rank() < Rank::Refused && self.is_opened_by_its_form(point, said)
        {
            breach(
                Law::VerbForm,
                "not = [\"allow\", \"gate\"]".to_owned(),
                "a verb that there is not gets more than other such verbs".to_owned(),
            );
        }
        if verb.is_some() && is_privileged(question) && (changed || said.allows()) {
            let is_unverified = matches!(credential, Credential::Anonymous | Credential::Vouched);
            if is_unverified && said.allows() {
                breach(
                    Law::Unverified,
                    "not = \"allow\"".to_owned(),
                    format!("a caller with the credential `{credential}` does what is privileged"),
                );
            } else if credential != Credential::VerifiedSession
                && changed
                && let Some(base) = base
                && rank::is_looser(&base.verdict, &said.verdict)
                && let Some(sentence) = self.is_needle(point, base, said)
            {
                breach(Law::Needle, no_looser_than(base, said), sentence);
            }
        }
        if let Some(sentence) = self.changes_for_nothing(point, base, said) {
            breach(Law::Meaningless, as_the_row(base), sentence);
        }
        if let Some(base) = base
            && changed
            && let Some(sentence) = self.more_opens(point, base, said)
        {
            breach(Law::More, no_looser_than(base, said), sentence);
        }
        if self.bases.stands_alone && reads_values(question) && said.allows() {
            let is_own = credential == Credential::WorkspaceToken && question.is_self_targeted();
            if !is_own {
                let sentence = "who is not the workspace itself reads its secrets' values";
                breach(
                    Law::Values,
                    "not = \"allow\"".to_owned(),
                    sentence.to_owned(),
                );
            }
        }
        if changed || point.changes.is_empty() {
            found.extend(self.loosens_a_set(point, question, said));
            found.extend(self.more_than_a_person(point, question, said));
            found.extend(self.more_than_a_wider_role(point, said));
        }
        found
    }

    /// What the row of `point` asks.
    fn row(&self, point: &Point) -> &Question {
        self.row.get_or_init(|| point.row.question())
    }

    fn takes_for_human(&mut self, question: &Question, said: &Said) -> bool {
        said.class.is_err()
            && !CallerClass::Human.is_possible_for(question.subject.credential)
            && self.asker.own_class(question) == Some(CallerClass::Human)
    }

    /// Whether another verb that there is not gets less.
    fn is_opened_by_its_form(&mut self, point: &Point, said: &Said) -> bool {
        let mut other = point.clone();
        let name = "zz_no_such_verb".to_owned();
        other
            .changes
            .retain(|change| !matches!(change, Change::Text(Text::Verb, _)));
        other.changes.push(Change::Text(Text::Verb, name));
        self.asker.ask(&other.question()).rank() > said.rank()
    }

    fn changes_for_nothing(
        &self,
        point: &Point,
        base: Option<&Said>,
        said: &Said,
    ) -> Option<String> {
        let [change] = point.changes.as_slice() else {
            return None;
        };
        let is_meaningless = match change {
            Change::Extra(..) => true,
            Change::Set(place, name, _) => !means_something(self.row(point), *place, name),
            _ => false,
        };
        // A name that means something elsewhere may well be minded wherever it is, if that opens nothing.
        let is_minded = match (change, base) {
            (Change::Set(_, name, _), Some(base)) => {
                base != said && is_known(name) && rank::is_as_loose(&base.verdict, &said.verdict)
            }
            _ => false,
        };
        let is_otherwise = is_meaningless && base != Some(said) && !is_minded;
        is_otherwise.then(|| "a property that means nothing changes the answer".to_owned())
    }

    /// Whether a larger count, or a longer life, gets more than the row's own.
    fn more_opens(&self, point: &Point, base: &Said, said: &Said) -> Option<String> {
        let counts = |place, name: &str| match place {
            Place::Resource => ["live-tokens", "descendants", "workspaces"].contains(&name),
            Place::Action => ["expires-at", "drain-seconds"].contains(&name),
            Place::Caller | Place::Subject | Place::Context => false,
        };
        let [change] = point.changes.as_slice() else {
            return None;
        };
        let is_more = match change {
            Change::Set(place, name, Value::Integer(count)) if counts(*place, name) => {
                let before = place.read(self.row(point)).get(name);
                matches!(before, Some(Value::Integer(before)) if before < count)
            }
            // A token that never ends.
            Change::Absent(Place::Action, name) => {
                name == "expires-at" && self.row(point).arguments.get(name).is_some()
            }
            Change::Tally(_, count) => *count > 0,
            _ => false,
        };
        let is_program = point.row.credential != Credential::VerifiedSession;
        let is_breach = is_more && is_program && rank::is_looser(&base.verdict, &said.verdict);
        is_breach.then(|| "more of it gets more".to_owned())
    }
}

/// Which limit of time is met is a matter of the machine as well.
fn failed(failure: &str) -> String {
    match countersign_engine::depends_on_the_moment(failure) {
        true => format!("{failure}, by this machine's clock"),
        false => failure.to_owned(),
    }
}

fn reads_values(question: &Question) -> bool {
    match Verb::parse(&question.verb) {
        Some(Verb::SecretRead) => true,
        Some(Verb::SecretList) => question.arguments.get("values") == Some(&Value::Boolean(true)),
        _ => false,
    }
}
