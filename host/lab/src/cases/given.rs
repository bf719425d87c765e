//! What a case gives: a row of the exhaustive table, or a family of them, and what is laid over it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use countersign_core::exhaustive::{self, FLAGS, Row};
use countersign_core::policy::{CallerClass, Credential, Entity, Question, Role, Tally};
use countersign_core::verb::Verb;
use countersign_engine::Manifest;
use serde::Deserialize;

use super::values::lay;
use super::words::{Words, unknown};

/// The exhaustive table, made once: cases look through it again and again.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| exhaustive::rows().collect());

/// What a case gives. What it does not say is as in the row: an administrator of the organisation, at
/// the beginning of 2026.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    credential: Option<Words>,
    role: Option<Words>,
    verb: Option<Words>,
    flags: Option<Flags>,
    /// What the classifier says, where that is not to be asked.
    pub(super) class: Option<String>,
    #[serde(default)]
    pub(super) caller: Caller,
    #[serde(default)]
    pub(super) action: Action,
    #[serde(default)]
    pub(super) resource: Thing,
    /// Unix milliseconds.
    pub(super) time: Option<u64>,
    #[serde(default)]
    pub(super) tallies: BTreeMap<String, u32>,
    #[serde(default)]
    pub(super) context: toml::Table,
}

/// `"*"`, or exactly those that are set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Flags {
    Any(String),
    Set(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Caller {
    pub(super) principal: Option<String>,
    pub(super) actor: Option<String>,
    pub(super) workspace: Option<String>,
    #[serde(default)]
    pub(super) subject: Thing,
    #[serde(default)]
    pub(super) properties: toml::Table,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Action {
    /// Any name at all, a verb that there is not included.
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) properties: toml::Table,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Thing {
    pub(super) kind: Option<String>,
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) properties: toml::Table,
}

/// One question of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// The row that it was laid over.
    pub row: Row,
    /// The question.
    pub question: Question,
    /// The class, where the case gives one.
    pub class: Option<CallerClass>,
}

impl Given {
    /// Every question that is meant. The error says what is wrong, and what would be right.
    pub fn variants(&self) -> Result<Vec<Variant>, String> {
        let rows = self.rows()?;
        rows.into_iter().map(|row| self.variant(row)).collect()
    }

    /// How many questions are meant, of which one was formed: what can be wrong in one is wrong in all.
    pub(super) fn count(&self) -> Result<usize, String> {
        let rows = self.rows()?;
        if let Some(first) = rows.first() {
            self.variant(first)?;
        }
        Ok(rows.len())
    }

    /// Whether a module of this manifest is told all that is given: it hears of no tally and no fact of the
    /// context that it does not ask for, and a misspelt one would decide nothing in silence.
    pub(crate) fn is_heard_by(&self, manifest: &Manifest) -> Result<(), String> {
        let tallies: Vec<&str> = manifest.tallies.iter().map(|spec| &*spec.name).collect();
        let context: Vec<&str> = manifest.context.iter().map(String::as_str).collect();
        let tally = self
            .tallies
            .keys()
            .find(|name| !tallies.contains(&name.as_str()));
        let fact = self
            .context
            .keys()
            .find(|name| !context.contains(&name.as_str()));
        let unheard = |noun: &str, name: &str, known: &[&str]| match known {
            [] => format!("`{noun}.{name}` is given, and the module asks for nothing of that kind"),
            known => format!("`{noun}`: {}", unknown(name, known)),
        };
        match (tally, fact) {
            (Some(name), _) => Err(unheard("tallies", name, &tallies)),
            (_, Some(name)) => Err(unheard("context", name, &context)),
            (None, None) => Ok(()),
        }
    }

    fn variant(&self, row: &Row) -> Result<Variant, String> {
        let mut question = row.question();
        self.change(&mut question)?;
        Ok(Variant {
            row: row.clone(),
            question,
            class: self.class.as_deref().map(class).transpose()?,
        })
    }

