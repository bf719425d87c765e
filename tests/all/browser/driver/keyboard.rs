//! What a browser is told by keys, and by a cookie that somebody else set.

use reqwest::Method;
use serde_json::{Value, json};

use super::Browser;

/// As WebDriver names them.
pub const TAB: char = '\u{e004}';
pub const ENTER: char = '\u{e007}';

/// No page has so many stops.
const MOST_STOPS: usize = 60;

impl Browser {
    /// Presses a key, and lets go.
    pub async fn press(&self, key: char) {
        let strokes =
            json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.must(Method::POST, "/actions", json!({ "actions": [keyboard] }))
            .await;
    }

    /// Presses the key of each character.
    pub async fn type_in(&self, text: &str) {
        for key in text.chars() {
            self.press(key).await;
        }
    }

    /// Tab by Tab, until the focus is on what `selector` finds, and can be seen to be there.
    pub async fn tab_to(&self, selector: &str) {
        let is_there = format!(
            "const on = document.activeElement; return on.matches({}) && on.matches(':focus-visible')",
            json!(selector)
        );
        for _ in 0..MOST_STOPS {
            self.press(TAB).await;
            if self.run(&is_there).await == json!(true) {
                return;
            }
        }
        let on = self.run("return document.activeElement.outerHTML").await;
        panic!("no Tab leads to `{selector}`; the focus is on {on}");
    }

    /// Keeps a cookie (`name=value`) for the page that is shown.
    pub async fn keep(&self, cookie: &str) {
        let (name, value) = cookie.split_once('=').expect("a cookie");
        let cookie = json!({ "cookie": { "name": name, "value": value, "httpOnly": true } });
        self.must(Method::POST, "/cookie", cookie).await;
    }

    /// Its window's title.
    pub async fn title(&self) -> String {
        let title = self.must(Method::GET, "/title", Value::Null).await;
        title.as_str().expect("a text").to_owned()
    }

    /// Waits until the window's title begins so.
    pub async fn is_titled(&self, words: &str) {
        let what = format!("the title begins `{words}`");
        self.wait(&what, async || {
            self.title().await.starts_with(words).then_some(())
        })
        .await;
    }
}
