//! What a made-up question is made of: a row of the exhaustive table, and a few words.

use std::collections::HashMap;

use countersign_core::exhaustive::{self, Choice, Row};
use countersign_core::policy::{Credential, Question, Role, Value};
use countersign_core::text::displayable;
use countersign_core::time::Timestamp;
use countersign_core::token::has_marker;
use countersign_core::verb::Verb;

use super::super::super::asked;
use crate::policies::{Loaded, Whereabouts, Which};

/// The longest text, as long as a token's name may be.
const TEXT: usize = 100;
/// So many groups at most.
const GROUPS: usize = 10;
/// The doors that a request can come by.
pub const DOORS: [&str; 4] = ["http", "console", "mcp", "cli"];

/// What is said of who was chosen to be asked and is not there by now.
const GONE: &str = "These policies are not there any more: choose others.";

/// A question in the making. What was typed stays in it, understood or not.
pub struct Form {
    pub which: Which,
    /// Who can be asked.
    pub askable: Vec<Which>,
    pub verb: Verb,
    pub credential: Credential,
    pub role: Role,
    /// What is taken of each of the verb's choices.
    pub facts: Vec<Fact>,
    pub door: &'static str,
    /// What is named: a key, a workspace, a secret's key. Absent where the verb names nothing.
    pub named: Option<String>,
    /// Separated by commas.
    pub groups: String,
    /// As it was given; empty: now.
    pub at_text: String,
    pub at: Option<Timestamp>,
    /// As it was given.
    pub counted_text: String,
    /// How much of everything was done before.
    pub counted: u32,
    /// The fields that were not understood, in the order of the page, and what is wrong with each.
    wrong: Vec<(&'static str, String)>,
}

/// One choice of a row, and what is taken.
pub struct Fact {
    pub choice: Choice,
    pub taken: Option<&'static str>,
}

/// The fields that were sent, and what is wrong with them.
struct Sent<'s> {
    fields: &'s HashMap<String, String>,
    wrong: Vec<(&'static str, String)>,
}

impl Sent<'_> {
    /// What `field` was filled with.
    fn given(&self, field: &str) -> Option<&str> {
        let given = self.fields.get(field).map(|given| given.trim());
        given.filter(|given| !given.is_empty())
    }

    /// What `read` makes of `field`, where it was filled and is understood.
    fn take<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let taken = read(self.given(field)?);
        match taken {
            Ok(taken) => Some(taken),
            Err(complaint) => {
                self.wrong.push((field, complaint));
                None
            }
        }
    }

    /// What `read` makes of a text, and what the field shows of it again: all but a key of this host's, which
    /// is said back nowhere.
    fn text<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> (Option<T>, String) {
        let taken = self.take(field, |text| match has_marker(text) {
            true => Err(
                "This looks like a key: nothing here needs one. If it is real, revoke it."
                    .to_owned(),
            ),
            false => read(text),
        });
        let typed = self.given(field).filter(|text| !has_marker(text));
        // No page has a character that is no text.
        let is_text = |c: &char| !c.is_control();
        (
            taken,
            typed.unwrap_or_default().chars().filter(is_text).collect(),
        )
    }
}

