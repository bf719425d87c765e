//! What differs, grouped by what was said and is said.

use std::collections::BTreeMap;

use countersign_core::exhaustive::Row;
use countersign_core::generation::Asked;
use countersign_core::review::{Item, Shown};
use countersign_core::strictness::Change;

use super::pair::Found;
use crate::fold::Folded;
use crate::verify::given;
use crate::verify::point::Point;
use crate::words;

/// An item shows so many phrases; how many more there are is said.
const PHRASES: usize = 200;
/// So many items of each kind are listed. A module can have a rule of its own for each question.
const ITEMS: usize = 100;

/// What differs.
#[derive(Default)]
pub struct List {
    groups: BTreeMap<Found, Group>,
    reworded: u64,
}

/// Questions of which the same became the same.
#[derive(Default)]
struct Group {
    rows: Vec<Row>,
    /// Rows that do not show it where they are about what the table is known to be about.
    hidden: Vec<Row>,
    searched: u64,
    point: Option<Point>,
    recorded: u64,
    decision: Option<Shown>,
}

impl List {
    /// Notes what was found at a row of the exhaustive table.
    pub fn row(&mut self, row: &Row, found: Found) {
        if let Some(group) = self.group(found) {
            group.rows.push(row.clone());
        }
    }

    /// Notes what was found at a row that is about others than the table is.
    pub fn row_about_others(&mut self, row: &Row, found: Found) {
        if let Some(group) = self.group(found)
            && group.rows.last() != Some(row)
        {
            group.hidden.push(row.clone());
        }
    }

    /// Notes what was found at a recorded decision; the newest comes first.
    pub fn decision(&mut self, asked: &Asked, found: Found) {
        let Some(group) = self.group(found) else {
            return;
        };
        group.recorded += 1;
        group.decision.get_or_insert_with(|| {
            let resource = &asked.question.resource;
            Shown {
                id: asked.decision,
                at: asked.at,
                actor: asked.actor.clone(),
                verb: asked.question.verb.clone(),
                resource: format!("{} {}", resource.kind, resource.id),
            }
        });
    }

    /// Notes what was found in a search.
    pub fn point(&mut self, point: Point, found: Found) {
        let Some(group) = self.group(found) else {
            return;
        };
        group.searched += 1;
        let size = |point: &Point| (point.changes.len(), format!("{point:?}"));
        let is_smaller = |known: &Point| size(&point) < size(known);
        if group.point.as_ref().is_none_or(is_smaller) {
            group.point = Some(point);
        }
    }

    /// How many questions are only answered in other words.
    pub fn reworded(&self) -> u64 {
        self.reworded
    }

    fn group(&mut self, found: Found) -> Option<&mut Group> {
        if found.is_nothing() {
            return None;
        }
        if found.change == Change::Same {
            self.reworded += 1;
            return None;
        }
        Some(self.groups.entry(found).or_default())
    }

    /// What loosens, and what tightens, what the most questions show first; and how many kinds of the former are not
    /// listed. `smallest` makes a question small that shows it.
    pub fn items(
        self,
        smallest: &mut impl FnMut(Point, &Found) -> Point,
    ) -> (Vec<Item>, Vec<Item>, u64) {
        let mut groups: Vec<(Found, Group)> = self.groups.into_iter().collect();
        groups.sort_by_key(|(found, group)| {
            let count = (
                group.recorded,
                group.rows.len() + group.hidden.len(),
                group.searched,
            );
            (found.change, std::cmp::Reverse(count))
        });
        let (loosens, tightens): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(found, _)| found.change.loosens());
        let left_off = loosens.len().saturating_sub(ITEMS) as u64;
        let mut listed = |groups: Vec<(Found, Group)>| -> Vec<Item> {
            let groups = groups.into_iter().take(ITEMS);
            groups
                .map(|(found, group)| group.item(found, smallest))
                .collect()
        };
        (listed(loosens), listed(tightens), left_off)
    }
}

impl Group {
    fn item(self, found: Found, smallest: &mut impl FnMut(Point, &Found) -> Point) -> Item {
        let plainest = self.rows.iter().min_by_key(|row| row.flags.len());
        // What the search came upon may be something else than the table shows, under the same rule.
        let row = plainest.map(|row| given(&Point::of(row.clone())));
        let point = self.point.map(|point| given(&smallest(point, &found)));
        let rows = [&*self.rows, &self.hidden].concat();
        let mut phrases = phrases(&rows);
        if phrases.len() > PHRASES {
            let more = phrases.len() - PHRASES;
            phrases.truncate(PHRASES);
            phrases.push(format!("… and {}", words::counted(more, "more phrase")));
        }
        if !self.hidden.is_empty() {
            let rows = words::counted(self.hidden.len(), "row");
            phrases.push(format!(
                "{rows} of these only where it is about names that were drawn for this comparison: the table's own are recognised and answered otherwise, for which no policy has a reason"
            ));
        }
        let cases: Vec<String> = row.into_iter().chain(point).collect();
        let case = (!cases.is_empty()).then(|| cases.join("\n"));
        Item {
            change: found.change,
            before: found.before,
            after: found.after,
            rows: rows.len() as u64,
            phrases,
            searched: self.searched,
            recorded: self.recorded,
            case,
            decision: self.decision,
        }
    }
}

/// Who asks for what, in the fewest phrases.
fn phrases(rows: &[Row]) -> Vec<String> {
    let folded = Folded::of(rows.iter().map(|row| (row, ())));
    let mut phrases = Vec::new();
    for group in folded.groups() {
        let verbs = words::verbs(&group.verbs);
        for line in &group.lines {
            phrases.push(format!("{verbs}: {}", words::block(&line.block)));
        }
    }
    phrases
}

#[cfg(test)]
mod tests {
    use countersign_core::exhaustive;
    use countersign_core::policy::CallerClass;
    use countersign_core::review::Said;

    use super::*;

    #[test]
    fn what_loosens_and_is_not_listed_is_counted() {
        let said = |effect: &str, rule: String| Said {
            class: CallerClass::Agent,
            effect: effect.to_owned(),
            rule,
            policy: "m".to_owned(),
            takes: None,
        };
        let row = exhaustive::rows().next().expect("there are rows");
        let left_off = |rules: usize| {
            let mut list = List::default();
            for rule in 0..rules {
                let found = Found {
                    change: Change::Looser,
                    before: said("deny", "all".to_owned()),
                    after: said("allow", format!("rule-{rule}")),
                };
                list.row(&row, found);
            }
            let (loosens, _, left_off) = list.items(&mut |point, _| point);
            assert_eq!(loosens.len() as u64 + left_off, rules as u64);
            left_off
        };
        assert_eq!(left_off(ITEMS), 0);
        assert_eq!(left_off(ITEMS + 3), 3);
    }
}
