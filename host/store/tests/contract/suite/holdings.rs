//! What people look at whole: what falls, who minted what, and where the operator is signed in.

use countersign_core::action::Action;
use countersign_core::chance::OsChance;
use countersign_core::holdings::{Falling, HoldingsLedger as _, Lists};
use countersign_core::id::{SessionId, TokenId, WorkspaceId};
use countersign_core::ledger::Refusal;
use countersign_core::ports::Ledger as _;
use countersign_core::secret::SecretScope;
use countersign_core::session::{NewSession, ProofHash};
use countersign_core::workspace::FallDigest;

use super::removals::removed;
use super::world::*;

async fn falling(world: &World, workspace: WorkspaceId, seconds: i64) -> Option<Falling> {
    let permit = world.permit(Action::WorkspaceRead { workspace }).await;
    let (none, now) = (Lists::default(), at(seconds));
    let falling = world.ledger.falling(&permit, none, workspace, now).await;
    falling.expect("the ledger answers")
}

/// A removal of what `falling` showed.
fn as_shown(falling: &Falling) -> Action {
    Action::DeleteWorkspace {
        workspace: falling.workspaces[0].id,
        confirm: true,
        shown: Some(falling.digest.clone()),
    }
}

// Guard: `is_all_that_falls` in host/store/src/portable/removal.rs.
#[tokio::test]
async fn a_removal_takes_what_was_shown_and_nothing_else() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let other = world.workspace("other", None).await;
    let ann = session_of("ann");
    let mut shown = falling(&world, root, 1).await.expect("it stands");
    let later = [
        create("late", Some(child)),
        rename(child, "renamed"),
        token_of(child),
        mint_bound("bound", root),
        write(secret_in(SecretScope::Workspace(child), "KEY"), "one"),
        write(secret_in(SecretScope::Workspace(child), "KEY"), "two"),
    ];
    for (change, seconds) in later.into_iter().zip((10..).step_by(10)) {
        done(
            world
                .ask(&Ask::new(&ann, change, allow(), at(seconds)))
                .await,
        );
        for ruling in [allow(), gate()] {
            let removal = Ask::new(&ann, as_shown(&shown), ruling, at(seconds + 1));
            let refusal = refused(world.ask(&removal).await);
            assert_eq!(refusal, Refusal::OtherThanShown);
        }
        shown = falling(&world, root, seconds + 2).await.expect("it stands");
    }
    let names: Vec<_> = shown
        .workspaces
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["root", "renamed", "late"]);
    assert_eq!((shown.tokens, shown.bound_tokens, shown.secrets), (1, 1, 1));
    // What happens elsewhere is no matter.
    done(
        world
            .ask(&Ask::new(&ann, rename(other, "x"), allow(), at(90)))
            .await,
    );
    let removal = Ask::new(&ann, as_shown(&shown), allow(), at(91));
    assert_eq!(removed(world.ask(&removal).await).len(), 3);
    world.end().await;
}

#[tokio::test]
async fn what_falls_is_told_to_whoever_may_read_that_workspace_alone() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let other = world.workspace("other", None).await;
    for action in [
        Action::WorkspaceRead { workspace: other },
        Action::WorkspaceList,
    ] {
        let permit = world.permit(action).await;
        let none = Lists::default();
        let refused = world.ledger.falling(&permit, none, root, at(1)).await;
        refused.expect_err("a permit for something else");
    }
    world.end().await;
}

