//! The baseline's rules for cedar-policy: `rules/baseline.cedar`.

use std::collections::{HashMap, HashSet};

use anyhow::Context as _;
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression,
};
use countersign_core::policy::{CallerClass, Properties, Question, Value};
use countersign_lab::table::Effect;

use crate::Said;
use crate::verbs::sets;

/// The policies, parsed, with what each says where it decides.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    said: HashMap<PolicyId, Said>,
    types: HashMap<&'static str, EntityTypeName>,
    /// Every verb in its groups, by name.
    actions: HashMap<String, Entity>,
}

/// How much of a question is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// All of it, as a host must that does not know the rules. A policy module gets all of it too.
    All,
    /// What these rules read, as a program can that was written for them alone.
    Read,
}

impl Fields {
    /// Every name that `rules/baseline.cedar` asks for.
    const READ: [&str; 6] = [
        "fields",
        "own",
        "own-lineage",
        "parent",
        "values",
        "workspace",
    ];

    fn has(self, name: &str) -> bool {
        self == Self::All || Self::READ.contains(&name)
    }
}

/// A question in Cedar's words.
pub struct Prebuilt {
    request: Request,
    entities: Entities,
}

impl Cedar {
    /// Parses the rules.
    pub fn new() -> anyhow::Result<Self> {
        let policies: PolicySet = include_str!("../rules/baseline.cedar").parse()?;
        let said = policies
            .policies()
            .map(|policy| {
                let effect = match (policy.effect(), policy.annotation("effect")) {
                    (cedar_policy::Effect::Forbid, None) => Effect::Deny,
                    (cedar_policy::Effect::Permit, None) => Effect::Allow,
                    (cedar_policy::Effect::Permit, Some("gate")) => Effect::Gate,
                    other => anyhow::bail!("`{}` has the effect {other:?}", policy.id()),
                };
                let rule = policy
                    .annotation("rule")
                    .context("every policy has a rule")?;
                let said = Said {
                    effect,
                    rule: Some(rule.into()),
                };
                Ok((policy.id().clone(), said))
            })
            .collect::<anyhow::Result<_>>()?;
        let types = [
            ("caller", "Caller"),
            ("organisation", "Organisation"),
            ("org-token", "OrgToken"),
            ("secret", "Secret"),
            ("verb", "Action"),
            ("workspace", "Workspace"),
        ];
        let types = types.map(|(kind, name)| Ok((kind, name.parse()?)));
        let mut cedar = Self {
            authorizer: Authorizer::new(),
            policies,
            said,
            types: types.into_iter().collect::<anyhow::Result<_>>()?,
            actions: HashMap::new(),
        };
        cedar.actions = cedar.actions()?;
        Ok(cedar)
    }

    fn actions(&self) -> anyhow::Result<HashMap<String, Entity>> {
        let mut groups: HashMap<String, HashSet<EntityUid>> = HashMap::new();
        for (group, verbs) in sets()? {
            for verb in verbs {
                let groups = groups.entry(verb).or_default();
                groups.insert(self.uid("verb", group)?);
            }
        }
        groups
            .into_iter()
            .map(|(verb, groups)| {
                let action = Entity::new_no_attrs(self.uid("verb", &verb)?, groups);
                Ok((verb, action))
            })
            .collect()
    }

    /// The question in Cedar's words.
    pub fn build(
        &self,
        question: &Question,
        class: CallerClass,
        fields: Fields,
    ) -> anyhow::Result<Prebuilt> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let subject = &question.subject;
        let mut caller = self.attributes(&subject.properties, fields)?;
        caller.insert("credential".to_owned(), text(subject.credential.as_str()));
        caller.insert("class".to_owned(), text(class.as_str()));
        if !subject.workspace.is_empty() {
            let own = self.uid("workspace", &subject.workspace)?;
            caller.insert(
                "workspace".to_owned(),
                RestrictedExpression::new_entity_uid(own),
            );
        }
        let mut context = self.attributes(&question.arguments, fields)?;
        if fields == Fields::All {
            caller.insert("role".to_owned(), text(subject.role.as_str()));
            caller.insert("principal".to_owned(), text(&subject.principal));
            let time = i64::try_from(question.time)?;
            context.insert("time".to_owned(), RestrictedExpression::new_long(time));
        }
        let principal = self.uid("caller", &subject.actor)?;
        let resource = self.uid(&question.resource.kind, &question.resource.id)?;
        let properties = self.attributes(&question.resource.properties, fields)?;
        let entities = [
            Entity::new(principal.clone(), caller, HashSet::new())?,
            Entity::new(resource.clone(), properties, HashSet::new())?,
        ];
        // A verb that nobody knows is in no group.
        let action = self.actions.get(&question.verb).cloned();
        Ok(Prebuilt {
            request: Request::new(
                principal,
                self.uid("verb", &question.verb)?,
                resource,
                Context::from_pairs(context)?,
                None,
            )?,
            entities: Entities::from_entities(entities.into_iter().chain(action), None)?,
        })
    }

    /// What the rules say.
    ///
    /// # Errors
    ///
    /// Where Cedar would skip a rule because it cannot be evaluated.
    pub fn answer(&self, asked: &Prebuilt) -> anyhow::Result<Said> {
        let response =
            self.authorizer
                .is_authorized(&asked.request, &self.policies, &asked.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            anyhow::bail!("a rule was skipped: {error}");
        }
        let rule = response.diagnostics().reason().next();
        let said = rule.and_then(|id| self.said.get(id));
        match (response.decision(), said) {
            (_, Some(said)) => Ok(said.clone()),
            (Decision::Deny, None) => Ok(Said {
                effect: Effect::Deny,
                rule: None,
            }),
            (Decision::Allow, None) => anyhow::bail!("nothing is allowed without a rule"),
        }
    }

    fn uid(&self, kind: &str, id: &str) -> anyhow::Result<EntityUid> {
        let name = self.types.get(kind).context("an unknown kind")?;
        Ok(EntityUid::from_type_name_and_id(
            name.clone(),
            EntityId::new(id),
        ))
    }

    fn attributes(
        &self,
        properties: &Properties,
        fields: Fields,
    ) -> anyhow::Result<HashMap<String, RestrictedExpression>> {
        properties
            .iter()
            .filter(|property| fields.has(&property.name))
            .map(|property| {
                let value = match &property.value {
                    Value::Text(id) if property.name == "workspace" => {
                        RestrictedExpression::new_entity_uid(self.uid("workspace", id)?)
                    }
                    Value::Text(text) | Value::Json(text) => {
                        RestrictedExpression::new_string(text.clone())
                    }
                    Value::Integer(integer) => RestrictedExpression::new_long(*integer),
                    // Cedar has no fractions but an extension's; no property of ours has one.
                    Value::Decimal(decimal) => anyhow::bail!("{decimal} is not whole"),
                    Value::Boolean(flag) => RestrictedExpression::new_bool(*flag),
                    Value::Texts(texts) => RestrictedExpression::new_set(
                        texts
                            .iter()
                            .map(|text| RestrictedExpression::new_string(text.clone())),
                    ),
                };
                Ok((property.name.clone(), value))
            })
            .collect()
    }
}