    /// The rows that are meant: one where nothing is a wildcard.
    fn rows(&self) -> Result<Vec<&'static Row>, String> {
        let credentials = pick(&self.credential, Credential::ALL, Credential::as_str)?;
        let credentials = credentials.unwrap_or_else(|| vec![Credential::OrgToken]);
        let roles = pick(&self.role, Role::ALL, Role::as_str)?.unwrap_or_else(|| vec![Role::Admin]);
        let known: Vec<Verb> = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| !verb.is_judged_by_core_alone())
            .collect();
        let verbs = match pick(&self.verb, &known, Verb::as_str)? {
            Some(verbs) => verbs,
            // A verb that there is not, or one that is given by its name, is about the organisation.
            None if self.action.name.is_some() => vec![Verb::OrgTokenList],
            None => {
                return Err(
                    "`given` needs a `verb`, or `action.name` for one that there is not".to_owned(),
                );
            }
        };
        let mut rows: Vec<&Row> = ROWS
            .iter()
            .filter(|row| {
                credentials.contains(&row.credential)
                    && roles.contains(&row.role)
                    && verbs.contains(&row.verb)
            })
            .collect();
        match &self.flags {
            Some(Flags::Any(pattern)) if pattern == "*" => {}
            Some(Flags::Any(_)) => return Err("`flags` is `\"*\"`, or a list of flags".to_owned()),
            Some(Flags::Set(flags)) => {
                if let Some(flag) = flags.iter().find(|flag| !FLAGS.contains(&flag.as_str())) {
                    return Err(unknown(flag, FLAGS));
                }
                let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
                rows.retain(|row| is_meant(row, &flags));
            }
            None => rows.retain(|row| is_meant(row, &[])),
        }
        if rows.is_empty() {
            return Err("no question of the table has these flags under this verb".to_owned());
        }
        Ok(rows)
    }

    /// Lays what is given over `question`, whatever it was.
    pub(crate) fn change(&self, question: &mut Question) -> Result<(), String> {
        let subject = &mut question.subject;
        set(&mut subject.principal, self.caller.principal.as_ref());
        set(&mut subject.actor, self.caller.actor.as_ref());
        set(&mut subject.workspace, self.caller.workspace.as_ref());
        self.caller.subject.change(&mut subject.entity)?;
        lay(&mut subject.properties, &self.caller.properties)?;
        set(&mut question.verb, self.action.name.as_ref());
        lay(&mut question.arguments, &self.action.properties)?;
        self.resource.change(&mut question.resource)?;
        if let Some(time) = self.time {
            question.time = time;
        }
        question.tallies = self
            .tallies
            .iter()
            .map(|(name, count)| Tally::named(name, *count))
            .collect();
        lay(&mut question.context, &self.context)
    }
}

impl Thing {
    fn change(&self, entity: &mut Entity) -> Result<(), String> {
        set(&mut entity.kind, self.kind.as_ref());
        set(&mut entity.id, self.id.as_ref());
        lay(&mut entity.properties, &self.properties)
    }
}

fn set(text: &mut String, to: Option<&String>) {
    if let Some(to) = to {
        text.clone_from(to);
    }
}

fn pick<T: Copy>(
    words: &Option<Words>,
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<Option<Vec<T>>, String> {
    words
        .as_ref()
        .map(|words| words.pick(all, word))
        .transpose()
}

fn class(word: &str) -> Result<CallerClass, String> {
    let words: Vec<&str> = CallerClass::ALL
        .iter()
        .map(|class| class.as_str())
        .collect();
    CallerClass::parse(word).ok_or_else(|| unknown(word, &words))
}

/// Whether a row has exactly `flags`. Every mint asks for some role: an administrator's, unless it is said.
fn is_meant(row: &Row, flags: &[&str]) -> bool {
    let asks = |flag: &str| flag.starts_with("asks-");
    let says = flags.iter().any(|flag| asks(flag));
    let expected = |flag: &str| match asks(flag) && !says {
        true => flag == "asks-admin",
        false => flags.contains(&flag),
    };
    row.flags.iter().all(|flag| expected(flag)) && flags.iter().all(|flag| row.flags.contains(flag))
}
