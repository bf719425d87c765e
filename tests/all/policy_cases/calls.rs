//! Cases of more than one call: what one call leaves behind for the next, which in a host there is none of.

use countersign_engine::{Engine, Limits, Settings};
use countersign_lab::bundled;
use countersign_lab::module::Module;
use countersign_lab::verify::{Effort, Progress, verify};
use countersign_tests::guest::Guest;
use serde_json::json;

use super::{somebody, test};

/// The second call of an instance is allowed.
fn second_call() -> Guest {
    Guest {
        name: "second-call",
        decide: "(if (global.get $count) (then (return (global.get $allow))))
            (global.set $count (i32.const 1))
            (global.get $gate)",
        ..Guest::default()
    }
}

/// Whoever comes right after a person is taken for that person.
fn last_caller() -> Guest {
    Guest {
        name: "last-caller",
        // The credential comes first in a request: 1 is a verified session.
        decide: "(local $last i32)
            (local.set $last (global.get $count))
            (global.set $count (i32.eq (i32.load8_u (local.get $request)) (i32.const 1)))
            (if (i32.or (local.get $last) (global.get $count)) (then (return (global.get $allow))))
            (global.get $gate)",
        ..Guest::default()
    }
}

const MINT: &str = "[[case]]\nname = \"an agent that mints waits\"\ngiven.verb = \"org_token_mint\"\nexpect.verdict = \"gate\"\n";

#[tokio::test]
async fn what_a_second_call_sees_of_the_first_shows_where_one_instance_answers_both() {
    let again = format!("{MINT}calls = 2\n");
    let reused = format!("{again}instance = \"reused\"\n");
    let person = somebody(&[
        ("m.wasm", &second_call().component()),
        ("once.toml", MINT.as_bytes()),
        ("again.toml", again.as_bytes()),
        ("reused.toml", reused.as_bytes()),
    ]);
    for held in ["once.toml", "again.toml"] {
        test(&person, &["m.wasm", held]).await.expect(0);
    }
    let said = test(&person, &["m.wasm", "reused.toml"]).await.expect(1);
    said.says(&["first at call 2 (one instance answers all)", "gate allow"]);
    let said = test(&person, &["m.wasm", "reused.toml", "--json"]).await;
    let json = said.expect(1).json();
    let failure = &json["cases"][0]["failures"][0];
    assert_eq!(
        (&failure["call"], &failure["after"]),
        (&json!(2), &json!([]))
    );
}

#[tokio::test]
async fn what_was_asked_before_shows_where_one_instance_answers_both() {
    let after = |who: &str| {
        format!(
            "{MINT}instance = \"reused\"\nafter = {{ credential = \"{who}\", verb = \"secret_list\" }}\n"
        )
    };
    let person = somebody(&[
        ("m.wasm", &last_caller().component()),
        ("agents.toml", after("*-token").as_bytes()),
        ("anybody.toml", after("*").as_bytes()),
    ]);
    test(&person, &["m.wasm", "agents.toml"]).await.expect(0);
    let said = test(&person, &["m.wasm", "anybody.toml"]).await.expect(1);
    said.says(&[
        "right after verified-session admin secret_list -",
        "gate allow",
    ]);
}

#[tokio::test]
async fn every_call_is_alike_where_that_is_expected() {
    let alike = MINT.replace("expect.verdict = \"gate\"", "expect.alike = true");
    let case = format!("{alike}calls = 500\ninstance = \"reused\"\n");
    let person = somebody(&[
        ("stateful.wasm", &second_call().component()),
        ("honest.wasm", &super::freeze()),
        ("alike.toml", case.as_bytes()),
        ("baseline.wasm", countersign_engine::BASELINE),
    ]);
    for honest in ["honest.wasm", "baseline.wasm"] {
        test(&person, &[honest, "alike.toml"]).await.expect(0);
    }
    let said = test(&person, &["stateful.wasm", "alike.toml"]).await;
    said.expect(1)
        .says(&["alike agent: gate (by-hand) agent: allow (by-hand)"]);
}

#[tokio::test]
async fn an_instance_that_fails_or_is_used_up_is_replaced_as_a_host_would() {
    let traps_for_people = Guest {
        decide: "(if (i32.eq (i32.load8_u (local.get $request)) (i32.const 1)) (then unreachable))
            (global.get $gate)",
        ..second_call()
    };
    let case = format!(
        "{MINT}instance = \"reused\"\nafter = {{ credential = \"*\", verb = \"secret_list\" }}\n"
    );
    let person = somebody(&[
        ("m.wasm", &traps_for_people.component()),
        ("c.toml", case.as_bytes()),
    ]);
    test(&person, &["m.wasm", "c.toml"]).await.expect(0);
}

#[tokio::test]
async fn what_verify_finds_between_calls_is_a_case_that_fails() {
    let engine = Engine::new(Limits::default()).expect("the limits are within their bounds");
    let effort = Effort {
        stride: 40,
        draws: 0,
        ..Effort::default()
    };
    for guest in [second_call(), last_caller()] {
        let component = guest.component();
        let proven = engine.prove(&component, &Settings::new());
        let module = Module::new(&engine, proven.expect("it proves")).expect("it loads");
        let verified = verify(&module, &[], &effort, &Progress::new());
        let stateless = verified.findings.iter().filter(|it| it.law == "stateless");
        let cases: String = stateless.map(|finding| finding.case.as_str()).collect();
        let person = somebody(&[("m.wasm", &component), ("found.toml", cases.as_bytes())]);
        let said = test(&person, &["m.wasm", "found.toml", "--json"]).await;
        let json = said.expect(1).json();
        assert_eq!(json["passed"], json!(0), "{cases}\n{json:#}");
        assert_ne!(json["failed"], json!(0));
        // What is honest passes the same cases.
        let person = somebody(&[
            ("m.wasm", &Guest::default().component()),
            ("found.toml", cases.as_bytes()),
        ]);
        test(&person, &["m.wasm", "found.toml"]).await.expect(0);
    }
}

#[tokio::test]
async fn a_module_can_carry_a_case_of_many_calls() {
    let case = format!("{MINT}calls = 2\ninstance = \"reused\"\n");
    let component = bundled::with_cases(&second_call().component(), &case).expect("there is room");
    let person = somebody(&[("m.wasm", &component)]);
    let said = person.run(&["policy", "check", "m.wasm"]).await.expect(1);
    said.says(&["org_token_mint asks-admin (call 2): verdict `allow` instead of `gate`"]);
}
