//! The playground, asked without a browser: what is asked stays in the form, who is asked, and whose turn it is.

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Host, until};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::promotion::{LOOSER, PATIENCE};
use crate::reload::shelf::Shelf;
use crate::stage::{self, ADMIN_TOKEN};

const PLAYGROUND: &str = "/console/policies/playground";

const FOLDER: &str = "What the policy folder holds";
const SHADOW: &str = "What would decide if what is in shadow did";

async fn decided(person: &Caller) -> usize {
    let all = person.get("/decisions?limit=200").await.expect(200);
    let all = all.json["decisions"].as_array().expect("decisions").clone();
    let is_asked = |one: &&Value| one["verb"] == "secret_write";
    all.iter().filter(is_asked).count()
}

#[tokio::test]
async fn a_question_is_asked_by_what_is_sent_and_never_by_an_address() {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    let question = [
        ("verb", "secret_write"),
        ("named", "A_NAME_OF_OURS"),
        ("groups", "night-shift"),
        ("counted", "3"),
    ];
    let asked = person.post_form(PLAYGROUND, &question).await.expect(200);
    let page = asked.page();
    for kept in ["A_NAME_OF_OURS", "night-shift", "value=\"3\""] {
        assert!(page.contains(kept), "{kept}: {page}");
    }
    assert!(page.contains("The live policies say"), "{page}");
    assert!(page.contains("method=\"post\""), "{page}");
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    // An address fills in the verb, and asks nothing.
    let address = format!("{PLAYGROUND}?ask=1&verb=secret_write&named=A_NAME_OF_OURS");
    let page = person.get(&address).await.expect(200).page();
    assert!(
        page.contains("May this caller <code>secret_write"),
        "{page}"
    );
    assert!(
        !page.contains("A_NAME_OF_OURS") && !page.contains("policies say"),
        "{page}"
    );
    let wrong = person
        .post_form(PLAYGROUND, &[("named", "cso_abcdefg")])
        .await;
    let page = wrong.expect(400).page();
    assert!(
        page.contains("looks like a key") && !page.contains("cso_abcdefg"),
        "{page}"
    );
    assert_eq!(decided(&person).await, 0);
    assert!(
        host.files_with("A_NAME_OF_OURS").is_empty(),
        "it is recorded"
    );
    assert_eq!(stage::pending(&person).await, [] as [Value; 0]);

    // As every form of the console: from our own pages, and with the session's proof.
    let elsewhere = person.with("sec-fetch-site", "cross-site");
    elsewhere.post_form(PLAYGROUND, &question).await.expect(403);
    let unproved = host.session(&session.cookie);
    unproved.post_form(PLAYGROUND, &question).await.expect(403);
    host.anonymous()
        .post_form(PLAYGROUND, &question)
        .await
        .expect(401);
}

/// A module that never ends where a request comes by a door of three letters.
fn endless() -> Vec<u8> {
    Guest {
        name: "endless",
        context: vec!["host.door"],
        decide: "(if (i32.load offset=132 (local.get $request)) (then
                (if (i32.eq (i32.load offset=20 (i32.load offset=128 (local.get $request))) (i32.const 3))
                    (then (loop $again (br $again))))))
            (global.get $abstain)",
        ..Guest::default()
    }
    .component()
}

// Guard: `_one_at_a_time` in host/server/src/policies/asking.rs, whose own test holds how long a turn lasts.
#[tokio::test]
async fn a_question_that_is_cut_off_in_its_midst_leaves_the_turn_to_the_next() {
    let builder = Host::builder().policy("endless.wasm", endless());
    let host = builder.admin_token(ADMIN_TOKEN).start().await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    let slow = [("door", "mcp")];
    let page = person.post_form(PLAYGROUND, &slow).await.expect(200).page();
    assert!(page.contains("It has no verdict"), "{page}");
    let body = "door=mcp";
    let request = format!(
        "POST {PLAYGROUND} HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\nx-countersign-proof: {}\r\n\
         sec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: {}\r\n\r\n{body}",
        host.authority(),
        session.cookie,
        session.proof,
        body.len()
    );
    for _ in 0..8 {
        let mut stream = TcpStream::connect(host.authority())
            .await
            .expect("a connection");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        drop(stream);
    }
    let asked = person.post_form(PLAYGROUND, &[("door", "http")]).await;
    let page = asked.expect(200).page();
    assert!(page.contains("The live policies say"), "{page}");
}

