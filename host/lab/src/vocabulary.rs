//! What a policy is told, by name: the one description of it, from which `docs/vocabulary.md` is made.
//!
//! A name, once shipped, keeps its meaning; new names are added. What the core tells policies is held
//! against this in the tests, name by name and type by type.

mod page;

use countersign_core::policy::{Credential, Question, Value};
use countersign_core::verb::Verb;

pub use page::page;

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// A whole number of milliseconds since 1970.
    UnixMs,
    /// A flag.
    Boolean,
    /// A list of texts.
    Texts,
}

impl Shape {
    /// Whether `value` has it.
    pub fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::OneOf(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::Text, Value::Text(_))
            | (Self::Integer | Self::UnixMs, Value::Integer(_))
            | (Self::Boolean, Value::Boolean(_))
            | (Self::Texts, Value::Texts(_)) => true,
            _ => false,
        }
    }
}

/// A name and the shape of its value. Absent means unset or null.
pub type Name = (&'static str, Shape);

/// When a verb is privileged: an agent does it only once people agree, or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privileged {
    /// Never.
    No,
    /// Always.
    Yes,
    /// Always, with one exception.
    But(&'static str),
    /// In one case only.
    Where(&'static str),
}

/// What a policy is told of one verb.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The verb.
    pub verb: Verb,
    /// What it is done to: the resource's kind, and what its id is.
    pub resources: &'static [(&'static str, &'static str)],
    /// What is known of the resource.
    pub resource: &'static [Name],
    /// What the verb is called with.
    pub action: &'static [Name],
    /// Whether it is privileged.
    pub privileged: Privileged,
}

const ORGANISATION: &[(&str, &str)] = &[("organisation", "org id")];
const WORKSPACE: &[(&str, &str)] = &[("workspace", "workspace id")];
const EITHER: &[(&str, &str)] = &[("workspace", "workspace id"), ("organisation", "org id")];
const SECRET: &[(&str, &str)] = &[("secret", "`<workspace id or \"global\">/<key>`")];
const ORG_TOKEN: &[(&str, &str)] = &[("org-token", "token id")];

const ROLES: Shape = Shape::OneOf(&["none", "reader", "editor", "admin"]);

const OF_A_SECRET: &[Name] = &[
    ("scope", Shape::OneOf(&["workspace", "global"])),
    ("workspace", Shape::Text),
    ("exists", Shape::Boolean),
];
const OF_A_WORKSPACE: &[Name] = &[
    ("name", Shape::Text),
    ("parent", Shape::Text),
    ("created-by", Shape::Text),
];
const OF_WORKSPACE_TOKENS: &[Name] = &[("live-tokens", Shape::Integer), ("own", Shape::Boolean)];

/// What every verb has unless it says otherwise.
const PLAIN: Described = Described {
    verb: Verb::OrgTokenList,
    resources: ORGANISATION,
    resource: &[],
    action: &[],
    privileged: Privileged::No,
};

/// The description of `verb`.
pub fn describe(verb: Verb) -> Described {
    let plain = Described { verb, ..PLAIN };
    match verb {
        Verb::OrgTokenMint => Described {
            resource: &[("live-tokens", Shape::Integer)],
            action: &[
                ("name", Shape::Text),
                ("role", ROLES),
                ("workspace", Shape::Text),
                ("expires-at", Shape::UnixMs),
            ],
            privileged: Privileged::Yes,
            ..plain
        },
        Verb::OrgTokenRevoke => Described {
            resources: ORG_TOKEN,
            resource: &[
                ("role", ROLES),
                ("workspace", Shape::Text),
                ("minted-by", Shape::Text),
                ("created-at", Shape::UnixMs),
                ("own-lineage", Shape::Boolean),
            ],
            action: &[
                ("drain-seconds", Shape::Integer),
                ("descendants", Shape::Boolean),
            ],
            privileged: Privileged::But("what the caller's own lineage minted"),
            ..plain
        },
        Verb::SecretWrite | Verb::SecretDelete => Described {
            resources: SECRET,
            resource: OF_A_SECRET,
            action: &[("key", Shape::Text)],
            privileged: Privileged::Yes,
            ..plain
        },
        Verb::SecretList | Verb::SecretRead => Described {
            resources: EITHER,
            resource: &[("workspace", Shape::Text)],
            action: &[("values", Shape::Boolean)],
            ..plain
        },
        Verb::WorkspaceCreate => Described {
            action: &[("name", Shape::Text), ("parent", Shape::Text)],
            ..plain
        },
        Verb::WorkspaceUpdate => Described {
            resources: WORKSPACE,
            resource: OF_A_WORKSPACE,
            action: &[("fields", Shape::Texts), ("parent", Shape::Text)],
            privileged: Privileged::Where("it moves the workspace (`parent`)"),
            ..plain
        },
        Verb::WorkspaceRead => Described {
            resources: WORKSPACE,
            resource: OF_A_WORKSPACE,
            action: &[("fields", Shape::Texts), ("parent", Shape::Text)],
            ..plain
        },
        Verb::DeleteWorkspace => Described {
            resources: WORKSPACE,
            resource: &[
                ("name", Shape::Text),
                ("parent", Shape::Text),
                ("created-by", Shape::Text),
                ("descendants", Shape::Integer),
            ],
            action: &[("confirm", Shape::Boolean)],
            privileged: Privileged::Yes,
            ..plain
        },
        Verb::WorkspaceTokenMint => Described {
            resources: WORKSPACE,
            resource: OF_WORKSPACE_TOKENS,
            action: &[("token", Shape::Text)],
            privileged: Privileged::But("a workspace token's own rotation"),
            ..plain
        },
        Verb::WorkspaceTokenRevoke => Described {
            resources: WORKSPACE,
            resource: OF_WORKSPACE_TOKENS,
            action: &[("token", Shape::Text)],
            ..plain
        },
        Verb::Deprovision => Described {
            resource: &[
                ("workspaces", Shape::Integer),
                ("live-tokens", Shape::Integer),
            ],
            privileged: Privileged::Yes,
            ..plain
        },
        Verb::OrgTokenList
        | Verb::WorkspaceList
        | Verb::ApprovalList
        | Verb::ApprovalDecide
        | Verb::PolicyRead
        | Verb::PolicyPush
        | Verb::PolicyActivate
        | Verb::PolicyRollback
        | Verb::AuditRead
        | Verb::DecisionRead => plain,
    }
}

/// Whether what is asked is privileged, the exceptions of [`Privileged`] taken into account. A verb that there
/// is not is no privilege.
pub fn is_privileged(question: &Question) -> bool {
    let arguments = &question.arguments;
    let is = |name: &str| question.resource.properties.get(name) == Some(&Value::Boolean(true));
    match Verb::parse(&question.verb) {
        Some(Verb::OrgTokenRevoke) => !is("own-lineage"),
        Some(Verb::WorkspaceUpdate) => {
            let moves = |fields: &Value| matches!(fields, Value::Texts(fields) if fields.iter().any(|field| field == "parent_id"));
            arguments.get("parent").is_some() || arguments.get("fields").is_some_and(moves)
        }
        Some(Verb::WorkspaceTokenMint) => {
            question.subject.credential != Credential::WorkspaceToken || !is("own")
        }
        Some(verb) => matches!(describe(verb).privileged, Privileged::Yes),
        None => false,
    }
}

/// What a policy is told of every caller, where it is known.
pub const CALLER: &[Name] = &[
    (
        "issuer",
        Shape::OneOf(&["control-plane", "identity-assertion", "operator"]),
    ),
    ("groups", Shape::Texts),
    ("expires-at", Shape::UnixMs),
    ("minted-by", Shape::Text),
];

/// What a policy is told of the surroundings, where its manifest asks for it. `claim.…` comes beside
/// these from an enforcement point, under names of its own.
pub const CONTEXT: &[Name] = &[
    ("host.address", Shape::Text),
    (
        "host.door",
        Shape::OneOf(&["http", "console", "mcp", "cli"]),
    ),
];

#[cfg(test)]
mod tests;
