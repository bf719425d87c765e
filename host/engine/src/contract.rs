//! The vocabulary of the core to and from the words of `wit/policy.wit`.
//!
//! On the way in everything is borrowed from the question. On the way out nothing is believed: what a
//! guest says reaches logs, records and people.

use countersign_core::policy::{
    CallerClass, Credential, Ground, Properties, Property, Question, Quorum, Role, Terms, Value,
    Verdict,
};
use countersign_core::tally::TallyOf;

use crate::bindings::types as wit;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::manifest::{Manifest, TallySpec};
use crate::text::{NAME_BYTES, is_kebab, is_plain, tame};

/// The lists of texts in a question, as the canonical ABI wants them: lists of borrowed strings.
pub(crate) struct Lists<'q>(Vec<Vec<&'q str>>);

impl<'q> Lists<'q> {
    pub(crate) fn of(question: &'q Question) -> Self {
        let lists = property_lists(question)
            .into_iter()
            .flat_map(Properties::iter);
        Self(
            lists
                .filter_map(|property| match &property.value {
                    Value::Texts(texts) => Some(texts.iter().map(String::as_str).collect()),
                    _ => None,
                })
                .collect(),
        )
    }
}

fn property_lists(question: &Question) -> [&Properties; 5] {
    [
        &question.subject.entity.properties,
        &question.subject.properties,
        &question.arguments,
        &question.resource.properties,
        &question.context,
    ]
}

/// What one module is told beside the request, because its manifest asks for it.
pub(crate) struct Told<'s> {
    context: Vec<wit::PropertyParam<'s>>,
    /// In the manifest's order; 0 where the question has none of that name.
    tallies: Vec<wit::Tally<'s>>,
}

/// A question in the words of the contract, made once and handed to every module.
pub(crate) struct Wire<'a> {
    question: &'a Question,
    properties: [Vec<wit::PropertyParam<'a>>; 5],
}

impl<'a> Wire<'a> {
    /// `lists` must be those of `question`.
    pub(crate) fn new(question: &'a Question, lists: &'a Lists<'a>) -> Self {
        let mut lists = lists.0.iter().map(Vec::as_slice);
        let properties = property_lists(question).map(|properties| {
            properties
                .iter()
                .map(|property| lower(property, &mut lists))
                .collect()
        });
        Self {
            question,
            properties,
        }
    }

    pub(crate) fn caller(&self) -> wit::Caller<'_> {
        let [entity, caller, ..] = &self.properties;
        let subject = &self.question.subject;
        wit::Caller {
            credential: match subject.credential {
                Credential::Anonymous => wit::Credential::Anonymous,
                Credential::VerifiedSession => wit::Credential::VerifiedSession,
                Credential::OrgToken => wit::Credential::OrgToken,
                Credential::AdminToken => wit::Credential::AdminToken,
                Credential::WorkspaceToken => wit::Credential::WorkspaceToken,
                Credential::Provisioner => wit::Credential::Provisioner,
                Credential::Vouched => wit::Credential::Vouched,
                Credential::Other => wit::Credential::Other,
            },
            principal: &subject.principal,
            role: match subject.role {
                Role::None => wit::Role::None,
                Role::Reader => wit::Role::Reader,
                Role::Editor => wit::Role::Editor,
                Role::Admin => wit::Role::Admin,
            },
            actor: &subject.actor,
            workspace: &subject.workspace,
            subject: wit::Entity {
                kind: &subject.entity.kind,
                id: &subject.entity.id,
                properties: entity,
            },
            properties: caller,
        }
    }

    /// The request as one module sees it: `told` is [`Wire::told`] and `time` is rounded.
    pub(crate) fn request<'s>(
        &'s self,
        class: CallerClass,
        time: u64,
        told: &'s Told<'s>,
    ) -> wit::Request<'s> {
        let [_, _, arguments, resource, _] = &self.properties;
        wit::Request {
            caller: self.caller(),
            class: match class {
                CallerClass::Human => wit::CallerClass::Human,
                CallerClass::Agent => wit::CallerClass::Agent,
                CallerClass::Service => wit::CallerClass::Service,
                CallerClass::Unknown => wit::CallerClass::Unknown,
            },
            action: wit::Action {
                name: &self.question.verb,
                properties: arguments,
            },
            resource: wit::Entity {
                kind: &self.question.resource.kind,
                id: &self.question.resource.id,
                properties: resource,
            },
            time,
            tallies: &told.tallies,
            context: &told.context,
        }
    }

    /// What a manifest asks for.
    pub(crate) fn told<'s>(&'s self, manifest: &'s Manifest) -> Told<'s> {
        Told {
            context: self.context(&manifest.context),
            tallies: self.tallies(&manifest.tallies),
        }
    }

    fn tallies<'s>(&self, specs: &'s [TallySpec]) -> Vec<wit::Tally<'s>> {
        let count = |spec: &TallySpec| {
            let mut tallies = self.question.tallies.iter();
            tallies.find(|tally| match &tally.of {
                TallyOf::Kind(kind) => *kind == spec.kind,
                TallyOf::Name { name } => *name == spec.name,
            })
        };
        specs
            .iter()
            .map(|spec| wit::Tally {
                name: &spec.name,
                count: count(spec).map_or(0, |tally| tally.count),
            })
            .collect()
    }

    fn context(&self, names: &[String]) -> Vec<wit::PropertyParam<'_>> {
        let [.., context] = &self.properties;
        if names.is_empty() {
            return Vec::new();
        }
        let named = |fact: &&wit::PropertyParam<'_>| names.iter().any(|name| name == fact.name);
        context.iter().filter(named).cloned().collect()
    }
}

