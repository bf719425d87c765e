//! A question as a row of the exhaustive table and what was changed in it, so that it can be made smaller
//! and written down.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Properties, Property, Question, Tally, Value};

/// A list of properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The caller's.
    Caller,
    /// Those of AuthZEN's subject.
    Subject,
    /// The action's.
    Action,
    /// The resource's.
    Resource,
    /// The surroundings.
    Context,
}

/// A text that is no property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Text {
    /// The action's name.
    Verb,
    /// Of the caller.
    Principal,
    /// Of the caller.
    Actor,
    /// Of the caller.
    Workspace,
    /// The subject's kind.
    SubjectKind,
    /// The subject's id.
    SubjectId,
    /// The resource's kind.
    ResourceKind,
    /// The resource's id.
    ResourceId,
}

/// One thing that is otherwise than in the row.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A text.
    Text(Text, String),
    /// A property.
    Set(Place, String, Value),
    /// A property that is not there.
    Absent(Place, String),
    /// So many properties that mean nothing, beside the others.
    Extra(Place, u32),
    /// Unix milliseconds.
    Time(u64),
    /// A count that the host kept.
    Tally(String, u32),
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What it is laid over.
    pub row: Row,
    /// What is changed, in this order.
    pub changes: Vec<Change>,
}

impl Point {
    /// The row itself.
    pub fn of(row: Row) -> Self {
        Self {
            row,
            changes: Vec::new(),
        }
    }

    /// The row with one change.
    pub fn with(row: &Row, change: Change) -> Self {
        Self {
            row: row.clone(),
            changes: vec![change],
        }
    }

    /// The same changes, laid over another row.
    pub fn on(&self, row: Row) -> Self {
        Self {
            row,
            changes: self.changes.clone(),
        }
    }

    /// What is asked.
    pub fn question(&self) -> Question {
        let mut question = self.row.question();
        for change in &self.changes {
            change.make(&mut question);
        }
        question
    }
}

impl Change {
    /// Makes it in `question`.
    pub fn make(&self, question: &mut Question) {
        match self {
            Self::Text(which, text) => text.clone_into(which.of(question)),
            Self::Set(place, name, value) => place.of(question).set(name, value.clone()),
            Self::Absent(place, name) => {
                let properties = place.of(question);
                let kept = properties.iter().filter(|kept| kept.name != *name);
                *properties = kept.cloned().collect();
            }
            Self::Extra(place, count) => {
                let properties = place.of(question);
                for property in extra(*count) {
                    properties.set(&property.name, property.value);
                }
            }
            Self::Time(time) => question.time = *time,
            Self::Tally(name, count) => {
                let tally = Tally::named(name, *count);
                question.tallies.retain(|known| known.of != tally.of);
                question.tallies.push(tally);
            }
        }
    }

    /// Takes it back in a question that was `before`: a question with hundreds of parts is not made anew for
    /// each of a hundred thousand changes.
    pub fn take_back(&self, before: &Question, question: &mut Question) {
        match self {
            Self::Text(which, _) => which.of(question).clone_from(which.read(before)),
            Self::Set(place, ..) | Self::Absent(place, _) | Self::Extra(place, _) => {
                *place.of(question) = place.read(before).clone();
            }
            Self::Time(_) => question.time = before.time,
            Self::Tally(..) => question.tallies.clone_from(&before.tallies),
        }
    }
}

/// Properties that nobody gives a meaning to.
pub fn extra(count: u32) -> impl Iterator<Item = Property> {
    (1..=count).map(|number| Property {
        name: format!("zz-means-nothing-{number}"),
        value: Value::Boolean(true),
    })
}

impl Text {
    /// Every one but the verb's name, which has laws of its own.
    pub const VALUES: [Self; 7] = [
        Self::Principal,
        Self::Actor,
        Self::Workspace,
        Self::SubjectKind,
        Self::SubjectId,
        Self::ResourceKind,
        Self::ResourceId,
    ];

    /// What stands there.
    pub fn read(self, question: &Question) -> &String {
        match self {
            Self::Verb => &question.verb,
            Self::Principal => &question.subject.principal,
            Self::Actor => &question.subject.actor,
            Self::Workspace => &question.subject.workspace,
            Self::SubjectKind => &question.subject.entity.kind,
            Self::SubjectId => &question.subject.entity.id,
            Self::ResourceKind => &question.resource.kind,
            Self::ResourceId => &question.resource.id,
        }
    }

    fn of(self, question: &mut Question) -> &mut String {
        match self {
            Self::Verb => &mut question.verb,
            Self::Principal => &mut question.subject.principal,
            Self::Actor => &mut question.subject.actor,
            Self::Workspace => &mut question.subject.workspace,
            Self::SubjectKind => &mut question.subject.entity.kind,
            Self::SubjectId => &mut question.subject.entity.id,
            Self::ResourceKind => &mut question.resource.kind,
            Self::ResourceId => &mut question.resource.id,
        }
    }

    /// Where a file of cases has it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Verb => "action.name",
            Self::Principal => "caller.principal",
            Self::Actor => "caller.actor",
            Self::Workspace => "caller.workspace",
            Self::SubjectKind => "caller.subject.kind",
            Self::SubjectId => "caller.subject.id",
            Self::ResourceKind => "resource.kind",
            Self::ResourceId => "resource.id",
        }
    }
}

impl Place {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Caller,
        Self::Subject,
        Self::Action,
        Self::Resource,
        Self::Context,
    ];

    /// What stands there.
    pub fn read(self, question: &Question) -> &Properties {
        match self {
            Self::Caller => &question.subject.properties,
            Self::Subject => &question.subject.entity.properties,
            Self::Action => &question.arguments,
            Self::Resource => &question.resource.properties,
            Self::Context => &question.context,
        }
    }

    fn of(self, question: &mut Question) -> &mut Properties {
        match self {
            Self::Caller => &mut question.subject.properties,
            Self::Subject => &mut question.subject.entity.properties,
            Self::Action => &mut question.arguments,
            Self::Resource => &mut question.resource.properties,
            Self::Context => &mut question.context,
        }
    }

    /// Where a file of cases has it.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Caller => "caller.properties",
            Self::Subject => "caller.subject.properties",
            Self::Action => "action.properties",
            Self::Resource => "resource.properties",
            Self::Context => "context",
        }
    }
}
