//! The playground: what can be asked, and what is drawn of the answer.

use std::collections::HashMap;

use countersign_core::policy::{CallerClass, Ground, Quorum, Terms, Value, Verdict};
use countersign_core::token::{PlainToken, TokenKind};
use countersign_core::verdict::{Judgement, ModuleId, Opinion, Took, fold};

use super::super::super::examples::{is_whole, person};
use super::*;
use crate::policies::Asked;

fn read(fields: &[(&str, &str)]) -> Result<Form, Wrong> {
    let query: HashMap<_, _> = fields
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let askable = vec![
        Which::Live,
        Which::Folder,
        Which::Module("freeze".to_owned()),
    ];
    match Form::read(&query, askable) {
        (form, None) => Ok(form),
        (_, Some(wrong)) => Err(wrong),
    }
}

fn form(fields: &[(&str, &str)]) -> Form {
    read(fields).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn drawn(form: Form, told: Option<Told>, wrong: Option<Wrong>) -> String {
    let page = PlaygroundPage {
        frame: Frame::of(&person("ada"), Place::Policies),
        tabs: Tabs::at(Tab::Playground),
        form,
        wrong,
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
fn what_is_wrong_is_told_field_by_field_and_never_said_back() {
    for (field, value) in [
        ("verb", "approve_everything"),
        ("verb", "policy_activate"),
        ("set", "module:gone"),
        ("credential", "root"),
        ("role", "owner"),
        ("door", "window"),
        ("at", "tomorrow"),
        ("at", "1950-01-01T00:00"),
        ("counted", "-1"),
        ("named", "a\u{202e}b"),
        ("groups", "1,2,3,4,5,6,7,8,9,10,11"),
    ] {
        let Err(wrong) = read(&[(field, value)]) else {
            panic!("{field}={value} is taken");
        };
        assert_eq!(wrong.field, field);
        assert!(!wrong.complaint.contains(value), "{wrong:?}");
    }
    let at = form(&[("at", "2026-01-31T09:30")]).at.expect("a time");
    assert_eq!(at.to_string(), "2026-01-31T09:30:00Z");
}

// Guard: `harmless` in form.rs.
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
        for field in ["named", "groups"] {
            let query = HashMap::from([(field.to_owned(), pasted.clone())]);
            let (form, Some(wrong)) = Form::read(&query, vec![Which::Live]) else {
                panic!("a key is taken");
            };
            assert_eq!(wrong.field, field);
            let html = drawn(form, None, Some(wrong));
            assert!(!html.contains(token.reveal()), "{html}");
        }
    }
}

#[test]
fn the_ruling_is_drawn_with_every_modules_words_and_none_of_them_is_markup() {
    let form = form(&[("role", "reader"), ("named", "<i>x</i>")]);
    let told = Told::of(&form, asked());
    let html = drawn(form, Some(told), None);
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
    let form = form(&[("set", "module:freeze")]);
    let mut asked = asked();
    asked.judgement.opinions.remove(0);
    asked.judgement.ruling = fold(&asked.judgement.opinions);
    let told = Told::of(&form, asked);
    assert_eq!((told.effect, told.is_alone), ("abstain", true));
    assert!(drawn(form, Some(told), None).contains("freeze alone says"));
}
