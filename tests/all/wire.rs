//! The wire: what the host answers, as snapshots. One file for a story, the same on both databases.
//!
//! What is another value with every run is hidden behind a placeholder, after it was shown to be what the
//! placeholder says. Members are sorted by name, as the host sends them.
//!
//! A shape that is missing or different fails. `INSTA_UPDATE=always` takes what the host answers now.

mod approvals;
mod edge;
mod layout;
mod policies;
mod rare;
mod redaction;
mod secrets;
mod story;
mod tokens;
mod volatile;
mod workspaces;
mod wrong;

use std::fs;
use std::path::Path;

use countersign_tests::HostBuilder;

use self::story::{Story, now};
use crate::sandbox_page::ROOT;
use crate::stage::Stage;

const NOBODYS_ID: &str = "00000000-0000-4000-8000-00000000abcd";
const PROVISION_TOKEN: &str = "the-provision-token-of-the-install-path";

/// A host where ann may change policies, and its story.
async fn staged(name: &'static str, builder: HostBuilder) -> (Stage, Story) {
    let from = now();
    let builder = builder
        .provision_token(PROVISION_TOKEN)
        .env("COUNTERSIGN_OPERATORS", "control-plane:ann");
    let stage = Stage::set_for(builder).await;
    let story = Story::begin(name, from, &stage.host);
    (stage, story)
}

#[test]
fn every_snapshot_is_of_a_story() {
    let folder = Path::new(ROOT).join("tests/all/wire");
    let read = |path: &Path| fs::read_to_string(path).expect("it can be read");
    let files = |folder: &Path| -> Vec<_> {
        let entries = fs::read_dir(folder).expect("it can be read");
        entries
            .map(|entry| entry.expect("it can be read").path())
            .collect()
    };
    let code = files(&folder).into_iter().filter(|path| path.is_file());
    let code: String = code.map(|path| read(&path)).collect();
    let snapshots = files(&folder.join("snapshots"));
    for snapshot in &snapshots {
        let name = snapshot
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let story = name.strip_suffix(".snap");
        let is_told = story.is_some_and(|story| code.contains(&format!("\"{story}\"")));
        assert!(is_told, "no story is named like {name}");
    }
    assert!(snapshots.len() >= 15, "{snapshots:?}");
}
