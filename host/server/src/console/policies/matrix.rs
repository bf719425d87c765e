//! What the live policies answer, to whom: a table of verbs and kinds of callers, and below it every row of the
//! exhaustive table, folded.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::policy::Credential;
use countersign_core::review::Said;
use countersign_core::verb::Verb;
use countersign_lab::answers::Takes;
use countersign_lab::fold::Line;
use countersign_lab::words;

use super::super::frame::{Frame, Place};
use super::super::{asked, assets, page};
use super::people_alone;
use super::tabs::{Tab, Tabs};
use crate::policies::{Cell, Matrix, ReviewError};
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};

/// The kinds of callers that a host meets, and what people call them.
const KINDS: [(&str, &[Credential]); 6] = [
    ("Person", &[Credential::VerifiedSession]),
    ("Organisation key", &[Credential::OrgToken]),
    ("ADMIN_TOKEN", &[Credential::AdminToken]),
    ("Workspace key", &[Credential::WorkspaceToken]),
    ("Installer", &[Credential::Provisioner]),
    (
        "Anyone else",
        &[
            Credential::Vouched,
            Credential::Other,
            Credential::Anonymous,
        ],
    ),
];

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/console/policies/matrix";
    routes.verb(Method::GET, path, Verb::PolicyRead, show)
}

/// The answers of a generation.
#[derive(Template)]
#[template(path = "policies/matrix.html")]
struct MatrixPage {
    frame: Frame,
    tabs: Tabs,
    /// None where they are not worked out yet.
    view: Option<View>,
}

struct View {
    generation: u64,
    size: String,
    verbs: Vec<VerbRow>,
    groups: Vec<GroupView>,
}

/// One verb, and what comes of it for each of [`KINDS`].
struct VerbRow {
    verb: Verb,
    title: String,
    /// Which of the groups tells more.
    group: usize,
    cells: Vec<(&'static str, Vec<String>)>,
}

/// Verbs that are answered alike.
struct GroupView {
    verbs: String,
    lines: Vec<LineView>,
}

/// Rows that agree.
struct LineView {
    who: String,
    roles: String,
    conditions: String,
    class: &'static str,
    effect: String,
    rule: String,
    policy: String,
    takes: Option<String>,
}

impl View {
    fn of(matrix: &Matrix) -> Self {
        let groups = matrix.folded.groups();
        let row = |(verb, group): (Verb, usize)| VerbRow {
            verb,
            title: asked::title(verb),
            group,
            cells: KINDS
                .iter()
                .map(|(kind, credentials)| (*kind, outcomes(matrix, verb, credentials)))
                .collect(),
        };
        let verbs = groups.iter().enumerate();
        let verbs = verbs.flat_map(|(at, group)| group.verbs.iter().map(move |verb| (*verb, at)));
        let mut verbs: Vec<_> = verbs.collect();
        verbs.sort_unstable();
        Self {
            generation: matrix.generation,
            size: format!(
                "{} in {}",
                words::counted(matrix.rows, "question"),
                words::counted(matrix.folded.len(), "line")
            ),
            verbs: verbs.into_iter().map(row).collect(),
            groups: groups
                .iter()
                .map(|group| GroupView {
                    verbs: words::verbs(&group.verbs),
                    lines: group.lines.iter().map(LineView::of).collect(),
                })
                .collect(),
        }
    }
}

/// What can come of a verb, the mildest first.
fn outcomes(matrix: &Matrix, verb: Verb, credentials: &[Credential]) -> Vec<String> {
    let cells = credentials.iter();
    let cells = cells.filter_map(|credential| matrix.cells.get(&(verb, *credential)));
    let all: Cell = cells.flatten().cloned().collect();
    ["allow", "gate", "deny"]
        .into_iter()
        .filter(|effect| all.contains(*effect))
        .map(str::to_owned)
        .collect()
}

impl LineView {
    fn of(line: &Line<Said>) -> Self {
        let (block, said) = (&line.block, &line.answer);
        let takes = said.takes.as_ref().map(|takes| {
            words::takes(&Takes {
                quorums: takes.quorums.clone(),
                pending_ttl: takes.pending_ttl,
                grant_ttl: takes.grant_ttl,
            })
        });
        Self {
            who: words::credentials(&block.credentials),
            roles: words::roles(&block.roles),
            conditions: words::conditions(&block.conditions),
            class: said.class.as_str(),
            effect: said.effect.clone(),
            rule: said.rule.clone(),
            policy: said.policy.clone(),
            takes,
        }
    }
}

async fn show(call: Call) -> Answer {
    people_alone(&call)?;
    call.permit(Action::PolicyRead).await?;
    let app = &call.app;
    let matrix = app.policies.matrix(app.gate.lives).await;
    let matrix = matrix.map_err(|error| match error {
        ReviewError::Ledger(error) => error.into(),
        _ => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "working out what the policies answer broke down: load the page again; the log says more",
        ),
    })?;
    let shown = MatrixPage {
        frame: Frame::of(&call.caller, Place::Policies),
        tabs: Tabs::at(Tab::Matrix),
        view: matrix.as_deref().map(View::of),
    };
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use countersign_core::exhaustive;
    use countersign_core::policy::CallerClass;
    use countersign_lab::fold::Folded;

    use super::super::super::examples::{is_whole, person};
    use super::*;

    /// People may, agents need them, and nobody else may.
    fn matrix() -> Matrix {
        let mut cells: BTreeMap<_, Cell> = BTreeMap::new();
        let rows: Vec<_> = exhaustive::rows().collect();
        let said = |credential| {
            let effect = match credential {
                Credential::VerifiedSession => "allow",
                Credential::OrgToken | Credential::AdminToken => "gate",
                _ => "deny",
            };
            Said {
                class: CallerClass::Agent,
                effect: effect.to_owned(),
                rule: "<i>rule</i>".to_owned(),
                policy: "m".to_owned(),
                takes: None,
            }
        };
        for row in &rows {
            let cell = cells.entry((row.verb, row.credential)).or_default();
            cell.insert(said(row.credential).effect);
        }
        Matrix {
            generation: 7,
            rows: rows.len(),
            folded: Folded::of(rows.iter().map(|row| (row, said(row.credential)))),
            cells,
        }
    }

    fn drawn(view: Option<View>) -> String {
        let page = MatrixPage {
            frame: Frame::of(&person("ada"), Place::Policies),
            tabs: Tabs::at(Tab::Matrix),
            view,
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn every_verb_is_a_row_and_every_kind_of_caller_has_its_outcomes() {
        let view = View::of(&matrix());
        let mint = view.verbs.iter().find(|row| row.verb == Verb::OrgTokenMint);
        let cells: Vec<_> = mint
            .expect("a row")
            .cells
            .iter()
            .map(|(_, cell)| cell.join(" "))
            .collect();
        assert_eq!(cells, ["allow", "gate", "gate", "deny", "deny", "deny"]);
        let html = drawn(Some(view));
        for shown in [
            "Generation 7",
            "Mint an organisation key",
            "data-label=\"ADMIN_TOKEN\"",
            "every verb",
            "&#60;i&#62;rule",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("<i>"), "{html}");
    }

    #[test]
    fn what_is_not_worked_out_yet_says_so() {
        let html = drawn(None);
        assert!(
            html.contains("Look again") && !html.contains("<table"),
            "{html}"
        );
        // A page that loaded itself anew would take readers away from what they read, and nobody could stop it.
        assert!(!html.contains("http-equiv"), "{html}");
    }
}
