//! One look at one question: which laws do not hold there.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{CallerClass, Credential, Question, Role, Value};
use countersign_core::verb::Verb;
use fastrand::Rng;

use super::asker::{Asker, Said};
use super::bases::Bases;
use super::laws::{Breach, Law};
use super::point::{Change, Place, Point, Text};
use super::rank::Rank;
use super::space::{Space, means_something};
use crate::vocabulary::is_privileged;

/// A value that opens is rare if fewer than so many of so many draws of its kind do: a minute of the day is
/// one in 1,440, a quarter of an hour in each day is somebody's hours.
const OPENING: usize = 5;
const DRAWS: usize = 1_000;

/// A person is in so many groups at a time.
const GROUPS: usize = 16;

/// One look at one question.
pub struct Look<'a, 'm> {
    /// What it is compared with.
    pub bases: &'a Bases<'a>,
    /// Who asks for more.
    pub asker: &'a mut Asker<'m>,
    /// For what is drawn.
    pub rng: Rng,
}

impl Look<'_, '_> {
    /// The laws that do not hold at `point`, at which `said` is said to `question`.
    pub fn breaches(&mut self, point: &Point, question: &Question, said: &Said) -> Vec<Breach> {
        let mut found = Vec::new();
        let mut breach = |law, expected: &str, sentence: String| {
            found.push(Breach {
                law,
                point: point.clone(),
                expected: expected.to_owned(),
                sentence,
            });
        };
        let base = self.bases.of(&point.row);
        let changed = base.is_none_or(|base| base.rank() != said.rank());
        let verb = Verb::parse(&question.verb);
        let credential = question.subject.credential;

        // A failure denies, so there is nothing to compare; and each look may take as long as it did.
        if let Err(failure) = &said.verdict {
            match self.takes_for_human(question, said) {
                true => breach(
                    Law::Human,
                    "not = \"fails\"",
                    format!("a caller with the credential `{credential}` is taken for human"),
                ),
                false => breach(Law::Total, "not = \"fails\"", failure.clone()),
            }
            return found;
        }
        if verb.is_none() && said.allows() {
            breach(
                Law::UnknownVerb,
                "not = \"allow\"",
                "there is no such verb, and it is allowed".to_owned(),
            );
        }
        if verb.is_none() && said.rank() < Rank::Refused && self.is_opened_by_its_form(point, said)
        {
            breach(
                Law::VerbForm,
                "not = [\"allow\", \"gate\"]",
                "a verb that there is not gets more than other such verbs".to_owned(),
            );
        }
        if verb.is_some() && is_privileged(question) && said.allows() {
            if matches!(credential, Credential::Anonymous | Credential::Vouched) {
                breach(
                    Law::Unverified,
                    "not = \"allow\"",
                    format!("a caller with the credential `{credential}` does what is privileged"),
                );
            } else if credential != Credential::VerifiedSession
                && changed
                && let Some(sentence) = self.is_needle(point)
            {
                breach(Law::Needle, "not = \"allow\"", sentence);
            }
        }
        if let Some(sentence) = self.changes_for_nothing(point, said) {
            breach(Law::Meaningless, &expected_as(base), sentence);
        }
        if let Some(sentence) = more_opens(point, question, base, said) {
            breach(Law::More, "not = \"allow\"", sentence);
        }
        if self.bases.stands_alone && reads_values(question) && said.allows() {
            let is_own = credential == Credential::WorkspaceToken && question.is_self_targeted();
            if !is_own {
                let sentence = "who is not the workspace itself reads its secrets' values";
                breach(Law::Values, "not = \"allow\"", sentence.to_owned());
            }
        }
        if changed || point.changes.is_empty() {
            found.extend(self.more_than_a_person(point, question, said));
            found.extend(self.more_than_a_wider_role(point, said));
        }
        found
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

    /// Whether what opens is one value in very many, that nobody has set.
    fn is_needle(&mut self, point: &Point) -> Option<String> {
        let space = self.bases.space;
        if point.changes.iter().any(|change| is_set(space, change)) {
            return None;
        }
        if self.bases.opens_in_the_table(point) {
            return None;
        }
        // What one of several does alone is seen, and judged, alone.
        if point.changes.len() > 1 {
            for change in &point.changes {
                let alone = Point::with(&point.row, change.clone()).question();
                if is_privileged(&alone) && self.asker.ask(&alone).allows() {
                    return None;
                }
            }
        }
        let mut opening = 0;
        for _ in 0..DRAWS {
            let mut other = point.clone();
            let mut drawn = false;
            for change in &mut other.changes {
                if let Some(alike) = space.alike(change, &mut self.rng) {
                    *change = alike;
                    drawn = true;
                }
            }
            if !drawn {
                break;
            }
            opening += usize::from(self.asker.ask(&other.question()).allows());
            if opening >= OPENING {
                return None;
            }
        }
        let [change] = point.changes.as_slice() else {
            return Some("together, these open what is privileged".to_owned());
        };
        Some(match change {
            Change::Absent(..) => "what is not there opens what is privileged".to_owned(),
            Change::Extra(..) => "a number of properties opens what is privileged".to_owned(),
            Change::Time(_) => "a moment opens what is privileged".to_owned(),
            Change::Set(..) | Change::Text(..) | Change::Tally(..) => {
                "a value that is one in very many opens what is privileged".to_owned()
            }
        })
    }

    fn changes_for_nothing(&mut self, point: &Point, said: &Said) -> Option<String> {
        let [change] = point.changes.as_slice() else {
            return None;
        };
        let row = point.row.question();
        let is_meaningless = match change {
            Change::Extra(..) => true,
            Change::Set(place, name, _) => !means_something(&row, *place, name),
            _ => false,
        };
        let is_otherwise = is_meaningless && self.bases.of(&point.row) != Some(said);
        is_otherwise.then(|| "a property that means nothing changes the answer".to_owned())
    }

    /// How much is let through beside the classifier's module, which every set has: of two, the stricter.
    fn rank(&mut self, question: &Question, said: &Said) -> Rank {
        match (self.bases.stands_alone, &said.class) {
            (false, Ok(class)) => said.rank().max(self.asker.beside(question, *class)),
            _ => said.rank(),
        }
    }

    fn rank_at(&mut self, point: &Point) -> Rank {
        let question = point.question();
        let said = self.asker.ask(&question);
        self.rank(&question, &said)
    }

    /// Secrets' values are for workspaces alone, by the core.
    fn more_than_a_person(
        &mut self,
        point: &Point,
        question: &Question,
        said: &Said,
    ) -> Vec<Breach> {
        if reads_values(question) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let rank = self.rank(question, said);
        match point.row.credential {
            Credential::OrgToken | Credential::AdminToken | Credential::WorkspaceToken
                if rank < Rank::Refused && self.best_of_people(point, rank) > rank =>
            {
                let sentence = "an agent gets more than any person";
                found.push(more(Law::Agent, point, said, sentence));
            }
            Credential::VerifiedSession if rank > Rank::Passes => {
                let best = self.best_of_people(point, Rank::Passes);
                for credential in [
                    Credential::OrgToken,
                    Credential::AdminToken,
                    Credential::WorkspaceToken,
                ] {
                    let row = Row {
                        credential,
                        ..point.row.clone()
                    };
                    let agent = point.on(row);
                    let question = agent.question();
                    let said = self.asker.ask(&question);
                    if self.rank(&question, &said) < best {
                        found.push(more(
                            Law::Agent,
                            &agent,
                            &said,
                            "an agent gets more than any person",
                        ));
                    }
                }
            }
            _ => {}
        }
        found
    }

    /// Whether some person gets as much who asks the same: as this caller, as nobody in particular, or as a
    /// member of every group that the component knows.
    fn best_of_people(&mut self, point: &Point, enough: Rank) -> Rank {
        let person = point.on(Row {
            credential: Credential::VerifiedSession,
            ..point.row.clone()
        });
        let mut plain = person.clone();
        plain.changes.retain(|change| !is_of_the_caller(change));
        let mut best = Rank::Refused;
        for who in [person, plain.clone()] {
            best = best.min(self.rank_at(&who));
            if best <= enough {
                return best;
            }
        }
        for groups in self.bases.space.words.chunks(GROUPS) {
            let mut member = plain.clone();
            let groups = Value::Texts(groups.to_vec());
            let groups = Change::Set(Place::Caller, "groups".to_owned(), groups);
            member.changes.push(groups);
            best = best.min(self.rank_at(&member));
            if best <= enough {
                break;
            }
        }
        best
    }

    fn more_than_a_wider_role(&mut self, point: &Point, said: &Said) -> Option<Breach> {
        let rank = self.rank(&point.question(), said);
        let wider = Role::ALL.iter().filter(|role| **role > point.row.role);
        for role in wider {
            let row = Row {
                role: *role,
                ..point.row.clone()
            };
            if self.rank_at(&point.on(row)) > rank {
                let sentence = format!("the role `{}` gets more than `{role}`", point.row.role);
                return Some(more(Law::NarrowerRole, point, said, &sentence));
            }
        }
        None
    }
}

/// Whether it is by what the module's owner has set.
fn is_set(space: &Space, change: &Change) -> bool {
    match change {
        Change::Set(_, _, Value::Text(text)) | Change::Text(_, text) => space.is_set(text),
        Change::Set(_, _, Value::Texts(texts)) => texts.iter().any(|text| space.is_set(text)),
        _ => false,
    }
}

fn more(law: Law, point: &Point, said: &Said, sentence: &str) -> Breach {
    let expected = match said.rank() {
        Rank::Passes => "not = [\"allow\", \"abstain\"]",
        Rank::Waits | Rank::Refused => "not = [\"allow\", \"abstain\", \"gate\"]",
    };
    Breach {
        law,
        point: point.clone(),
        expected: expected.to_owned(),
        sentence: sentence.to_owned(),
    }
}

/// The answer that the row itself has.
fn expected_as(base: Option<&Said>) -> String {
    let Some(said) = base else {
        return "not = \"fails\"".to_owned();
    };
    let Ok(verdict) = &said.verdict else {
        return "verdict = \"fails\"".to_owned();
    };
    let effect = crate::table::Effect::of(verdict);
    match verdict.ground() {
        Some(ground) => format!(
            "verdict = \"{effect}\", rule = {}",
            super::case::quoted(&ground.rule)
        ),
        None => format!("verdict = \"{effect}\""),
    }
}

fn is_of_the_caller(change: &Change) -> bool {
    match change {
        Change::Text(which, _) => {
            matches!(
                which,
                Text::Principal | Text::Actor | Text::SubjectKind | Text::SubjectId
            )
        }
        Change::Set(place, ..) | Change::Absent(place, _) | Change::Extra(place, _) => {
            matches!(place, Place::Caller | Place::Subject)
        }
        Change::Time(_) | Change::Tally(..) => false,
    }
}

fn reads_values(question: &Question) -> bool {
    match Verb::parse(&question.verb) {
        Some(Verb::SecretRead) => true,
        Some(Verb::SecretList) => question.arguments.get("values") == Some(&Value::Boolean(true)),
        _ => false,
    }
}

/// Whether a larger count, or a longer life, gets more than the row's own.
fn more_opens(
    point: &Point,
    question: &Question,
    base: Option<&Said>,
    said: &Said,
) -> Option<String> {
    let counts = |place, name: &str| match place {
        Place::Resource => ["live-tokens", "descendants", "workspaces"].contains(&name),
        Place::Action => ["expires-at", "drain-seconds"].contains(&name),
        Place::Caller | Place::Subject | Place::Context => false,
    };
    let [change] = point.changes.as_slice() else {
        return None;
    };
    let row = point.row.question();
    let is_more = match change {
        Change::Set(place, name, Value::Integer(count)) if counts(*place, name) => {
            let before = match place {
                Place::Action => row.arguments.get(name),
                _ => row.resource.properties.get(name),
            };
            matches!(before, Some(Value::Integer(before)) if before < count)
        }
        // A token that never ends.
        Change::Absent(Place::Action, name) => {
            name == "expires-at" && row.arguments.get(name).is_some()
        }
        Change::Tally(_, count) => *count > 0,
        _ => false,
    };
    let is_program = question.subject.credential != Credential::VerifiedSession;
    let base = base.filter(|_| is_more && is_program)?;
    (said.rank() < base.rank()).then(|| "more of it gets more".to_owned())
}
