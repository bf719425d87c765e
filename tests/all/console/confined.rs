//! A key that is bound to a workspace, on pages about another.

use countersign_tests::Host;
use serde_json::json;

use crate::stage;

// Guard: `confine` in host/core/src/gate/confine.rs, by what `Intent` says the action is about.
#[tokio::test]
async fn a_key_of_one_workspace_neither_sees_nor_removes_another() {
    let host = Host::start(stage::ADMIN_TOKEN).await;
    let person = host.operator().await;
    let own = stage::workspace(&person, "own", None).await;
    let other = stage::workspace(&person, "elsewhere", None).await;
    let key = stage::minted(&person, json!({ "name": "ci", "workspace_id": own })).await;
    let key = host.agent(&key);
    let page = key.get(&format!("/console/workspaces/{own}")).await;
    assert!(page.expect(200).page().contains("own"));
    let path = format!("/console/workspaces/{other}/remove");
    let shown = "0".repeat(64);
    for reply in [
        key.get(&path).await,
        key.post_form(&path, &[("shown", &*shown)]).await,
        key.post_form(&path, &[("shown", &*shown), ("confirm", "true")])
            .await,
        key.get(&format!("/console/workspaces/{other}")).await,
    ] {
        let page = reply.expect(403).page();
        assert!(page.contains("bound to the workspace"), "{page}");
        assert!(!page.contains("elsewhere"), "{page}");
    }
    assert_eq!(stage::workspaces(&person).await.len(), 2);
    assert_eq!(stage::pending(&person).await.len(), 0);
}