/// What comes of the question that the form proposes, asked of whom it calls `label`.
async fn says(person: &Caller, label: &str) -> String {
    let page = person.get(PLAYGROUND).await.expect(200).page();
    let option = format!("\">{label}</option>");
    let (before, _) = page
        .split_once(&option)
        .unwrap_or_else(|| panic!("no `{label}` in {page}"));
    let (_, set) = before.rsplit_once("value=\"").expect("a word for it");
    let asked = person.post_form(PLAYGROUND, &[("set", set)]).await;
    let page = asked.expect(200).page();
    let (_, said) = page
        .split_once(&format!("{label} says <span class=\"effect "))
        .unwrap_or_else(|| panic!("`{label}` says nothing in {page}"));
    let (effect, _) = said.split_once('"').expect("an effect");
    effect.to_owned()
}

// Guard: `Standing::proven` in host/server/src/policies/shadow.rs.
#[tokio::test]
async fn a_module_in_shadow_is_asked_alone_though_what_would_decide_with_it_does_not_stand() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let guest = |name: &'static str, version: &'static str, decide: &'static str| {
        let guest = Guest {
            name,
            version,
            decide,
            ..Guest::default()
        };
        guest.component()
    };
    let abstain = "(global.get $abstain)";
    shelf.write("cover.wasm", guest("cover", "1.0.0", "(global.get $allow)"));
    shelf.is_live(2).await;
    let second = guest("cover", "2.0.0", abstain);
    let (path, kind) = ("/policies/cover", Some("application/wasm"));
    let pushed = operator.send(Method::PUT, path, kind, second).await;
    pushed.expect(201);
    let body = json!({ "mode": "shadow", "version": "2.0.0" });
    let path = "/policies/cover/mode";
    let changed = stage::changed(&operator, Method::PUT, path, &body).await;
    changed.expect(200);
    until("what is in shadow can be asked", PATIENCE, async || {
        let page = operator.get(PLAYGROUND).await.expect(200).page();
        page.contains(SHADOW).then_some(())
    })
    .await;
    assert_eq!(says(&operator, "cover@1.0.0 (live) alone").await, "allow");
    let in_shadow = "cover@2.0.0 (in shadow) alone";
    assert_eq!(says(&operator, in_shadow).await, "abstain");

    // From now on it is the first version alone that has something to say.
    shelf.write("baseline.wasm", guest("baseline", "2.0.0", abstain));
    until("it would not stand", PATIENCE, async || {
        let problems = shelf.problems().await;
        let is_it = |one: &Value| {
            let sentence = one["sentence"].as_str().unwrap_or_default();
            sentence.starts_with("the policies in shadow of generation 4 cannot be asked")
        };
        problems.iter().any(is_it).then_some(())
    })
    .await;
    let page = operator.get(PLAYGROUND).await.expect(200).page();
    assert!(!page.contains(SHADOW), "{page}");
    assert_eq!(says(&operator, in_shadow).await, "abstain");
    let baseline = "baseline@2.0.0 (live) alone";
    assert_eq!(says(&operator, baseline).await, "abstain");
}

// Guard: `Policies::held` in host/server/src/policies/asking.rs.
#[tokio::test]
async fn a_module_that_the_folder_holds_is_asked_alone_beside_the_live_one_of_its_name() {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    let (live, held) = (
        "baseline@0.1.0 (live) alone",
        "baseline@0.1.0 (in the policy folder) alone",
    );
    let page = operator.get(PLAYGROUND).await.expect(200).page();
    assert!(page.contains(live) && !page.contains(held), "{page}");
    shelf.sets(LOOSER);
    let candidate = shelf.waits().await;
    assert_eq!(says(&operator, live).await, "gate");
    assert_eq!(says(&operator, held).await, "allow");
    let page = operator.get(PLAYGROUND).await.expect(200).page();
    assert!(page.contains(FOLDER), "{page}");

    // What an operator denied lies there all the same, and is tried before it is mended.
    let id = candidate["approval_id"].as_str().expect("an approval");
    let denied = stage::decide(&operator, id, "denied").await;
    denied.expect(200);
    until("it is seen", PATIENCE, async || {
        let page = operator.get(PLAYGROUND).await.expect(200).page();
        (!page.contains(FOLDER)).then_some(())
    })
    .await;
    assert_eq!(says(&operator, held).await, "allow");
    assert_eq!(shelf.generation().await, 1);
}
