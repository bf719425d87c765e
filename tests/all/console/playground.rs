//! The playground, asked without a browser: what is asked stays in the form, and whose turn it is.

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Host};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::stage::{self, ADMIN_TOKEN};

const PLAYGROUND: &str = "/console/policies/playground";

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
