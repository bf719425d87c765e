//! What the policies in shadow of a generation would have changed: kind by kind, with the latest decisions of each.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::decision::Decision;
use countersign_core::generation::GenerationRecord;
use countersign_core::ledger::Page;
use countersign_core::shadow::{Counts, Differing, Gist, Kind, KindOfDifference, Which};
use countersign_core::strictness::Change;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::super::frame::{Frame, Party, Place};
use super::super::moment::Moment;
use super::super::people::People;
use super::super::{asked, assets, page};
use super::tabs::{Tab, Tabs};
use crate::policies::{ChoiceError, Policies};
use crate::problem::Problem;
use crate::routes::policy_differences::kind;
use crate::routes::{Answer, Call, Cursor, Routes};

const PATH: &str = "/console/policies/shadow";

/// What lets more happen is read first.
const GROUPS: [(Change, &str); 4] = [
    (Change::Looser, "Would let more happen"),
    (
        Change::Mixed,
        "Would let more happen in one respect, and less in another",
    ),
    (Change::Tighter, "Would let less happen"),
    (
        Change::Same,
        "Would come to the same, by another rule or in other words",
    ),
];

pub(super) fn add(routes: Routes) -> Routes {
    routes.verb(Method::GET, PATH, Verb::DecisionRead, show)
}

/// The page.
#[derive(Template)]
#[template(path = "policies/shadow.html")]
struct ShadowPage {
    frame: Frame,
    tabs: Tabs,
    generation: u64,
    is_live: bool,
    modules: Vec<InShadow>,
    counts: Counts,
    groups: Vec<Group>,
    /// Differing decisions that are of no kind that is told apart.
    untold: u64,
    /// The kind to which the list is narrowed.
    chosen: Option<KindLine>,
    lines: Vec<Line>,
    is_first: bool,
    /// After which decision the list goes on.
    next: Option<String>,
}

/// A module in shadow.
struct InShadow {
    name: String,
    version: String,
    /// How often it failed, and how the last time.
    failed: Option<(u64, &'static str)>,
}

/// The kinds that become of strictness what the others of the group do.
struct Group {
    title: &'static str,
    kinds: Vec<KindLine>,
}

/// One kind, in short.
struct KindLine {
    number: u32,
    title: String,
    seen: u64,
    last: String,
    kind: Kind,
}

/// One decision that differs, in short.
struct Line {
    id: String,
    title: String,
    verb: Verb,
    resource: Option<String>,
    party: Party,
    at: Moment,
    was: Gist,
    would_be: Gist,
}

impl InShadow {
    fn all(record: &GenerationRecord, policies: &Policies) -> Vec<Self> {
        let is_live = record.number == policies.generation();
        let failures = policies.shadow.failures();
        let modules = record.shadow.iter().map(|module| Self {
            name: module.id.name.clone(),
            version: module.id.version.clone(),
            failed: failures
                .of(&module.id)
                .filter(|_| is_live)
                .map(|failed| (failed.count, failed.last_kind.sentence())),
        });
        modules.collect()
    }
}

impl Group {
    /// Those that there are, the kind of which there are most first.
    fn all(kinds: &[KindOfDifference]) -> Vec<Self> {
        let group = |(change, title): (Change, &'static str)| {
            let of_change = kinds.iter().filter(|one| one.kind.change == change);
            let mut kinds: Vec<_> = of_change.map(KindLine::new).collect();
            kinds.sort_by_key(|line| (std::cmp::Reverse(line.seen), line.number));
            (!kinds.is_empty()).then_some(Self { title, kinds })
        };
        GROUPS.into_iter().filter_map(group).collect()
    }
}

impl KindLine {
    fn new(found: &KindOfDifference) -> Self {
        Self {
            number: found.number,
            title: asked::title(found.kind.verb),
            seen: found.seen,
            last: found.last.to_string(),
            kind: found.kind.clone(),
        }
    }
}

impl Line {
    fn new(found: &Differing, people: &People, now: Timestamp) -> Self {
        let decision = &found.decision;
        Self {
            id: decision.id.to_string(),
            title: asked::title(decision.verb),
            verb: decision.verb,
            resource: resource(decision),
            party: people.party(&decision.actor),
            at: Moment::new(decision.at, now),
            was: (&decision.judgement).into(),
            would_be: (&found.beside.would_be).into(),
        }
    }
}

fn resource(decision: &Decision) -> Option<String> {
    let resource = &decision.question.as_ref()?.resource;
    (resource.kind != "organisation" && !resource.id.is_empty()).then(|| resource.id.clone())
}

impl ShadowPage {
    fn new(
        (frame, people, now): (Frame, &People, Timestamp),
        (record, policies): (&GenerationRecord, &Policies),
        (counts, kinds): (Counts, &[KindOfDifference]),
        (which, found, wanted): (Which, &[Differing], &Page),
    ) -> Self {
        let modules = InShadow::all(record, policies);
        let is_live = record.number == policies.generation();
        Self::of(
            (frame, people, now),
            (record.number, is_live, modules),
            (counts, kinds),
            (which, found, wanted),
        )
    }

