//! The baseline's rules for regorus: `rules/baseline.rego`, interpreted and on its virtual machine.

use std::collections::BTreeMap;

use anyhow::Context as _;
use countersign_core::policy::{CallerClass, Properties, Question, Value};
use countersign_lab::table::Effect;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{Engine, Value as Rego};

use crate::Said;
use crate::verbs::sets;

const ENTRY: &str = "data.countersign.verdict";

/// regorus as an interpreter that is kept.
pub struct Interpreter(Engine);

/// regorus as compiled rules on a virtual machine that is kept.
pub struct Machine(RegoVM);

impl Interpreter {
    /// Parses the rules.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self(engine()?))
    }

    /// What the rules say.
    pub fn answer(&mut self, input: Rego) -> anyhow::Result<Said> {
        self.0.set_input(input);
        said(&self.0.eval_rule(ENTRY.to_owned())?)
    }
}

impl Machine {
    /// Compiles the rules.
    pub fn new() -> anyhow::Result<Self> {
        let compiled = engine()?.compile_with_entrypoint(&ENTRY.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY])
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut machine = RegoVM::new();
        machine.load_program(program);
        machine
            .set_data(data()?)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self(machine))
    }

    /// What the rules say.
    pub fn answer(&mut self, input: Rego) -> anyhow::Result<Said> {
        self.0.set_input(input);
        let verdict = self.0.execute();
        said(&verdict.map_err(|error| anyhow::anyhow!("{error}"))?)
    }
}

/// The question in Rego's words, all of it.
pub fn build(question: &Question, class: CallerClass) -> Rego {
    let subject = &question.subject;
    let mut caller = object(&subject.properties);
    for (name, text) in [
        ("actor", subject.actor.as_str()),
        ("class", class.as_str()),
        ("credential", subject.credential.as_str()),
        ("principal", &subject.principal),
        ("role", subject.role.as_str()),
        ("workspace", &subject.workspace),
    ] {
        caller.insert(name.into(), text.into());
    }
    let mut resource = object(&question.resource.properties);
    resource.insert("kind".into(), question.resource.kind.as_str().into());
    resource.insert("id".into(), question.resource.id.as_str().into());
    let verb = [("name".into(), question.verb.as_str().into())];
    let input = [
        ("caller", Rego::from(caller)),
        ("action", Rego::from(BTreeMap::from(verb))),
        ("arguments", Rego::from(object(&question.arguments))),
        ("resource", Rego::from(resource)),
        ("time", Rego::from(question.time)),
    ];
    let input = input.map(|(name, value)| (Rego::from(name), value));
    BTreeMap::from(input).into()
}

fn object(properties: &Properties) -> BTreeMap<Rego, Rego> {
    let value = |value: &Value| match value {
        Value::Text(text) | Value::Json(text) => text.as_str().into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Decimal(decimal) => (*decimal).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Texts(texts) => {
            let texts: Vec<Rego> = texts.iter().map(|text| text.as_str().into()).collect();
            texts.into()
        }
    };
    properties
        .iter()
        .map(|property| (property.name.as_str().into(), value(&property.value)))
        .collect()
}

fn engine() -> anyhow::Result<Engine> {
    let mut engine = Engine::new();
    let rules = include_str!("../rules/baseline.rego");
    engine.add_policy("baseline.rego".to_owned(), rules.to_owned())?;
    engine.add_data(data()?)?;
    Ok(engine)
}

/// The sets of verbs.
fn data() -> anyhow::Result<Rego> {
    let sets = sets()?.into_iter().map(|(name, verbs)| {
        let verbs = verbs.into_iter().map(|verb| (verb.into(), true.into()));
        (
            Rego::from(name),
            Rego::from(verbs.collect::<BTreeMap<_, _>>()),
        )
    });
    Ok(sets.collect::<BTreeMap<_, _>>().into())
}

fn said(verdict: &Rego) -> anyhow::Result<Said> {
    let effect = verdict["effect"].as_string()?;
    Ok(Said {
        effect: Effect::parse(effect).context("an effect")?,
        rule: Some(verdict["rule"].as_string()?.clone()),
    })
}
