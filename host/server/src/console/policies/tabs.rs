//! The pages of the policies, and on which one somebody is.

use askama::Template;
use askama::filters::HtmlSafe;

/// A page of the policies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Those that decide.
    Live,
    /// What they answer.
    Matrix,
    /// What those in shadow would have changed.
    Shadow,
    /// Those that decided before.
    History,
    /// Asking them something made up.
    Playground,
}

const TABS: [(Tab, &str, &str); 5] = [
    (Tab::Live, "/console/policies", "Live"),
    (Tab::Matrix, "/console/policies/matrix", "What they answer"),
    (Tab::Shadow, "/console/policies/shadow", "In shadow"),
    (Tab::History, "/console/policies/history", "History"),
    (
        Tab::Playground,
        "/console/policies/playground",
        "Playground",
    ),
];

/// Links to the pages. Draws itself as a `<nav>`.
#[derive(Template)]
#[template(path = "policies/tabs.html")]
pub struct Tabs {
    current: Tab,
}

/// Its template writes words of its own.
impl HtmlSafe for Tabs {}

impl Tabs {
    /// On that page, or one below it.
    pub fn at(current: Tab) -> Self {
        Self { current }
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let current = self.current;
        TABS.iter()
            .map(move |(tab, path, name)| (*path, *name, *tab == current))
    }
}
