use std::path::Path;

use super::*;

fn load(flags: Flags) -> Result<Config, ConfigError> {
    Config::load(flags)
}

#[test]
fn nothing_configured_is_a_host_on_loopback() {
    let config = load(Flags::default()).expect("the defaults are right");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.policies, Path::new("./countersign-data/policies"));
    assert_eq!((config.live_token_limit, config.mint_limit), (100, 10));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let error = load(Flags {
        listen: Some("nowhere".to_owned()),
        molecule_org_id: Some("x".to_owned()),
        cp_upstream_url: Some("ftp://cp".to_owned()),
        molecule_org_slug: Some("acme".to_owned()),
        ..Flags::default()
    })
    .expect_err("three mistakes");
    assert_eq!(error.0.len(), 3, "{error}");
}

#[test]
fn a_control_plane_without_a_slug_verifies_nobody() {
    let config = load(Flags {
        cp_upstream_url: Some("https://cp".to_owned()),
        ..Flags::default()
    })
    .expect("right");
    assert!(config.control_plane.expect("set").members.is_none());
}

#[test]
fn the_membership_url_keeps_the_upstream_path_and_escapes_the_slug() {
    let config = load(Flags {
        cp_upstream_url: Some("https://cp.example/base/".to_owned()),
        molecule_org_slug: Some("a&b".to_owned()),
        ..Flags::default()
    })
    .expect("right");
    assert_eq!(
        config
            .control_plane
            .and_then(|cp| cp.members)
            .expect("set")
            .url
            .as_str(),
        "https://cp.example/base/cp/auth/tenant-member?slug=a%26b"
    );
}

#[test]
fn a_value_of_the_wrong_type_is_named_by_its_line_and_not_repeated() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "\nadmin_token = 12345678\n").expect("written");
    let error = load(Flags {
        config: Some(file.path().to_owned()),
        ..Flags::default()
    })
    .expect_err("a number");
    assert!(error.to_string().contains("line 2"), "{error}");
    assert!(!error.to_string().contains("12345678"), "{error}");
}

#[test]
fn an_empty_flag_is_an_unset_one_and_the_file_stands() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "public_url = \"https://a.example\"\n").expect("written");
    let config = load(Flags {
        config: Some(file.path().to_owned()),
        public_url: Some(String::new()),
        listen: Some(String::new()),
        ..Flags::default()
    })
    .expect("right");
    assert_eq!(config.public_url.as_deref(), Some("https://a.example"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn an_unknown_key_in_the_file_is_an_error_that_quotes_no_value() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "admin_tokn = \"hunter2\"\n").expect("written");
    let error = load(Flags {
        config: Some(file.path().to_owned()),
        ..Flags::default()
    })
    .expect_err("unknown key");
    assert!(error.to_string().contains("admin_tokn"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
