//! Whom a page names: people by what their issuer calls them, for readers who are people themselves.

use std::collections::{BTreeSet, HashMap};

use countersign_core::approval::Requester;
use countersign_core::caller::{Caller, Issuer, Person};

use super::asked;
use super::frame::{Party, vouched_by};
use crate::problem::Problem;
use crate::routes::Call;

/// How the label of a person begins.
const PERSON: &str = "session:";

/// A person whose name is known.
pub struct Known {
    /// What their issuer calls them.
    pub name: String,
    /// Who vouches: another issuer may call somebody else the same.
    pub proof: &'static str,
}

impl Known {
    fn new(person: &Person) -> Self {
        Self {
            name: person.user.clone(),
            proof: vouched_by(person.issuer),
        }
    }

    /// What a reader might not see in how the name is written.
    pub fn oddity(&self) -> Option<String> {
        asked::oddity(&self.name)
    }
}

/// The people of one page.
#[derive(Default)]
pub struct People {
    known: HashMap<String, Person>,
    /// Whether the reader would be told of those who are known.
    are_told: bool,
}

impl People {
    /// Those among `actors`, as the reader of the page may know them: one question for a whole page.
    pub async fn of<'a>(
        call: &Call,
        actors: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Problem> {
        let are_people = |actor: &&str| actor.starts_with(PERSON);
        let labels: BTreeSet<&str> = actors.into_iter().filter(are_people).collect();
        let labels: Vec<&str> = labels.into_iter().collect();
        Ok(Self {
            known: call.app.ledger.people(&call.caller, &labels).await?,
            are_told: call.caller.person().is_some(),
        })
    }

    /// Who the actor with this label is.
    pub fn party(&self, actor: &str) -> Party {
        let known = self.known.get(actor);
        let words = match known {
            None if self.are_told && actor.starts_with(PERSON) => "a person, name not known",
            _ => "",
        };
        let party = Party::of(actor);
        Party {
            words: if words.is_empty() { party.words } else { words },
            known: known.map(Known::new),
            label: match known {
                Some(_) => actor.to_owned(),
                None => party.label,
            },
        }
    }
}

/// Whom `text` may be the beginning of the name of, where the reader may know people by name.
pub fn called(reader: &Caller, text: Option<&str>) -> Option<String> {
    reader.person()?;
    text.map(str::to_owned)
}

/// Who asked, of a request that the reader may see.
pub fn asking(requester: &Requester) -> Party {
    let person = requester.credential.strip_prefix("person:");
    let person = person.and_then(|person| person.split_once(':'));
    let person = person.and_then(|(issuer, user)| {
        Some(Person {
            issuer: Issuer::parse(issuer)?,
            user: user.to_owned(),
        })
    });
    of_label(&requester.actor, person)
}

/// Who has this label, of whom a record says that they are called `user`: by whomever of those who vouch for
/// people that makes the label.
pub fn behind(actor: &str, user: Option<&str>) -> Party {
    let called = |issuer: &Issuer| {
        Some(Person {
            issuer: *issuer,
            user: user?.to_owned(),
        })
    };
    let makes_it = |person: &Person| person.label() == actor;
    of_label(actor, Issuer::ALL.iter().filter_map(called).find(makes_it))
}

fn of_label(actor: &str, person: Option<Person>) -> Party {
    let known = person.filter(|person| person.label() == actor);
    Party {
        known: known.as_ref().map(Known::new),
        ..Party::of(actor)
    }
}

#[cfg(test)]
mod tests {
    use askama::Template as _;

    use super::super::examples;
    use super::*;

    fn person(issuer: Issuer, user: &str) -> Person {
        Person {
            issuer,
            user: user.to_owned(),
        }
    }

    fn people(all: &[Person], are_told: bool) -> People {
        People {
            known: all.iter().map(|one| (one.label(), one.clone())).collect(),
            are_told,
        }
    }

    fn drawn(party: &Party) -> String {
        party.render().expect("drawn")
    }

    #[test]
    fn a_person_is_named_with_who_vouches_and_the_label_is_at_hand() {
        let ada = person(Issuer::ControlPlane, "ada@example");
        let html = drawn(&people(std::slice::from_ref(&ada), true).party(&ada.label()));
        assert_eq!(
            html,
            format!(
                r#"<bdi class="called" title="{}">ada@example</bdi> <span class="vouched">(by the control plane)</span>"#,
                ada.label()
            )
        );
    }

    #[test]
    fn whom_another_issuer_calls_operator_is_told_from_the_hosts_own() {
        let all = [Issuer::Operator, Issuer::IdentityAssertion].map(|by| person(by, "operator"));
        let people = people(&all, true);
        let [ours, theirs] = all.map(|one| drawn(&people.party(&one.label())));
        assert!(ours.contains("(by login link)"), "{ours}");
        assert!(theirs.contains("(by the identity proxy)"), "{theirs}");
    }

    #[test]
    fn a_name_from_outside_is_no_markup_and_one_that_could_be_another_is_told() {
        let hostile = person(Issuer::IdentityAssertion, "<b>\u{440}\u{430}ypal\" title=x");
        let html = drawn(&people(std::slice::from_ref(&hostile), true).party(&hostile.label()));
        assert!(
            !html.contains("<b>") && !html.contains("\" title=x"),
            "{html}"
        );
        assert!(html.contains("Look twice."), "{html}");
    }

    #[test]
    fn of_whom_no_name_is_known_the_label_stays_and_nobody_else_is_a_person() {
        let nobody = people(&[], true);
        let html = drawn(&nobody.party("session:0123456789abcdef"));
        assert_eq!(
            html,
            "a person, name not known <code><bdi>0123456789abcdef</bdi></code>"
        );
        assert_eq!(
            drawn(&nobody.party("org-token:cso_abcd")),
            "organisation key <code><bdi>cso_abcd…</bdi></code>"
        );
        assert_eq!(
            drawn(&nobody.party("admin-token")),
            "the holder of ADMIN_TOKEN"
        );
        // To whom nobody is named, nothing is said of what is known.
        let html = drawn(&people(&[], false).party("session:0123456789abcdef"));
        assert!(html.starts_with("a person <code>"), "{html}");
    }

    #[test]
    fn whoever_asked_is_named_by_their_credential_if_it_is_theirs() {
        let ada = person(Issuer::IdentityAssertion, "ada:b@example");
        let requester = |actor: String| Requester {
            credential: format!("person:{}", ada.key()),
            actor,
            lineage: String::new(),
        };
        let html = drawn(&asking(&requester(ada.label())));
        assert!(html.contains(">ada:b@example</bdi>"), "{html}");
        let html = drawn(&asking(&requester("session:0123456789abcdef".to_owned())));
        assert!(!html.contains("ada:b@example"), "{html}");
    }

    #[test]
    fn only_who_may_know_people_by_name_finds_them_by_it() {
        let reader = examples::person("ada");
        assert_eq!(called(&reader, Some("bob")).as_deref(), Some("bob"));
        assert_eq!(called(&reader, None), None);
        assert_eq!(called(&examples::agent(), Some("bob")), None);
    }
}
