//! Cases that say what a policy must answer: at the command line, and where a module carries them.

mod calls;
mod carried;
mod changes;
mod hostile;
mod page;
mod report;
mod shown;

use std::fs;
use std::path::Path;

use countersign_engine::BASELINE;
use countersign_lab::bundled;
use countersign_tests::guest::Guest;
use countersign_tests::{CommandLine, Said};

/// Somebody whose folder has these files.
fn somebody(files: &[(&str, &[u8])]) -> CommandLine {
    let person = CommandLine::new();
    for (name, content) in files {
        fs::write(person.folder().join(name), content).expect("the folder can be written");
    }
    person
}

async fn test(person: &CommandLine, arguments: &[&str]) -> Said {
    person.run(&[&["policy", "test"], arguments].concat()).await
}

/// Agents do nothing while it stands.
fn freeze() -> Vec<u8> {
    crate::reload::shelf::Freeze::FIRST.component()
}

/// Two of its three cases do not hold.
const MIXED: &str = r#"
[[case]]
name = "an agent is stopped by the freeze"
given.verb = "org_token_mint"
expect = { class = "agent", verdict = "deny", rule = "freeze" }

[[case]]
name = "agents wait for a person, whatever they do"
given = { credential = ["org-token", "admin-token"], role = "*", verb = "workspace_*", caller.workspace = "w-1" }
expect = { verdict = "gate", reason = "agents do nothing during the day" }

[[table]]
name = "the freeze stops agents alone"
columns = ["name", "given.credential", "expect.verdict"]
given.verb = "secret_write"
rows = [
  ["a person", "verified-session", "abstain"],
  ["whoever others vouch for", "vouched", "deny"],
]
"#;

fn case(given: &str, expect: &str) -> String {
    format!("[[case]]\nname = \"c\"\ngiven = {{ {given} }}\nexpect = {{ {expect} }}\n")
}

#[tokio::test]
async fn the_baseline_holds_its_own_cases_with_whatever_settings_beside_it() {
    let settings = b"gated_verbs = []\n";
    let person = somebody(&[("baseline.wasm", BASELINE), ("baseline.toml", settings)]);
    let said = test(&person, &["baseline.wasm"]).await.expect(0);
    said.says(&["baseline@0.1.0:", "cases passed"]);
    // A file of cases is about the module as it is set.
    let gated = case("verb = \"org_token_mint\"", "verdict = \"gate\"");
    fs::write(person.folder().join("gated.toml"), gated).expect("it can be written");
    let said = test(&person, &["baseline.wasm", "gated.toml"])
        .await
        .expect(1);
    said.says(&[
        "gate allow",
        "(open-to-agents): agents need nobody for this",
    ]);
    fs::write(person.folder().join("strict.toml"), "").expect("it can be written");
    let strict = ["baseline.wasm", "gated.toml", "--settings", "strict.toml"];
    test(&person, &strict)
        .await
        .expect(0)
        .says(&["1 case passed"]);
}

#[tokio::test]
async fn cases_beside_the_component_and_in_it_are_run_unless_others_are_named() {
    let held = case("verb = \"org_token_mint\"", "verdict = \"deny\"");
    let component = bundled::with_cases(&freeze(), &held).expect("there is room");
    let beside = format!("{held}{}", held.replace("\"c\"", "\"d\""));
    let person = somebody(&[
        ("freeze.wasm", &component),
        ("freeze.cases.toml", beside.as_bytes()),
        ("mixed.toml", MIXED.as_bytes()),
    ]);
    let said = test(&person, &["freeze.wasm"]).await.expect(0);
    said.says(&["freeze@1.0.0: 3 cases passed (3 questions)"]);
    let said = test(&person, &["freeze.wasm", "mixed.toml"])
        .await
        .expect(1);
    said.says(&["2 of 4 cases failed"]);
}

#[tokio::test]
async fn a_filter_takes_cases_by_name() {
    let person = somebody(&[("f.wasm", &freeze()), ("m.toml", MIXED.as_bytes())]);
    for (filter, code, words) in [
        ("the freeze*", 1, "1 of 2 cases failed"),
        ("*: a person", 0, "1 case passed"),
        ("an agent is stopped by the freeze", 0, "1 case passed"),
        (
            "an agent",
            2,
            "none of the 4 cases has a name that fits --filter",
        ),
    ] {
        let said = test(&person, &["f.wasm", "m.toml", "--filter", filter]).await;
        said.expect(code).says(&[words]);
    }
}

