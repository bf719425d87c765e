//! What somebody else made, given to whoever tests it on a machine of their own.

use std::time::{Duration, Instant};

use countersign_tests::guest::Guest;

use super::{case, somebody, test};

/// Reading all of a device, or waiting for a loop, would never end.
const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_module_that_loops_holds_up_whoever_tests_it_for_the_time_of_a_decision_alone() {
    let looping = Guest {
        name: "looping",
        decide: "(loop $ever (br $ever)) (unreachable)",
        ..Guest::default()
    };
    let asked = case("verb = \"deprovision\"", "verdict = \"deny\"");
    let again = asked
        .replace("\"c\"", "\"again\"")
        .replace("given", "calls = 1000\ninstance = \"reused\"\ngiven");
    let person = somebody(&[
        ("m.wasm", &looping.component()),
        ("c.toml", format!("{asked}{again}").as_bytes()),
    ]);
    let began = Instant::now();
    let said = test(&person, &["m.wasm", "c.toml"]).await.expect(1);
    said.says(&["2 of 2 cases failed", "it ran for longer than it may"]);
    let some = ["--verb", "deprovision", "--credential", "org-token"];
    let matrix = [&["policy", "matrix", "m.wasm"][..], &some].concat();
    let said = person.run(&matrix).await.expect(0);
    said.says(&["fails", "it ran for longer than it may"]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_file_without_an_end_is_refused_and_not_read_to_it() {
    let held = case("verb = \"deprovision\"", "not = \"allow\"");
    let person = somebody(&[("m.wasm", &super::freeze()), ("c.toml", held.as_bytes())]);
    let endless = "/dev/zero";
    for (line, code, words) in [
        (
            &["test", "m.wasm", endless][..],
            2,
            "has more than 16777216 bytes",
        ),
        (
            &["test", "m.wasm", "c.toml", "--settings", endless],
            2,
            "has more than 16777216 bytes",
        ),
        (
            &["test", endless, "c.toml"],
            2,
            "larger than 33554432 bytes",
        ),
        (&["check", endless], 1, "larger than 33554432 bytes"),
        (&["describe", endless], 2, "larger than 33554432 bytes"),
    ] {
        let said = person.run(&[&["policy"], line].concat()).await;
        said.expect(code).says(&[words]);
    }
}

#[tokio::test]
async fn a_small_file_of_cases_cannot_make_a_tester_run_out_of_memory() {
    let rows = "[\"allow\"],\n".repeat(5_000);
    let bomb = format!(
        "[[table]]\nname = \"t\"\ngiven = {{ verb = \"deprovision\", caller.workspace = \"{}\" }}\ncolumns = [\"expect.not\"]\nrows = [\n{rows}]\n",
        "w".repeat(100_000)
    );
    let all = "credential = \"*\", role = \"*\", verb = \"*\", flags = \"*\"";
    let endless = case(all, "not = \"allow\"").replace(
        "given",
        &format!("instance = \"reused\"\nafter = [{{ {all} }}]\ncalls = 50\ngiven"),
    );
    let person = somebody(&[
        ("m.wasm", &super::freeze()),
        ("bomb.toml", bomb.as_bytes()),
        ("endless.toml", endless.as_bytes()),
    ]);
    for (file, words) in [
        ("bomb.toml", "the file says too much for one run"),
        (
            "endless.toml",
            "the file has too many questions for one run",
        ),
    ] {
        let said = test(&person, &["m.wasm", file]).await.expect(2);
        said.says(&[words]);
    }
}

#[tokio::test]
async fn a_name_in_a_file_of_cases_writes_no_line_of_its_own() {
    let forged = case("verb = \"deprovison\"", "not = \"allow\"")
        .replace("\"c\"", "\"x\\ncountersign: all cases passed\\u001b[2J\"");
    let person = somebody(&[("m.wasm", &super::freeze()), ("c.toml", forged.as_bytes())]);
    let said = test(&person, &["m.wasm", "c.toml"]).await.expect(2);
    assert_eq!(said.err.trim_end().lines().count(), 1, "{said}");
    assert!(!said.err.contains('\u{1b}'), "{said}");
}
