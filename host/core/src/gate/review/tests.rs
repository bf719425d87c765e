use std::sync::Arc;

use super::super::confine::judged_by_core;
use super::*;
use crate::caller::{Caller, Door, Identity, Issuer, Person};
use crate::generation::{GenerationChange, Seal};
use crate::operators::Operators;
use crate::review::{Broken, Review, Reviewed};
use crate::session::OPERATOR;
use crate::time::Timestamp;

fn caller(identity: Identity) -> Caller {
    Caller {
        identity,
        anchor: None,
        door: Door::Host,
        address: String::new(),
    }
}

fn session(issuer: Issuer, user: &str) -> Caller {
    caller(Identity::Session {
        person: Person {
            issuer,
            user: user.to_owned(),
        },
        groups: Vec::new(),
        session: None,
        expires_at: None,
    })
}

fn activation(review: Review) -> Action {
    let change = GenerationChange {
        modules: Vec::new(),
        shadow: Vec::new(),
        components: Vec::new(),
        follows: 1,
        by: String::new(),
        summary: String::new(),
        at: Timestamp::from_micros(0),
        approval: None,
        seal: Seal::from_text(String::new()),
    };
    Action::PolicyActivate {
        change: Some(Arc::new(Reviewed { change, review })),
    }
}

#[test]
fn what_loosens_waits_for_a_person_whoever_asks_for_it() {
    let clean = activation(Review::default());
    let broken = activation(Review {
        broken: vec![Broken {
            module: "m@1.0.0".to_owned(),
            law: "agent".to_owned(),
            sentence: String::new(),
            case: String::new(),
        }],
        ..Review::default()
    });
    let operator = session(Issuer::Operator, OPERATOR);
    for asker in [caller(Identity::PolicyFolder), operator] {
        let ruled = |action: &Action| {
            let ruling = judged_by_core(&asker, action.verb(), &Operators::default());
            reviewed(ruling, action).effect()
        };
        assert_eq!(ruled(&clean), "allow");
        assert_eq!(ruled(&broken), "gate");
    }
    // Who may not ask at all is not heard because the change is one that waits.
    let ann = session(Issuer::ControlPlane, "ann");
    let ruling = judged_by_core(&ann, broken.verb(), &Operators::default());
    assert_eq!(reviewed(ruling, &broken).effect(), "deny");
}
