//! `login` and `logout`: who may sign in, by what, and what nobody learns.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign_tests::{CommandLine, Host, built};

use super::signed_in;
use crate::stage::ADMIN_TOKEN;

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

#[tokio::test]
async fn whoever_uses_the_data_folder_signs_in_and_nobody_learns_the_link() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.command_line();
    let said = person.run(&["login"]).await.expect(0);
    let said = said.says(&["Signed in at", host.origin(), "session.json", "in 11 hours"]);
    said.hides(&["link=", "countersign="]);

    let file = person.session_file();
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().expect("a folder")), 0o700);
    assert_eq!(mode(&host.data_dir().join("control.sock")), 0o600);
    assert!(!host.said().contains("link="), "{}", host.said());

    let said = person.run(&["approval", "list"]).await.expect(0);
    said.says(&["Nothing waits for people."]);
}

#[tokio::test]
async fn the_newest_link_is_the_only_one() {
    let host = Host::start(ADMIN_TOKEN).await;
    let old = host.login_secret();
    host.command_line().run(&["login"]).await.expect(0);
    let browser = host.anonymous().with("sec-fetch-site", "same-origin");
    let link = [("link", old.as_str())];
    let pressed = browser.post_form("/console/sign-in", &link).await;
    pressed.expect(403);
}

#[tokio::test]
async fn where_no_host_runs_nobody_signs_in_and_is_told_what_to_do() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.command_line();
    let builder = host.crash();
    let words = ["no host runs", "--data-dir", "--link -"];
    person.run(&["login"]).await.expect(6).says(&words);
    assert!(!person.session_file().exists());

    // What the crash left behind is in nobody's way.
    let host = builder.start().await;
    let person = host.command_line();
    person.run(&["login"]).await.expect(0);
    host.stop().await;
    person.run(&["login"]).await.expect(6).says(&words);
}

#[tokio::test]
async fn a_link_from_elsewhere_is_pasted_and_is_no_argument() {
    let host = Host::start(ADMIN_TOKEN).await;
    let link = fs::read_to_string(host.data_dir().join("login-link")).expect("a link");
    let secret = host.login_secret();
    let elsewhere = CommandLine::new();

    let said = elsewhere.run(&["login", "--link", &secret]).await.expect(2);
    said.says(&["standard input"]).hides(&[&secret]);
    let bare = ["login", "--link", "-"];
    elsewhere.run_with(&bare, "x\n").await.expect(2);
    let wrong = ["login", host.origin(), "--link", "-"];
    let said = elsewhere.run_with(&wrong, "x\n").await.expect(1);
    said.says(&["login link was used", "`countersign login`"]);

    let said = elsewhere.run_with(&bare, &link).await.expect(0);
    said.says(&["Signed in at", host.origin()])
        .hides(&[&secret]);
    elsewhere.run(&["token", "list"]).await.expect(0);
    // It works once.
    elsewhere.run_with(&bare, &link).await.expect(1);
    elsewhere.run(&["token", "list"]).await.expect(0);
}

#[tokio::test]
async fn a_link_for_a_browser_is_shown_on_a_terminal_only() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.command_line();
    let before = host.login_secret();
    let said = person.run(&["login", "--browser"]).await.expect(0);
    said.says(&["login-link", "works once"]).hides(&["link="]);
    assert_ne!(host.login_secret(), before);
    assert_eq!(mode(&host.data_dir().join("login-link")), 0o600);
    host.operator().await;
    assert!(!person.session_file().exists(), "nobody is signed in here");

    let said = person.run_at_terminal(&["login", "--browser"], "").await;
    said.expect(0)
        .says(&["/console/sign-in?link=", "works once"]);
}

#[tokio::test]
async fn signing_out_ends_the_session_at_the_host_too() {
    let (host, person) = signed_in().await;
    let kept = fs::read(person.session_file()).expect("a session");
    person
        .run(&["logout"])
        .await
        .expect(0)
        .says(&["Signed out"]);
    assert!(!person.session_file().exists());
    let said = person.run(&["approval", "list"]).await.expect(5);
    said.says(&["not signed in", "`countersign login`"]);
    person.run(&["logout"]).await.expect(0);

    // Whoever has copied it has nothing.
    fs::write(person.session_file(), kept).expect("written");
    fs::set_permissions(person.session_file(), fs::Permissions::from_mode(0o600)).expect("set");
    let said = person.run(&["approval", "list"]).await.expect(5);
    said.says(&["your session has ended"]);
    host.stop().await;
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() {
    let (_host, person) = signed_in().await;
    let kept = fs::read(person.session_file()).expect("a session");
    person.run(&["login"]).await.expect(0);
    person.run(&["token", "list"]).await.expect(0);
    fs::write(person.session_file(), kept).expect("written");
    person.run(&["token", "list"]).await.expect(5);
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_redeem_a_link() {
    let host = Host::start(ADMIN_TOKEN).await;
    let body = serde_json::json!({ "link": host.login_secret() });
    let nobody = host.anonymous();
    for page in [
        nobody.clone(),
        nobody.with("sec-fetch-site", "cross-site"),
        nobody.with("sec-fetch-site", "same-site"),
        nobody.with("origin", "https://evil.example"),
    ] {
        let reply = page.post("/sign-in", body.clone()).await;
        let reply = reply.refused(403, "cross_site");
        assert_eq!(reply.header("set-cookie"), None, "{reply}");
    }
    let own = nobody.with("origin", host.origin());
    own.post("/sign-in", serde_json::json!({}))
        .await
        .blames("link");
    let reply = own.post("/sign-in", body.clone()).await.expect(200);
    assert_eq!(reply.text("proof").len(), 43);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let cookie = reply.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
    own.post("/sign-in", body)
        .await
        .refused(403, "link_is_dead");
}

#[tokio::test]
async fn another_user_is_not_answered_even_where_the_folder_was_opened() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root can act as another user: nothing was tried");
        return;
    }
    let host = Host::start(ADMIN_TOKEN).await;
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("opened");
    };
    // As careless as it can be made: the kernel alone says who asks.
    let data = host.data_dir();
    open(data.parent().expect("a folder"), 0o755);
    open(&data, 0o755);
    open(&data.join("control.sock"), 0o666);
    let nobody = host.command_line();
    let folder = nobody.folder();
    let program = folder.join("countersign");
    fs::copy(built("countersign"), &program).expect("copied");
    for path in [&folder, &program] {
        open(path, 0o777);
    }
    let program = program.display().to_string();
    let arguments = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        &program,
        "login",
    ];
    let before = host.login_secret();
    let said = nobody
        .begin("/usr/bin/setpriv".into(), &arguments, None)
        .end();
    said.await.expect(1).says(&["another user"]);
    assert!(!nobody.session_file().exists());
    // Nothing was made for them: the link before still works.
    assert_eq!(host.login_secret(), before);
    host.operator().await;
    host.command_line().run(&["login"]).await.expect(0);
}
