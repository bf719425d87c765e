//! Who ended an approval, as the wire and the pages tell it, and what is kept of whoever came too late.

use serde_json::{Value, json};

use super::{mint, revoke, withdraw};
use crate::stage::{Stage, approval, approve, rewrite};

/// What the wire says of an end.
fn end(shown: &Value) -> [&Value; 4] {
    ["ended_at", "ended_by", "ended_by_user", "ended_because"].map(|member| &shown[member])
}

async fn page(caller: &countersign_tests::Caller, path: &str) -> String {
    caller.get(path).await.expect(200).page()
}

// Guards: the statements of `take_back` and `cancel` in host/store/src/portable/taken_back.rs, which say by whom.
#[tokio::test]
async fn whoever_withdrew_or_revoked_is_named_on_the_wire_on_the_page_and_in_the_history() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let bob = stage.person("bob").await;
    let withdrawn = mint(&agent, "one").await.approval();
    let open = approval(&agent, &withdrawn).await;
    assert!(end(&open).iter().all(|member| member.is_null()), "{open}");
    withdraw(&agent, &withdrawn).await.expect(200);
    let shown = approval(&agent, &withdrawn).await;
    assert_eq!(shown["ended_by"], "admin-token");
    assert!(shown["ended_by_user"].is_null() && shown["ended_at"].is_string());
    assert_eq!(shown["ended_because"], "the requester took it back");

    let revoked = mint(&agent, "two").await.approval();
    approve(&ann, &revoked).await;
    revoke(&bob, &revoked).await.expect(200);
    let shown = approval(&agent, &revoked).await;
    assert_eq!(shown["ended_by_user"], "bob");
    let label = shown["ended_by"].as_str().expect("a label");
    assert!(label.starts_with("session:"), "{label}");

    let of = page(&ann, &format!("/console/approvals/{revoked}")).await;
    let withdrew = page(&ann, &format!("/console/approvals/{withdrawn}")).await;
    let history = page(&ann, "/console/approvals/history").await;
    let code = label.trim_start_matches("session:");
    let bob = format!(
        "by <bdi class=\"called\" title=\"{code}\">bob</bdi> <span class=\"vouched\">(by the control plane)</span>"
    );
    let taken_back = format!("<strong>Taken back</strong> {bob}");
    for (page, words) in [
        (&of, &*taken_back),
        (&of, "<blockquote><p>the wrong key"),
        (
            &withdrew,
            "<strong>Withdrawn</strong> by the holder of ADMIN_TOKEN",
        ),
        (&withdrew, "the requester took it back"),
        (&history, &bob),
        (&history, "<bdi>the wrong key</bdi>"),
        (&history, "by the holder of ADMIN_TOKEN"),
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }

    // As a host of before left them.
    let forget = "UPDATE approvals SET ended_at = NULL, ended_by = NULL, ended_by_user = NULL,
                      ended_because = NULL";
    rewrite(stage.host.database(), &stage.host.data_dir(), forget).await;
    let shown = approval(&agent, &revoked).await;
    assert!(end(&shown).iter().all(|member| member.is_null()), "{shown}");
    assert_eq!(shown["revoke_reason"], "the wrong key");
    for path in [
        format!("/console/approvals/{revoked}"),
        format!("/console/approvals/{withdrawn}"),
        "/console/approvals/history?state=revoked".to_owned(),
    ] {
        let page = page(&ann, &path).await;
        assert!(page.contains("not known by whom"), "{path}: {page}");
    }
}

#[tokio::test]
async fn what_time_has_ended_was_ended_by_nobody_and_says_so() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let expired = mint(&agent, "one").await.approval();
    let lapsed = mint(&agent, "two").await.approval();
    approve(&ann, &lapsed).await;
    let over =
        "UPDATE approvals SET expires_at = created_at + 1, grant_expires_at = decided_at + 1";
    rewrite(stage.host.database(), &stage.host.data_dir(), over).await;
    for (id, state) in [(&expired, "Expired"), (&lapsed, "Lapsed")] {
        let shown = approval(&agent, id).await;
        assert_eq!(shown["status"], state.to_lowercase());
        assert!(shown["ended_by"].is_null() && shown["ended_at"].is_string());
        assert_eq!(shown["ended_because"], "its time was over");
        let page = page(&ann, &format!("/console/approvals/{id}")).await;
        let words = format!("<strong>{state}</strong> by nobody");
        assert!(page.contains(&words), "{page}");
    }
    let history = page(&ann, "/console/approvals/history").await;
    let nobody = "by nobody: its time was over";
    assert_eq!(history.matches(nobody).count(), 2, "{history}");
}

#[tokio::test]
async fn whoever_comes_too_late_to_take_an_approval_back_is_told_what_moved_and_keeps_their_words()
{
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let bob = stage.person("bob").await;
    let undo = async |id: &str, reason: &str| {
        let form = format!("/console/approvals/{id}/revoke");
        bob.post_form(&form, &[("reason", reason)]).await
    };
    let granted = async |name: &str| {
        let id = mint(&agent, name).await.approval();
        approve(&ann, &id).await;
        id
    };
    let kept = "readonly>not &#60;this&#62; one</textarea>";
    let tells = |page: &str, words: &[&str]| {
        for words in words.iter().chain(&[kept, "was not recorded"]) {
            assert!(page.contains(words), "{words}: {page}");
        }
    };

    let used = granted("used").await;
    mint(&agent, "used").await.expect(200);
    let page = undo(&used, "not%20<this>%20one").await.expect(409).page();
    tells(
        &page,
        &["This was used before you took it back", "it was done, once"],
    );
    let shown = approval(&agent, &used).await;
    assert_eq!(shown["status"], "used");
    assert!(shown["revoke_reason"].is_null() && shown["ended_by"].is_null());

    let taken = granted("taken").await;
    revoke(&ann, &taken).await.expect(200);
    let page = undo(&taken, "not%20<this>%20one").await.expect(409).page();
    let first = "Somebody else took this back first";
    tells(
        &page,
        &[first, "<bdi>ann</bdi>", "<bdi>the wrong key</bdi>"],
    );
    assert_eq!(approval(&agent, &taken).await["ended_by_user"], "ann");

    let lapsed = granted("lapsed").await;
    let over =
        format!("UPDATE approvals SET grant_expires_at = decided_at + 1 WHERE id = '{lapsed}'");
    rewrite(stage.host.database(), &stage.host.data_dir(), &over).await;
    let page = undo(&lapsed, "not%20<this>%20one").await.expect(409).page();
    tells(
        &page,
        &["This has lapsed meanwhile", "by nobody: its time was over"],
    );

    // Sent twice it is one, and other words of the same person are kept.
    let own = granted("own").await;
    undo(&own, "mine").await.expect(303);
    undo(&own, "mine").await.expect(303);
    let page = undo(&own, "not%20<this>%20one").await.expect(409).page();
    tells(
        &page,
        &["You have taken this back already", "<bdi>mine</bdi>"],
    );
    // A program's answer stays what it was.
    let late = ann
        .post(&format!("/approvals/{own}/revoke"), json!({}))
        .await;
    assert_eq!(late.refused(409, "not_approved").json["status"], "revoked");
    let none = "/console/approvals/00000000-0000-4000-8000-000000000000/revoke";
    bob.post_form(none, &[("reason", "x")]).await.expect(404);
}
