//! How often tokens were presented, and when.

use countersign_core::action::Action;
use countersign_core::ledger::HourOfUse;
use countersign_core::ports::Ledger;

use super::world::*;

const HOUR: i64 = 3_600;

fn hours(hours: &[(i64, u64)]) -> Option<Vec<HourOfUse>> {
    let hour = |&(hour, uses)| HourOfUse {
        hour: at(hour * HOUR),
        uses,
    };
    Some(hours.iter().map(hour).collect())
}

#[tokio::test]
async fn uses_are_added_up_by_the_hour_and_a_list_shows_those_of_a_day() {
    let world = World::new().await;
    let ci = world.minted(&admin(), "ci", at(0)).await;
    let home = world.workspace("home", None).await;
    let of_home = world.workspace_token(&admin(), home, at(0)).await;
    // One batch for tokens of both kinds, in which one hour comes twice, and another batch for the same.
    world
        .note_uses(&[
            uses(ci.id, 10, 3),
            uses(of_home.id, 20, 5),
            uses(ci.id, 40, 1),
            uses(ci.id, HOUR + 1, 7),
        ])
        .await;
    world.note_uses(&[uses(ci.id, 50, 2)]).await;

    let listed = &world.live_tokens(at(2 * HOUR)).await[0];
    assert_eq!(listed.uses_24h, 13);
    assert_eq!(listed.last_used_at, Some(at(HOUR + 1)));
    let listed = &world.workspace_tokens(home, at(2 * HOUR)).await[0];
    assert_eq!((listed.uses_24h, listed.last_used_at), (5, Some(at(20))));
    // Of the hour that began a day ago nothing counts any more.
    assert_eq!(world.live_tokens(at(24 * HOUR)).await[0].uses_24h, 7);
    assert_eq!(world.live_tokens(at(25 * HOUR)).await[0].uses_24h, 0);

    let permit = world.permit(Action::OrgTokenList).await;
    let of = |token, since| world.ledger.token_uses(&permit, token, at(since));
    let all = of(ci.id, -1).await.expect("an answer");
    assert_eq!(all, hours(&[(0, 6), (1, 7)]));
    assert_eq!(of(ci.id, 0).await.expect("an answer"), hours(&[(1, 7)]));
    world.end().await;
}

#[tokio::test]
async fn what_a_token_did_can_be_read_after_it_was_revoked_by_whoever_may_list_it() {
    let world = World::new().await;
    let ci = world.minted(&admin(), "ci", at(0)).await;
    let home = world.workspace("home", None).await;
    let other = world.workspace("other", None).await;
    let of_home = world.workspace_token(&admin(), home, at(0)).await;
    world
        .note_uses(&[uses(ci.id, 10, 3), uses(of_home.id, 10, 4)])
        .await;
    let revoke = Ask::new(&session_of("ann"), revoke_token(ci.id), allow(), at(20));
    done(world.ask(&revoke).await);

    let all = world.permit(Action::OrgTokenList).await;
    let known = async |permit, token| {
        let uses = world.ledger.token_uses(permit, token, at(-1)).await;
        uses.expect("an answer")
    };
    assert_eq!(known(&all, ci.id).await, hours(&[(0, 3)]));
    assert_eq!(known(&all, of_home.id).await, None);
    let in_home = world
        .permit(Action::WorkspaceRead { workspace: home })
        .await;
    assert_eq!(known(&in_home, of_home.id).await, hours(&[(0, 4)]));
    assert_eq!(known(&in_home, ci.id).await, None);
    let in_other = world
        .permit(Action::WorkspaceRead { workspace: other })
        .await;
    assert_eq!(known(&in_other, of_home.id).await, None);
    let wrong = world.permit(Action::AuditRead).await;
    let refused = world.ledger.token_uses(&wrong, ci.id, at(0)).await;
    refused.expect_err("a permit for something else");
    world.end().await;
}

#[tokio::test]
async fn what_is_older_than_a_month_is_forgotten() {
    let world = World::new().await;
    let ci = world.minted(&admin(), "ci", at(0)).await;
    world
        .note_uses(&[uses(ci.id, 0, 1), uses(ci.id, HOUR, 2)])
        .await;
    let permit = world.permit(Action::OrgTokenList).await;
    for (seconds, left) in [
        (31 * 24 * HOUR, hours(&[(0, 1), (1, 2)])),
        (31 * 24 * HOUR + 1, hours(&[(1, 2)])),
    ] {
        world.ledger.sweep(at(seconds)).await.expect("it sweeps");
        let uses = world.ledger.token_uses(&permit, ci.id, at(-1)).await;
        assert_eq!(uses.expect("an answer"), left);
    }
    world.end().await;
}

#[tokio::test]
async fn a_batch_may_be_of_more_tokens_than_one_statement_takes() {
    let world = World::new().await;
    let ci = world.minted(&admin(), "ci", at(0)).await;
    let mut batch = vec![uses(ci.id, 7, 1)];
    for n in 0..4_500 {
        let unknown =
            countersign_core::id::TokenId::new(at(n), &countersign_core::chance::OsChance);
        batch.push(uses(unknown, 7, 1));
    }
    world.note_uses(&batch).await;
    world.note_uses(&[]).await;
    assert_eq!(world.live_tokens(at(8)).await[0].uses_24h, 1);
    world.end().await;
}

#[tokio::test]
async fn a_list_shows_five_hundred_tokens_and_no_more() {
    let world = World::new().await;
    let newest = world.minted(&admin(), "newest", at(10)).await;
    world
        .database
        .tamper(
            "INSERT INTO org_tokens
                 (id, hash, prefix, role, created_by, created_by_key, lineage, created_at)
             WITH RECURSIVE numbers (n) AS (
                 SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1509
             )
             SELECT '019b76da-a800-7000-8000-00000000' || n,
                    '000000000000000000000000000000000000000000000000000000000000' || n,
                    'cso_', 'admin', 'admin-token', 'admin-token:f00d', 'admin-token:f00d', n
             FROM numbers",
        )
        .await;
    let listed = world.live_tokens(at(11)).await;
    assert_eq!(listed.len(), 500);
    assert_eq!(listed[0].id, newest.id);
    assert!(listed.is_sorted_by(|one, next| one.created_at > next.created_at));
    world.end().await;
}
