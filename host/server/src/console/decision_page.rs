//! One decision, with all that is recorded of it.

mod beside;

use askama::Template;
use axum::http::StatusCode;
use countersign_core::action::Action;
use countersign_core::decision::Decision;
use countersign_core::id::DecisionId;
use countersign_core::policy::{
    Entity, Ground, Properties, Question, Quorum, Terms, Value, Verdict,
};
use countersign_core::tally::TallyOf;
use countersign_core::time::Timestamp;
use countersign_core::verdict::{Opinion, Ruling, Took};

use super::asked::Subject;
use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::people::People;
use super::{asked, assets, decisions, page};
use crate::problem::Problem;
use crate::routes::{Answer, Call};
use beside::Compared;

/// The page.
#[derive(Template)]
#[template(path = "decision.html")]
struct DecisionPage {
    frame: Frame,
    title: String,
    about: Option<Subject>,
    resource: Option<String>,
    effect: &'static str,
    outcome: &'static str,
    reason: String,
    at: Moment,
    party: Party,
    /// The actor's label, by which others of its decisions are found.
    actor: String,
    approval: Option<String>,
    /// The audit entries that were written with it.
    entries: Vec<(i64, String)>,
    facts: Vec<Fact>,
    ruling: Vec<Fact>,
    /// What policies in shadow would have made of it, where that is kept and differs.
    compared: Option<Compared>,
    voices: Vec<Voice>,
    told: Vec<Told>,
}

/// One thing that is recorded, letter by letter.
pub(super) struct Fact {
    /// What it is.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// What one module said.
struct Voice {
    module: String,
    effect: &'static str,
    reason: Option<String>,
    facts: Vec<Fact>,
    notes: Vec<String>,
}

/// A part of what the policies were told.
struct Told {
    what: &'static str,
    facts: Vec<Fact>,
}

impl Fact {
    /// `name`, in words, is `value`.
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: asked::in_words(name),
            value: value.into(),
        }
    }
}

impl DecisionPage {
    fn new(
        (decision, people): (&Decision, &People),
        entries: Vec<(i64, String)>,
        now: Timestamp,
    ) -> Self {
        let judgement = &decision.judgement;
        let resource = decision
            .question
            .as_ref()
            .map(|question| &question.resource);
        let mut facts = vec![
            Fact::new("decision", decision.id.to_string()),
            Fact::new("verb", decision.verb.as_str()),
            Fact::new("actor", &*decision.actor),
            Fact::new("taken for", judgement.class.as_str()),
            Fact::new("credential", &*decision.credential),
            Fact::new("digest of the action", decision.digest.as_str()),
            Fact::new(
                "policies",
                match judgement.generation {
                    0 => "none: the core judged alone".to_owned(),
                    generation => format!("generation {generation}"),
                },
            ),
        ];
        facts.extend(took("they took", judgement.took));
        Self {
            // The handler knows who reads.
            frame: Frame::without_viewer(Place::Decisions),
            title: asked::title(decision.verb),
            about: asked::about(decision),
            resource: resource
                .filter(|resource| resource.kind != "organisation" && !resource.id.is_empty())
                .map(|resource| resource.id.clone()),
            effect: judgement.ruling.effect(),
            outcome: decisions::outcome(decision.outcome),
            reason: judgement.ruling.ground().reason.clone(),
            at: Moment::new(decision.at, now),
            party: people.party(&decision.actor),
            actor: decision.actor.clone(),
            approval: decision.approval.map(|id| id.to_string()),
            entries: entries
                .into_iter()
                .map(|(seq, kind)| (seq, asked::in_words(&kind)))
                .collect(),
            facts,
            ruling: of_ruling(&judgement.ruling),
            compared: None,
            voices: judgement.opinions.iter().map(Voice::new).collect(),
            told: decision.question.as_ref().map_or_else(Vec::new, told),
        }
    }
}

fn of_ruling(ruling: &Ruling) -> Vec<Fact> {
    let mut facts = vec![Fact::new("ruled by", ruling.policy())];
    match ruling {
        Ruling::Gate { terms, .. } => facts.extend(of_terms(terms)),
        Ruling::Allow { ground, .. } | Ruling::Deny { ground, .. } => {
            facts.extend(of_ground(ground));
        }
    }
    facts
}

fn of_ground(ground: &Ground) -> Vec<Fact> {
    let mut facts = vec![Fact::new("rule", &*ground.rule)];
    facts.extend(properties(&ground.details));
    facts
}

fn of_terms(terms: &Terms) -> Vec<Fact> {
    let mut facts = of_ground(&terms.ground);
    facts.extend(
        terms
            .quorums
            .iter()
            .map(|quorum| Fact::new("needs", needs(quorum))),
    );
    let seconds = |name, life: Option<u32>| Some(Fact::new(name, format!("{} seconds", life?)));
    facts.extend(seconds("people have", terms.pending_ttl));
    facts.extend(seconds("the grant lives", terms.grant_ttl));
    facts
}

