//! What every page shows around its content: where one is, and as whom.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::audit::HOST;
use countersign_core::caller::{Caller, Identity, Issuer, POLICY_FOLDER};
use countersign_core::session::OPERATOR;

use super::people::Known;

/// The frame of one page, which `layout.html` draws.
pub struct Frame {
    /// Who reads it, where that is known.
    pub viewer: Option<Viewer>,
    place: Place,
}

/// A part of the console.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The requests that wait for people.
    Approvals,
    /// The organisation's keys.
    Keys,
    /// The workspaces, and the secrets.
    Workspaces,
    /// The live policies.
    Policies,
    /// The recorded decisions.
    Decisions,
    /// The audit log.
    Audit,
    /// Inside, in none of these.
    Elsewhere,
    /// Outside: nobody is signed in, and links inside would lead nowhere.
    Outside,
}

/// Who reads the page.
#[derive(Clone)]
pub struct Viewer {
    /// What they are called.
    pub name: String,
    /// How they proved it.
    pub proof: &'static str,
    /// Whether the session is the host's own: then it can be ended here, and its forms need its proof.
    pub is_ours: bool,
}

/// A link to a part of the console.
pub struct NavItem {
    /// Where it leads.
    pub path: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// Whether the page belongs to it.
    pub is_current: bool,
}

const PLACES: [(Place, &str, &str); 6] = [
    (Place::Approvals, "/console/approvals", "Approvals"),
    (Place::Keys, "/console/keys", "Keys"),
    (Place::Workspaces, "/console/workspaces", "Workspaces"),
    (Place::Policies, "/console/policies", "Policies"),
    (Place::Decisions, "/console/decisions", "Decisions"),
    (Place::Audit, "/console/audit", "Audit"),
];

impl Frame {
    /// Around a page that `caller` reads.
    pub fn of(caller: &Caller, place: Place) -> Self {
        Self {
            viewer: Some(Viewer::of(caller)),
            place,
        }
    }

    /// Around a page whose reader is not known.
    pub fn without_viewer(place: Place) -> Self {
        Self {
            viewer: None,
            place,
        }
    }

    /// Around a page that a session of the host's own login reads.
    pub fn of_operator(place: Place) -> Self {
        Self {
            viewer: Some(Viewer::operator()),
            place,
        }
    }

    /// Around a page that `viewer` reads, where that is known.
    pub fn for_viewer(viewer: Option<Viewer>, place: Place) -> Self {
        Self { viewer, place }
    }

    /// Whether a session of the host's own reads it.
    pub fn is_ours(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_ours)
    }

    /// The links; none where they would lead nowhere.
    pub fn nav(&self) -> Vec<NavItem> {
        if self.place == Place::Outside {
            return Vec::new();
        }
        PLACES
            .iter()
            .map(|(place, path, name)| NavItem {
                path,
                name,
                is_current: *place == self.place,
            })
            .collect()
    }
}

impl Place {
    /// The one that what is at `path` belongs to.
    pub fn of_path(path: &str) -> Self {
        let within = path.strip_prefix("/console").unwrap_or_default();
        match within.split('/').nth(1) {
            Some("approvals") => Self::Approvals,
            Some("keys") => Self::Keys,
            Some("workspaces" | "secrets") => Self::Workspaces,
            Some("policies") => Self::Policies,
            Some("decisions") => Self::Decisions,
            Some("audit") => Self::Audit,
            _ => Self::Elsewhere,
        }
    }

    /// Where it begins, and the words that lead there.
    pub fn way_back(self) -> (&'static str, &'static str) {
        match self {
            Self::Keys => ("/console/keys", "Back to the keys"),
            Self::Workspaces => ("/console/workspaces", "Back to the workspaces"),
            Self::Policies => ("/console/policies", "Back to the policies"),
            Self::Decisions => ("/console/decisions", "Back to the decisions"),
            Self::Audit => ("/console/audit", "Back to the audit log"),
            Self::Approvals | Self::Elsewhere | Self::Outside => {
                ("/console/approvals", "See what is waiting")
            }
        }
    }
}

impl Viewer {
    /// Whoever is signed in by the host's own link.
    pub fn operator() -> Self {
        Self {
            name: OPERATOR.to_owned(),
            proof: vouched_by(Issuer::Operator),
            is_ours: true,
        }
    }

    /// `caller`.
    pub fn of(caller: &Caller) -> Self {
        match &caller.identity {
            Identity::Session {
                person, session, ..
            } => Self {
                name: person.user.clone(),
                proof: vouched_by(person.issuer),
                is_ours: session.is_some(),
            },
            Identity::OrgToken { .. }
            | Identity::WorkspaceToken { .. }
            | Identity::AdminToken { .. }
            | Identity::Provisioner { .. }
            | Identity::PolicyFolder => Self {
                name: caller.actor(),
                proof: "a program’s credential",
                is_ours: false,
            },
        }
    }
}

/// Who vouches for a person, in words.
pub fn vouched_by(issuer: Issuer) -> &'static str {
    match issuer {
        Issuer::Operator => "by login link",
        Issuer::ControlPlane => "by the control plane",
        Issuer::IdentityAssertion => "by the identity proxy",
    }
}

/// Who did something, of an audit label, in words. Draws itself.
#[derive(Template)]
#[template(path = "party.html")]
pub struct Party {
    /// What kind of caller it is.
    pub words: &'static str,
    /// What tells it from others of its kind; empty where nothing need.
    pub label: String,
    /// The person, where it is one whom the reader may know.
    pub known: Option<Known>,
}

/// Its template escapes names.
impl HtmlSafe for Party {}

impl Party {
    /// Of the label that [`Caller::actor`] writes.
    pub fn of(actor: &str) -> Self {
        let (words, label) = match actor.split_once(':') {
            Some(("org-token", prefix)) => ("organisation key", format!("{prefix}…")),
            Some(("workspace-token", prefix)) => ("workspace key", format!("{prefix}…")),
            Some(("session", id)) => ("a person", id.to_owned()),
            _ if actor == POLICY_FOLDER => ("the policy folder", String::new()),
            _ if actor == HOST => ("the host itself", String::new()),
            _ if actor == "admin-token" => ("the holder of ADMIN_TOKEN", String::new()),
            _ => ("", actor.to_owned()),
        };
        Self {
            words,
            label,
            known: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_of_a_kind_that_is_not_known_is_shown_as_it_is() {
        let party = Party::of("some-later-kind:abc");
        assert_eq!(
            (party.words, party.label.as_str()),
            ("", "some-later-kind:abc")
        );
    }

    #[test]
    fn a_place_is_known_by_its_address_and_leads_back_to_itself() {
        for (place, path, _) in PLACES {
            assert!(Place::of_path(path) == place, "{path}");
            assert!(Place::of_path(&format!("{path}/x/y")) == place, "{path}");
            assert_eq!(place.way_back().0, path);
        }
        assert!(Place::of_path("/console/secrets/K/delete") == Place::Workspaces);
        for elsewhere in [
            "",
            "/",
            "/console",
            "/console/",
            "/console/x",
            "/keys",
            "/console/keysx",
        ] {
            assert!(Place::of_path(elsewhere) == Place::Elsewhere, "{elsewhere}");
        }
    }

    #[test]
    fn exactly_one_link_is_the_current_one() {
        let nav = Frame::without_viewer(Place::Keys).nav();
        let current: Vec<_> = nav.iter().filter(|item| item.is_current).collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0].name, "Keys");
        assert!(Frame::without_viewer(Place::Outside).nav().is_empty());
    }
}
