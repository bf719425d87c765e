//! What the statements guard, against what the core says may become what.

use std::collections::BTreeSet;

use countersign_core::approval::{Approval, Choice, State};
use countersign_core::ledger::{Revocation, Withdrawal};
use countersign_core::operators::Standing;
use countersign_core::ports::Ledger;
use countersign_core::time::Timestamp;

use super::world::*;

/// All that can happen to an approval.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Approved,
    Denied,
    Used,
    TargetMoved,
    TimePassed,
    TakenBack,
    Revoked,
}

const HAPPENINGS: [Happening; 7] = [
    Happening::Approved,
    Happening::Denied,
    Happening::Used,
    Happening::TargetMoved,
    Happening::TimePassed,
    Happening::TakenBack,
    Happening::Revoked,
];

impl Happening {
    async fn befall(self, world: &World, ask: &Ask, approval: &Approval) {
        let again = ask.clone().naming(approval.id).at(at(3));
        match self {
            Self::Approved => drop(world.vote(&vote(approval, Choice::Approve)).await),
            Self::Denied => drop(world.vote(&vote(approval, Choice::Deny)).await),
            Self::Used => drop(world.ask(&again).await),
            Self::TargetMoved => {
                let theirs = write(global("KEY"), "theirs");
                world
                    .ask(&Ask::new(&session_of("eve"), theirs, allow(), at(2)))
                    .await;
                world.ask(&again).await;
            }
            Self::TimePassed => {
                let late = Timestamp::from_micros(i64::MAX / 2);
                world.ledger.sweep(late).await.expect("it sweeps");
            }
            Self::TakenBack => {
                let withdrawal = Withdrawal {
                    approval: approval.id,
                    workspace: None,
                    caller: &ask.caller,
                    at: at(2),
                };
                world.ledger.withdraw(withdrawal).await.expect("an answer");
            }
            Self::Revoked => {
                let revocation = Revocation {
                    approval: approval.id,
                    caller: &session_of("bob"),
                    standing: Standing::None,
                    reason: None,
                    at: at(2),
                };
                world.ledger.revoke(revocation).await.expect("an answer");
            }
        }
    }
}

fn vote(approval: &Approval, choice: Choice) -> countersign_core::ledger::Ballot {
    ballot(approval.id, "bob", choice, at(2))
}

#[tokio::test]
async fn an_approval_becomes_what_the_core_says_it_may_become_and_nothing_else() {
    let mut seen = BTreeSet::new();
    for &from in State::ALL {
        for happening in HAPPENINGS {
            let world = World::new().await;
            let ask = Ask::new(&admin(), write(global("KEY"), "asked"), gate(), at(0));
            let approval = world.approved(&ask).await;
            let sql = format!(
                "UPDATE approvals SET state = '{from}' WHERE id = '{}'",
                approval.id
            );
            world.database.tamper(&sql).await;
            happening.befall(&world, &ask, &approval).await;
            let to = world.approval(approval.id).await.state;
            if to != from {
                assert!(from.may_become(to), "{from} became {to} when {happening:?}");
                seen.insert((from, to));
            }
            world.end().await;
        }
    }
    let possible: BTreeSet<_> = State::ALL
        .iter()
        .flat_map(|&from| State::ALL.iter().map(move |&to| (from, to)))
        .filter(|(from, to)| from.may_become(*to))
        .collect();
    assert_eq!(seen, possible);
}
