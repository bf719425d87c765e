//! The playground: what can be asked, and what is drawn of the answer.

use std::collections::HashMap;

use countersign_core::policy::{CallerClass, Ground, Quorum, Terms, Value, Verdict};
use countersign_core::token::{PlainToken, TokenKind};
use countersign_core::verdict::{Judgement, ModuleId, Opinion, Took, fold};

use super::super::super::examples::{is_whole, person};
use super::*;
use crate::policies::{Asked, Loaded, Whereabouts, Which};

/// What can be filled in, in the order of the page.
const FIELDS: [&str; 9] = [
    "verb",
    "set",
    "credential",
    "role",
    "named",
    "groups",
    "door",
    "at",
    "counted",
];

fn freeze(version: &str, place: Whereabouts) -> Which {
    Which::Module(Loaded {
        id: ModuleId {
            name: "freeze".to_owned(),
            version: version.to_owned(),
            digest: format!("d{version}"),
        },
        place,
    })
}

fn read(fields: &[(&str, &str)]) -> Form {
    let query: HashMap<_, _> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let askable = vec![
        Which::Live,
        Which::Folder,
        freeze("1.0.0", Whereabouts::Live),
        freeze("2.0.0", Whereabouts::Shadow),
        freeze("2.0.0", Whereabouts::Folder),
    ];
    Form::read(&query, askable)
}

fn form(fields: &[(&str, &str)]) -> Form {
    let form = read(fields);
    assert!(!form.is_wrong(), "{fields:?}");
    form
}

fn drawn(form: Form, told: Option<Told>) -> String {
    let page = PlaygroundPage {
        frame: Frame::of(&person("ada"), Place::Policies),
        tabs: Tabs::at(Tab::Playground),
        form,
        told,
    };
    let html = page.render().expect("drawn");
    is_whole(&html);
    html
}

fn asked() -> Asked {
    let opinion = |name: &str, verdict| Opinion {
        module: ModuleId {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: "ab".to_owned(),
        },
        verdict,
        notes: vec!["<i>note</i>".to_owned()],
        took: Took::of_micros(7),
    };
    let gate = Verdict::Gate(Terms {
        ground: Ground::new("<i>rule</i>", "<i>because</i>"),
        quorums: vec![Quorum::one_person()],
        pending_ttl: None,
        grant_ttl: Some(900),
    });
    let opinions = vec![
        opinion("baseline", Ok(gate)),
        opinion("freeze", Ok(Verdict::Abstain)),
    ];
    Asked {
        judgement: Judgement {
            generation: 0,
            class: CallerClass::Agent,
            ruling: fold(&opinions),
            opinions,
            took: Took::of_micros(12),
        },
        counted: 2,
    }
}

#[test]
fn a_question_is_a_row_of_the_table_with_a_few_words_of_its_own() {
    let question = form(&[
        ("verb", "secret_write"),
        ("credential", "verified-session"),
        ("role", "editor"),
        ("fact0", "global"),
        ("fact1", "exists"),
        ("named", "DB_URL"),
        ("groups", "ops ,sec"),
        ("door", "mcp"),
    ])
    .question();
    assert_eq!(question.verb, "secret_write");
    assert_eq!(question.resource.id, "global/DB_URL");
    assert_eq!(question.arguments.text("key"), Some("DB_URL"));
    assert_eq!(
        question.resource.properties.get("exists"),
        Some(&Value::Boolean(true))
    );
    assert_eq!(question.context.text("host.door"), Some("mcp"));
    let groups = Value::Texts(vec!["ops".to_owned(), "sec".to_owned()]);
    assert_eq!(question.subject.properties.get("groups"), Some(&groups));
}

#[test]
fn what_is_not_given_is_as_in_the_table() {
    let plain = form(&[]);
    let mut question = plain.question();
    question.context = Default::default();
    let row = countersign_core::exhaustive::rows().find(|row| {
        (row.verb, row.credential, row.role)
            == (Verb::OrgTokenMint, Credential::OrgToken, Role::Admin)
    });
    assert_eq!(question, row.expect("a row").question());
}