fn lower<'a>(
    property: &'a Property,
    lists: &mut impl Iterator<Item = &'a [&'a str]>,
) -> wit::PropertyParam<'a> {
    wit::PropertyParam {
        name: &property.name,
        value: match &property.value {
            Value::Text(text) => wit::ValueParam::Text(text),
            Value::Integer(number) => wit::ValueParam::Integer(*number),
            Value::Decimal(number) => wit::ValueParam::Decimal(*number),
            Value::Boolean(flag) => wit::ValueParam::Boolean(*flag),
            Value::Texts(_) => wit::ValueParam::Texts(lists.next().unwrap_or_default()),
            Value::Json(text) => wit::ValueParam::Json(text),
        },
    }
}

pub(crate) fn class(class: wit::CallerClass) -> CallerClass {
    match class {
        wit::CallerClass::Human => CallerClass::Human,
        wit::CallerClass::Agent => CallerClass::Agent,
        wit::CallerClass::Service => CallerClass::Service,
        wit::CallerClass::Unknown => CallerClass::Unknown,
    }
}

pub(crate) fn verdict(verdict: wit::Verdict, limits: &Limits) -> Result<Verdict, Failure> {
    Ok(match verdict {
        wit::Verdict::Abstain => Verdict::Abstain,
        wit::Verdict::Allow(because) => Verdict::Allow(ground(because, limits)?),
        wit::Verdict::Gate(on) => Verdict::Gate(terms(on, limits)?),
        wit::Verdict::Deny(because) => Verdict::Deny(ground(because, limits)?),
    })
}

/// More people than this never agree on one request: a module that demands them is mistaken, and every
/// page that shows its request would be as long.
const MOST_PEOPLE: u32 = 64;

fn terms(terms: wit::Terms, limits: &Limits) -> Result<Terms, Failure> {
    few("quorums", terms.quorums.len(), limits)?;
    let quorums = terms.quorums.into_iter().map(|quorum| {
        few("groups", quorum.groups.len(), limits)?;
        for group in &quorum.groups {
            text("group", group, limits)?;
        }
        if quorum.people > MOST_PEOPLE {
            return Err(Failure::new(format!(
                "it demands {} people, and {MOST_PEOPLE} is the most",
                quorum.people
            )));
        }
        Ok(Quorum {
            people: quorum.people,
            groups: quorum.groups,
        })
    });
    Ok(Terms {
        quorums: quorums.collect::<Result<_, Failure>>()?,
        ground: ground(terms.ground, limits)?,
        pending_ttl: terms.pending_ttl,
        grant_ttl: terms.grant_ttl,
    })
}

fn ground(ground: wit::Ground, limits: &Limits) -> Result<Ground, Failure> {
    if !is_kebab(&ground.rule) {
        return Err(Failure::new(format!(
            "its rule {} is not a kebab-case name",
            quoted(&ground.rule)
        )));
    }
    text("reason", &ground.reason, limits)?;
    Ok(Ground {
        rule: ground.rule,
        reason: ground.reason,
        details: properties("detail", ground.details, limits)?,
    })
}

/// Properties from a guest: few, with different names, and of values that every record can hold.
pub(crate) fn properties(
    noun: &str,
    properties: Vec<wit::PropertyResult>,
    limits: &Limits,
) -> Result<Properties, Failure> {
    few(noun, properties.len(), limits)?;
    let mut sorted = Properties::new();
    for wit::PropertyResult { name, value } in properties {
        if name.is_empty() || name.len() > NAME_BYTES || !is_plain(&name) {
            let name = quoted(&name);
            return Err(Failure::new(format!("its {noun} {name} has a bad name")));
        }
        if sorted.get(&name).is_some() {
            return Err(Failure::new(format!("its {noun} `{name}` is there twice")));
        }
        sorted.set(&name, self::value(&name, value, limits)?);
    }
    Ok(sorted)
}

fn value(name: &str, value: wit::ValueResult, limits: &Limits) -> Result<Value, Failure> {
    Ok(match value {
        wit::ValueResult::Text(held) => {
            text(name, &held, limits)?;
            Value::Text(held)
        }
        wit::ValueResult::Integer(number) => Value::Integer(number),
        wit::ValueResult::Decimal(number) if number.is_finite() => Value::Decimal(number),
        wit::ValueResult::Decimal(_) => {
            return Err(Failure::new(format!("its `{name}` is no finite number")));
        }
        wit::ValueResult::Boolean(flag) => Value::Boolean(flag),
        wit::ValueResult::Texts(texts) => {
            few(name, texts.len(), limits)?;
            for held in &texts {
                text(name, held, limits)?;
            }
            Value::Texts(texts)
        }
        wit::ValueResult::Json(json) => {
            text(name, &json, limits)?;
            serde_json::from_str::<serde::de::IgnoredAny>(&json)
                .map_err(|_| Failure::new(format!("its `{name}` is not JSON")))?;
            Value::Json(json)
        }
    })
}

/// A text from a guest that people will read: not blank, not long, nothing hidden in it.
pub(crate) fn text(noun: &str, text: &str, limits: &Limits) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(format!("its {noun} is blank")));
    }
    if text.len() > limits.text_bytes {
        let most = limits.text_bytes;
        return Err(Failure::new(format!(
            "its {noun} is longer than {most} bytes"
        )));
    }
    if !is_plain(text) {
        return Err(Failure::new(format!(
            "its {noun} has control characters, or others that hide or reorder text"
        )));
    }
    Ok(())
}

pub(crate) fn few(noun: &str, count: usize, limits: &Limits) -> Result<(), Failure> {
    let most = limits.list_items;
    if count > most {
        return Err(Failure::new(format!(
            "it has {count} of {noun}, and {most} is the most"
        )));
    }
    Ok(())
}

pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", tame(text, NAME_BYTES))
}
