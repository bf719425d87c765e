//! What people in a hurry do: click twice, load a page again, and go back.

use reqwest::Method;
use serde_json::json;

use super::{Browser, ELEMENT};

/// Between the two clicks of a double click, in milliseconds.
const BETWEEN_MS: u64 = 80;

/// How long an answer is on its way to whoever is far from the host, in milliseconds: the clicks of a double
/// click are much closer together.
const FAR_MS: u64 = 500;

impl Browser {
    /// From now on each answer takes a while to come, though the host hears of each request at once.
    pub async fn is_far(&self) {
        self.devtools("Network.enable", json!({})).await;
        let link = json!({
            "offline": false, "latency": FAR_MS, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", link)
            .await;
    }

    /// Clicks what `selector` finds, and clicks again before anything can have come of it.
    pub async fn double_click(&self, selector: &str) {
        let what = format!("`{selector}` is there");
        let element = self.wait(&what, async || self.find(selector).await).await;
        self.run(&format!(
            "document.querySelector({}).scrollIntoView({{ block: 'center' }})",
            json!(selector)
        ))
        .await;
        let (down, up) = (
            json!({ "type": "pointerDown", "button": 0 }),
            json!({ "type": "pointerUp", "button": 0 }),
        );
        let strokes = json!([
            { "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": { ELEMENT: element } },
            down,
            up,
            { "type": "pause", "duration": BETWEEN_MS },
            down,
            up,
        ]);
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": strokes });
        self.must(Method::POST, "/actions", json!({ "actions": [mouse] }))
            .await;
    }

    /// Has a page that keeps itself current look again, and waits until the part that `selector` finds is another.
    pub async fn draws_anew(&self, selector: &str) {
        self.tells(&format!(
            "const done = arguments[arguments.length - 1]; const part = document.querySelector({}); \
             new MutationObserver((_, seen) => {{ \
               if (!part.isConnected) {{ seen.disconnect(); done(true); }} \
             }}).observe(part.parentElement, {{ childList: true }}); \
             const keeps = document.querySelector('[data-keeps] a'); keeps.click(); keeps.click();",
            json!(selector)
        ))
        .await;
    }

    /// Loads the page again, as its button does.
    pub async fn reload(&self) {
        self.must(Method::POST, "/refresh", json!({})).await;
    }

    /// Goes back, as its button does.
    pub async fn back(&self) {
        self.must(Method::POST, "/back", json!({})).await;
    }
}