#[tokio::test]
async fn what_is_not_understood_is_told_with_its_line_and_is_no_failure_of_the_policy() {
    let wrong = case("verb = \"org_token_mit\"", "verdict = \"gate\"");
    let person = somebody(&[
        ("f.wasm", &freeze()),
        ("none.wasm", b"no component"),
        ("wrong.toml", format!("\n\n{wrong}").as_bytes()),
        ("syntax.toml", b"\n[[case]\n"),
        (
            "twice.toml",
            wrong.replace("mit", "mint").repeat(2).as_bytes(),
        ),
        ("empty.toml", b""),
        (
            "held.toml",
            case("verb = \"deprovision\"", "not = \"allow\"").as_bytes(),
        ),
    ]);
    for (line, words) in [
        (
            &["f.wasm", "wrong.toml"][..],
            "`wrong.toml` is not understood: line 3: `c`: there is no `org_token_mit`; do you mean `org_token_mint`?",
        ),
        (
            &["f.wasm", "syntax.toml"],
            "`syntax.toml` is not understood: line 2: ",
        ),
        (
            &["f.wasm", "twice.toml"],
            "`twice.toml` is not understood: line 5: `c`: line 1 has one of that name already: give each its own",
        ),
        (&["f.wasm", "empty.toml"], "there are no cases"),
        (&["f.wasm"], "write some into `f.cases.toml`"),
        (&["f.wasm", "absent.toml"], "cannot read `absent.toml`"),
        (
            &["f.wasm", "f.toml"],
            "`f.toml` is where the settings of `f.wasm` are",
        ),
        (&["absent.wasm", "held.toml"], "cannot read `absent.wasm`"),
        (
            &["none.wasm", "held.toml"],
            "`none.wasm` cannot be loaded: ",
        ),
        (
            &["f.wasm", "held.toml", "--settings", "syntax.toml"],
            "`syntax.toml`: its settings are wrong: line 2",
        ),
        (
            &["f.wasm", "held.toml", "--color", "red"],
            "auto, always, never",
        ),
        (
            &["f.wasm", "held.toml", "--junit", "no/such.xml"],
            "cannot write `no/such.xml`",
        ),
    ] {
        test(&person, line).await.expect(2).says(&[words]);
    }
}

#[tokio::test]
async fn quiet_says_nothing_where_all_holds_and_everything_else_where_not() {
    let held = case("verb = \"deprovision\"", "verdict = \"deny\"");
    let person = somebody(&[
        ("f.wasm", &freeze()),
        ("held.toml", held.as_bytes()),
        ("mixed.toml", MIXED.as_bytes()),
    ]);
    let said = test(&person, &["f.wasm", "held.toml", "--quiet"])
        .await
        .expect(0);
    assert!(said.out.is_empty() && said.err.is_empty(), "{said}");
    let said = test(&person, &["f.wasm", "mixed.toml", "--quiet"]).await;
    said.expect(1).says(&["FAILED", "2 of 4 cases failed"]);
}

#[tokio::test]
async fn a_module_that_asks_for_tallies_is_tested_with_those_that_a_case_gives() {
    let counting = Guest {
        name: "counting",
        tally: Some("mints"),
        // The list of tallies begins at 120 of the request, and the count at 8 of each.
        decide: "(if (result i32)
                   (i32.ge_u (i32.load offset=8 (i32.load offset=120 (local.get $request))) (i32.const 3))
                   (then (global.get $deny)) (else (global.get $abstain)))",
        ..Guest::default()
    };
    let cases = r#"
[[table]]
name = "the third mint is the last"
columns = ["given.tallies.mints", "expect.verdict"]
given.verb = "org_token_mint"
rows = [[2, "abstain"], [3, "deny"], [4294967295, "deny"]]

[[case]]
name = "who has minted nothing may"
given.verb = "org_token_mint"
expect.verdict = "abstain"
"#;
    let misspelt = case(
        "verb = \"org_token_mint\", tallies.mint = 9",
        "verdict = \"abstain\"",
    );
    let person = somebody(&[
        ("counting.wasm", &counting.component()),
        ("counting.cases.toml", cases.as_bytes()),
        ("misspelt.toml", misspelt.as_bytes()),
    ]);
    let said = test(&person, &["counting.wasm"]).await.expect(0);
    said.says(&["4 cases passed"]);
    // It would be told 0, and the case would hold for nothing.
    let said = test(&person, &["counting.wasm", "misspelt.toml"]).await;
    said.expect(1).says(&["cannot run", "do you mean `mints`?"]);
}

/// Whether `path` beside this file holds `found`, which COUNTERSIGN_BLESS=1 writes.
fn golden(path: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("all/policy_cases/golden")
        .join(path);
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        fs::write(&path, found).expect("it can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found,
        expected,
        "{} is not what is said now: read it, and run this with COUNTERSIGN_BLESS=1",
        path.display()
    );
}
