//! What falls with a workspace, drawn on the page of its removal, and where people are asked for one.

use std::collections::HashMap;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::holdings::{Falling, NamedToken};
use countersign_core::id::WorkspaceId;
use countersign_core::time::Timestamp;

use super::people::People;
use super::sight::Seen;
use super::workspaces::{Listed, names};

/// So many are read at a glance. More are folded, so that they push nothing else out of sight.
const FEW: usize = 12;

const KEYS: Kind = Kind {
    label: "Keys of these workspaces",
    id: "falling-keys",
    says: stopping,
};

const BOUND_KEYS: Kind = Kind {
    label: "Organisation keys bound to them",
    id: "falling-bound-keys",
    says: stopping,
};

const SECRETS: Kind = Kind {
    label: "Their secrets",
    id: "falling-secrets",
    says: deleted,
};

/// What falls with a workspace. Draws itself as fields, here and where people are asked for a removal.
#[derive(Template)]
#[template(path = "falling.html")]
pub struct Fallen {
    /// The workspace that is meant.
    pub one: Listed,
    below: Vec<Listed>,
    /// How many more are below it than are here.
    further: usize,
    /// Live tokens of these workspaces, live organisation tokens bound to one of them, and their secrets.
    heaps: Vec<Heap>,
}

/// A kind of what falls beside workspaces.
struct Kind {
    label: &'static str,
    /// By which a page that is drawn anew knows its list again.
    id: &'static str,
    /// What becomes of so many.
    says: fn(u64) -> String,
}

/// All that falls of one kind.
struct Heap {
    label: &'static str,
    id: &'static str,
    says: String,
    /// Those that are named, by workspace.
    groups: Vec<Group>,
    /// How many are not.
    further: u64,
    /// Whether those that are named are few.
    is_short: bool,
}

/// What of a heap falls with one workspace.
struct Group {
    id: String,
    name: String,
    members: Vec<Member>,
}

/// One of what falls, as it is listed.
enum Member {
    /// How a workspace's key begins.
    Key(String),
    BoundKey(BoundKey),
    /// A secret's name.
    Secret(String),
}

/// An organisation key that is bound to a workspace.
struct BoundKey {
    id: String,
    name: Option<String>,
    prefix: String,
}

/// Its template escapes what was given.
impl HtmlSafe for Fallen {}

impl Fallen {
    /// What falls, naming so many of the workspaces below the one that is meant, if the reader may know them.
    pub fn new(seen: &Seen<Falling>, most: usize, now: Timestamp) -> Option<Self> {
        let falling = &seen.falls;
        let most = if seen.names_others { most } else { 0 };
        let names = names(&falling.workspaces);
        let mut all = falling
            .workspaces
            .iter()
            .map(|one| Listed::new((one, 0), (&names, &People::default()), now));
        let one = all.next()?;
        let mut below: Vec<Listed> = all.collect();
        let further = below.len().saturating_sub(most);
        below.truncate(most);
        Some(Self {
            one,
            below,
            further,
            heaps: heaps(falling, &names),
        })
    }

    fn others(&self) -> usize {
        self.below.len() + self.further
    }
}

fn heaps(falling: &Falling, names: &HashMap<WorkspaceId, &str>) -> Vec<Heap> {
    let named = &falling.named;
    let keys = named.tokens.iter();
    let keys = keys.map(|token| (token.workspace, Member::Key(token.prefix.clone())));
    let bound = named.bound_tokens.iter();
    let bound = bound.map(|token| (token.workspace, Member::BoundKey(BoundKey::new(token))));
    let secrets = named.secrets.iter();
    let secrets = secrets.map(|one| (one.workspace, Member::Secret(one.key.to_string())));
    vec![
        Heap::new(&KEYS, falling.tokens, grouped(keys, names)),
        Heap::new(&BOUND_KEYS, falling.bound_tokens, grouped(bound, names)),
        Heap::new(&SECRETS, falling.secrets, grouped(secrets, names)),
    ]
}

/// Those of one workspace follow each other.
fn grouped(
    members: impl Iterator<Item = (WorkspaceId, Member)>,
    names: &HashMap<WorkspaceId, &str>,
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (workspace, member) in members {
        let id = workspace.to_string();
        match groups.last_mut() {
            Some(group) if group.id == id => group.members.push(member),
            _ => groups.push(Group {
                id,
                name: names
                    .get(&workspace)
                    .copied()
                    .unwrap_or("a workspace")
                    .to_owned(),
                members: vec![member],
            }),
        }
    }
    groups
}

impl Heap {
    fn new(kind: &Kind, count: u64, groups: Vec<Group>) -> Self {
        let named: usize = groups.iter().map(|group| group.members.len()).sum();
        Self {
            label: kind.label,
            id: kind.id,
            says: (kind.says)(count),
            further: count.saturating_sub(named as u64),
            is_short: named <= FEW,
            groups,
        }
    }

    /// Whether it holds something of which the reader is told nothing but how much.
    fn is_hidden(&self) -> bool {
        self.groups.is_empty() && self.further > 0
    }
}

impl BoundKey {
    fn new(token: &NamedToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.clone(),
            prefix: token.prefix.clone(),
        }
    }
}

