//! The questions on which the engines are timed.

use countersign_core::exhaustive::{Row, rows};
use countersign_core::policy::{CallerClass, Credential, Question, Role};
use countersign_core::verb::Verb;
use countersign_lab::table::Effect;

/// A question, the class of who asks it, and what the rules say to it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// In the host's words.
    pub question: Question,
    /// What the classifier makes of the caller. Every engine is handed it.
    pub class: CallerClass,
    /// The verdict.
    pub effect: Effect,
}

/// One of each kind of answer that the incident was about, and the verb that nobody knows.
pub fn slice() -> [Asked; 5] {
    let agent = Credential::OrgToken;
    let mint = |credential| of(credential, Verb::OrgTokenMint, &["asks-none"]);
    let unknown = Question {
        verb: "make_coffee".to_owned(),
        ..mint(agent)
    };
    let asked = |question, class, effect| Asked {
        question,
        class,
        effect,
    };
    [
        asked(mint(agent), CallerClass::Agent, Effect::Gate),
        asked(
            mint(Credential::VerifiedSession),
            CallerClass::Human,
            Effect::Allow,
        ),
        asked(
            of(agent, Verb::OrgTokenRevoke, &["own"]),
            CallerClass::Agent,
            Effect::Allow,
        ),
        asked(
            of(agent, Verb::SecretWrite, &["self"]),
            CallerClass::Agent,
            Effect::Deny,
        ),
        asked(unknown, CallerClass::Agent, Effect::Deny),
    ]
}

fn of(credential: Credential, verb: Verb, flags: &[&str]) -> Question {
    let is_it = |row: &Row| {
        row.credential == credential
            && row.role == Role::Admin
            && row.verb == verb
            && row.flags == flags
    };
    let row = rows().find(is_it);
    row.expect("INVARIANT: the table has it").question()
}
