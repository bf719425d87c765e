//! What must hold of every policy, in words.

use super::point::Point;

/// Something that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// It has an answer to everything.
    Total,
    /// The same question has the same answer.
    Deterministic,
    /// Nothing that one call does is seen by another.
    Stateless,
    /// What is no verb is not allowed.
    UnknownVerb,
    /// What is nearly a verb opens nothing.
    VerbForm,
    /// Only a verified session is a person.
    Human,
    /// An agent never gets more than a person.
    Agent,
    /// What means nothing changes nothing.
    Meaningless,
    /// Who is not verified here does nothing that is privileged.
    Unverified,
    /// A narrower role never gets more.
    NarrowerRole,
    /// Beside others it never loosens.
    Set,
    /// More of what is counted, or of time, opens nothing.
    More,
    /// Secrets' values are for the workspace's own token.
    Values,
    /// No rare value opens what is privileged.
    Needle,
}

impl Law {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::Total,
        Self::Deterministic,
        Self::Stateless,
        Self::UnknownVerb,
        Self::VerbForm,
        Self::Human,
        Self::Agent,
        Self::Meaningless,
        Self::Unverified,
        Self::NarrowerRole,
        Self::Set,
        Self::More,
        Self::Values,
        Self::Needle,
    ];

    /// Its name, for programs.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Deterministic => "deterministic",
            Self::Stateless => "stateless",
            Self::UnknownVerb => "unknown-verb",
            Self::VerbForm => "verb-form",
            Self::Human => "human",
            Self::Agent => "agent",
            Self::Meaningless => "meaningless",
            Self::Unverified => "unverified",
            Self::NarrowerRole => "narrower-role",
            Self::Set => "set",
            Self::More => "more",
            Self::Values => "values",
            Self::Needle => "needle",
        }
    }

    /// What it says.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Total => "every question has an answer, within the limits",
            Self::Deterministic => "the same question has the same answer",
            Self::Stateless => "no call sees what another one left behind",
            Self::UnknownVerb => "a verb that there is not is never allowed",
            Self::VerbForm => "letter case and white space in a verb open nothing",
            Self::Human => "only a verified session is human",
            Self::Agent => "an agent never gets more than a person",
            Self::Meaningless => "a property that means nothing changes nothing",
            Self::Unverified => "anonymous and vouched callers pass no privileged verb",
            Self::NarrowerRole => "a narrower role never gets more",
            Self::Set => "beside other modules it never loosens",
            Self::More => "a larger count or a longer life opens nothing",
            Self::Values => "secret values are for the workspace's own token alone",
            Self::Needle => "no rare value opens a privileged verb to a program",
        }
    }
}

/// A law that does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// Which.
    pub law: Law,
    /// Where.
    pub point: Point,
    /// What would be right, as the `expect` of a case.
    pub expected: String,
    /// What is wrong, in a sentence.
    pub sentence: String,
}
