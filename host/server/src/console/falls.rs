//! What would fall by a request that waits, drawn as on the pages where people remove and revoke themselves: who
//! approves it reads the same as who does it.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::approval::Approval;
use countersign_core::holdings::{Fall, Family, Holdings};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::fallen::Fallen;
use super::key_page::Descent;
use super::keys::Key;
use super::sight::Seen;

/// So many workspaces are named within a request; the page of the removal itself names all.
const MOST_NAMED: usize = 50;

/// Draws itself as a part of the request's page.
#[derive(Template)]
#[template(path = "falls.html")]
pub struct Falls {
    what: What,
}

/// Its template escapes what was given.
impl HtmlSafe for Falls {}

enum What {
    Workspace(Box<Fallen>),
    Key(Box<Revoked>),
    Everything(Holdings),
    /// A key, for a reader from whom a policy keeps the list of keys.
    Hidden,
    /// Something else than was asked for; where that can be read, if it is somewhere.
    Moved(Option<String>),
}

/// A key that falls.
struct Revoked {
    key: Key,
    is_live: bool,
    /// What it minted and works.
    descent: Descent,
    /// Whether that falls with it.
    descendants: bool,
}

impl Falls {
    /// `fall`, by `approval`, at `now`.
    pub fn new(seen: Seen<Fall>, approval: &Approval, now: Timestamp) -> Self {
        let moved = || What::Moved(address(approval));
        let names_others = seen.names_others;
        let what = match seen.falls {
            Fall::Workspace(falls) => {
                let seen = Seen {
                    falls,
                    names_others,
                };
                Fallen::new(&seen, MOST_NAMED, now)
                    .map_or_else(moved, |fallen| What::Workspace(Box::new(fallen)))
            }
            Fall::Token { .. } if !names_others => What::Hidden,
            Fall::Token {
                family,
                descendants,
            } => What::Key(Box::new(Revoked::new(&family, descendants, now))),
            Fall::Everything(holdings) => What::Everything(holdings),
            Fall::Moved => moved(),
        };
        Self { what }
    }
}

impl What {
    fn has_moved(&self) -> bool {
        matches!(self, Self::Moved(_))
    }

    /// What an approval is for, in view of what is drawn. Of a key alone nothing can be added.
    fn bound(&self) -> Option<&'static str> {
        match self {
            Self::Key(revoked) if !revoked.descendants => None,
            Self::Moved(_) => None,
            _ => Some(
                "An approval is for this and nothing else: if something is added, changed or taken away meanwhile, nothing falls.",
            ),
        }
    }
}

impl Revoked {
    fn new(family: &Family, descendants: bool, now: Timestamp) -> Self {
        Self {
            key: Key::new(family.token.token.clone(), now),
            is_live: family.token.is_live,
            descent: Descent::live(family, now),
            descendants,
        }
    }
}

/// The page of what a request is about.
pub fn address(approval: &Approval) -> Option<String> {
    let id = &approval.resource_id;
    Some(match (approval.verb, id.split_once('/')) {
        (Verb::OrgTokenRevoke, _) => format!("/console/keys/{id}"),
        (_, Some(("global", _))) => "/console/secrets".to_owned(),
        (_, Some((workspace, _))) => format!("/console/workspaces/{workspace}/secrets"),
        _ if approval.resource_kind == "workspace" => format!("/console/workspaces/{id}"),
        (Verb::WorkspaceCreate, _) => "/console/workspaces".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use countersign_core::holdings::Kin;
    use countersign_core::workspace::FallDigest;

    use super::super::examples::{NOW, approval, falling, org_token};
    use super::*;

    fn drawn(fall: &Fall) -> String {
        let seen = Seen {
            falls: fall.clone(),
            names_others: true,
        };
        let falls = Falls::new(seen, &approval(), NOW);
        let html = falls.render().expect("drawn");
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    #[test]
    fn who_approves_reads_by_name_what_falls() {
        let html = drawn(&Fall::Workspace(falling()));
        for shown in [
            "<bdi>payments</bdi>",
            "&#60;script&#62;",
            "<code>csw_root…</code>",
            "<code>cso_boun…</code>",
            "<bdi class=\"literal\">STRIPE_KEY</bdi>",
            "An approval is for this and nothing else",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("you are not shown"), "{html}");
    }

    // The page is drawn anew while it is read, and keeps open what has an id.
    #[test]
    fn all_that_a_reader_can_unfold_has_an_id_of_its_own() {
        let kin = |name: &str| Kin {
            token: org_token(name),
            is_live: true,
        };
        let family = Family {
            token: kin("ci"),
            approval: None,
            minters: Vec::new(),
            minted: vec![kin("<script>")],
            of_workspaces: Vec::new(),
            descent: FallDigest::of([]),
        };
        let key = Fall::Token {
            family: Box::new(family),
            descendants: false,
        };
        for (fall, folded) in [(Fall::Workspace(falling()), 3), (key, 1)] {
            let html = drawn(&fall);
            let tags: Vec<_> = html.split("<details").skip(1).collect();
            assert_eq!(tags.len(), folded, "{html}");
            for tag in tags {
                let id = tag
                    .strip_prefix(" id=\"")
                    .and_then(|tag| tag.split('"').next());
                let id = id.unwrap_or_else(|| panic!("no id: {tag}"));
                assert_eq!(html.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}");
            }
        }
    }
}