fn needs(quorum: &Quorum) -> String {
    let people = match quorum.people {
        0 | 1 => "one person".to_owned(),
        people => format!("{people} people"),
    };
    match quorum.groups.is_empty() {
        true => people,
        false => format!("{people} of {}", quorum.groups.join(", ")),
    }
}

fn took(name: &str, took: Took) -> Option<Fact> {
    Some(Fact::new(name, format!("{} µs", took.micros()?)))
}

impl Voice {
    fn new(opinion: &Opinion) -> Self {
        let mut facts = match &opinion.verdict {
            Ok(Verdict::Gate(terms)) => of_terms(terms),
            Ok(verdict) => verdict.ground().map_or_else(Vec::new, of_ground),
            Err(_) => Vec::new(),
        };
        facts.extend(took("took", opinion.took));
        facts.push(Fact::new("digest of the module", &*opinion.module.digest));
        let (effect, reason) = match &opinion.verdict {
            Ok(verdict) => (
                effect(verdict),
                verdict.ground().map(|ground| ground.reason.clone()),
            ),
            Err(failure) => ("failed", Some(failure.clone())),
        };
        Self {
            module: opinion.module.to_string(),
            effect,
            reason,
            facts,
            notes: opinion.notes.clone(),
        }
    }
}

fn effect(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Abstain => "abstain",
        Verdict::Allow(_) => "allow",
        Verdict::Gate(_) => "gate",
        Verdict::Deny(_) => "deny",
    }
}

/// The question, as it was put: what is secret in it was hidden before it was.
fn told(question: &Question) -> Vec<Told> {
    let subject = &question.subject;
    let mut who = vec![
        Fact::new("credential", subject.credential.as_str()),
        Fact::new("role", subject.role.as_str()),
        Fact::new("actor", &*subject.actor),
    ];
    let given = |name, text: &str| (!text.is_empty()).then(|| Fact::new(name, text));
    who.extend(given("principal", &subject.principal));
    who.extend(given("acts from the workspace", &subject.workspace));
    who.extend(of_entity(&subject.entity));
    who.extend(properties(&subject.properties));
    let millis = i64::try_from(question.time).unwrap_or(i64::MAX);
    let time = Timestamp::from_micros(millis.saturating_mul(1_000));
    let mut around = vec![Fact::new("time", time.to_string())];
    around.extend(properties(&question.context));
    let parts = [
        ("Who asked", who),
        ("What it was called with", properties(&question.arguments)),
        ("On what", of_entity(&question.resource)),
        (
            "What was done before",
            question.tallies.iter().map(tally).collect(),
        ),
        ("When, and around it", around),
    ];
    parts
        .into_iter()
        .filter(|(_, facts)| !facts.is_empty())
        .map(|(what, facts)| Told { what, facts })
        .collect()
}

fn of_entity(entity: &Entity) -> Vec<Fact> {
    if entity.kind.is_empty() && entity.id.is_empty() {
        return Vec::new();
    }
    let mut facts = vec![Fact::new("kind", &*entity.kind)];
    facts.extend((!entity.id.is_empty()).then(|| Fact::new("id", &*entity.id)));
    facts.extend(properties(&entity.properties));
    facts
}

/// Under the names that policies know them by.
fn properties(properties: &Properties) -> Vec<Fact> {
    let fact = |property: &countersign_core::policy::Property| Fact {
        name: property.name.clone(),
        value: text(&property.value),
    };
    properties.iter().map(fact).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Boolean(true) => "yes".to_owned(),
        Value::Boolean(false) => "no".to_owned(),
        // As JSON, so that one with a comma is not taken for two.
        Value::Texts(texts) => serde_json::json!(texts).to_string(),
    }
}

fn tally(tally: &countersign_core::policy::Tally) -> Fact {
    let name = match &tally.of {
        TallyOf::Name { name } => name.clone(),
        TallyOf::Kind(kind) => {
            let verbs: Vec<_> = kind.verbs.iter().map(|verb| verb.as_str()).collect();
            let verbs = match verbs.is_empty() {
                true => "deeds".to_owned(),
                false => verbs.join(", "),
            };
            format!(
                "{verbs} of one {} within {} seconds",
                kind.scope, kind.window_seconds
            )
        }
    };
    Fact {
        name,
        value: tally.count.to_string(),
    }
}

/// Shows one.
pub(super) async fn show(call: Call) -> Answer {
    let id = call.path("id", DecisionId::parse)?;
    let permit = call.permit(Action::DecisionRead).await?;
    let ledger = &call.app.ledger;
    let decision = ledger.decision(&permit, id).await?.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such decision: look for it in the list of decisions",
        )
    })?;
    let entries = ledger.entries_of(&permit, (id, decision.at)).await?;
    let generation = decision.judgement.generation;
    let beside = ledger.shadow_beside(&permit, generation, id).await?;
    let people = People::of(&call, [&*decision.actor]).await?;
    let shown = DecisionPage {
        frame: Frame::of(&call.caller, Place::Decisions),
        compared: beside.map(|beside| Compared::new(&decision.judgement, &beside)),
        ..DecisionPage::new((&decision, &people), entries, call.app.clock.now())
    };
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests;
