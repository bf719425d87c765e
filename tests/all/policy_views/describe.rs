use countersign_tests::CommandLine;

use super::*;

#[tokio::test]
async fn a_module_is_described_with_its_settings_and_the_rules_that_it_names() {
    let person = CommandLine::new();
    put(&person, "s.toml", b"grant_ttl_seconds = 600");
    let said = person
        .run(&["policy", "describe", "builtin", "--settings", "s.toml"])
        .await
        .expect(0)
        .says(&[
            "name baseline",
            "countersign:policy/types@0.1.0",
            "from a snapshot taken after configure",
            "grant_ttl_seconds 600 default: 900",
            "clock to 1 min",
            "contract countersign:policy@0.1.0, which this host has",
            "cases carries 33, which a host runs when it loads it",
            "bytes, of which",
            "agents-need-a-person gate in 388 rows",
            "human in 232 rows",
        ]);
    assert!(said.out.lines().count() < 70, "{said}");

    let json = person
        .run(&["policy", "describe", "builtin", "--json"])
        .await;
    let json = json.expect(0).json();
    assert_eq!(json["name"], "baseline", "{json}");
    assert_eq!(json["mode"], "snapshot");
    assert_eq!(json["classifies"], true);
    assert_eq!(json["values"]["grant_ttl_seconds"][0], "900");
    let rows: u64 = json["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .filter_map(|rule| rule["rows"].as_u64())
        .sum();
    assert_eq!(rows, 1856);
}

#[tokio::test]
async fn a_module_that_fails_here_and_there_is_described_with_its_failures() {
    let person = with(&[("brittle.wasm", &brittle())]);
    let said = person
        .run(&["policy", "describe", "brittle.wasm"])
        .await
        .expect(0);
    said.says(&[
        "it gave up (unreachable) fails in 58 rows",
        "is told what kind of caller asks",
        "carries none",
    ]);
}

#[tokio::test]
async fn the_counts_that_a_module_asks_for_are_described() {
    let counting = Guest {
        tally: Some("mints"),
        ..careful()
    };
    let person = with(&[("counting.wasm", &counting)]);
    let said = person.run(&["policy", "describe", "counting.wasm"]).await;
    said.expect(0).says(&[
        "Counts that it asks for",
        "mints deeds done and approvals pending of the caller's credential within 1 min: every verb",
    ]);
}