    fn of(
        (frame, people, now): (Frame, &People, Timestamp),
        (generation, is_live, modules): (u64, bool, Vec<InShadow>),
        (counts, kinds): (Counts, &[KindOfDifference]),
        (which, found, wanted): (Which, &[Differing], &Page),
    ) -> Self {
        let told: u64 = kinds.iter().map(|one| one.seen).sum();
        let chosen = kinds.iter().find(|one| Some(one.number) == which.kind);
        let shown = &found[..found.len().min(wanted.limit as usize)];
        let last = shown.last().filter(|_| found.len() > shown.len());
        Self {
            frame,
            tabs: Tabs::at(Tab::Shadow),
            generation,
            is_live,
            modules,
            untold: differing(&counts).saturating_sub(told),
            counts,
            groups: Group::all(kinds),
            chosen: chosen.map(KindLine::new),
            lines: shown
                .iter()
                .map(|one| Line::new(one, people, now))
                .collect(),
            is_first: wanted.after.is_none(),
            next: last.map(|last| last.decision.id.to_string()),
        }
    }

    fn differing(&self) -> u64 {
        differing(&self.counts)
    }

    /// Where the list of one kind begins; of all, where none is given.
    fn list(&self, kind: Option<&u32>) -> String {
        let kind = kind.map_or_else(String::new, |kind| format!("&kind={kind}"));
        format!("{PATH}?generation={}{kind}", self.generation)
    }

    /// Where the list that is shown begins.
    fn newest(&self) -> String {
        self.list(self.chosen.as_ref().map(|line| &line.number))
    }
}

fn differing(counts: &Counts) -> u64 {
    counts.looser + counts.mixed + counts.tighter + counts.reworded
}

async fn show(call: Call) -> Answer {
    let wanted = call.page(Cursor::Id)?;
    let number = call.query.get("generation").map(|number| number.parse());
    let number = number
        .transpose()
        .map_err(|_| Problem::bad_field("generation", "is not the number of one"))?;
    let kind = kind(&call)?;
    let permit = call.permit(Action::DecisionRead).await?;
    let (ledger, policies) = (&call.app.ledger, &*call.app.policies);
    let number = number.unwrap_or_else(|| policies.generation());
    let record = ledger.generation(number).await?;
    let record = record.ok_or(ChoiceError::NoGeneration(number))?;
    let kinds = ledger.shadow_kinds(&permit, number).await?;
    if kind.is_some_and(|kind| kinds.iter().all(|one| one.number != kind)) {
        let error = "there is no such kind of differences: look at all of them";
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", error));
    }
    let counts = ledger.shadow_counts(number).await?;
    let which = Which {
        generation: number,
        kind,
    };
    // One more than is shown: whether there is an older one.
    let part = Page {
        limit: wanted.limit + 1,
        ..wanted.clone()
    };
    let found = ledger.shadow_differences(&permit, which, &part).await?;
    let people = People::of(&call, found.iter().map(|one| &*one.decision.actor)).await?;
    let frame = Frame::of(&call.caller, Place::Policies);
    let shown = ShadowPage::new(
        (frame, &people, call.app.clock.now()),
        (&record, policies),
        (counts, &kinds),
        (which, &found, &wanted),
    );
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests;
