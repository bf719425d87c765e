//! Tokens that end at one host of a fleet: what the other does with them.

use std::time::{Duration, Instant};

use countersign_tests::{Caller, Yardstick};
use serde_json::json;

use super::Fleet;
use crate::stage::{approve, tokens, workspace, workspace_token};

/// A host that has not heard of an end believes in a token for so long, after it last looked.
const BELIEVED: Duration = Duration::from_secs(1);
/// One that has heard of it no longer does: half of that is enough to tell the two apart.
const HEARD: Duration = Duration::from_millis(500);
/// Others want the processors too, more at one moment than at the next: the best of so many counts.
const ROUNDS: usize = 8;

/// A way for a token to end at A.
#[derive(Clone, Copy, Debug)]
enum End {
    Revoked,
    WithWhatMintedIt,
    OfWorkspace,
    Rotated,
    WithItsWorkspace,
}

/// A token that B has seen, and a mistake of its that B answers before the ledger is asked.
struct Seen {
    agent: Caller,
    mistake: String,
}

impl Seen {
    async fn at_b(fleet: &Fleet, token: &str, mistake: String) -> Self {
        let agent = fleet.b.agent(token);
        assert_eq!(agent.get(&mistake).await.status, 400);
        Self { agent, mistake }
    }

    /// How long B tells it of its mistakes. What it asks for is not done, from the very first moment.
    async fn is_forgotten(&self) -> Duration {
        let ended = Instant::now();
        let deed = self
            .agent
            .post("/settings/secrets", json!({ "key": "KEY", "value": "v" }));
        deed.await.refused(401, "unauthenticated");
        while self.agent.get(&self.mistake).await.status == 400 {
            // Far more than a second: whether it is ever forgotten is asked here.
            assert!(ended.elapsed() < BELIEVED * 15, "{:?}", ended.elapsed());
        }
        ended.elapsed()
    }
}

impl End {
    /// A token that ends in this way at A, just after B has seen it; how long B told it of its mistakes.
    async fn comes(self, fleet: &Fleet, round: usize) -> Duration {
        let [person, _] = &fleet.person;
        let seen = match self {
            Self::Revoked | Self::WithWhatMintedIt => {
                let name = format!("{self:?}-{round}");
                let minted = person.post("/org/tokens", json!({ "name": name })).await;
                let minted = minted.expect(200);
                let (root, id) = (minted.text("auth_token"), minted.text("id"));
                let child = match self {
                    Self::Revoked => root.to_owned(),
                    _ => child_of(&fleet.a.agent(root), person, &name).await,
                };
                let seen = Seen::at_b(fleet, &child, "/org/tokens/x/usage".to_owned()).await;
                let path = format!("/org/tokens/{id}?descendants=true");
                person.delete(&path).await.expect(200);
                seen
            }
            Self::OfWorkspace | Self::Rotated | Self::WithItsWorkspace => {
                let home = workspace(person, &format!("{self:?}-{round}"), None).await;
                let token = workspace_token(person, &home).await;
                let own = format!("/workspaces/{home}/tokens");
                let seen = Seen::at_b(fleet, &token, format!("{own}?limit=x")).await;
                match self {
                    Self::Rotated => drop(
                        fleet
                            .a
                            .agent(&token)
                            .post(&own, json!({}))
                            .await
                            .expect(201),
                    ),
                    Self::WithItsWorkspace => {
                        drop(
                            person
                                .delete(&format!("/workspaces/{home}"))
                                .await
                                .expect(200),
                        );
                    }
                    _ => {
                        let listed = person.get(&own).await.expect(200);
                        let id = listed.json["tokens"][0]["id"].as_str().expect("an id");
                        person.delete(&format!("{own}/{id}")).await.expect(200);
                    }
                }
                seen
            }
        };
        seen.is_forgotten().await
    }
}

