//! What a change of a set of policies would change of what it decides, held by a host before the change is
//! made: the list that a person accepts.
//!
//! Both sets are asked the same: every row of the exhaustive table, what a search directed by the texts and
//! numbers of the modules that differ comes upon, and what callers asked lately. Components that are new are
//! held to the laws of all policies as well.

mod list;
mod pair;
mod search;

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::approval::Lives;
use countersign_core::exhaustive::{self, Cast, Row};
use countersign_core::generation::Asked;
use countersign_core::review::{Broken, Looked, Review};
use countersign_engine::{PolicySet, Proven};

use self::list::List;
use self::pair::{Found, Pair, Sides};
use self::search::Search;
use crate::module::Module;
use crate::verify::point::Point;
use crate::verify::space::Space;
use crate::verify::{Effort, Progress, verify};

/// How much is asked is bounded by itself: seconds for modules of ours. What takes longer than this is cut short,
/// and a list that is cut short is nothing that goes live by itself.
const TIME: Duration = Duration::from_secs(300);

/// Lists what becomes of what `before` decides where `after` takes its place, on a host whose approvals have these
/// `lives`. `asked` is what callers asked
/// lately, newest first. The table is asked a second time about `cast`, whose names no module can have been made to
/// recognise. Whoever stops `progress` gets a list that is cut short.
pub fn review(
    (before, after): (&PolicySet, &PolicySet),
    (asked, cast): (&[Asked], &Cast),
    lives: &Lives,
    progress: &Progress,
) -> Review {
    progress.end_at(Instant::now() + TIME);
    let sides = Sides::new(before, after, lives);
    let mut looked = Looked::default();
    let rows: Vec<Row> = exhaustive::rows().collect();
    let mut list = List::default();
    let mut pair = Pair::new(&sides);
    for row in &rows {
        if progress.is_cut_short() {
            break;
        }
        list.row(row, pair.compare_afresh(&row.question()));
        list.row_about_others(row, pair.compare_afresh(&row.question_about(cast)));
        looked.rows += 1;
    }
    for asked in asked {
        if progress.is_cut_short() {
            break;
        }
        if before.lacks(&asked.question) || after.lacks(&asked.question) {
            looked.unasked += 1;
            continue;
        }
        let found = pair.compare_afresh(&asked.question);
        list.decision(asked, found);
        looked.recorded += 1;
    }
    let changed = changed(before, after);
    // One more voice never loosens what the others rule, and no row of the table is without one: what an added
    // module could open is held to the laws below, and to what callers asked.
    if !changed.is_empty() && !adds_only(before, after) {
        let space = Space::of_all(&changed.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        let search = Search::new(&sides, (&space, &rows), progress);
        let (searched, points) = search.run();
        looked.searched += searched;
        for (point, found) in points {
            list.point(point, found);
        }
    }
    let mut broken = Vec::new();
    // What is only set otherwise is compared above; the laws were held against the component when it came.
    let is_new = |module: &&Arc<Proven>| {
        let mut known = before.modules().iter();
        stands_in(after, module) && !known.any(|known| known.id() == module.id())
    };
    for module in changed.iter().filter(is_new) {
        let classifier = classifier(after);
        let module = Module::beside(Arc::clone(module), &classifier);
        let verified = verify(&module, &[], &Effort::quick(), progress);
        looked.searched += verified.asked;
        broken.extend(verified.findings.into_iter().map(|finding| Broken {
            module: module.proven().id().to_string(),
            law: finding.law,
            sentence: finding.sentence,
            case: finding.case,
        }));
    }
    looked.cut_short = progress.is_cut_short();
    looked.reworded = list.reworded();
    let mut smallest = |point: Point, key: &Found| match progress.is_cut_short() {
        true => point,
        false => pair.smallest(point, key),
    };
    let (loosens, tightens, left_off) = list.items(&mut smallest);
    Review {
        looked,
        loosens,
        tightens,
        broken,
        left_off,
        undoes: None,
    }
}

/// Whether all that is different of `after` is that it has more modules.
fn adds_only(before: &PolicySet, after: &PolicySet) -> bool {
    let mut modules = before.modules().iter();
    modules.all(|module| stands_in(after, module))
        && is_same(&classifier(before), &classifier(after))
}

/// The modules that only one of the two has, or has set so.
fn changed(before: &PolicySet, after: &PolicySet) -> Vec<Arc<Proven>> {
    let only = |one: &PolicySet, other: &PolicySet| -> Vec<Arc<Proven>> {
        let modules = one.modules().iter();
        modules
            .filter(|module| !stands_in(other, module))
            .cloned()
            .collect()
    };
    let mut changed = only(after, before);
    changed.extend(only(before, after));
    changed
}

/// Whether the set has this very module, set so.
fn stands_in(set: &PolicySet, module: &Proven) -> bool {
    let mut modules = set.modules().iter();
    modules.any(|other| is_same(other, module))
}

fn is_same(one: &Proven, other: &Proven) -> bool {
    one.id() == other.id() && one.settings() == other.settings()
}

/// The module of the set that says who asks.
fn classifier(set: &PolicySet) -> Arc<Proven> {
    let name = &set.classifier().id().name;
    let mut modules = set.modules().iter();
    let found = modules.find(|module| module.id().name == *name);
    Arc::clone(found.expect("INVARIANT: the classifier is one of the set"))
}

#[cfg(test)]
mod tests;
