//! The reports that programs read.

use serde_json::{Value, json};

use super::{MIXED, case, freeze, somebody, test};

#[tokio::test]
async fn json_has_each_case_with_what_was_found_instead() {
    let person = somebody(&[("freeze.wasm", &freeze()), ("mixed.toml", MIXED.as_bytes())]);
    let said = test(&person, &["freeze.wasm", "mixed.toml", "--json"]).await;
    let json = said.expect(1).json();
    assert_eq!(
        (&json["module"]["name"], &json["passed"], &json["failed"]),
        (&json!("freeze"), &json!(2), &json!(2))
    );
    let names: Vec<&Value> = members(&json).collect();
    assert_eq!(
        names,
        [
            "bundled",
            "error",
            "failed_questions",
            "failures",
            "file",
            "given",
            "line",
            "name",
            "passed",
            "questions",
            "seconds"
        ]
    );
    let failed = &json["cases"][1];
    assert_eq!(
        (&failed["file"], &failed["line"], &failed["passed"]),
        (&json!("mixed.toml"), &json!(7), &json!(false))
    );
    assert_eq!(failed["questions"], failed["failed_questions"]);
    assert_eq!(failed["given"], json!(["caller.workspace = \"w-1\""]));
    let first = &failed["failures"][0];
    assert_eq!(
        first["mismatches"],
        json!([
            { "part": "verdict", "expected": "gate", "found": "deny" },
            {
                "part": "reason",
                "expected": "agents do nothing during the day",
                "found": "agents do nothing during the freeze",
            },
        ])
    );
    assert_eq!(
        (&first["credential"], &first["verdict"], &first["rule"]),
        (&json!("org-token"), &json!("deny"), &json!("freeze"))
    );
}

fn members(json: &Value) -> impl Iterator<Item = &'static Value> + use<> {
    let case = json["cases"][0].as_object().expect("a case");
    let names: Vec<Value> = case.keys().map(|name| json!(name)).collect();
    names.into_iter().map(|name| &*Box::leak(Box::new(name)))
}

/// Reads JUnit's XML with a parser that forgives nothing, and says what it has as JSON.
const READ: &str = r#"
import json, sys, xml.etree.ElementTree as tree
suites = tree.parse("results.xml").getroot()
print(json.dumps({
    "root": suites.attrib,
    "suites": [suite.attrib for suite in suites],
    "cases": [dict(case.attrib, failure=[dict(f.attrib, text=f.text) for f in case]) for case in suites.iter("testcase")],
}))
"#;

#[tokio::test]
async fn junit_is_what_continuous_integration_reads() {
    let hostile = case(
        "verb = \"deprovision\"",
        "reason = \"<&>'\\\"\\u0000\\u0001\\uFFFE\"",
    )
    .replace("\"c\"", "\"<![CDATA[\\u0008]]> & \\\"co\\\"\"");
    let mixed = format!("{MIXED}\n{hostile}");
    let person = somebody(&[("freeze.wasm", &freeze()), ("mixed.toml", mixed.as_bytes())]);
    let said = test(
        &person,
        &["freeze.wasm", "mixed.toml", "--junit", "results.xml"],
    )
    .await;
    said.expect(1).says(&["3 of 5 cases failed"]);
    let read = person
        .begin("/usr/bin/python3".into(), &["-c", READ], None)
        .end()
        .await;
    let read = read.expect(0).json();
    assert_eq!(
        (&read["root"]["tests"], &read["root"]["failures"]),
        (&json!("5"), &json!("3"))
    );
    let suite = &read["suites"][0];
    assert_eq!(
        (&suite["name"], &suite["tests"], &suite["failures"]),
        (&json!("mixed.toml"), &json!("5"), &json!("3"))
    );
    let cases = read["cases"].as_array().expect("cases");
    assert_eq!(cases[0]["failure"], json!([]));
    let failed = &cases[1];
    assert_eq!(
        (&failed["classname"], &failed["line"]),
        (&json!("mixed.toml"), &json!("7"))
    );
    let failure = &failed["failure"][0];
    let message = failure["message"].as_str().expect("a message");
    assert!(
        message.ends_with("found agents do nothing during the freeze"),
        "{message}"
    );
    let text = failure["text"].as_str().expect("a text");
    assert!(
        text.contains("expected") && text.contains("again"),
        "{text}"
    );
    let last = cases.last().expect("a case");
    assert_eq!(last["name"], "<![CDATA[\\u{8}]]> & \"co\"");
    let message = last["failure"][0]["message"].as_str().expect("a message");
    assert!(message.contains("<&>'\"\\u{0}\\u{1}\\u{fffe}"), "{message}");
}