#[tokio::test]
async fn a_family_is_a_key_with_those_that_minted_it_and_what_it_minted() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let root = world.minted(&session_of("ann"), "root", at(0)).await;
    let child = world.minted(&bearer(&root), "child", at(1)).await;
    let grandchild = world.minted(&bearer(&child), "grandchild", at(2)).await;
    world.minted(&session_of("ann"), "stranger", at(3)).await;
    let of_home = world
        .workspace_token(&bearer(&grandchild), home, at(4))
        .await;
    world.note_uses(&[uses(child.id, 10, 3)]).await;
    let revoke = Ask::new(
        &session_of("ann"),
        revoke_token(grandchild.id),
        allow(),
        at(20),
    );
    done(world.ask(&revoke).await);

    let permit = world.permit(Action::OrgTokenList).await;
    let family = async |id| {
        let family = world.ledger.family(&permit, id, at(30)).await;
        family.expect("the ledger answers")
    };
    let of_child = family(child.id).await.expect("it was minted");
    assert!(of_child.token.is_live);
    assert_eq!(of_child.token.token.uses_24h, 3);
    let names = |kin: &[countersign_core::holdings::Kin]| -> Vec<(String, bool)> {
        let one = |kin: &countersign_core::holdings::Kin| {
            (kin.token.name.clone().unwrap_or_default(), kin.is_live)
        };
        kin.iter().map(one).collect()
    };
    assert_eq!(names(&of_child.minters), [("root".to_owned(), true)]);
    assert_eq!(names(&of_child.minted), [("grandchild".to_owned(), false)]);
    assert_eq!(of_child.of_workspaces.len(), 1);
    assert_eq!(of_child.of_workspaces[0].id, of_home.id);
    let of_grandchild = family(grandchild.id).await.expect("it was minted");
    assert!(!of_grandchild.token.is_live);
    let above = [("child".to_owned(), true), ("root".to_owned(), true)];
    assert_eq!(names(&of_grandchild.minters), above);
    assert!(of_child.approval.is_none(), "nobody had to");
    let ask = Ask::new(&bearer(&root), mint("asked for"), gate(), at(40));
    let approval = world.approved(&ask).await;
    let asked_for = token(world.ask(&ask.at(at(43))).await);
    let by = family(asked_for.id).await.expect("it was minted").approval;
    let by = by.expect("people approved it");
    assert_eq!((by.id, by.votes.len()), (approval.id, 1));
    let nobody = TokenId::new(at(0), &OsChance);
    assert!(family(nobody).await.is_none());
    let wrong = world.permit(Action::WorkspaceList).await;
    let refused = world.ledger.family(&wrong, child.id, at(30)).await;
    refused.expect_err("a permit for something else");
    world.end().await;
}

// Guard: the comparisons with `shown` in host/store/src/portable/revocation.rs and obstacles.rs.
#[tokio::test]
async fn a_revocation_takes_along_what_was_shown_and_nothing_else() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let ann = session_of("ann");
    let root = world.minted(&ann, "root", at(0)).await;
    let permit = world.permit(Action::OrgTokenList).await;
    let descent = async |seconds| {
        let family = world.ledger.family(&permit, root.id, at(seconds)).await;
        family
            .expect("the ledger answers")
            .expect("it was minted")
            .descent
    };
    let as_shown = |shown: &FallDigest, descendants| Action::OrgTokenRevoke {
        token: root.id,
        drain_seconds: 0,
        descendants,
        shown: Some(shown.clone()),
    };
    let is_other = async |shown: &FallDigest, seconds| {
        for ruling in [allow(), gate()] {
            let asked = Ask::new(&ann, as_shown(shown, true), ruling, at(seconds));
            assert_eq!(refused(world.ask(&asked).await), Refusal::OtherThanShown);
        }
    };
    let none = descent(1).await;
    let child = world.minted(&bearer(&root), "child", at(2)).await;
    is_other(&none, 3).await;
    let one = descent(4).await;
    world.workspace_token(&bearer(&child), home, at(5)).await;
    is_other(&one, 6).await;
    let two = descent(7).await;
    world.minted(&ann, "stranger", at(8)).await;
    assert_eq!(descent(9).await, two, "what others mint is no matter");
    let gone = Ask::new(&ann, revoke_token(child.id), allow(), at(10));
    done(world.ask(&gone).await);
    is_other(&two, 11).await;

    // The key alone is revoked whatever it minted meanwhile.
    let alone = Ask::new(&ann, as_shown(&none, false), allow(), at(12));
    done(world.ask(&alone).await);
    is_other(&none, 13).await;
    let rest = as_shown(&descent(14).await, true);
    done(world.ask(&Ask::new(&ann, rest, allow(), at(15))).await);
    assert_eq!(descent(16).await, none);
    world.end().await;
}

