//! The exhaustive table: every question over the finite part of what a policy is told.
//!
//! It is credential × role × verb × the flags that the verb knows (`docs/vocabulary.md`). The engine
//! walks it at load, so that no verb is left to abstention; the lab and the tests walk it to compare
//! modules. A [`Row`] has a text form, so that expected answers can be kept as data beside it.

mod cast;

pub use self::cast::Cast;

use crate::policy::{Credential, Entity, Properties, Question, Role, Subject, Value};
use crate::verb::Verb;

/// What a row's flags can be, in the order in which they are written.
pub const FLAGS: &[&str] = &[
    "self",
    "global",
    "exists",
    "own",
    "asks-none",
    "asks-reader",
    "asks-editor",
    "asks-admin",
    "expires",
    "moves",
    "descendants",
];

/// One row: who asks for what, and which flags are set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// How the caller proved who it is.
    pub credential: Credential,
    /// Its role.
    pub role: Role,
    /// The verb.
    pub verb: Verb,
    /// Those of [`FLAGS`] that are set, in that order.
    pub flags: Vec<&'static str>,
}

/// Every row, in a stable order: those verbs that policies judge, under every credential and role.
pub fn rows() -> impl Iterator<Item = Row> {
    let verbs = || {
        Verb::ALL
            .iter()
            .copied()
            .filter(|verb| !verb.is_judged_by_core_alone())
    };
    verbs().flat_map(|verb| {
        flag_sets(verb).into_iter().flat_map(move |flags| {
            Credential::ALL.iter().flat_map(move |&credential| {
                let flags = flags.clone();
                Role::ALL.iter().map(move |&role| Row {
                    credential,
                    role,
                    verb,
                    flags: flags.clone(),
                })
            })
        })
    })
}

/// One thing that a row of a verb chooses: exactly one of these flags, or `None` for none of them.
pub type Choice = &'static [Option<&'static str>];

const SELF: Choice = &[None, Some("self")];
const PLACE: Choice = &[None, Some("self"), Some("global")];
const EXISTS: Choice = &[None, Some("exists")];
const OWN: Choice = &[None, Some("own")];
const ASKS: Choice = &[
    Some("asks-none"),
    Some("asks-reader"),
    Some("asks-editor"),
    Some("asks-admin"),
];
const EXPIRES: Choice = &[None, Some("expires")];
const MOVES: Choice = &[None, Some("moves")];
const DESCENDANTS: Choice = &[None, Some("descendants")];

/// What the rows of `verb` choose, each thing apart from the others: their flags are the product of it.
pub fn choices(verb: Verb) -> &'static [Choice] {
    match verb {
        Verb::OrgTokenMint => &[ASKS, EXPIRES],
        Verb::OrgTokenRevoke => &[SELF, OWN, DESCENDANTS],
        Verb::SecretWrite | Verb::SecretDelete => &[PLACE, EXISTS],
        Verb::SecretList | Verb::SecretRead => &[PLACE],
        Verb::WorkspaceUpdate => &[SELF, MOVES],
        Verb::WorkspaceRead => &[SELF],
        Verb::DeleteWorkspace => &[SELF, DESCENDANTS],
        Verb::WorkspaceTokenMint | Verb::WorkspaceTokenRevoke => &[SELF, OWN],
        _ => &[],
    }
}

fn flag_sets(verb: Verb) -> Vec<Vec<&'static str>> {
    choices(verb).iter().fold(vec![vec![]], |sets, choice| {
        let with = |set: &Vec<&'static str>, flag: &Option<&'static str>| {
            set.iter().copied().chain(*flag).collect()
        };
        sets.iter()
            .flat_map(|set| choice.iter().map(move |flag| with(set, flag)))
            .collect()
    })
}

impl Row {
    /// The question that this row stands for, about what everybody knows the table to be about.
    pub fn question(&self) -> Question {
        self.question_about(&Cast::known())
    }

    /// The question that this row stands for, about others.
    pub fn question_about(&self, cast: &Cast) -> Question {
        Question {
            subject: self.subject(cast),
            verb: self.verb.as_str().to_owned(),
            arguments: self.arguments(cast),
            resource: self.resource(cast),
            time: cast.time,
            tallies: Vec::new(),
            context: Properties::new()
                .with_text("host.address", cast.address.as_deref())
                .with_text("host.door", cast.address.as_ref().map(|_| "http")),
        }
    }