/// A token that an agent mints, and a person agrees to.
async fn child_of(agent: &Caller, person: &Caller, name: &str) -> String {
    let body = json!({ "name": format!("child of {name}") });
    let id = agent.post("/org/tokens", body.clone()).await.approval();
    approve(person, &id).await;
    let minted = agent.post("/org/tokens", body).await.expect(200);
    minted.text("auth_token").to_owned()
}

// Guard: each kind in `EventKind::ends_tokens`, host/core/src/audit.rs, which `ANNOUNCEMENT_OF_TOKENS` in
// host/store/src/postgres.rs announces. Without it, B goes on for the rest of a second.
#[tokio::test(flavor = "multi_thread")]
async fn however_a_token_ends_at_one_host_the_other_forgets_it_as_it_hears_of_it() {
    let fleet = Fleet::set().await;
    for end in [
        End::Revoked,
        End::WithWhatMintedIt,
        End::OfWorkspace,
        End::Rotated,
        End::WithItsWorkspace,
    ] {
        let (mut tried, mut was_heard) = (Vec::new(), false);
        for round in 0..ROUNDS {
            let yardstick = Yardstick::new().await;
            let took = end.comes(&fleet, round).await;
            let prompt = yardstick.stretches(HEARD).await;
            tried.push((took, prompt));
            was_heard = took <= prompt;
            if was_heard {
                break;
            }
        }
        assert!(was_heard, "{end:?}: {tried:?}");
    }
    fleet.audit().await;
}

// Guards: as of `of_many_repeats_at_once_each_token_but_one_is_dead`, tests/all/approvals/lost.rs.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_presented_at_one_host_or_replaced_at_the_other_and_never_both() {
    let fleet = Fleet::set().await;
    let [at_a, _] = fleet.agents();
    let [person, _] = &fleet.person;
    let (mut replaced, mut presented) = (0, 0);
    for round in 0..12 {
        let body = json!({ "name": format!("ci-{round}") });
        let id = at_a.post("/org/tokens", body.clone()).await.approval();
        approve(person, &id).await;
        let lost = at_a.post("/org/tokens", body.clone()).await.expect(200);
        let lost = [&fleet.a, &fleet.b].map(|host| host.agent(lost.text("auth_token")));
        let [_, at_b] = lost.clone();
        let named = at_a.with("approval-id", &id);
        let repeat = async move { named.post("/org/tokens", body).await };
        let present = async move { at_b.get("/org/tokens").await };
        // In the first rounds the one is over when the other begins.
        let (repeated, seen) = match round {
            0 => {
                let repeated = repeat.await;
                (repeated, present.await)
            }
            1 => {
                let seen = present.await;
                (repeat.await, seen)
            }
            _ => {
                tokio::join!(repeat, present)
            }
        };
        match seen.status {
            200 => {
                presented += 1;
                repeated.refused(403, "grant_used");
                for token in &lost {
                    token.get("/org/tokens").await.expect(200);
                }
            }
            _ => {
                replaced += 1;
                seen.refused(401, "unauthenticated");
                let repeated = repeated.expect(200);
                // Nothing is done for it from the first moment, wherever; and it is told so within a second.
                for token in &lost {
                    let deed = token.post("/org/tokens", json!({})).await;
                    deed.refused(401, "unauthenticated");
                    let believed = Instant::now();
                    while token.get("/org/tokens/x/usage").await.status == 400 {
                        assert!(believed.elapsed() < BELIEVED * 15, "round {round}");
                    }
                }
                for host in [&fleet.a, &fleet.b] {
                    let replacement = host.agent(repeated.text("auth_token"));
                    replacement.get("/org/tokens").await.expect(200);
                }
            }
        }
        assert_eq!(tokens(person).await.len(), round + 1);
    }
    println!("fleet: {replaced} tokens were replaced, {presented} were presented before");
    assert!(replaced > 0 && presented > 0);
    fleet.audit().await;
}