#[tokio::test]
async fn uses_by_hour_are_those_of_live_keys_of_the_organisation() {
    let world = World::new().await;
    let hour = 3_600;
    let (ci, gone) = (
        world.minted(&admin(), "ci", at(0)).await,
        world.minted(&admin(), "gone", at(0)).await,
    );
    world
        .note_uses(&[
            uses(ci.id, 1, 9),
            uses(ci.id, hour + 1, 2),
            uses(gone.id, hour, 4),
        ])
        .await;
    let revoke = Ask::new(
        &session_of("ann"),
        revoke_token(gone.id),
        allow(),
        at(hour + 5),
    );
    done(world.ask(&revoke).await);
    let permit = world.permit(Action::OrgTokenList).await;
    let all = world
        .ledger
        .uses_by_hour(&permit, at(0), at(hour + 9))
        .await;
    let all = all.expect("the ledger answers");
    let told: Vec<_> = all
        .iter()
        .map(|(id, hour)| (*id, hour.hour, hour.uses))
        .collect();
    assert_eq!(told, [(ci.id, at(hour), 2)]);
    let wrong = world.permit(Action::WorkspaceList).await;
    let refused = world.ledger.uses_by_hour(&wrong, at(0), at(9)).await;
    refused.expect_err("a permit for something else");
    world.end().await;
}

async fn signed_in(world: &World, name: &str, seconds: i64) -> SessionId {
    let session = NewSession {
        id: SessionId::new(at(seconds), &OsChance),
        cookie: hash(name),
        proof: ProofHash::of(name),
        expires_at: at(seconds + 600),
    };
    let (link, now) = (hash(&format!("link of {name}")), at(seconds));
    let saved = world
        .ledger
        .save_login_link(link, at(seconds + 60), now)
        .await;
    saved.expect("the ledger answers");
    let redeemed = world.ledger.redeem_login_link(link, session, now).await;
    assert!(redeemed.expect("the ledger answers"));
    session.id
}

// Guard: the `EXISTS` of `list` and `end_by` in host/store/src/portable/sessions.rs.
#[tokio::test]
async fn whoever_has_a_live_session_sees_and_ends_the_others_and_nobody_else_does() {
    let world = World::new().await;
    let desk = signed_in(&world, "desk", 0).await;
    let phone = signed_in(&world, "phone", 5).await;
    let list = async |reader, seconds| -> Vec<SessionId> {
        let listed = world.ledger.live_sessions(reader, at(seconds)).await;
        let listed = listed.expect("the ledger answers");
        listed.iter().map(|session| session.id).collect()
    };
    let end = async |ended, by, seconds| {
        let ended = world.ledger.end_session_by(ended, by, at(seconds)).await;
        ended.expect("the ledger answers")
    };
    let nobody = SessionId::new(at(0), &OsChance);
    assert_eq!(list(desk, 10).await, [phone, desk]);
    assert_eq!(list(nobody, 10).await, []);
    assert!(!end(phone, nobody, 10).await);
    assert!(!end(nobody, desk, 10).await);
    assert!(end(phone, desk, 11).await);
    assert!(!end(phone, desk, 12).await, "it has ended");
    assert!(!end(desk, phone, 12).await, "the dead end nobody");
    assert_eq!(list(desk, 13).await, [desk]);
    assert_eq!(list(phone, 13).await, []);
    assert!(!end(desk, desk, 600).await, "it is too old");
    assert!(end(desk, desk, 14).await);
    let ended = world.audit().await;
    let ended: Vec<_> = ended
        .iter()
        .filter(|entry| entry.kind == "session_ended")
        .collect();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].detail["by_session"], desk.to_string());
    assert_eq!(ended[0].detail["session"], phone.to_string());
    world.end().await;
}
