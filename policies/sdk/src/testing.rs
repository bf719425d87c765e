//! Requests and settings for a policy's own tests.
//!
//! ```
//! use countersign_policy::testing::request;
//! use countersign_policy::{Credential, Role};
//!
//! let asked = request(Credential::OrgToken, "org_token_mint")
//!     .role(Role::Admin)
//!     .action_property("role", "admin")
//!     .build();
//! assert!(asked.is_privileged());
//! ```

use crate::{
    Action, Caller, CallerClass, Credential, Entity, Policy, Property, Request, Role, Setting,
    Tally, Value, Verdict, configure,
};

/// Starts a request by an administrator with this credential on the organisation `org`.
///
/// The class is the one that the built-in baseline gives that credential, until
/// [`class`](RequestBuilder::class) or a classifier says otherwise.
pub fn request(credential: Credential, verb: &str) -> RequestBuilder {
    let class = match credential {
        Credential::VerifiedSession => CallerClass::Human,
        Credential::OrgToken | Credential::AdminToken | Credential::WorkspaceToken => {
            CallerClass::Agent
        }
        Credential::Provisioner => CallerClass::Service,
        Credential::Anonymous | Credential::Vouched | Credential::Other => CallerClass::Unknown,
    };
    RequestBuilder {
        request: Request {
            caller: Caller {
                credential,
                principal: "caller".to_owned(),
                role: Role::Admin,
                actor: "test:caller".to_owned(),
                workspace: String::new(),
                subject: entity("caller", "caller"),
                properties: Vec::new(),
            },
            class,
            action: Action {
                name: verb.to_owned(),
                properties: Vec::new(),
            },
            resource: entity("organisation", "org"),
            time: 0,
            tallies: Vec::new(),
            context: Vec::new(),
        },
    }
}

/// A policy with these settings, the rest by default.
///
/// # Panics
///
/// With the policy's own sentence, where it refuses them.
#[must_use]
pub fn configured<P: Policy>(given: &[(&str, &[&str])]) -> P {
    match configure(&settings(given)) {
        Ok(policy) => policy,
        Err(refusal) => panic!("the policy refuses its settings: {refusal}"),
    }
}

/// Settings as the host hands them over.
#[must_use]
pub fn settings(given: &[(&str, &[&str])]) -> Vec<Setting> {
    given
        .iter()
        .map(|(name, values)| Setting {
            name: (*name).to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        })
        .collect()
}

/// A request in the making. Properties stay sorted by name and unique, as the contract promises.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestBuilder {
    request: Request,
}

impl RequestBuilder {
    /// What the caller's credential may reach.
    pub fn role(mut self, role: Role) -> Self {
        self.request.caller.role = role;
        self
    }

    /// What the classifier made of the caller.
    pub fn class(mut self, class: CallerClass) -> Self {
        self.request.class = class;
        self
    }

    /// The caller's audit label.
    pub fn actor(mut self, actor: &str) -> Self {
        self.request.caller.actor = actor.to_owned();
        self
    }

    /// The workspace that the caller acts from.
    pub fn workspace(mut self, workspace: &str) -> Self {
        self.request.caller.workspace = workspace.to_owned();
        self
    }

    /// A verified fact about the caller.
    pub fn caller_property(mut self, name: &str, value: impl Into<Value>) -> Self {
        insert(&mut self.request.caller.properties, name, value.into());
        self
    }

    /// What the action is done to.
    pub fn resource(mut self, kind: &str, id: &str) -> Self {
        kind.clone_into(&mut self.request.resource.kind);
        id.clone_into(&mut self.request.resource.id);
        self
    }

    /// A fact about the resource.
    pub fn resource_property(mut self, name: &str, value: impl Into<Value>) -> Self {
        insert(&mut self.request.resource.properties, name, value.into());
        self
    }

    /// What the verb is called with.
    pub fn action_property(mut self, name: &str, value: impl Into<Value>) -> Self {
        insert(&mut self.request.action.properties, name, value.into());
        self
    }

    /// A fact that the manifest asks for.
    pub fn context(mut self, name: &str, value: impl Into<Value>) -> Self {
        insert(&mut self.request.context, name, value.into());
        self
    }

    /// A count that the manifest asks for.
    pub fn tally(mut self, name: &str, count: u32) -> Self {
        self.request.tallies.push(Tally {
            name: name.to_owned(),
            count,
        });
        self
    }

    /// The time, in Unix milliseconds.
    pub fn at(mut self, unix_ms: u64) -> Self {
        self.request.time = unix_ms;
        self
    }

    /// The request.
    #[must_use]
    pub fn build(self) -> Request {
        self.request
    }

    /// What a policy says to it.
    pub fn judged_by(self, policy: &impl Policy) -> Verdict {
        policy.decide(&self.request)
    }
}

fn entity(kind: &str, id: &str) -> Entity {
    Entity {
        kind: kind.to_owned(),
        id: id.to_owned(),
        properties: Vec::new(),
    }
}

fn insert(properties: &mut Vec<Property>, name: &str, value: Value) {
    match properties.binary_search_by(|property| property.name.as_str().cmp(name)) {
        Ok(at) => properties[at].value = value,
        Err(at) => properties.insert(
            at,
            Property {
                name: name.to_owned(),
                value,
            },
        ),
    }
}
