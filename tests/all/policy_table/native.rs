//! The baseline as plain Rust, asked in the host's words: what the engine's bindings do for a component
//! is done here a second time, by hand.

use countersign_baseline::Baseline;
use countersign_core::policy as core;
use countersign_policy::{self as sdk, Policy};

/// The native baseline with its default settings.
pub struct Native {
    baseline: Baseline,
    manifest: sdk::Manifest,
}

impl Default for Native {
    fn default() -> Self {
        Self {
            baseline: sdk::configure(&[]).expect("the defaults are right"),
            manifest: Baseline::manifest(),
        }
    }
}

impl Native {
    /// Classifies the caller, then decides, as a classifier that is alone does.
    pub fn judge(&self, question: &core::Question) -> (core::CallerClass, core::Verdict) {
        let request = self.request(question);
        let verdict = self.decide(&request);
        (lift_class(request.class), lift_verdict(verdict))
    }

    /// The verdict in the SDK's words.
    pub fn decide(&self, request: &sdk::Request) -> sdk::Verdict {
        self.baseline.decide(request)
    }

    /// The question in the SDK's words, its caller classified.
    pub fn request(&self, question: &core::Question) -> sdk::Request {
        let caller = caller(&question.subject);
        sdk::Request {
            class: self.baseline.classify(&caller),
            caller,
            action: sdk::Action {
                name: question.verb.clone(),
                properties: properties(&question.arguments),
            },
            resource: entity(&question.resource),
            time: self.rounded(question.time),
            tallies: Vec::new(),
            context: Vec::new(),
        }
    }

    fn rounded(&self, time: u64) -> u64 {
        match u64::from(self.manifest.clock_seconds) * 1_000 {
            0 => 0,
            step => time - time % step,
        }
    }
}

fn caller(subject: &core::Subject) -> sdk::Caller {
    sdk::Caller {
        credential: credential(subject.credential),
        principal: subject.principal.clone(),
        role: match subject.role {
            core::Role::None => sdk::Role::None,
            core::Role::Reader => sdk::Role::Reader,
            core::Role::Editor => sdk::Role::Editor,
            core::Role::Admin => sdk::Role::Admin,
        },
        actor: subject.actor.clone(),
        workspace: subject.workspace.clone(),
        subject: entity(&subject.entity),
        properties: properties(&subject.properties),
    }
}

fn credential(credential: core::Credential) -> sdk::Credential {
    match credential {
        core::Credential::Anonymous => sdk::Credential::Anonymous,
        core::Credential::VerifiedSession => sdk::Credential::VerifiedSession,
        core::Credential::OrgToken => sdk::Credential::OrgToken,
        core::Credential::AdminToken => sdk::Credential::AdminToken,
        core::Credential::WorkspaceToken => sdk::Credential::WorkspaceToken,
        core::Credential::Provisioner => sdk::Credential::Provisioner,
        core::Credential::Vouched => sdk::Credential::Vouched,
        core::Credential::Other => sdk::Credential::Other,
    }
}

fn entity(entity: &core::Entity) -> sdk::Entity {
    sdk::Entity {
        kind: entity.kind.clone(),
        id: entity.id.clone(),
        properties: properties(&entity.properties),
    }
}

fn properties(properties: &core::Properties) -> Vec<sdk::Property> {
    properties
        .iter()
        .map(|property| sdk::Property {
            name: property.name.clone(),
            value: match property.value.clone() {
                core::Value::Text(text) => sdk::Value::Text(text),
                core::Value::Integer(integer) => sdk::Value::Integer(integer),
                core::Value::Decimal(decimal) => sdk::Value::Decimal(decimal),
                core::Value::Boolean(boolean) => sdk::Value::Boolean(boolean),
                core::Value::Texts(texts) => sdk::Value::Texts(texts),
                core::Value::Json(json) => sdk::Value::Json(json),
            },
        })
        .collect()
}

fn lift_class(class: sdk::CallerClass) -> core::CallerClass {
    match class {
        sdk::CallerClass::Human => core::CallerClass::Human,
        sdk::CallerClass::Agent => core::CallerClass::Agent,
        sdk::CallerClass::Service => core::CallerClass::Service,
        sdk::CallerClass::Unknown => core::CallerClass::Unknown,
    }
}

fn lift_verdict(verdict: sdk::Verdict) -> core::Verdict {
    match verdict {
        sdk::Verdict::Abstain => core::Verdict::Abstain,
        sdk::Verdict::Allow(ground) => core::Verdict::Allow(lift_ground(ground)),
        sdk::Verdict::Deny(ground) => core::Verdict::Deny(lift_ground(ground)),
        sdk::Verdict::Gate(terms) => core::Verdict::Gate(core::Terms {
            ground: lift_ground(terms.ground),
            quorums: terms
                .quorums
                .into_iter()
                .map(|quorum| core::Quorum {
                    people: quorum.people,
                    groups: quorum.groups,
                })
                .collect(),
            pending_ttl: terms.pending_ttl,
            grant_ttl: terms.grant_ttl,
        }),
    }
}

fn lift_ground(ground: sdk::Ground) -> core::Ground {
    core::Ground {
        rule: ground.rule,
        reason: ground.reason,
        details: ground
            .details
            .into_iter()
            .map(|detail| core::Property {
                name: detail.name,
                value: match detail.value {
                    sdk::Value::Text(text) => core::Value::Text(text),
                    sdk::Value::Integer(integer) => core::Value::Integer(integer),
                    sdk::Value::Decimal(decimal) => core::Value::Decimal(decimal),
                    sdk::Value::Boolean(boolean) => core::Value::Boolean(boolean),
                    sdk::Value::Texts(texts) => core::Value::Texts(texts),
                    sdk::Value::Json(json) => core::Value::Json(json),
                },
            })
            .collect(),
    }
}
