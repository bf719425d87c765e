//! The screens on which people read a page, and the finger with which they touch one of them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;

use super::super::axe::{self, Rules};
use super::{Browser, ELEMENT};

/// A telephone, a tablet and a desk.
const WIDTHS: [u64; 3] = [PHONE, 820, DESK];
const PHONE: u64 = 390;
const DESK: u64 = 1440;

impl Browser {
    /// Holds the page to a screen of each size, light and dark: nothing is wider than it is, and axe-core finds
    /// nothing serious. With COUNTERSIGN_SCREENSHOTS, a folder, the whole page is there as `NAME-WIDTH-SCHEME.png` afterwards.
    pub async fn fits(&self, name: &str) {
        for (width, scheme) in WIDTHS
            .iter()
            .flat_map(|width| [(*width, "light"), (*width, "dark")])
        {
            self.has_screen(width).await;
            let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
            let media = json!({ "features": features });
            self.devtools("Emulation.setEmulatedMedia", media).await;
            let wide = self
                .run("return document.documentElement.scrollWidth")
                .await;
            assert!(
                wide.as_u64() <= Some(width),
                "{name} is {wide} wide at {width}"
            );
            if width != 820 {
                let rules = match scheme {
                    "light" => Rules::All,
                    _ => Rules::Colours,
                };
                axe::holds(self, rules, &format!("{name}, {scheme}, {width} wide")).await;
            }
            if let Some(folder) = std::env::var_os("COUNTERSIGN_SCREENSHOTS") {
                let whole = json!({ "captureBeyondViewport": true });
                let shot = self.devtools("Page.captureScreenshot", whole).await;
                let shot = STANDARD.decode(shot["data"].as_str().expect("base64"));
                let file = Path::new(&folder).join(format!("{name}-{width}-{scheme}.png"));
                std::fs::write(file, shot.expect("base64")).expect("written");
            }
        }
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
        self.touches(false).await;
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] }))
            .await;
    }

    /// On a screen as it stands on a desk.
    pub async fn is_wide(&self) {
        self.has_screen(DESK).await;
    }

    /// On a telephone.
    pub async fn is_a_phone(&self) {
        self.has_screen(PHONE).await;
    }

    /// A telephone takes a page that says nothing of its width to be a wide one, and shows it small.
    async fn has_screen(&self, width: u64) {
        let is_phone = width == PHONE;
        let screen = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": is_phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", screen)
            .await;
        self.touches(is_phone).await;
    }

    async fn touches(&self, touches: bool) {
        let touch = json!({ "enabled": touches });
        self.devtools("Emulation.setTouchEmulationEnabled", touch)
            .await;
    }

    /// Touches what `selector` finds, as soon as it is there.
    pub async fn tap(&self, selector: &str) {
        self.wait(&format!("a tap on `{selector}`"), async || {
            let element = json!({ ELEMENT: self.find(selector).await? });
            let near = "arguments[0].scrollIntoView({ block: 'center' })";
            let near = json!({ "script": near, "args": [element] });
            self.tell(Method::POST, "/execute/sync", near).await.ok()?;
            let strokes = json!([
                { "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": element },
                { "type": "pointerDown", "button": 0 },
                { "type": "pointerUp", "button": 0 },
            ]);
            let finger = json!({
                "type": "pointer", "id": "finger", "parameters": { "pointerType": "touch" },
                "actions": strokes,
            });
            let body = json!({ "actions": [finger] });
            self.tell(Method::POST, "/actions", body).await.ok()
        })
        .await;
    }
}