impl Form {
    /// Reads what was sent. A choice that is not understood keeps what is proposed.
    pub fn read(sent: &HashMap<String, String>, askable: Vec<Which>) -> Self {
        let mut sent = Sent {
            fields: sent,
            wrong: Vec::new(),
        };
        let verb = sent.take("verb", asked_about);
        let verb = verb.unwrap_or(Verb::OrgTokenMint);
        let which = sent.take("set", |word| {
            let mut known = askable.iter();
            let known = known.find(|which| value_of(which) == word).cloned();
            known.ok_or_else(|| GONE.to_owned())
        });
        let credential = sent.take("credential", |word| listed(Credential::parse(word)));
        let role = sent.take("role", |word| listed(Role::parse(word)));
        let named = default_name(verb).map(|proposed| {
            let (named, typed) = sent.text("named", harmless);
            match sent.given("named") {
                Some(_) => named.unwrap_or(typed),
                None => proposed.to_owned(),
            }
        });
        let (groups, typed) = sent.text("groups", all_groups);
        let groups = groups.unwrap_or(typed);
        let door = sent.take("door", |word| {
            let mut doors = DOORS.into_iter();
            listed(doors.find(|door| *door == word))
        });
        let (at, at_text) = sent.text("at", moment);
        let (counted, counted_text) = sent.text("counted", |text| {
            let number = text.parse::<u32>();
            number.map_err(|_| format!("This is no number from 0 to {}.", u32::MAX))
        });
        let facts = exhaustive::choices(verb).iter().enumerate();
        let facts = facts.map(|(at, choice)| {
            let given = FACTS.get(at).and_then(|field| sent.fields.get(*field));
            let taken = given.and_then(|given| {
                let mut flags = choice.iter().copied();
                flags.find(|flag| flag.unwrap_or("-") == given)
            });
            Fact {
                choice,
                taken: taken.unwrap_or(choice[0]),
            }
        });
        Self {
            facts: facts.collect(),
            which: which.unwrap_or(Which::Live),
            askable,
            verb,
            credential: credential.unwrap_or(Credential::OrgToken),
            role: role.unwrap_or(Role::Admin),
            door: door.unwrap_or(DOORS[0]),
            named,
            groups,
            at_text,
            at,
            counted_text: match counted_text.is_empty() {
                true => "0".to_owned(),
                false => counted_text,
            },
            counted: counted.unwrap_or(0),
            wrong: sent.wrong,
        }
    }

    /// Who was to be asked was there as the question was read, and is not any more.
    pub fn lose_whom_to_ask(&mut self) {
        self.which = Which::Live;
        self.wrong.push(("set", GONE.to_owned()));
    }

    /// What is wrong with a field.
    pub fn wrong(&self, field: &str) -> Option<&str> {
        let mut wrong = self.wrong.iter();
        let found = wrong.find(|(name, _)| *name == field);
        found.map(|(_, complaint)| complaint.as_str())
    }

    /// Whether a field is where to go on: the first of those that are wrong.
    pub fn is_first_wrong(&self, field: &str) -> bool {
        self.wrong.first().is_some_and(|(name, _)| *name == field)
    }

    /// Whether anything is wrong.
    pub fn is_wrong(&self) -> bool {
        !self.wrong.is_empty()
    }

    /// The question, but for the time and what is counted.
    pub fn question(&self) -> Question {
        let row = Row {
            credential: self.credential,
            role: self.role,
            verb: self.verb,
            flags: self.facts.iter().filter_map(|fact| fact.taken).collect(),
        };
        let mut question = row.question();
        let text = |text: &str| Value::Text(text.to_owned());
        question.context.set("host.door", text(self.door));
        if !self.groups.is_empty() {
            let groups = self.groups.split(", ").map(str::to_owned).collect();
            let properties = &mut question.subject.properties;
            properties.set("groups", Value::Texts(groups));
        }
        match (self.verb, &self.named) {
            (Verb::SecretWrite | Verb::SecretDelete, Some(key)) => {
                question.arguments.set("key", text(key));
                let id = &mut question.resource.id;
                let place = id.split('/').next().unwrap_or_default();
                *id = format!("{place}/{key}");
            }
            (_, Some(name)) => question.arguments.set("name", text(name)),
            (_, None) => {}
        }
        question
    }

    /// Every verb that policies are asked about.
    pub fn verbs(&self) -> impl Iterator<Item = (Verb, String)> {
        let judged = Verb::ALL.iter().copied();
        judged
            .filter(|verb| !verb.is_judged_by_core_alone())
            .map(|verb| (verb, asked::title(verb)))
    }

    /// Who can be asked: the word for it, what it is called, and whether it is.
    pub fn sets(&self) -> impl Iterator<Item = (String, String, bool)> {
        let askable = self.askable.iter();
        askable.map(|which| (value_of(which), label_of(which), *which == self.which))
    }

    /// What people call what is named.
    pub fn named_label(&self) -> &'static str {
        match self.verb {
            Verb::SecretWrite | Verb::SecretDelete => "Key of the secret",
            Verb::WorkspaceCreate => "Name of the workspace",
            _ => "Name of the key",
        }
    }

    /// Whether the host refuses it before any policy is asked.
    pub fn is_too_narrow(&self) -> bool {
        self.role < self.verb.needed_role()
    }
}

/// The fields of a verb's choices.
const FACTS: [&str; 3] = ["fact0", "fact1", "fact2"];

