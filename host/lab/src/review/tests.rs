use countersign_core::chance::OsChance;
use countersign_core::id::DecisionId;
use countersign_core::strictness::Change;
use countersign_core::time::Timestamp;
use countersign_engine::{BASELINE, CLASSIFIER, Engine, Limits, Settings};

use super::*;

fn baseline(settings: Settings) -> PolicySet {
    let engine = Engine::new(Limits::default()).expect("the default limits hold");
    let proven = engine.prove(BASELINE, &settings).expect("it is proven");
    PolicySet::check(vec![Arc::new(proven)], CLASSIFIER).expect("it stands alone")
}

fn set(name: &str, values: &[&str]) -> PolicySet {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    baseline(Settings::new().with(name, values))
}

fn reviewed(before: &PolicySet, after: &PolicySet) -> Review {
    let (asked, lives) = ((&[][..], &Cast::known()), &Lives::default());
    review((before, after), asked, lives, &Progress::new())
}

#[test]
fn the_same_set_changes_nothing_and_is_not_searched() {
    let (before, after) = (baseline(Settings::new()), baseline(Settings::new()));
    let review = reviewed(&before, &after);
    assert!(!review.needs_a_person(), "{review:?}");
    assert_eq!((review.looked.searched, review.tightens.len()), (0, 0));
    assert!(review.looked.rows > 1_000);
}

#[test]
fn a_module_beside_the_others_is_held_to_the_laws_and_not_searched() {
    const LOCKDOWN: &[u8] = include_bytes!("../../../../policies/lockdown/lockdown.wasm");
    let engine = Engine::new(Limits::default()).expect("the default limits hold");
    let proven = |bytes| Arc::new(engine.prove(bytes, &Settings::new()).expect("it is proven"));
    let set = |modules| PolicySet::check(modules, CLASSIFIER).expect("it stands");
    let (alone, beside) = (
        set(vec![proven(BASELINE)]),
        set(vec![proven(BASELINE), proven(LOCKDOWN)]),
    );
    let added = reviewed(&alone, &beside);
    assert!(!added.needs_a_person() && !added.tightens.is_empty());
    let module = Module::beside(proven(LOCKDOWN), &classifier(&beside));
    let laws = verify(&module, &[], &Effort::quick(), &Progress::new());
    assert_eq!(added.looked.searched, laws.asked);

    // What goes leaves the others alone, and is searched.
    let gone = reviewed(&beside, &alone);
    assert!(gone.needs_a_person() && gone.looked.searched > 10_000);
}

#[test]
fn a_longer_life_loosens_and_a_shorter_one_tightens() {
    let usual = baseline(Settings::new());
    let longer = set("grant_ttl_seconds", &["3600"]);
    let review = reviewed(&usual, &longer);
    assert!(review.tightens.is_empty(), "{:?}", review.tightens);
    let item = review.loosens.first().expect("it loosens");
    assert_eq!(item.change, Change::Looser);
    assert_eq!(
        (&*item.before.effect, &*item.after.effect),
        ("gate", "gate")
    );
    let lives = [&item.before, &item.after].map(|said| said.takes.as_ref().map(|t| t.grant_ttl));
    assert_eq!(lives, [Some(Some(900)), Some(Some(3_600))]);

    let review = reviewed(&longer, &usual);
    assert!(!review.needs_a_person() && !review.tightens.is_empty());
}

#[test]
fn what_no_row_of_the_table_shows_is_found_by_what_is_set() {
    let exempt =
        "actor=org-token:cso_Ab12 verb=secret_write until=2099-01-01T00:00:00Z reason=nightly";
    let review = reviewed(&baseline(Settings::new()), &set("exempt", &[exempt]));
    let [item] = review.loosens.as_slice() else {
        panic!("one rule loosens: {:?}", review.loosens);
    };
    assert_eq!((item.rows, &*item.after.effect), (0, "allow"));
    assert!(item.searched > 0);
    let case = item.case.as_deref().expect("it is shown");
    assert!(case.contains("org-token:cso_Ab12"), "{case}");
    assert_eq!(case.lines().count(), 4, "no more than it takes: {case}");
}

#[test]
fn what_callers_asked_lately_is_asked_again_and_shown() {
    let row = exhaustive::rows().find(|row| row.key() == "org-token admin secret_write exists");
    let question = row.expect("there is such a row").question();
    let asked = |number: i64| Asked {
        decision: DecisionId::new(Timestamp::from_micros(number), &OsChance),
        at: Timestamp::from_micros(number),
        actor: "org-token:cso_Zk3p".to_owned(),
        question: question.clone(),
    };
    let asked = [asked(2), asked(1)];
    let verbs = ["org_token_mint", "org_token_revoke", "secret_delete"];
    let (before, after) = (baseline(Settings::new()), set("gated_verbs", &verbs));
    let with = (&asked[..], &Cast::known());
    let review = review((&before, &after), with, &Lives::default(), &Progress::new());
    assert_eq!(review.looked.recorded, 2);
    let shown = review.loosens.iter().find(|item| item.recorded > 0);
    let shown = shown.expect("it is listed");
    assert_eq!(shown.recorded, 2);
    let newest = shown.decision.as_ref().expect("it is shown");
    assert_eq!(
        (newest.id, &*newest.verb),
        (asked[0].decision, "secret_write")
    );
    assert!(
        shown
            .phrases
            .iter()
            .any(|phrase| phrase.contains("secret_write"))
    );
}

#[test]
fn whoever_stops_it_is_told_that_it_is_cut_short() {
    let progress = Progress::new();
    progress.stop();
    let after = set("grant_ttl_seconds", &["3600"]);
    let review = review(
        (&baseline(Settings::new()), &after),
        (&[], &Cast::known()),
        &Lives::default(),
        &progress,
    );
    assert!(review.looked.cut_short);
    // Nothing was found, because nothing was asked: that is nothing to go live by.
    assert!(review.loosens.is_empty() && review.needs_a_person());
}
