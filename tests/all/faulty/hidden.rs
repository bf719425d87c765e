//! What behaves wherever it can tell that it is tested.

use crate::reload::shelf::Shelf;
use crate::stage::approval;

use super::set;

// Guard: `row_about_others` in `review`.
#[tokio::test]
async fn what_recognises_the_table_is_listed_and_said_to() {
    let shelf = Shelf::reviewed().await;
    shelf.write("baseline.wasm", set::built_with(Some("off-the-table")));
    let candidate = shelf.waits().await;
    let id = candidate["approval_id"].as_str().expect("an approval");
    let approval = approval(&shelf.host.operator().await, id).await;
    let review = &approval["payload"]["arguments"]["review"];
    let items = review["loosens"].as_array().expect("a list");
    let recognised = items.iter().find(|item| {
        let mut phrases = item["phrases"].as_array().into_iter().flatten();
        phrases.any(|phrase| {
            let phrase = phrase.as_str().unwrap_or_default();
            phrase.contains("drawn for this comparison")
        })
    });
    let item = recognised.expect("it is said");
    assert_eq!(item["after"]["effect"], "allow", "{item:#}");
    assert_eq!(item["recorded"], 0);
}
