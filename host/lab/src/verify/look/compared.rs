//! What another caller gets who asks the same.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Credential, Question, Role, Value};

use super::super::asker::Said;
use super::super::bases;
use super::super::laws::{Breach, Law};
use super::super::point::{Change, Place, Point, Text};
use super::super::rank::{self, Rank};
use super::{Look, reads_values};

/// A person is in so many groups at a time.
const GROUPS: usize = 16;
/// Those whose credential is a program's, within the organisation.
const PROGRAMS: [Credential; 3] = [
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
];

/// What somebody gets.
struct Gets {
    said: Said,
    /// Beside the classifier's module.
    rank: Rank,
}

impl Gets {
    /// Whether it is more than `other`: further through, or at the same gate with fewer people to ask.
    fn is_more_than(&self, other: &Self) -> bool {
        self.rank < other.rank
            || (self.rank == other.rank
                && rank::asks_fewer(&self.said.verdict, &other.said.verdict))
    }
}

impl Look<'_, '_> {
    /// Whether what the classifier's module stops passes with this one beside it.
    pub(super) fn loosens_a_set(
        &mut self,
        point: &Point,
        question: &Question,
        said: &Said,
    ) -> Option<Breach> {
        let (module, other) = self.asker.beside(question, said)?;
        let loosens = bases::loosens((module, said), &other);
        loosens.then(|| Breach {
            law: Law::Set,
            point: point.clone(),
            expected: "not = \"fails\"".to_owned(),
            sentence: "beside the baseline it loosens".to_owned(),
        })
    }

    fn gets(&mut self, point: &Point) -> Gets {
        let question = point.question();
        let said = self.asker.ask(&question);
        self.counted(&question, said)
    }

    /// Of this module and the classifier's, which every set has, the stricter counts.
    fn counted(&mut self, question: &Question, said: Said) -> Gets {
        let other = self.asker.beside(question, &said);
        let other = other.map_or(Rank::Passes, |(_, other)| Rank::of(&other.verdict));
        Gets {
            rank: said.rank().max(other),
            said,
        }
    }

    /// Secrets' values are for workspaces alone, by the core.
    pub(super) fn more_than_a_person(
        &mut self,
        point: &Point,
        question: &Question,
        said: &Said,
    ) -> Vec<Breach> {
        if reads_values(question) {
            return Vec::new();
        }
        let mut found = Vec::new();
        let sentence = "an agent gets more than any person";
        let own = self.counted(question, said.clone());
        match point.row.credential {
            credential
                if PROGRAMS.contains(&credential)
                    && own.rank < Rank::Refused
                    && self.is_more_than_people(point, &own) =>
            {
                found.push(more(Law::Agent, point, said, sentence));
            }
            Credential::VerifiedSession if own.rank > Rank::Passes => {
                for credential in PROGRAMS {
                    let row = Row {
                        credential,
                        ..point.row.clone()
                    };
                    let agent = point.on(row);
                    let gets = self.gets(&agent);
                    if gets.is_more_than(&own) && self.is_more_than_people(&agent, &gets) {
                        found.push(more(Law::Agent, &agent, &gets.said, sentence));
                    }
                }
            }
            _ => {}
        }
        found
    }

    /// Whether every person gets less who asks the same: as this caller, as nobody in particular, or as a
    /// member of every group that the component knows.
    fn is_more_than_people(&mut self, point: &Point, gets: &Gets) -> bool {
        let person = point.on(Row {
            credential: Credential::VerifiedSession,
            ..point.row.clone()
        });
        let mut plain = person.clone();
        plain.changes.retain(|change| !is_of_the_caller(change));
        if [&person, &plain].into_iter().any(|who| {
            let person = self.gets(who);
            !gets.is_more_than(&person)
        }) {
            return false;
        }
        let space = self.bases.space;
        for groups in space.words.chunks(GROUPS) {
            let mut member = plain.clone();
            let groups = Value::Texts(groups.to_vec());
            let groups = Change::Set(Place::Caller, "groups".to_owned(), groups);
            member.changes.push(groups);
            let person = self.gets(&member);
            if !gets.is_more_than(&person) {
                return false;
            }
        }
        true
    }

    pub(super) fn more_than_a_wider_role(&mut self, point: &Point, said: &Said) -> Option<Breach> {
        let own = self.counted(&point.question(), said.clone());
        let wider = Role::ALL.iter().filter(|role| **role > point.row.role);
        for role in wider {
            let row = Row {
                role: *role,
                ..point.row.clone()
            };
            let gets = self.gets(&point.on(row));
            if own.is_more_than(&gets) {
                let sentence = format!("the role `{}` gets more than `{role}`", point.row.role);
                return Some(more(Law::NarrowerRole, point, said, &sentence));
            }
        }
        None
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
