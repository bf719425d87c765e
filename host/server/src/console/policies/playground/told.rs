//! What came of a made-up question, in words.

use countersign_core::policy::{Ground, Verdict};
use countersign_core::verdict::{Opinion, Ruling, Took};
use countersign_lab::answers::Takes;
use countersign_lab::words;

use super::form::{Form, label_of};
use crate::policies::{Asked, Which};

/// What stands, and what each module said.
pub struct Told {
    pub set: String,
    /// Whether one module was asked alone, so that nothing is folded.
    pub is_alone: bool,
    pub class: &'static str,
    pub effect: &'static str,
    pub policy: String,
    pub ground: GroundView,
    pub takes: Option<String>,
    pub took: String,
    pub opinions: Vec<OpinionView>,
    /// Whether the host would have refused before.
    pub refused_before: Option<String>,
    /// How many things were told as counted.
    pub counted: usize,
}

/// What one module said.
pub struct OpinionView {
    pub module: String,
    pub effect: &'static str,
    pub ground: GroundView,
    pub takes: Option<String>,
    /// Why there is no verdict.
    pub failure: Option<String>,
    pub notes: Vec<String>,
    pub took: String,
}

/// Why.
#[derive(Default)]
pub struct GroundView {
    pub rule: String,
    pub reason: String,
    pub advice: Option<String>,
}

impl From<&Ground> for GroundView {
    fn from(ground: &Ground) -> Self {
        Self {
            rule: ground.rule.clone(),
            reason: ground.reason.clone(),
            advice: ground.advice().map(str::to_owned),
        }
    }
}

impl Told {
    /// Of what was asked by `form`.
    pub fn of(form: &Form, asked: Asked) -> Self {
        let judgement = asked.judgement;
        let is_alone = matches!(form.which, Which::Module(_));
        let opinions: Vec<_> = judgement.opinions.iter().map(OpinionView::of).collect();
        let takes = match &judgement.ruling {
            Ruling::Gate { terms, .. } => Some(words::takes(&Takes::of(terms))),
            Ruling::Allow { .. } | Ruling::Deny { .. } => None,
        };
        let effect = match (is_alone, opinions.first()) {
            (true, Some(only)) if only.failure.is_none() => only.effect,
            _ => judgement.ruling.effect(),
        };
        let needed = form.verb.needed_role();
        Self {
            set: label_of(&form.which),
            is_alone,
            class: judgement.class.as_str(),
            effect,
            policy: judgement.ruling.policy().to_owned(),
            ground: judgement.ruling.ground().into(),
            takes,
            took: took(judgement.took),
            opinions,
            refused_before: form.is_too_narrow().then(|| {
                format!(
                    "This never comes to a policy: the host itself refuses it, because {} needs the role {needed}, and the caller has {}.",
                    form.verb, form.role
                )
            }),
            counted: asked.counted,
        }
    }
}

impl OpinionView {
    fn of(opinion: &Opinion) -> Self {
        let (effect, takes) = match &opinion.verdict {
            Ok(Verdict::Abstain) => ("abstain", None),
            Ok(Verdict::Allow(_)) => ("allow", None),
            Ok(Verdict::Gate(terms)) => ("gate", Some(words::takes(&Takes::of(terms)))),
            Ok(Verdict::Deny(_)) => ("deny", None),
            Err(_) => ("fails", None),
        };
        let verdict = opinion.verdict.as_ref();
        let ground = verdict.ok().and_then(Verdict::ground);
        Self {
            module: opinion.module.to_string(),
            effect,
            ground: ground.map(GroundView::from).unwrap_or_default(),
            takes,
            failure: verdict.err().cloned(),
            notes: opinion.notes.clone(),
            took: took(opinion.took),
        }
    }
}

fn took(took: Took) -> String {
    took.micros()
        .map_or_else(|| "not measured".to_owned(), super::super::short)
}
