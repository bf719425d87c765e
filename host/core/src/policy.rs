//! What a policy module is told and what it answers, free of any wire format.
//!
//! These types mirror `wit/policy.wit`, whose words are those of the OpenID AuthZEN Authorization API
//! 1.0. `engine` converts them to and from its generated bindings and nobody else does.

use serde::{Deserialize, Serialize};

pub use crate::tally::Tally;

/// One attribute value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Decimal(f64),
    /// A flag.
    Boolean(bool),
    /// A list of texts.
    Texts(Vec<String>),
    /// Anything else, as RFC 8785 text.
    Json(String),
}

/// A named [`Value`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Property {
    /// The name, of those in `docs/vocabulary.md`.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// Properties with unique names, sorted by the names' bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Properties(Vec<Property>);

impl Properties {
    /// No properties.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name` to `value`, in place of an earlier value of that name.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.0.binary_search_by(|p| p.name.as_str().cmp(name)) {
            Ok(at) => self.0[at].value = value,
            Err(at) => self.0.insert(
                at,
                Property {
                    name: name.to_owned(),
                    value,
                },
            ),
        }
    }

    /// [`Properties::set`], for building in one expression.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.set(name, value);
        self
    }

    /// [`Properties::with`] where there is a text to set; an absent one stays absent.
    pub fn with_text(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, Value::Text(text.to_owned())),
            None => self,
        }
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let at = self
            .0
            .binary_search_by(|p| p.name.as_str().cmp(name))
            .ok()?;
        Some(&self.0[at].value)
    }

    /// The value of `name` if it is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Property> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Property> for Properties {
    fn from_iter<I: IntoIterator<Item = Property>>(properties: I) -> Self {
        let mut sorted = Self::new();
        for property in properties {
            sorted.set(&property.name, property.value);
        }
        sorted
    }
}

/// A subject or a resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// AuthZEN's `type`.
    pub kind: String,
    /// Unique among its kind.
    pub id: String,
    /// What the host verified of it.
    pub properties: Properties,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word for it on every wire and in every record.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The one with exactly this word.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                Self::parse(&word).ok_or_else(|| {
                    serde::de::Error::unknown_variant(&word, &[$($word),*])
                })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How the caller proved who it is, after verification.
    Credential {
        /// It did not.
        Anonymous = "anonymous",
        /// A person's session, verified by the host.
        VerifiedSession = "verified-session",
        /// An organisation token.
        OrgToken = "org-token",
        /// The bootstrap and break-glass bearer.
        AdminToken = "admin-token",
        /// A workspace's own token.
        WorkspaceToken = "workspace-token",
        /// The install path's own secret.
        Provisioner = "provisioner",
        /// An authenticated enforcement point speaks for the subject.
        Vouched = "vouched",
        /// A kind that this version of the contract has no word for.
        Other = "other",
    }
}

words! {
    /// What a credential may reach; the core enforces it before any policy is asked. Ordered: each
    /// role may do all that the roles before it may.
    Role {
        /// Nothing.
        None = "none",
        /// Reads.
        Reader = "reader",
        /// Reads, and workspace and secret verbs.
        Editor = "editor",
        /// Everything.
        Admin = "admin",
    }
}

words! {
    /// What kind of caller it is, in the classifier's judgement.
    CallerClass {
        /// A person, proven by a verified session.
        Human = "human",
        /// A program that acts on its own judgement.
        Agent = "agent",
        /// A program that runs a fixed procedure.
        Service = "service",
        /// Anything else.
        Unknown = "unknown",
    }
}

impl CallerClass {
    /// Whether a caller with `credential` can be of this class at all: `human` is proven by a verified
    /// session and by nothing else.
    pub fn is_possible_for(self, credential: Credential) -> bool {
        self != Self::Human || credential == Credential::VerifiedSession
    }
}

/// The caller, as a policy sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// How it proved who it is.
    pub credential: Credential,
    /// The token's id, the session's user, the enforcement point's name; empty where there is none.
    #[serde(default)]
    pub principal: String,
    /// What it may reach.
    pub role: Role,
    /// The audit label.
    pub actor: String,
    /// The workspace that it acts from; empty where there is none.
    #[serde(default)]
    pub workspace: String,
    /// AuthZEN's subject.
    #[serde(default)]
    pub entity: Entity,
    /// `issuer`, `groups`, `expires-at`, `minted-by`.
    #[serde(default)]
    pub properties: Properties,
}

/// One question to the policies: may this subject do this to that, now?
///
/// A record of an earlier version lacks what was not told then, which is as if it were not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Who asks.
    pub subject: Subject,
    /// The verb in snake case.
    pub verb: String,
    /// What the verb is called with; never a secret's value.
    #[serde(default)]
    pub arguments: Properties,
    /// What it is done to.
    #[serde(default)]
    pub resource: Entity,
    /// Unix milliseconds, exact; each module sees it rounded down as its manifest asks.
    #[serde(default)]
    pub time: u64,
    /// What happened before.
    #[serde(default)]
    pub tallies: Vec<Tally>,
    /// All facts that a module may ask for; each module sees those that its manifest names.
    #[serde(default)]
    pub context: Properties,
}

impl Question {
    /// Whether the subject acts on the workspace that it acts from.
    pub fn is_self_targeted(&self) -> bool {
        let workspace = match self.resource.kind.as_str() {
            "workspace" => Some(self.resource.id.as_str()),
            _ => self.resource.properties.text("workspace"),
        };
        !self.subject.workspace.is_empty() && workspace == Some(&self.subject.workspace)
    }
}

/// Why: `rule` for the audit log, `reason` for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ground {
    /// A stable kebab-case name.
    pub rule: String,
    /// A sentence.
    pub reason: String,
    /// `advice`, and obligations (`must.…`).
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub details: Properties,
}

impl Ground {
    /// A ground without details.
    pub fn new(rule: &str, reason: impl Into<String>) -> Self {
        Self {
            rule: rule.to_owned(),
            reason: reason.into(),
            details: Properties::new(),
        }
    }

    /// What the stopped caller should do next, where the module said so.
    pub fn advice(&self) -> Option<&str> {
        self.details.text("advice")
    }
}

/// One demand on those who approve.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Quorum {
    /// How many different people; at least 1.
    pub people: u32,
    /// Each must be in one of these groups; empty: any approver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Quorum {
    /// One person, whoever it is.
    pub fn one_person() -> Self {
        Self {
            people: 1,
            groups: Vec::new(),
        }
    }
}

/// What it takes to pass a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Why it is gated.
    pub ground: Ground,
    /// Each must be met.
    pub quorums: Vec<Quorum>,
    /// Seconds for people to decide.
    pub pending_ttl: Option<u32>,
    /// Seconds for the caller to use what was approved.
    pub grant_ttl: Option<u32>,
}

/// One module's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The module has nothing to say.
    Abstain,
    /// It may.
    Allow(Ground),
    /// It may once people agree.
    Gate(Terms),
    /// It may not.
    Deny(Ground),
}

impl Verdict {
    /// Why; nothing for an abstention.
    pub fn ground(&self) -> Option<&Ground> {
        match self {
            Self::Abstain => None,
            Self::Allow(ground) | Self::Gate(Terms { ground, .. }) | Self::Deny(ground) => {
                Some(ground)
            }
        }
    }
}
