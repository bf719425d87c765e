use super::*;

#[tokio::test]
async fn two_modules_are_measured_side_by_side() {
    let slow = Guest {
        decide: "(loop $again
                (global.set $count (i32.add (global.get $count) (i32.const 1)))
                (br_if $again (i32.lt_u (global.get $count) (i32.const 20000))))
            (global.set $count (i32.const 0))
            (global.get $allow)",
        ..Guest::default()
    };
    let person = with(&[("quick.wasm", &Guest::default()), ("slow.wasm", &slow)]);
    let rows = [
        "--verb",
        "deprovision",
        "--credential",
        "*-token",
        "--seconds",
        "1",
    ];
    let line = [&["policy", "bench", "slow.wasm", "quick.wasm"][..], &rows].concat();
    let said = person.run(&line).await.expect(0);
    let said = said.says(&[
        "fresh decision, p99",
        "instructions, most",
        "RATIO",
        "over 12 rows",
    ]);
    said.says(&["the most instructions take: "]);

    let json = person
        .run(&[&line[..], &["--json"]].concat())
        .await
        .expect(0)
        .json();
    let [slow, quick] = [&json[0], &json[1]];
    for cost in [slow, quick] {
        assert_eq!(cost["rows"], 12, "{cost}");
        assert!(cost["memory_bytes"].as_u64() >= Some(128 << 10), "{cost}");
        for what in ["compile_ns", "snapshot_ns"] {
            assert!(cost[what].as_f64() > Some(0.0), "{what} in {cost}");
        }
        for what in ["fresh_ns", "warm_ns", "instructions"] {
            assert!(cost[what]["p50"].as_f64() > Some(0.0), "{what} in {cost}");
            assert!(
                cost[what]["p50"].as_f64() <= cost[what]["p99"].as_f64(),
                "{cost}"
            );
        }
    }
    let dearer = |what: &str| slow[what]["p50"].as_f64() > quick[what]["p50"].as_f64();
    assert!(dearer("instructions") && dearer("warm_ns"), "{json}");

    // Instructions are the same whenever they are counted.
    let again = person
        .run(&[&line[..], &["--json"]].concat())
        .await
        .expect(0)
        .json();
    assert_eq!(again[0]["instructions"], slow["instructions"]);
}

#[tokio::test]
async fn rows_on_which_a_module_fails_are_not_measured() {
    let person = with(&[("brittle.wasm", &brittle())]);
    let line = [
        "policy",
        "bench",
        "brittle.wasm",
        "--verb",
        "deprovision",
        "--seconds",
        "1",
    ];
    let said = person.run(&line).await.expect(0);
    said.says(&["over 31 rows; it fails on 1 more"]);
    let said = person
        .run(&["policy", "bench", "builtin", "--seconds", "0"])
        .await;
    said.expect(2).says(&["a whole number of seconds"]);
}
