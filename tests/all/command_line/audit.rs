//! `audit export`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{asked, signed_in};
use crate::stage::ADMIN_TOKEN;

#[tokio::test]
async fn the_whole_log_is_exported_in_its_order_one_entry_a_line() {
    let (host, person) = signed_in().await;
    asked(&person.agent(ADMIN_TOKEN), "ci").await;
    let operator = host.operator_by_link(&person).await;
    // More than one page of them.
    for number in 0..210 {
        let body = serde_json::json!({ "key": format!("KEY_{number}"), "value": "x" });
        operator.post("/settings/secrets", body).await.expect(200);
    }
    let said = person.run(&["audit", "export"]).await.expect(0);
    let entries: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(entries.len() > 210, "{}", entries.len());
    assert!(
        said.err.contains(&format!("{} entries", entries.len())),
        "{}",
        said.err
    );
    for (at, pair) in entries.windows(2).enumerate() {
        assert_eq!(pair[0]["seq"], at + 1);
        assert_eq!(pair[1]["previous"], pair[0]["hash"]);
    }
    let after = ["audit", "export", "--after", "205"];
    let rest = person.run(&after).await.expect(0);
    assert_eq!(rest.out.lines().count(), entries.len() - 205);

    let file = person.folder().join("audit.jsonl");
    let name = file.display().to_string();
    let said = person
        .run(&["audit", "export", "--out", &name])
        .await
        .expect(0);
    assert!(said.out.is_empty(), "{said}");
    let written = fs::read_to_string(&file).expect("a file");
    assert_eq!(written.lines().count(), entries.len());
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // One that fails leaves what was there.
    host.stop().await;
    person
        .run(&["audit", "export", "--out", &name])
        .await
        .expect(6);
    assert_eq!(fs::read_to_string(&file).expect("a file"), written);
    let others = fs::read_dir(person.folder()).expect("a folder").count();
    assert_eq!(others, 2, "the log, and the session's folder");
}
