//! What a made-up question is made of: a row of the exhaustive table, and a few words.

use std::collections::HashMap;

use countersign_core::exhaustive::{self, Choice, Row};
use countersign_core::policy::{Credential, Question, Role, Value};
use countersign_core::text::displayable;
use countersign_core::time::Timestamp;
use countersign_core::token::has_marker;
use countersign_core::verb::Verb;

use super::super::super::asked;
use crate::policies::Which;

/// The longest text, as long as a token's name may be.
const TEXT: usize = 100;
/// So many groups at most.
const GROUPS: usize = 10;
/// The doors that a request can come by.
pub const DOORS: [&str; 4] = ["http", "console", "mcp", "cli"];

/// A question in the making.
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
    /// How much of everything was done before.
    pub counted: u32,
}

/// One choice of a row, and what is taken.
pub struct Fact {
    pub choice: Choice,
    pub taken: Option<&'static str>,
}

/// What is wrong with what was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub complaint: String,
}

impl Wrong {
    /// In that field.
    pub fn new(field: &'static str, complaint: impl Into<String>) -> Self {
        let complaint = complaint.into();
        Self { field, complaint }
    }
}

impl Form {
    /// Reads what was sent. What is wrong keeps its proposed value, so that nothing is said back that was not
    /// understood.
    pub fn read(sent: &HashMap<String, String>, askable: Vec<Which>) -> (Self, Option<Wrong>) {
        let mut form = Self {
            which: Which::Live,
            askable,
            verb: Verb::OrgTokenMint,
            credential: Credential::OrgToken,
            role: Role::Admin,
            facts: Vec::new(),
            door: DOORS[0],
            named: None,
            groups: String::new(),
            at_text: String::new(),
            at: None,
            counted: 0,
        };
        let mut wrong = None;
        let mut read = |field: &'static str, take: &mut dyn FnMut(&str) -> Result<(), String>| {
            let given = sent.get(field).map(|given| given.trim());
            if let Some(given) = given.filter(|given| !given.is_empty())
                && let Err(complaint) = take(given)
            {
                wrong.get_or_insert(Wrong::new(field, complaint));
            }
        };
        read("verb", &mut |word| {
            let verb = Verb::parse(word).ok_or("is no verb: choose one of the list")?;
            if verb.is_judged_by_core_alone() {
                return Err("is judged by the host alone, and no policy is asked about it".into());
            }
            form.verb = verb;
            Ok(())
        });
        read("set", &mut |word| {
            let mut known = form.askable.iter();
            let known = known.find(|which| value_of(which) == word);
            form.which = known.ok_or("is not there: choose one of the list")?.clone();
            Ok(())
        });
        read("credential", &mut |word| {
            form.credential = Credential::parse(word).ok_or("is no credential")?;
            Ok(())
        });
        read("role", &mut |word| {
            form.role = Role::parse(word).ok_or("is no role")?;
            Ok(())
        });
        read("door", &mut |word| {
            let mut doors = DOORS.into_iter();
            form.door = doors.find(|door| *door == word).ok_or("is no door")?;
            Ok(())
        });
        form.named = default_name(form.verb).map(str::to_owned);
        read("named", &mut |text| {
            let text = harmless(text)?;
            if form.named.is_some() {
                form.named = Some(text);
            }
            Ok(())
        });
        read("groups", &mut |text| {
            if text.split(',').count() > GROUPS {
                return Err(format!("has more than {GROUPS} groups"));
            }
            let groups: Result<Vec<_>, _> = text.split(',').map(str::trim).map(harmless).collect();
            form.groups = groups?.join(", ");
            Ok(())
        });
        read("at", &mut |text| {
            // Browsers leave the seconds and the zone out.
            let full = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z")];
            let mut at = full.iter().filter_map(|text| Timestamp::parse(text));
            let at = at.next().filter(|at| at.as_millis() >= 0);
            form.at = Some(at.ok_or("is no time: write it as 2026-01-31T09:30")?);
            text.clone_into(&mut form.at_text);
            Ok(())
        });
        read("counted", &mut |text| {
            form.counted = text.parse().map_err(|_| "is no number".to_owned())?;
            Ok(())
        });
        for (at, choice) in exhaustive::choices(form.verb).iter().enumerate() {
            let given = FACTS.get(at).and_then(|field| sent.get(*field));
            let taken = given.and_then(|given| {
                let mut flags = choice.iter().copied();
                flags.find(|flag| flag.unwrap_or("-") == given)
            });
            form.facts.push(Fact {
                choice,
                taken: taken.unwrap_or(choice[0]),
            });
        }
        (form, wrong)
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

/// A text that can be said back: no key of this host's, and nothing that disguises itself.
fn harmless(text: &str) -> Result<String, String> {
    if has_marker(text) {
        return Err(
            "looks like a key: nothing here needs one. If it is real, revoke it".to_owned(),
        );
    }
    displayable(text, TEXT).map_err(|error| error.to_string())
}

/// The word for it in the form.
fn value_of(which: &Which) -> String {
    match which {
        Which::Live => "live".to_owned(),
        Which::Shadow => "shadow".to_owned(),
        Which::Folder => "folder".to_owned(),
        Which::Module(name) => format!("module:{name}"),
    }
}

/// What people call it.
pub fn label_of(which: &Which) -> String {
    match which {
        Which::Live => "The live policies".to_owned(),
        Which::Shadow => "What would decide if what is in shadow did".to_owned(),
        Which::Folder => "What the policy folder holds".to_owned(),
        Which::Module(name) => format!("{name} alone"),
    }
}