    /// `credential role verb flag,flag`, with `-` for no flag.
    pub fn key(&self) -> String {
        let flags = match self.flags.as_slice() {
            [] => "-".to_owned(),
            flags => flags.join(","),
        };
        format!("{} {} {} {flags}", self.credential, self.role, self.verb)
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    fn workspace<'c>(&self, cast: &'c Cast) -> &'c str {
        if self.has("self") {
            &cast.own_workspace
        } else {
            &cast.other_workspace
        }
    }

    fn subject(&self, cast: &Cast) -> Subject {
        let (principal, actor) = match self.credential {
            Credential::Anonymous | Credential::Other => ("", "anonymous".to_owned()),
            Credential::VerifiedSession => (&*cast.person, format!("session:{}", cast.session)),
            Credential::OrgToken => (&*cast.token, format!("org-token:cso_{}", cast.prefix)),
            Credential::AdminToken => ("", "admin-token".to_owned()),
            Credential::WorkspaceToken => {
                (&*cast.token, format!("workspace-token:csw_{}", cast.prefix))
            }
            Credential::Provisioner => ("", "provisioner".to_owned()),
            Credential::Vouched => (&*cast.gateway, format!("vouched:{}", cast.gateway)),
        };
        let issuer = (self.credential == Credential::VerifiedSession).then_some("control-plane");
        Subject {
            credential: self.credential,
            principal: principal.to_owned(),
            role: self.role,
            actor: actor.clone(),
            workspace: cast.own_workspace.clone(),
            entity: Entity {
                kind: "caller".to_owned(),
                id: actor,
                properties: Properties::new(),
            },
            properties: Properties::new().with_text("issuer", issuer),
        }
    }

    fn arguments(&self, cast: &Cast) -> Properties {
        let text = |text: &str| Value::Text(text.to_owned());
        let flag = |flag: &str| Value::Boolean(self.has(flag));
        let arguments = Properties::new();
        match self.verb {
            Verb::OrgTokenMint => {
                let role = ["none", "reader", "editor", "admin"]
                    .into_iter()
                    .find(|role| self.has(&format!("asks-{role}")));
                let arguments = arguments
                    .with("name", text(&cast.token_name))
                    .with_text("role", role.filter(|role| *role != "none"));
                if self.has("expires") {
                    arguments.with("expires-at", Value::Integer((cast.time + cast.life) as i64))
                } else {
                    arguments
                }
            }
            Verb::OrgTokenRevoke => arguments.with("descendants", flag("descendants")),
            Verb::SecretWrite | Verb::SecretDelete => arguments.with("key", text(&cast.key)),
            Verb::SecretList | Verb::SecretRead => {
                arguments.with("values", Value::Boolean(self.verb == Verb::SecretRead))
            }
            Verb::WorkspaceCreate => arguments.with("name", text(&cast.workspace_name)),
            Verb::WorkspaceUpdate if self.has("moves") => arguments
                .with("fields", Value::Texts(vec!["parent_id".to_owned()]))
                .with("parent", text(&cast.other_workspace)),
            Verb::WorkspaceUpdate => {
                arguments.with("fields", Value::Texts(vec!["name".to_owned()]))
            }
            Verb::DeleteWorkspace => arguments.with("confirm", Value::Boolean(true)),
            Verb::WorkspaceTokenRevoke => arguments.with("token", text(&cast.token)),
            _ => arguments,
        }
    }

    fn resource(&self, cast: &Cast) -> Entity {
        let text = |text: &str| Value::Text(text.to_owned());
        let entity = |kind: &str, id: &str, properties| Entity {
            kind: kind.to_owned(),
            id: id.to_owned(),
            properties,
        };
        let organisation = |properties| entity("organisation", &cast.organisation, properties);
        let properties = Properties::new();
        match self.verb {
            Verb::OrgTokenMint => {
                organisation(properties.with("live-tokens", Value::Integer(cast.live_tokens)))
            }
            Verb::OrgTokenRevoke => entity(
                "org-token",
                &cast.token,
                properties
                    .with("role", text("admin"))
                    .with("workspace", text(self.workspace(cast)))
                    .with("minted-by", text("admin-token"))
                    .with("created-at", Value::Integer((cast.time - cast.age) as i64))
                    .with("own-lineage", Value::Boolean(self.has("own"))),
            ),
            Verb::SecretWrite | Verb::SecretDelete => {
                let exists = Value::Boolean(self.has("exists"));
                let properties = properties.with("exists", exists);
                if self.has("global") {
                    let properties = properties.with("scope", text("global"));
                    return entity("secret", &format!("global/{}", cast.key), properties);
                }
                let properties = properties
                    .with("scope", text("workspace"))
                    .with("workspace", text(self.workspace(cast)));
                entity(
                    "secret",
                    &format!("{}/{}", self.workspace(cast), cast.key),
                    properties,
                )
            }
            Verb::SecretList | Verb::SecretRead if self.has("global") => organisation(properties),
            Verb::SecretList | Verb::SecretRead => entity(
                "workspace",
                self.workspace(cast),
                properties.with("workspace", text(self.workspace(cast))),
            ),
            Verb::WorkspaceUpdate | Verb::WorkspaceRead | Verb::DeleteWorkspace => {
                let properties = properties
                    .with("name", text(&cast.workspace_name))
                    .with("created-by", text("admin-token"));
                let properties = if self.verb == Verb::DeleteWorkspace {
                    let below = if self.has("descendants") { 2 } else { 0 };
                    properties.with("descendants", Value::Integer(below))
                } else {
                    properties
                };
                entity("workspace", self.workspace(cast), properties)
            }
            Verb::WorkspaceTokenMint | Verb::WorkspaceTokenRevoke => entity(
                "workspace",
                self.workspace(cast),
                properties
                    .with("live-tokens", Value::Integer(1))
                    .with("own", Value::Boolean(self.has("own"))),
            ),
            Verb::Deprovision => organisation(
                properties
                    .with("workspaces", Value::Integer(2))
                    .with("live-tokens", Value::Integer(cast.live_tokens)),
            ),
            _ => organisation(properties),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_there_once_and_under_a_key_of_its_own() {
        let keys: Vec<_> = rows().map(|row| row.key()).collect();
        let unique: BTreeSet<_> = keys.iter().collect();
        assert_eq!(keys.len(), unique.len());
        assert!(keys.len() > 1_000, "{} rows", keys.len());
    }

    #[test]
    fn every_verb_that_policies_judge_has_rows_under_every_credential_and_role() {
        let seen: BTreeSet<_> = rows()
            .map(|row| (row.verb, row.credential, row.role))
            .collect();
        let verbs = Verb::ALL
            .iter()
            .filter(|verb| !verb.is_judged_by_core_alone())
            .count();
        assert_eq!(seen.len(), verbs * Credential::ALL.len() * Role::ALL.len());
    }
}