#[test]
fn what_is_wrong_is_said_at_its_field_alone_where_what_was_typed_stays() {
    for (field, value) in [
        ("verb", "approve_everything"),
        ("verb", "policy_activate"),
        ("set", "live:freeze@9.0.0:d9.0.0"),
        ("credential", "root"),
        ("role", "owner"),
        ("door", "window"),
        ("at", "tomorrow"),
        ("at", "1950-01-01T00:00"),
        ("counted", "-1"),
        ("counted", "4294967296"),
        ("named", "a\u{202e}b"),
        ("groups", "1,2,3,4,5,6,7,8,9,10,11"),
    ] {
        let form = read(&[(field, value)]);
        for other in FIELDS {
            assert_eq!(form.wrong(other).is_some(), other == field, "{other}");
        }
        assert!(form.is_first_wrong(field), "{field}");
        let complaint = form.wrong(field).expect("a complaint").to_owned();
        assert!(!complaint.contains(value), "{complaint}");
        let html = drawn(form, None);
        let error = format!("<p class=\"error\" id=\"{field}-wrong\">{complaint}</p>");
        assert!(html.contains(&error), "{error}: {html}");
        let marked = format!("aria-invalid=\"true\" aria-describedby=\"{field}-wrong");
        assert!(html.contains(&marked), "{marked}: {html}");
        assert_eq!(html.matches("aria-invalid").count(), 1, "{html}");
        let is_typed = ["at", "counted", "named", "groups"].contains(&field);
        let kept = format!("value=\"{value}\"");
        assert_eq!(html.contains(&kept), is_typed, "{kept}: {html}");
    }
    let at = form(&[("at", "2026-01-31T09:30")]).at.expect("a time");
    assert_eq!(at.to_string(), "2026-01-31T09:30:00Z");
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_one_goes_on_at_the_first_of_it() {
    let form = read(&[("counted", "many"), ("role", "owner"), ("groups", "ops")]);
    let wrong = FIELDS.iter().filter(|field| form.wrong(field).is_some());
    assert_eq!(wrong.collect::<Vec<_>>(), [&"role", &"counted"]);
    let html = drawn(form, None);
    assert_eq!(html.matches(" autofocus").count(), 1, "{html}");
    for shown in [
        "role=\"alert\">Nothing was asked",
        "aria-describedby=\"role-wrong\" autofocus",
        "aria-describedby=\"counted-wrong counted-hint\">",
        "aria-describedby=\"groups-hint\">",
        "value=\"many\"",
        "value=\"ops\"",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let well = drawn(read(&[]), None);
    for absent in [
        "aria-invalid",
        "autofocus",
        "-wrong",
        "role=\"alert\">Nothing",
    ] {
        assert!(!well.contains(absent), "{absent}: {well}");
    }
}

// Guard: `Sent::text` in form.rs.
#[test]
fn a_key_is_refused_and_not_said_back() {
    struct Ones;
    impl countersign_core::chance::Chance for Ones {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(1);
        }
    }
    for kind in [TokenKind::Organisation, TokenKind::Workspace] {
        let token = PlainToken::generate(kind, &Ones);
        let pasted = format!("x {}", token.reveal());
        for field in ["named", "groups", "at", "counted"] {
            let form = read(&[(field, pasted.as_str())]);
            let complaint = form.wrong(field).expect("a complaint");
            assert!(complaint.contains("looks like a key"), "{complaint}");
            let html = drawn(form, None);
            assert!(!html.contains(token.reveal()), "{html}");
        }
    }
}

#[test]
fn modules_of_one_name_are_told_apart_by_version_and_by_where_they_are() {
    let html = drawn(read(&[("set", "folder:freeze@2.0.0:d2.0.0")]), None);
    for shown in [
        "<option value=\"live:freeze@1.0.0:d1.0.0\">freeze@1.0.0 (live) alone</option>",
        "<option value=\"shadow:freeze@2.0.0:d2.0.0\">freeze@2.0.0 (in shadow) alone</option>",
        "<option value=\"folder:freeze@2.0.0:d2.0.0\" selected>freeze@2.0.0 (in the policy folder) alone</option>",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

#[test]
fn who_is_gone_as_they_are_asked_is_said_where_they_were_chosen() {
    let mut form = form(&[("set", "folder"), ("groups", "ops")]);
    form.lose_whom_to_ask();
    assert!(form.is_wrong() && form.which == Which::Live);
    let html = drawn(form, None);
    let error = "id=\"set-wrong\">These policies are not there any more";
    assert!(html.contains(error), "{html}");
    assert!(html.contains("value=\"ops\""), "{html}");
}

#[test]
fn the_ruling_is_drawn_with_every_modules_words_and_none_of_them_is_markup() {
    let form = form(&[("role", "reader"), ("named", "<i>x</i>")]);
    let told = Told::of(&form, asked());
    let html = drawn(form, Some(told));
    for shown in [
        "<span class=\"effect gate\">gate</span>",
        "baseline@1.0.0",
        "nothing to say about this",
        "&#60;i&#62;note",
        "&#60;i&#62;because",
        "1 person",
        "12 µs",
        "org_token_mint needs the role admin",
        "each of the 2 things",
        "value=\"&#60;i&#62;x",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert!(!html.contains("<i>"), "{html}");
}

#[test]
fn a_module_that_is_asked_alone_says_its_own_verdict() {
    let form = form(&[("set", "live:freeze@1.0.0:d1.0.0")]);
    let mut asked = asked();
    asked.judgement.opinions.remove(0);
    asked.judgement.ruling = fold(&asked.judgement.opinions);
    let told = Told::of(&form, asked);
    assert_eq!((told.effect, told.is_alone), ("abstain", true));
    let html = drawn(form, Some(told));
    assert!(html.contains("freeze@1.0.0 (live) alone says"), "{html}");
}
