use countersign_core::policy::{Properties, Value as Told};

use super::super::examples::{NOW, approval, decision, secret_approval};
use super::*;

fn value_of<'a>(fields: &'a [Field], label: &str) -> &'a Field {
    fields
        .iter()
        .find(|field| field.label == label)
        .unwrap_or_else(|| panic!("no field {label}: {fields:?}"))
}

#[test]
fn every_field_of_a_mint_is_readable_and_the_name_is_marked_as_a_claim() {
    let fields = fields(&approval(), NOW);
    let labels: Vec<&str> = fields.iter().map(|field| field.label.as_str()).collect();
    assert_eq!(
        labels,
        ["Organisation", "Name", "Role", "Bound to", "Expires"]
    );
    assert!(value_of(&fields, "Name").is_claim);
    assert!(!value_of(&fields, "Role").is_claim);
    assert_eq!(
        value_of(&fields, "Expires").value,
        Shown::Words("never".to_owned())
    );
}

#[test]
fn what_the_requester_adds_is_shown_as_its_claim() {
    let mut asked = approval();
    asked.claim.reason = Some("approved by everybody".to_owned());
    asked.claim.task = Some("task-7".to_owned());
    let claims = claims(&asked);
    for label in ["Its reason", "Its task"] {
        assert!(value_of(&claims, label).is_claim);
    }
    let fields = fields(&asked, NOW);
    assert!(!fields.iter().any(|field| field.label.starts_with("Its ")));
}

#[test]
fn a_secret_shows_its_fingerprint_and_neither_value_nor_commitment() {
    let fields = fields(&secret_approval(), NOW);
    let Shown::Secret(fingerprint) = &value_of(&fields, "Value").value else {
        panic!("{fields:?}");
    };
    assert_eq!(fingerprint.len(), 12);
    assert!(!format!("{fields:?}").contains("c0ffee"), "{fields:?}");
}

#[test]
fn a_member_that_nobody_foresaw_is_shown_all_the_same() {
    let mut asked = approval();
    asked.payload["arguments"]["later"] = serde_json::json!({ "deep": [1, 2], "flag": true });
    let fields = fields(&asked, NOW);
    assert_eq!(
        value_of(&fields, "Later deep").value,
        Shown::Literal("[1,2]".to_owned())
    );
    assert_eq!(
        value_of(&fields, "Later flag").value,
        Shown::Words("yes".to_owned())
    );
}

#[test]
fn a_move_and_a_removal_say_where_to_and_what_falls() {
    let mut moved = approval();
    moved.verb = Verb::WorkspaceUpdate;
    moved.resource_kind = "workspace".to_owned();
    moved.payload["arguments"] = serde_json::json!({ "name": "x", "parent_id": null });
    let shown = fields(&moved, NOW);
    assert_eq!(
        value_of(&shown, "Below").value,
        Shown::Words("no workspace: it stands by itself".to_owned())
    );
    assert!(value_of(&shown, "Name").is_claim);
    let said = consequence(&moved).expect("words");
    assert!(
        said.contains("by itself") && said.contains("another name"),
        "{said}"
    );
    moved.payload["arguments"] = serde_json::json!({ "name": "x" });
    let said = consequence(&moved).expect("words");
    assert!(!said.contains("below"), "{said}");

    let mut removal = moved;
    removal.verb = Verb::DeleteWorkspace;
    removal.payload["resource"] = serde_json::json!({
        "kind": "workspace", "id": "019b76da-a800-7000-8000-000000000002",
    });
    removal.reason = format!(
        "remove workspace `research`: {}",
        removal.terms.ground.reason
    );
    assert_eq!(
        value_of(&fields(&removal, NOW), "In one line").value,
        Shown::Literal("remove workspace `research`".to_owned())
    );
    removal.payload["arguments"] = serde_json::json!({ "confirm": true });
    assert!(consequence(&removal).is_some_and(|said| said.contains("every workspace below")));
    assert_eq!(
        value_of(&fields(&removal, NOW), "Others may fall with it").value,
        Shown::Words("yes".to_owned())
    );
}

#[test]
fn every_verb_has_a_title() {
    for verb in Verb::ALL {
        assert!(
            !title(*verb).is_empty() && !title(*verb).contains('_'),
            "{verb}"
        );
    }
}

#[test]
fn a_decision_is_about_its_resource_and_of_what_does_not_exist_yet_about_its_name() {
    let about = |decision: &Decision| about(decision).map(|about| (about.text, about.is_claim));
    let mut decided = decision();
    assert_eq!(about(&decided), Some(("global/API_KEY".to_owned(), false)));
    let question = decided.question.as_mut().expect("a question");
    question.resource.kind = "organisation".to_owned();
    question.resource.id = "019b76da-a800-7000-8000-000000000004".to_owned();
    assert_eq!(about(&decided), None);
    for verb in [Verb::OrgTokenMint, Verb::WorkspaceCreate] {
        decided.verb = verb;
        let question = decided.question.as_mut().expect("a question");
        question.arguments = Properties::new().with("name", Told::Text("ci".to_owned()));
        assert_eq!(about(&decided), Some(("ci".to_owned(), true)));
        let question = decided.question.as_mut().expect("a question");
        question.arguments = Properties::new();
        assert_eq!(about(&decided), None);
    }
    // Of what is the caller's to name, nothing else of what it says is a name.
    decided.verb = Verb::Deprovision;
    let question = decided.question.as_mut().expect("a question");
    question.arguments = Properties::new().with("name", Told::Text("ci".to_owned()));
    assert_eq!(about(&decided), None);
    decided.question = None;
    assert_eq!(about(&decided), None);
}
