//! `docs/contract.md` has every sentence of the contract that can be tested, with what holds it; and what
//! `docs/security.md` says is held by a test, is.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox_page::{ROOT, code, sources};

/// What a client cannot see from outside, and the tests that hold it.
const INSIDE: &[(&str, &[&str])] = &[
    (
        "errors.fail-closed",
        &[
            "any_failure_denies",
            "policies_that_cannot_be_taken_over_have_nothing_decided_until_others_are",
            "a_control_plane_that_is_gone_signs_nobody_in",
        ],
    ),
    (
        "errors.openapi",
        &["the_committed_document_is_what_the_code_makes"],
    ),
    (
        "errors.differences",
        &["the_pages_that_the_contract_asks_for_are_there"],
    ),
    (
        "configuration.policy-folder-default",
        &["one_line_that_loosens_waits_until_an_operator_accepts_that_list"],
    ),
    (
        "sessions.cache-key",
        &[
            "no_two_tenants_and_no_two_cookies_share_an_answer",
            "so_many_answers_are_remembered_and_no_more",
            "a_yes_is_believed_for_half_a_minute_and_a_no_for_moments",
        ],
    ),
    (
        "sign-in.ten-minutes",
        &["an_old_link_and_one_that_was_replaced_do_not_work"],
    ),
    (
        "sign-in.revocable",
        &["signing_out_ends_the_session_everywhere"],
    ),
    (
        "sign-in.terminal-only",
        &["a_link_for_a_browser_is_shown_on_a_terminal_only"],
    ),
    (
        "identity.person-claim",
        &["another_claim_can_name_the_person_and_one_deep_inside_the_groups"],
    ),
    (
        "identity.service",
        &["each_assertion_that_is_wrong_proves_nothing"],
    ),
    (
        "credentials.last-used-behind",
        &[
            "the_first_use_shows_at_once_and_later_ones_soon_and_each_once",
            "a_host_that_stops_writes_down_what_it_has_counted",
        ],
    ),
    (
        "credentials.constant-time",
        &["all_ways_of_a_bearer_to_be_wrong_look_the_same"],
    ),
    (
        "gate.stale-version",
        &["an_agents_removal_is_for_what_would_fall_when_a_person_agreed"],
    ),
    (
        "gate.workspace-gone",
        &["nothing_that_hangs_on_a_removed_workspace_outlives_it"],
    ),
    (
        "lost-answers.one-transaction",
        &["of_many_repeats_at_once_exactly_one_answer_lives"],
    ),
    (
        "digest.rfc8785",
        &["m4_every_field_of_a_mint_is_bound_its_expiry_included"],
    ),
    (
        "verbs.unknown",
        &["m7_what_is_not_a_route_of_a_verb_does_nothing"],
    ),
    (
        "verbs.all-abstain",
        &["m7_a_policy_that_covers_no_verb_does_not_go_live"],
    ),
    (
        "health.command-line",
        &[
            "whoever_uses_the_data_folder_signs_in_and_nobody_learns_the_link",
            "a_session_that_others_can_read_is_refused",
        ],
    ),
    (
        "approvals.operator",
        &["another_operator_accepts_what_loosens_and_whoever_asked_does_it_once"],
    ),
    (
        "approvals.only-operator",
        &["the_only_operator_accepts_what_they_asked_for_and_going_back_waits_for_nobody"],
    ),
    (
        "gate.approval-rule",
        &["each_state_has_its_code_and_a_next_step"],
    ),
    ("policies.bytes", &["the_bytes_of_a_policy_are_for_people"]),
    (
        "policies.pin",
        &["what_is_pinned_stays_whatever_the_folder_holds_or_loses_and_says_who_pinned_it"],
    ),
    (
        "policies.pinned",
        &["a_set_or_a_mode_moves_nothing_that_is_pinned_unless_it_says_so"],
    ),
    (
        "policies.rollback-pins",
        &["a_version_is_pinned_by_name_and_going_back_brings_back_what_was_pinned_then"],
    ),
    (
        "policies.genuine",
        &["what_was_changed_in_the_database_decides_nothing_and_nothing_looser_takes_its_place"],
    ),
    (
        "records.duration",
        &[
            "a_judgement_says_how_long_each_module_took_and_all_of_them_together",
            "a_decision_is_kept_whole_with_what_the_policies_were_asked",
        ],
    ),
    (
        "records.opinion",
        &["an_opinion_is_a_verdict_or_a_failure_and_is_read_as_it_was_written"],
    ),
    (
        "secrets.undecryptable",
        &["where_one_value_does_not_open_none_is_given_out"],
    ),
    (
        "secrets.cipher",
        &["a_bundle_with_one_row_that_is_not_as_it_was_written_is_refused_whole"],
    ),
];

