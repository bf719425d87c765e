//! The contract, walked by a client in another language that knows nothing of this code: `tests/walk`.

use std::path::Path;
use std::process::Command;

use countersign_tests::{Database, built};

use crate::sandbox_page::ROOT;

#[test]
fn a_client_that_knows_the_contract_alone_finds_each_sentence_of_it_to_hold() {
    let database = Database::make();
    let database = match &database {
        Database::Sqlite => "sqlite",
        Database::Postgres { url } => url,
    };
    let walked = Command::new("python3")
        .arg(Path::new(ROOT).join("tests/walk"))
        .arg("--binary")
        .arg(built("countersign"))
        .args(["--database", database, "--failures"])
        .output()
        .expect("python3 is there");
    let said = String::from_utf8_lossy(&walked.stdout);
    let last = said.lines().last().unwrap_or_default();
    println!("walk: {last}");
    let words = String::from_utf8_lossy(&walked.stderr);
    let broken: Vec<_> = said
        .lines()
        .filter(|line| line.contains(" FAILED "))
        .collect();
    assert!(
        walked.status.success(),
        "{}\n{words}\n{said}",
        broken.join("\n")
    );
}