fn stopping(keys: u64) -> String {
    match keys {
        0 => "none works".to_owned(),
        1 => "1 key stops working".to_owned(),
        _ => format!("{keys} keys stop working"),
    }
}

fn deleted(secrets: u64) -> String {
    match secrets {
        0 => "none".to_owned(),
        1 => "1 secret is deleted".to_owned(),
        _ => format!("{secrets} secrets are deleted"),
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::holdings::{MAX_NAMED, Named};

    use super::super::examples::{NOW, falling, named_secret, workspace};
    use super::*;

    fn drawn(falling: &Falling) -> String {
        drawn_for(falling, true)
    }

    fn drawn_for(falling: &Falling, names_others: bool) -> String {
        let seen = Seen {
            falls: falling.clone(),
            names_others,
        };
        let fallen = Fallen::new(&seen, usize::MAX, NOW).expect("a workspace");
        let html = fallen.render().expect("drawn");
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    /// What the page has of one kind.
    fn heap<'a>(html: &'a str, kind: &Kind) -> &'a str {
        let start = format!("<dt>{}</dt>", kind.label);
        let (_, heap) = html.split_once(&start).expect("the kind");
        heap.split("<dt>").next().expect("its end")
    }

    /// `heap` has all of these, each after the one before.
    fn in_order(heap: &str, all: &[&str]) {
        let mut rest = heap;
        for shown in all {
            rest = match rest.split_once(shown) {
                Some((_, after)) => after,
                None => panic!("{shown} is not in its place: {heap}"),
            };
        }
    }

    #[test]
    fn workspaces_that_the_reader_may_not_list_are_counted() {
        let html = drawn_for(&falling(), false);
        let others = "1 workspace below it<span class=\"quiet\">; you are not shown which</span>";
        assert!(html.contains(others), "{html}");
        let seen = drawn(&falling());
        assert!(!seen.contains(others), "{seen}");
    }

    #[test]
    fn what_falls_is_named_workspace_by_workspace_and_cannot_be_markup() {
        let html = drawn(&falling());
        let (root, child) = (workspace(1, "", None).id, workspace(2, "", None).id);
        let root = format!("href=\"/console/workspaces/{root}\"");
        let child = format!("href=\"/console/workspaces/{child}\"");
        in_order(
            heap(&html, &KEYS),
            &[
                "2 keys stop working",
                &root,
                "<bdi>payments</bdi>",
                "<code>csw_root…</code>",
                &child,
                "<bdi>&#60;script&#62;</bdi>",
                "<code>csw_chil…</code>",
            ],
        );
        in_order(
            heap(&html, &BOUND_KEYS),
            &[
                "1 key stops working",
                &child,
                "href=\"/console/keys/019b76da-a800-7000-8000-000000000013\"",
                "<bdi>&#60;script&#62;p\u{430}ypal</bdi> <code>cso_boun…</code>",
                "mixes letters of Cyrillic and Latin",
            ],
        );
        in_order(
            heap(&html, &SECRETS),
            &[
                "3 secrets are deleted",
                &root,
                "<bdi class=\"literal\">STRIPE_KEY</bdi>",
                &child,
                "<bdi class=\"literal\">DB_URL</bdi>",
                "<bdi class=\"literal\">SALT</bdi>",
            ],
        );
        assert!(!html.contains(" more"), "all are here: {html}");
    }

    // A page that is drawn anew keeps open what has an id.
    #[test]
    fn few_are_open_to_the_eye_and_many_are_folded_and_counted() {
        let few = drawn(&falling());
        let many = drawn(&Falling {
            secrets: 203,
            named: Named {
                secrets: (0..MAX_NAMED)
                    .map(|at| named_secret(&format!("KEY_{at}"), 1))
                    .collect(),
                ..falling().named
            },
            ..falling()
        });
        for kind in [KEYS, BOUND_KEYS, SECRETS] {
            let open = format!("<details id=\"{}\" open>", kind.id);
            assert_eq!(few.matches(&open).count(), 1, "{few}");
        }
        in_order(
            heap(&many, &SECRETS),
            &[
                "<details id=\"falling-secrets\">",
                "<summary>203 secrets are deleted</summary>",
                "KEY_0<",
                "KEY_199<",
                "and 3 more",
            ],
        );
    }

    #[test]
    fn what_a_reader_may_not_see_by_name_is_counted_and_said_to_be_hidden() {
        let html = drawn(&Falling {
            named: Named::default(),
            ..falling()
        });
        for (kind, says) in [
            (&KEYS, "2 keys stop working"),
            (&BOUND_KEYS, "1 key stops working"),
            (&SECRETS, "3 secrets are deleted"),
        ] {
            in_order(heap(&html, kind), &[says, "you are not shown which"]);
        }
        assert!(!html.contains("<details"), "{html}");
        let html = drawn(&Falling {
            tokens: 0,
            bound_tokens: 0,
            secrets: 0,
            named: Named::default(),
            ..falling()
        });
        assert!(
            html.contains("none works") && !html.contains("you are not shown"),
            "{html}"
        );
    }
}