impl Fact {
    /// What is chosen, in words.
    pub fn label(&self) -> &'static str {
        match self.choice.iter().copied().flatten().next() {
            Some("self") => "Where",
            Some("exists") => "What is there",
            Some("own") => "Whose",
            Some("expires") => "How long",
            Some("moves") => "What changes",
            Some("descendants") => "What hangs on it",
            _ => "Role asked for",
        }
    }

    /// What can be taken: the word for it, the words for it, and whether it is.
    pub fn options(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let name = self.label();
        self.choice.iter().map(move |flag| {
            (
                flag.unwrap_or("-"),
                in_words(name, *flag),
                *flag == self.taken,
            )
        })
    }
}

fn in_words(label: &str, flag: Option<&'static str>) -> &'static str {
    match (label, flag) {
        (_, Some("self")) => "the caller’s own workspace",
        (_, Some("global")) => "every workspace",
        (_, Some("exists")) => "it exists",
        (_, Some("own")) => "the caller’s own",
        (_, Some("asks-none")) => "none named",
        (_, Some("asks-reader")) => "reader",
        (_, Some("asks-editor")) => "editor",
        (_, Some("asks-admin")) => "admin",
        (_, Some("expires")) => "a day",
        (_, Some("moves")) => "its parent: it moves",
        (_, Some("descendants")) => "others, which go along",
        ("Where", None) => "another workspace",
        ("What is there", None) => "nothing yet",
        ("Whose", None) => "somebody else’s",
        ("How long", None) => "for ever",
        ("What changes", None) => "its name",
        ("What hangs on it", None) => "nothing",
        (_, Some(other)) => other,
        (_, None) => "no",
    }
}

/// What the table names, of verbs that name something.
fn default_name(verb: Verb) -> Option<&'static str> {
    match verb {
        Verb::OrgTokenMint => Some("ci"),
        Verb::WorkspaceCreate => Some("research"),
        Verb::SecretWrite | Verb::SecretDelete => Some("API_KEY"),
        _ => None,
    }
}

/// A verb that policies are asked about.
fn asked_about(word: &str) -> Result<Verb, String> {
    let verb = listed(Verb::parse(word))?;
    match verb.is_judged_by_core_alone() {
        true => {
            Err("This is judged by the host alone, and no policy is asked about it.".to_owned())
        }
        false => Ok(verb),
    }
}

fn listed<T>(found: Option<T>) -> Result<T, String> {
    found.ok_or_else(|| "Choose one of the list.".to_owned())
}

/// A text with nothing in it that disguises itself.
fn harmless(text: &str) -> Result<String, String> {
    displayable(text, TEXT).map_err(|error| format!("This {error}."))
}

/// Names that are separated by commas, as they are shown again.
fn all_groups(text: &str) -> Result<String, String> {
    if text.split(',').count() > GROUPS {
        return Err(format!("These are more than {GROUPS} groups."));
    }
    let groups: Result<Vec<_>, _> = text.split(',').map(str::trim).map(harmless).collect();
    Ok(groups?.join(", "))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    // Browsers leave the seconds and the zone out.
    let full = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z")];
    let mut at = full.iter().filter_map(|text| Timestamp::parse(text));
    let at = at.next().filter(|at| at.as_millis() >= 0);
    at.ok_or_else(|| "This is no time: write it as 2026-01-31T09:30.".to_owned())
}

/// The word for it in the form. A module is exactly this one: what takes its place meanwhile is not asked for it.
fn value_of(which: &Which) -> String {
    match which {
        Which::Live => "live".to_owned(),
        Which::Shadow => "shadow".to_owned(),
        Which::Folder => "folder".to_owned(),
        Which::Module(Loaded { id, place }) => {
            let place = match place {
                Whereabouts::Live => "live",
                Whereabouts::Shadow => "shadow",
                Whereabouts::Folder => "folder",
            };
            format!("{place}:{id}:{}", id.digest)
        }
    }
}

/// What people call it.
pub fn label_of(which: &Which) -> String {
    match which {
        Which::Live => "The live policies".to_owned(),
        Which::Shadow => "What would decide if what is in shadow did".to_owned(),
        Which::Folder => "What the policy folder holds".to_owned(),
        Which::Module(Loaded { id, place }) => {
            let place = match place {
                Whereabouts::Live => "live",
                Whereabouts::Shadow => "in shadow",
                Whereabouts::Folder => "in the policy folder",
            };
            format!("{id} ({place}) alone")
        }
    }
}