/// A sentence of the contract.
struct Sentence {
    id: String,
    section: String,
    seen_from: String,
    text: String,
}

fn page(name: &str) -> PathBuf {
    Path::new(ROOT).join("docs").join(name)
}

fn sentences() -> Vec<Sentence> {
    let path = Path::new(ROOT).join("tests/walk/sentences.tsv");
    let list = fs::read_to_string(path).expect("the list can be read");
    let sentences = list.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [id, section, seen_from, text] = cells[..] else {
            panic!("four cells, not {line}");
        };
        Sentence {
            id: id.to_owned(),
            section: section.to_owned(),
            seen_from: seen_from.to_owned(),
            text: text.to_owned(),
        }
    });
    sentences.collect()
}

fn held_by(sentence: &Sentence) -> String {
    let id = &sentence.id;
    match sentence.seen_from.as_str() {
        "outside" => format!("walk: `{id}`"),
        "sqlite" => format!("walk on SQLite: `{id}`"),
        "postgres" => format!("walk on PostgreSQL: `{id}`"),
        "inside" => {
            let (_, tests) = INSIDE
                .iter()
                .find(|(known, _)| known == id)
                .unwrap_or_else(|| panic!("no test is named for `{id}`"));
            let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            tests.join(", ")
        }
        "later" => "nothing yet: it is not there".to_owned(),
        other => panic!("`{id}` is seen from `{other}`"),
    }
}

fn rendered() -> String {
    let mut page = String::from(
        "# The contract, sentence by sentence\n\n\
         Every sentence of the HTTP contract that can be tested, with what holds it.\n\
         *Walk* is [`tests/walk`](../tests/walk/README.md), a client in another language that knows the contract and nothing of the code; it prints each sentence by the id given here, and `tests/run` walks on both databases.\n\
         What a client cannot see from outside is held by the tests named.\n\
         The shapes of the answers are held by the snapshots in [`tests/all/wire`](../tests/all/wire.rs), on both databases.\n\
         This page is made from [`tests/walk/sentences.tsv`](../tests/walk/sentences.tsv) by `COUNTERSIGN_BLESS=1 cargo test -p countersign-tests --test all -- contract_page`, and a test compares it.\n",
    );
    let mut section = String::new();
    for sentence in sentences() {
        if sentence.section != section {
            section = sentence.section.clone();
            let _ = write!(
                page,
                "\n## {section}\n\n| sentence | held by |\n|---|---|\n"
            );
        }
        let text = sentence.text.replace('|', "\\|");
        let _ = writeln!(page, "| {text} | {} |", held_by(&sentence));
    }
    page
}

#[test]
fn the_page_of_the_contract_is_what_the_sentences_make_and_each_test_exists() {
    let sources: String = sources().map(|(_, source)| source).collect();
    for (id, tests) in INSIDE {
        for test in *tests {
            assert!(
                sources.contains(&format!("fn {test}(")),
                "{id}: no test is named `{test}`"
            );
        }
    }
    let path = page("contract.md");
    let rendered = rendered();
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        fs::write(&path, &rendered).expect("it can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == rendered,
        "docs/contract.md is not what tests/walk/sentences.tsv makes: run this with COUNTERSIGN_BLESS=1"
    );
}

#[test]
fn each_test_that_the_page_on_security_names_exists() {
    let text = fs::read_to_string(page("security.md")).expect("the page can be read");
    let sources: String = sources().map(|(_, source)| source).collect();
    let mut named = 0;
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let held = row
            .trim_end_matches(" |")
            .rsplit('|')
            .next()
            .unwrap_or_default();
        for name in code(held) {
            let exists = match name.strip_prefix("tests/") {
                Some(_) => Path::new(ROOT).join(name).exists(),
                None => sources.contains(&format!("fn {name}(")),
            };
            let is_test = name.starts_with("tests/") || name.matches('_').count() > 2;
            assert!(!is_test || exists, "nothing is named `{name}`");
            named += usize::from(is_test);
        }
    }
    assert!(named >= 60, "the page names {named} tests");
}

#[test]
fn the_pages_that_the_contract_asks_for_are_there() {
    for (name, words) in [
        ("differences.md", "on purpose"),
        ("security.md", "What is not defended"),
        ("api-keys.md", "pending_approval"),
        ("contract.md", "sentence by sentence"),
    ] {
        let text = fs::read_to_string(page(name)).expect(name);
        assert!(text.contains(words), "{name}");
    }
}
