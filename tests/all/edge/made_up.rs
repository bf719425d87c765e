//! Cookies that somebody made up do not keep the control plane from being asked about people.

use tokio::task::JoinSet;

use super::forwarded::behind;
use super::upstream::{Upstream, answer, ok};
use crate::stage::{ADMIN_TOKEN, tokens};

fn member(heard: &super::upstream::Heard) -> bool {
    heard
        .header("cookie")
        .is_some_and(|cookie| cookie.starts_with("cp_session=ann"))
}

// Guards: the bucket of strangers, and the places that are not for them, in `ControlPlaneSessions::ask`,
// host/server/src/credentials/control_plane.rs.
#[tokio::test]
async fn of_one_address_only_so_many_made_up_cookies_are_asked_about() {
    let upstream = Upstream::start(|heard| {
        Some(match member(heard) {
            true => ok("", r#"{"member":true,"user_id":"ann"}"#),
            false => answer("401 Unauthorized", "", "{}"),
        })
    });
    let host = behind(&upstream)
        .env("COUNTERSIGN_TRUSTED_PROXIES", "127.0.0.1")
        .start()
        .await;
    let person = host.session("cp_session=ann-1");
    tokens(&person).await;
    upstream.forget();

    let (mut unknown, mut refused) = (0, 0);
    for number in 0..90 {
        let made_up = host.session(&format!("cp_session=made-up-{number}"));
        let reply = made_up.get("/org/tokens").await;
        match reply.status {
            401 => unknown += 1,
            _ => {
                let reply = reply.refused(429, "rate_limited");
                assert!(reply.header("retry-after").is_some(), "{reply}");
                refused += 1;
            }
        }
    }
    assert_eq!(upstream.heard().len(), unknown);
    assert!(
        (60..=80).contains(&unknown) && refused > 0,
        "{unknown} and {refused}"
    );
    // The bearer beside one counts, as an agent's.
    let beside = host.session("cp_session=made-up").bearer(ADMIN_TOKEN);
    beside
        .post("/org/tokens", serde_json::json!({}))
        .await
        .approval();
    // Who was verified before goes on, and so does everybody at another address.
    tokens(&person).await;
    let elsewhere = host
        .session("cp_session=ann-2")
        .with("x-forwarded-for", "203.0.113.1");
    tokens(&elsewhere).await;
}

#[tokio::test]
async fn a_person_whom_the_host_knows_is_verified_while_made_up_cookies_wait_for_an_answer() {
    let upstream = Upstream::start(|heard| {
        member(heard).then(|| ok("", r#"{"member":true,"user_id":"ann"}"#))
    });
    let host = behind(&upstream).start().await;
    let person = host.session("cp_session=ann-1");
    tokens(&person).await;

    let mut strangers = JoinSet::new();
    for number in 0..50 {
        let made_up = host.session(&format!("cp_session=made-up-{number}"));
        strangers.spawn(async move { made_up.get("/org/tokens").await.status });
    }
    // All places that are for strangers are taken.
    countersign_tests::until(
        "the places are taken",
        std::time::Duration::from_secs(20),
        async || (upstream.heard().len() >= 25).then_some(()),
    )
    .await;
    // Deciding, and revoking, verify afresh.
    let reply = person
        .delete("/org/tokens/0197a3f2-6c00-7000-8000-000000000001")
        .await;
    assert_eq!(reply.status, 404, "{reply}");
    let statuses = strangers.join_all().await;
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
}
